// Classes of scalars that entities are made of.

extension Unicode.Scalar {
    /// A letter, mark, decimal digit or `_`: what words and hashtags consist of.
    var isWord: Bool {
        if isASCII { return isWordASCII }
        // These marks make emoji, not words.
        if value & ~0xF == 0xFE00 || value == 0x20E3 { return false }
        switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .nonspacingMark,
            .spacingMark, .enclosingMark,
            .decimalNumber:
            return true
        default: return false
        }
    }

    var isLetter: Bool {
        if isASCII { return isLetterASCII }
        switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: return true
        default: return false
        }
    }

    var isMark: Bool {
        guard !isASCII else { return false }
        switch properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark: return true
        default: return false
        }
    }

    /// Stands inside words of some scripts without being a letter: middle dots, joiners, Hebrew punctuation, the wave dash.
    var joinsWords: Bool {
        switch value {
        case 0xB7, 0x5BE, 0x5F3, 0x5F4, 0xF0B, 0x200C, 0x200D, 0x301C, 0x30A0, 0x30FB, 0xFF5E: true
        default: false
        }
    }

    /// Belongs to the scripts of China, Japan and Korea, which put no spaces around what is not theirs, or to their punctuation and wide forms.
    var isEastAsian: Bool {
        switch value {
        case 0x1100...0x11FF, 0x2E80...0x9FFF, 0xA960...0xA97F, 0xAC00...0xD7FF, 0xF900...0xFAFF, 0xFE30...0xFE4F,
            0xFF00...0xFFEF,
            0x1AFF0...0x1B16F, 0x20000...0x3FFFF:
            true
        default: false
        }
    }

    var isLetterASCII: Bool {
        switch self {
        case "a"..."z", "A"..."Z": true
        default: false
        }
    }

    var isDigitASCII: Bool { self >= "0" && self <= "9" }

    var isWordASCII: Bool { isLetterASCII || isDigitASCII || self == "_" }

    /// May stand in the name of a mention.
    var isName: Bool { isWordASCII || self == "." || self == "-" }

    /// May stand in an IPv6 address.
    var isAddress: Bool {
        switch self {
        case "0"..."9", "a"..."f", "A"..."F", ":", ".": true
        default: false
        }
    }

    /// May stand in a URL as it is written in running text.
    var isURL: Bool {
        switch self {
        case "\u{0}"..." ", "\"", "<", ">", "\\", "^", "`", "{", "|", "}", "\u{7F}": false
        default: true
        }
    }

    /// May end a URL: sentences end with the others.
    var endsLink: Bool {
        switch self {
        case ".", ",", ":", ";", "!", "?", "'", "*", "(", "[": false
        default: true
        }
    }
}

extension Unicode.Scalar? {
    /// Whether there is a letter, digit or `_` of ASCII.
    var isWordASCII: Bool { self?.isWordASCII ?? false }
}
