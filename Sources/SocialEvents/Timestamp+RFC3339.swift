public import JSON

extension Timestamp: CustomStringConvertible {
    /// The moments whose year has four digits: all that RFC 3339 can write.
    public static let writable =
        Timestamp(milliseconds: -62_167_219_200_000)...Timestamp(milliseconds: 253_402_300_799_999)

    /// How many bytes a written moment has: `2026-03-01T08:30:00.000Z`.
    static let writtenLength = 24

    /// The moment as RFC 3339 in UTC with milliseconds; years before 0 and after 9999 are written as the nearest
    /// moment of ``writable``.
    public var description: String {
        String(unsafeUninitializedCapacity: Self.writtenLength) { buffer in
            write(to: buffer)
            return Self.writtenLength
        }
    }

    /// Writes ``description`` as a JSON string, without making a `String`.
    public func append(to writer: inout JSONWriter) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Self.writtenLength + 2) { buffer in
            buffer[0] = UInt8(ascii: "\"")
            write(to: UnsafeMutableBufferPointer(rebasing: buffer[1...]))
            buffer[Self.writtenLength + 1] = UInt8(ascii: "\"")
            writer.raw(UnsafeRawBufferPointer(buffer))
        }
    }

    /// Writes ``description`` as UTF-8 to the first ``writtenLength`` bytes.
    func write(to bytes: UnsafeMutableBufferPointer<UInt8>) {
        let clamped = min(max(self, Self.writable.lowerBound), Self.writable.upperBound)
        let (days, millisecondsOfDay) = clamped.milliseconds.flooredQuotientAndRemainder(by: 86_400_000)
        let date = CivilDate(daysSince1970: days)
        let seconds = millisecondsOfDay / 1000
        let milliseconds = millisecondsOfDay % 1000
        bytes.writePair(date.year / 100, at: 0)
        bytes.writePair(date.year % 100, at: 2)
        bytes[4] = UInt8(ascii: "-")
        bytes.writePair(date.month, at: 5)
        bytes[7] = UInt8(ascii: "-")
        bytes.writePair(date.day, at: 8)
        bytes[10] = UInt8(ascii: "T")
        bytes.writePair(seconds / 3600, at: 11)
        bytes[13] = UInt8(ascii: ":")
        bytes.writePair(seconds / 60 % 60, at: 14)
        bytes[16] = UInt8(ascii: ":")
        bytes.writePair(seconds % 60, at: 17)
        bytes[19] = UInt8(ascii: ".")
        bytes.writePair(milliseconds / 10, at: 20)
        bytes[22] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: milliseconds % 10)
        bytes[23] = UInt8(ascii: "Z")
    }
}

extension Timestamp {
    /// Reads an RFC 3339 time; see ``init(rfc3339:)-(UnsafeBufferPointer<UInt8>)``.
    public init?(rfc3339 text: String) {
        var text = text
        guard let time = text.withUTF8({ Timestamp(rfc3339: $0) }) else { return nil }
        self = time
    }

