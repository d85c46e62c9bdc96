extension ByteBuffer {
    /// Appends text so that it stays text in an element and in a quoted attribute: `& < > "` as references, control characters
    /// left out, line ends as line feeds.
    mutating func append(escaping text: ByteView) {
        var kept = 0
        var position = 0
        while true {
            position = text.positionOfSpecial(from: position)
            guard position < text.count else { break }
            append(text[kept..<position])
            appendSpecial(text[position], next: position + 1 < text.count ? text[position + 1] : 0)
            position += 1
            kept = position
        }
        append(text[kept..<text.count])
    }

    /// Appends one decoded character, escaped like text.
    mutating func append(escapingScalar scalar: UInt32) {
        if scalar < 0x80, UInt8(scalar).isSpecial {
            appendSpecial(UInt8(scalar), next: 0)
        } else {
            append(scalar: scalar)
        }
    }

    private mutating func appendSpecial(_ byte: UInt8, next: UInt8) {
        switch byte {
        case UInt8(ascii: "&"): append("&amp;")
        case UInt8(ascii: "<"): append("&lt;")
        case UInt8(ascii: ">"): append("&gt;")
        case UInt8(ascii: "\""): append("&quot;")
        case 0x0D where next != 0x0A: append(UInt8(0x0A))
        default: break
        }
    }
}

extension ByteView {
    /// The first byte that escaping changes, or the end.
    fileprivate func positionOfSpecial(from start: Int) -> Int {
        var position = start
        // Eight at a time; false alarms are settled one by one.
        while position + 8 <= count, !word(at: position).mayHoldSpecial { position += 8 }
        while position < count, !self[position].isSpecial { position += 1 }
        return position
    }
}

extension UInt64 {
    /// Whether one of its eight bytes may be special: below 0x20, 0x7F, or one of `" & < >`.
    @inline(__always)
    fileprivate var mayHoldSpecial: Bool {
        let ones: UInt64 = 0x0101_0101_0101_0101
        // The high bit of a byte is set where it was zero before, and perhaps in the byte above.
        func zeros(_ word: UInt64) -> UInt64 { (word &- ones) & ~word }
        // `<` and `>` differ in one bit, `"` and `&` too.
        let brackets = zeros((self | ones &* 0x02) ^ ones &* 0x3E)
        let quotes = zeros((self | ones &* 0x04) ^ ones &* 0x26)
        let controls = (self &- ones &* 0x20) & ~self
        return (brackets | quotes | controls | zeros(self ^ ones &* 0x7F)) & (ones &* 0x80) != 0
    }
}

extension UInt8 {
    /// A byte that may not stand in text as it is.
    @inline(__always)
    fileprivate var isSpecial: Bool {
        if self >= 0x40 { return self == 0x7F }
        // One bit per byte below 0x40: the control characters except tab and line feed, and `" & < >`.
        return (UInt64(0x5000_0044_FFFF_F9FF) >> UInt64(self)) & 1 != 0
    }
}
