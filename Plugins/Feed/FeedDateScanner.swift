/// Finds the parts of a date in text of no certain order: numbers by their length and neighbours, words by their meaning.
struct FeedDateScanner {
    private let bytes: UnsafeBufferPointer<UInt8>
    private var position = 0

    private var year: Int?
    private var month: Int?
    private var day: Int?
    private var time: (hour: Int, minute: Int, second: Int, millisecond: Int)?
    private var isAfternoon: Bool?
    private var offset: Int?
    /// A month by its number, which must stand in its place, is not to be replaced by a word such as a French Tuesday.
    private var isMonthFixed = false

    init(_ bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
    }

    /// The date that stands in the text, if year and month can be told; the day defaults to the first.
    mutating func read() -> CivilTime? {
        while let byte = peek {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                guard readNumbers() else { return nil }
            case UInt8(ascii: "+"), UInt8(ascii: "-"):
                guard readOffset(isEast: byte == UInt8(ascii: "+")) else { return nil }
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), 0x80...:
                readWord()
            default:
                position += 1
            }
        }
        guard let year, let month else { return nil }
        var civil = CivilTime(year: year, month: month, day: day ?? 1)
        if let time {
            civil.hour = time.hour
            if isAfternoon == true, time.hour < 12 { civil.hour += 12 }
            if isAfternoon == false, time.hour == 12 { civil.hour = 0 }
            civil.minute = time.minute
            civil.second = time.second
            civil.millisecond = time.millisecond
        }
        civil.offset = offset ?? 0
        return civil
    }

    // MARK: - Numbers

    /// Reads a number and what hangs on it: a time, a date with separators, or a lone day or year.
    private mutating func readNumbers() -> Bool {
        guard let (first, length) = number() else { return false }
        if peek == UInt8(ascii: ":"), time == nil { return readTime(hour: first) }
        if let separator = peek, isDateSeparator(separator), year == nil || day == nil, separatedPartFollows {
            return readDate(first, length, separator)
        }
        skipOrdinal()
        switch length {
        case 4 where year == nil: year = first
        case 8 where year == nil:
            (year, month, day) = (first / 10_000, first / 100 % 100, first % 100)
            isMonthFixed = true
            if isTimeMark(peek) { return readCompactTime() }
        case 1, 2:
            if year != nil, month == nil {
                // The Korean order: 2004년 05월 28일.
                month = first
                isMonthFixed = true
            } else if day == nil {
                day = first
            } else if year == nil {
                year = Self.fullYear(first)
            } else {
                return time != nil
            }
        default: return time != nil
        }
        return true
    }

    /// A date whose parts are joined: `2026-03-01`, `2026-074`, `01-Mar-26`, `3/1/2026`, `1.3.2026`.
    private mutating func readDate(_ first: Int, _ length: Int, _ separator: UInt8) -> Bool {
        position += 1
        if let word = peek, !isDigit(word) { return readDateWithName(first, length, separator) }
        guard let (second, secondLength) = number() else { return false }
        var third: (value: Int, length: Int)?
        if peek == separator, separatedPartFollows {
            position += 1
            third = number()
        }
        isMonthFixed = true
        if length == 4 {
            year = first
            if third == nil, secondLength == 3 { return readOrdinalDate(second) }
            month = second
            if let third { day = third.value }
        } else if let third, third.length == 4 || third.length == 2 {
            year = third.length == 4 ? third.value : Self.fullYear(third.value)
            // With slashes Americans write the month first; where that is impossible, and with dots, the day comes first.
            let dayIsFirst = separator != UInt8(ascii: "/") || first > 12
            (day, month) = dayIsFirst ? (first, second) : (second, first)
        } else {
            return false
        }
        if isTimeMark(peek) { return readCompactTime() }
        return true
    }

    private mutating func readDateWithName(_ first: Int, _ length: Int, _ separator: UInt8) -> Bool {
        month = FeedDateNames.month(word())
        isMonthFixed = true
        if length == 4 { year = first } else { day = first }
        guard month != nil, peek == separator else { return month != nil }
        position += 1
        guard let (last, lastLength) = number() else { return false }
        if length == 4 { day = last } else { year = lastLength == 4 ? last : Self.fullYear(last) }
        if isTimeMark(peek) { return readCompactTime() }
        return true
    }

    private mutating func readOrdinalDate(_ dayOfYear: Int) -> Bool {
        guard let year, (1...366).contains(dayOfYear) else { return false }
        var rest = dayOfYear
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        for (index, length) in [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31].enumerated() {
            if rest <= length {
                (month, day) = (index + 1, rest)
                return isTimeMark(peek) ? readCompactTime() : true
            }
            rest -= length
        }
        return false
    }

    /// What follows the `T` of a date: `08:30`, `083000`, or nothing.
    private mutating func readCompactTime() -> Bool {
        position += 1
        guard let byte = peek, isDigit(byte) else { return true }
        guard let (first, length) = number() else { return false }
        if peek == UInt8(ascii: ":") { return readTime(hour: first) }
        switch length {
        case 1, 2: time = (first, 0, 0, 0)
        case 3, 4: time = (first / 100, first % 100, 0, 0)
        case 6: time = (first / 10_000, first / 100 % 100, first % 100, fraction())
        default: return false
        }
        return true
    }

    private mutating func readTime(hour: Int) -> Bool {
        position += 1
        guard let (minute, _) = number() else { return false }
        var second = 0
        if peek == UInt8(ascii: ":") {
            position += 1
            guard let (value, _) = number() else { return false }
            second = value
        }
        time = (hour, minute, second, fraction())
        return true
    }

    /// The milliseconds after a decimal point or comma, if digits follow one.
    private mutating func fraction() -> Int {
        guard let byte = peek, byte == UInt8(ascii: ".") || byte == UInt8(ascii: ","), position + 1 < bytes.count,
            isDigit(bytes[position + 1])
        else { return 0 }
        position += 1
        var value = 0
        var places = 0
        while let byte = peek, isDigit(byte) {
            if places < 3 { value = value * 10 + Int(byte - UInt8(ascii: "0")) }
            places += 1
            position += 1
        }
        while places < 3 {
            value *= 10
            places += 1
        }
        return value
    }

    /// `+02:00`, `-0500`, `+2`, `GMT-05:00`; a hyphen before a word or without digits is punctuation.
    private mutating func readOffset(isEast: Bool) -> Bool {
        position += 1
        guard let byte = peek, isDigit(byte) else { return true }
        guard year != nil || time != nil else { return true }
        guard let (first, length) = number() else { return false }
        var minutes = length <= 2 ? first * 60 : first / 100 * 60 + first % 100
        if peek == UInt8(ascii: ":"), length <= 2 {
            position += 1
            if let (rest, _) = number() { minutes += rest }
        }
        guard minutes <= 24 * 60 else { return false }
        offset = isEast ? minutes : -minutes
        return true
    }

    // MARK: - Words

    private mutating func readWord() {
        let word = word()
        switch word {
        case "am", "a", "오전", "πμ": if isAfternoon == nil { isAfternoon = false }
        case "pm", "p", "오후", "μμ": isAfternoon = true
        case "t" where year != nil: break
        default:
            if !isMonthFixed, month == nil || time == nil, let named = FeedDateNames.month(word) {
                month = named
            } else if time != nil, offset == nil, let zone = FeedDateNames.zone(word) {
                offset = zone
            }
        }
    }

    /// The word at the position, in lower case; `a.m.` is one word.
    private mutating func word() -> String {
        let start = position
        while let byte = peek,
            byte >= 0x80 || isLetter(byte) || (byte == UInt8(ascii: ".") && isAbbreviation(from: start))
        {
            position += 1
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self).lowercased()
        return text.utf8.contains(UInt8(ascii: ".")) ? String(text.filter { $0 != "." }) : text
    }

    /// Whether the point at the position stands inside an abbreviation of single letters.
    private func isAbbreviation(from start: Int) -> Bool {
        position - start == 1 && position + 1 < bytes.count && isLetter(bytes[position + 1])
    }

    private mutating func skipOrdinal() {
        guard position + 2 <= bytes.count, position + 2 == bytes.count || !isLetter(bytes[position + 2]) else { return }
        switch (bytes[position] | 0x20, bytes[position + 1] | 0x20) {
        case (0x73, 0x74), (0x6E, 0x64), (0x72, 0x64), (0x74, 0x68): position += 2  // st nd rd th
        default: break
        }
    }

    // MARK: - Bytes

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func number() -> (value: Int, length: Int)? {
        var value = 0
        let start = position
        while let byte = peek, isDigit(byte) {
            guard position - start < 17 else { return nil }
            value = value * 10 + Int(byte - UInt8(ascii: "0"))
            position += 1
        }
        return position > start ? (value, position - start) : nil
    }

    private var separatedPartFollows: Bool {
        guard position + 1 < bytes.count else { return false }
        let next = bytes[position + 1]
        return isDigit(next) || (isLetter(next) || next >= 0x80) && bytes[position] == UInt8(ascii: "-")
    }

    private func isDateSeparator(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "-") || byte == UInt8(ascii: "/") || byte == UInt8(ascii: ".")
    }

    private func isTimeMark(_ byte: UInt8?) -> Bool { byte == UInt8(ascii: "T") || byte == UInt8(ascii: "t") }

    private func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

    private func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- UInt8(ascii: "a") < 26 }

    /// A year of two digits: RFC 5322 §4.3, which also reads three digits as counted from 1900.
    private static func fullYear(_ year: Int) -> Int {
        year < 50 ? 2000 + year : 1900 + year
    }
}