    /// Reads an RFC 3339 time from UTF-8.
    ///
    /// Beyond the standard's letter: `T` and `Z` may be lower-case, a space may stand for `T`, the offset may lack its
    /// colon or its minutes (`+0000`, as Meta writes it). A fraction may have any number of digits; those after the third are cut off, so
    /// that a moment never moves into the future. A leap second is read as the last millisecond of its minute. Nil for
    /// everything else: dates and times that do not exist, a missing offset, moments outside ``writable``.
    public init?(rfc3339 text: UnsafeBufferPointer<UInt8>) {
        var scanner = DigitScanner(text)
        guard let year = scanner.number(digits: 4), scanner.skip("-"),
            let month = scanner.number(digits: 2), scanner.skip("-"),
            let day = scanner.number(digits: 2), scanner.skip("T") || scanner.skip("t") || scanner.skip(" "),
            let hour = scanner.number(digits: 2), scanner.skip(":"),
            let minute = scanner.number(digits: 2), scanner.skip(":"),
            let second = scanner.number(digits: 2),
            let fraction = scanner.skip(".") ? scanner.thousandths() : 0,
            let offset = scanner.offsetInMinutes(), scanner.isAtEnd,
            (1...12).contains(month), day >= 1, day <= CivilDate.daysInMonth(month, year: year),
            hour < 24, minute < 60, second <= 60
        else { return nil }
        let days = CivilDate.daysSince1970(year: year, month: month, day: day)
        let minutes = days * 1440 + hour * 60 + minute - offset
        let isLeapSecond = second == 60
        // Leap seconds are only ever put in at the end of a day in UTC.
        guard !isLeapSecond || minutes.flooredQuotientAndRemainder(by: 1440).remainder == 1439 else { return nil }
        milliseconds = minutes * 60_000 + (isLeapSecond ? 59_999 : second * 1000 + fraction)
        guard Self.writable.contains(self) else { return nil }
    }
}

/// A day of the proleptic Gregorian calendar.
///
/// Conversions count from 1 March, so that the leap day ends a year (Howard
/// Hinnant, "chrono-Compatible Low-Level Date Algorithms").
private struct CivilDate {
    var year: Int64
    var month: Int64
    var day: Int64

    init(daysSince1970 days: Int64) {
        let (era, dayOfEra) = (days + 719_468).flooredQuotientAndRemainder(by: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    static func daysSince1970(year: Int64, month: Int64, day: Int64) -> Int64 {
        let (era, yearOfEra) = (month <= 2 ? year - 1 : year).flooredQuotientAndRemainder(by: 400)
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    static func daysInMonth(_ month: Int64, year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}

/// Reads fixed-width decimal fields from ASCII.
private struct DigitScanner {
    private let bytes: UnsafeBufferPointer<UInt8>
    private var position = 0

    init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    var isAtEnd: Bool { position == bytes.count }

    mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func digit() -> Int64? {
        guard position < bytes.count else { return nil }
        let value = bytes[position] &- UInt8(ascii: "0")
        guard value < 10 else { return nil }
        position += 1
        return Int64(value)
    }

    mutating func number(digits: Int) -> Int64? {
        var number: Int64 = 0
        for _ in 0..<digits {
            guard let digit = digit() else { return nil }
            number = number * 10 + digit
        }
        return number
    }

    /// The digits of a fraction, one or more, of which the first three count.
    mutating func thousandths() -> Int64? {
        guard var value = digit() else { return nil }
        var places = 1
        while let digit = digit() {
            if places < 3 { value = value * 10 + digit }
            places += 1
        }
        while places < 3 {
            value *= 10
            places += 1
        }
        return value
    }

    /// `Z`, `+01:30`, `+0130` or `+01`, in minutes east of UTC.
    mutating func offsetInMinutes() -> Int64? {
        if skip("Z") || skip("z") { return 0 }
        let isEast = skip("+")
        guard isEast || skip("-"), let hours = number(digits: 2) else { return nil }
        var minutes: Int64 = 0
        if skip(":") || !isAtEnd {
            guard let number = number(digits: 2) else { return nil }
            minutes = number
        }
        guard hours < 24, minutes < 60 else { return nil }
        return (isEast ? 1 : -1) * (hours * 60 + minutes)
    }
}

extension Int64 {
    /// Quotient and remainder of a division that rounds down, so that the remainder is never negative.
    fileprivate func flooredQuotientAndRemainder(by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}

extension UnsafeMutableBufferPointer<UInt8> {
    /// Writes a number below 100 with two digits.
    fileprivate func writePair(_ number: Int64, at start: Int) {
        let number = UInt8(truncatingIfNeeded: number)
        self[start] = UInt8(ascii: "0") + number / 10
        self[start + 1] = UInt8(ascii: "0") + number % 10
    }
}
