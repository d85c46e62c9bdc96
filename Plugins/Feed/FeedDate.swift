import SocialEvents

/// Reads the dates of feeds in the forms found in the wild: RFC 822 with its many near misses, W3CDTF and other shapes of
/// ISO 8601, asctime, Unix stamps, and month names in a dozen languages.
///
/// A date without a time is midnight, a time without a zone is UTC. Dates that do not exist are not read.
enum FeedDate {
    /// The moment that `text` names, or nil when it cannot be read.
    static func parse(_ text: String) -> Timestamp? {
        var text = text
        return text.withUTF8 { parse($0) }
    }

    /// The moment that UTF-8 text names, or nil when it cannot be read.
    static func parse(_ text: UnsafeBufferPointer<UInt8>) -> Timestamp? {
        let bytes = trimmed(text)
        guard !bytes.isEmpty, bytes.count <= longest else { return nil }
        guard let moment = Timestamp(rfc3339: bytes) ?? rfc822(bytes) ?? anything(bytes) else { return nil }
        return isPlaceholder(moment) ? nil : moment
    }

    /// Longer texts are no dates.
    private static let longest = 100

    /// What software writes when it has no date: the start of Unix time, or of the calendar (.NET).
    private static func isPlaceholder(_ moment: Timestamp) -> Bool {
        moment.milliseconds == 0 || moment.milliseconds < -61_000_000_000_000
    }

    private static func trimmed(_ text: UnsafeBufferPointer<UInt8>) -> UnsafeBufferPointer<UInt8> {
        var start = 0
        var end = text.count
        while start < end, text[start] <= 0x20 { start += 1 }
        while end > start, text[end - 1] <= 0x20 { end -= 1 }
        return UnsafeBufferPointer(rebasing: text[start..<end])
    }

    // MARK: - The common form

    /// `Sun, 22 Nov 2026 02:33:16 +0000` and nothing else: nine of ten feeds, read without looking words up.
    private static func rfc822(_ bytes: UnsafeBufferPointer<UInt8>) -> Timestamp? {
        guard bytes.count >= 29, bytes[3] == UInt8(ascii: ","), bytes[7] == 0x20, bytes[11] == 0x20, bytes[16] == 0x20,
            bytes[19] == UInt8(ascii: ":"), bytes[22] == UInt8(ascii: ":"), bytes[25] == 0x20,
            let day = digits(bytes, 5, 2), let year = digits(bytes, 12, 4), let hour = digits(bytes, 17, 2),
            let minute = digits(bytes, 20, 2), let second = digits(bytes, 23, 2),
            let month = FeedDateNames.englishMonth(bytes[8], bytes[9], bytes[10])
        else { return nil }
        var civil = CivilTime(year: year, month: month, day: day, hour: hour, minute: minute, second: second)
        let sign = bytes[26]
        if bytes.count == 31, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-"), let zone = digits(bytes, 27, 4) {
            civil.offset = (zone / 100 * 60 + zone % 100) * (sign == UInt8(ascii: "-") ? -1 : 1)
        } else if bytes.count != 29 || bytes[26] != UInt8(ascii: "G") || bytes[27] != UInt8(ascii: "M") {
            return nil
        }
        return civil.moment
    }

    private static func digits(_ bytes: UnsafeBufferPointer<UInt8>, _ start: Int, _ count: Int) -> Int? {
        var number = 0
        for index in start..<start + count {
            let digit = bytes[index] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            number = number * 10 + Int(digit)
        }
        return number
    }

    // MARK: - Every other form

    private static func anything(_ bytes: UnsafeBufferPointer<UInt8>) -> Timestamp? {
        if let stamp = allDigits(bytes) { return stamp }
        var scanner = FeedDateScanner(bytes)
        return scanner.read()?.moment
    }

    /// Dates of digits alone: `20260301`, `20260301083000`, Unix time in seconds or milliseconds, a year.
    private static func allDigits(_ bytes: UnsafeBufferPointer<UInt8>) -> Timestamp? {
        guard bytes.count <= 17, bytes.allSatisfy({ $0 &- UInt8(ascii: "0") < 10 }),
            let number = digits(bytes, 0, bytes.count)
        else { return nil }
        switch bytes.count {
        case 4: return CivilTime(year: number, month: 1, day: 1).moment
        case 8: return CivilTime(year: number / 10_000, month: number / 100 % 100, day: number % 100).moment
        case 9, 10: return Timestamp(seconds: Int64(number))
        case 12, 13: return Timestamp(milliseconds: Int64(number))
        case 14:
            let (date, time) = (number / 1_000_000, number % 1_000_000)
            return CivilTime(
                year: date / 10_000,
                month: date / 100 % 100,
                day: date % 100,
                hour: time / 10_000,
                minute: time / 100 % 100,
                second: time % 100
            ).moment
        default: return nil
        }
    }
}

/// A date and a time of day somewhere, in the proleptic Gregorian calendar.
struct CivilTime {
    var year: Int
    var month: Int
    var day: Int
    var hour = 0
    var minute = 0
    var second = 0
    var millisecond = 0
    /// Minutes east of UTC.
    var offset = 0

    init(year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0) {
        self.year = year
        self.month = month
        self.day = day
        self.hour = hour
        self.minute = minute
        self.second = second
    }

    /// The moment, or nil when there is no such date or time.
    ///
    /// `24:00` is the next midnight; a leap second is the last millisecond of its minute.
    var moment: Timestamp? {
        guard (1...9999).contains(year), (1...12).contains(month), day >= 1, day <= daysInMonth, minute < 60,
            second <= 60,
            hour < 24 || (hour == 24 && minute == 0 && second == 0), abs(offset) <= 24 * 60
        else { return nil }
        let minutes = daysSince1970 * 1440 + hour * 60 + minute - offset
        let milliseconds = second == 60 ? 59_999 : second * 1000 + millisecond
        let moment = Timestamp(milliseconds: Int64(minutes) * 60_000 + Int64(milliseconds))
        return Timestamp.writable.contains(moment) ? moment : nil
    }

    private var daysInMonth: Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Counted from 1 March, so that the leap day ends a year; years here are never negative.
    private var daysSince1970: Int {
        let marchYear = month <= 2 ? year - 1 : year
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return marchYear * 365 + marchYear / 4 - marchYear / 100 + marchYear / 400 + dayOfYear - 719_468
    }
}
