/// Reads `&...;` as XML and HTML mean it.
enum CharacterReference {
    /// What stands at an ampersand.
    enum Reading {
        /// A character and how many bytes its reference takes, ampersand included.
        case scalar(UInt32, length: Int)
        /// A name between `&` and `;` that is none of HTML's, and how many bytes it all takes.
        case name(ByteView, length: Int)
        /// Only an ampersand.
        case bare
    }

    /// The longest name that is looked at, so that an ampersand costs little whatever follows it.
    private static let longestName = 64

    /// Reads a numeric reference or one that ends in a semicolon; names are only delimited, not resolved.
    static func read(_ text: ByteView, at ampersand: Int) -> Reading {
        let start = ampersand + 1
        guard start < text.count else { return .bare }
        if text[start] == UInt8(ascii: "#") { return number(text, at: ampersand) }
        guard text[start].startsName else { return .bare }
        var end = start
        let limit = min(text.count, start + longestName)
        while end < limit, isNameByte(text[end]) { end += 1 }
        guard end < text.count, text[end] == UInt8(ascii: ";") else { return .bare }
        return .name(text[start..<end], length: end + 1 - ampersand)
    }

    /// Reads a reference the way HTML does: names resolved, old ones also without their semicolon.
    ///
    /// In an attribute a name without semicolon stays as it is before `=`, a letter or a digit, or `?a=1&copy=2` would break.
    static func readHTML(_ text: ByteView, at ampersand: Int, inAttribute: Bool) -> Reading {
        let reading = read(text, at: ampersand)
        if case .scalar = reading { return reading }
        if case .name(let name, let length) = reading, let scalar = HTMLEntities.shared.scalar(named: name) {
            return .scalar(scalar, length: length)
        }
        let start = ampersand + 1
        guard start < text.count, text[start].isLetter,
            let (scalar, length) = HTMLEntities.shared.unterminated(at: text[start..<min(text.count, start + 6)])
        else { return .bare }
        let end = start + length
        if inAttribute, end < text.count {
            let next = text[end]
            if next == UInt8(ascii: "=") || next.isLetter || next.isDigit { return .bare }
        }
        let hasSemicolon = end < text.count && text[end] == UInt8(ascii: ";")
        return .scalar(scalar, length: 1 + length + (hasSemicolon ? 1 : 0))
    }

    /// Reads `&#233;` and `&#xE9;`, with or without the semicolon.
    ///
    /// Zero, surrogates and what is above Unicode give U+FFFD, the C1 range
    /// the characters of windows-1252 (HTML, section 13.2.5.80), which is what their authors meant.
    private static func number(_ text: ByteView, at ampersand: Int) -> Reading {
        var position = ampersand + 2
        var isHex = false
        if position < text.count, text[position] | 0x20 == UInt8(ascii: "x") {
            isHex = true
            position += 1
        }
        let digits = position
        var value: UInt32 = 0
        while position < text.count, let digit = digit(text[position], isHex: isHex) {
            value = min(value * (isHex ? 16 : 10) + digit, 0x110000)
            position += 1
        }
        guard position > digits else { return .bare }
        if position < text.count, text[position] == UInt8(ascii: ";") { position += 1 }
        if (0x80..<0xA0).contains(value) { value = windows1252[Int(value) - 0x80] }
        if value == 0 || value > 0x10FFFF || (0xD800..<0xE000).contains(value) { value = 0xFFFD }
        return .scalar(value, length: position - ampersand)
    }

    @inline(__always)
    private static func digit(_ byte: UInt8, isHex: Bool) -> UInt32? {
        if byte.isDigit { return UInt32(byte &- 0x30) }
        let letter = byte | 0x20
        return isHex && letter >= 0x61 && letter <= 0x66 ? UInt32(letter - 0x61 + 10) : nil
    }

    @inline(__always)
    private static func isNameByte(_ byte: UInt8) -> Bool {
        byte.startsName || byte.isDigit || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-")
    }

    private static let windows1252: [UInt32] = [
        0x20AC, 0x81, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8D,
        0x017D,
        0x8F, 0x90, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153,
        0x9D,
        0x017E, 0x0178,
    ]
}

extension UInt32 {
    /// A control character that neither XML nor HTML text may contain, tab and line ends excepted.
    var isForbiddenControl: Bool { self < 0x20 && self != 0x09 && self != 0x0A && self != 0x0D }
}
