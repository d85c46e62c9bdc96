/// UTF-8 text being scanned: every position may be asked for, beyond the end there is nothing.
struct TextBytes {
    private let bytes: UnsafeBufferPointer<UInt8>

    /// `bytes` must be valid UTF-8, as those of a `String` are, and outlive this value.
    init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    /// The byte at a position; 0 beyond the end.
    subscript(_ position: Int) -> UInt8 {
        position < bytes.count ? bytes[position] : 0
    }

    /// The ASCII character at a position, `nil` where there is another or none.
    func ascii(_ position: Int) -> Unicode.Scalar? {
        position < bytes.count && bytes[position] < 0x80 ? Unicode.Scalar(bytes[position]) : nil
    }

    /// The text of a range that begins and ends between scalars.
    func string(_ range: Range<Int>) -> String {
        String(decoding: UnsafeBufferPointer(rebasing: bytes[range]), as: UTF8.self)
    }

    /// Whether a lower-case ASCII word stands at a position, in any case.
    func matches(_ word: StaticString, at position: Int) -> Bool {
        guard position + word.utf8CodeUnitCount <= bytes.count else { return false }
        for offset in 0..<word.utf8CodeUnitCount where bytes[position + offset] | 0x20 != word.utf8Start[offset] {
            return false
        }
        return true
    }
}

// MARK: - Scalars

extension TextBytes {
    /// The scalar at a position and its length in bytes; `nil` at the end.
    func scalar(at position: Int) -> (scalar: Unicode.Scalar, length: Int)? {
        guard position < bytes.count else { return nil }
        let lead = bytes[position]
        if lead < 0x80 { return (Unicode.Scalar(lead), 1) }
        let length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4
        guard position + length <= bytes.count else { return nil }
        var value = UInt32(lead) & (0x7F >> UInt32(length))
        for offset in 1..<length { value = value << 6 | UInt32(bytes[position + offset] & 0x3F) }
        return Unicode.Scalar(value).map { ($0, length) }
    }

    /// The scalar that ends at a position; `nil` at the start.
    func scalar(before position: Int) -> Unicode.Scalar? {
        var start = position - 1
        while start > 0, bytes[start] & 0xC0 == 0x80 { start -= 1 }
        return start >= 0 ? scalar(at: start)?.scalar : nil
    }

    /// How many scalars begin in a range.
    func scalarCount(_ range: Range<Int>) -> Int {
        guard let base = bytes.baseAddress else { return 0 }
        let raw = UnsafeRawPointer(base)
        var position = range.lowerBound
        var continuations = 0
        while position + 8 <= range.upperBound {
            let word = raw.loadUnaligned(fromByteOffset: position, as: UInt64.self)
            // Continuation bytes have the top bit set and the next one clear.
            continuations += (word & ~(word << 1) & 0x8080_8080_8080_8080).nonzeroBitCount
            position += 8
        }
        while position < range.upperBound {
            if bytes[position] & 0xC0 == 0x80 { continuations += 1 }
            position += 1
        }
        return range.count - continuations
    }
}

// MARK: - Runs

extension TextBytes {
    /// The end of the run of ASCII characters of a class that begins at `start`.
    @inline(__always)
    func end(from start: Int, of isMember: (Unicode.Scalar) -> Bool) -> Int {
        var position = start
        while let character = ascii(position), isMember(character) { position += 1 }
        return position
    }

    /// The end of a range without the ASCII characters at its end that cannot end it.
    @inline(__always)
    func trimmed(_ range: Range<Int>, to canEnd: (Unicode.Scalar) -> Bool) -> Int {
        var end = range.upperBound
        while end > range.lowerBound, let character = ascii(end - 1), !canEnd(character) { end -= 1 }
        return end
    }
}

// MARK: - Signs

extension TextBytes {
    /// The next byte that may begin an entity, or is the colon of a link: `#`, `@`, `$`, a colon before a slash, or the lead byte of a wide form.
    func nextSign(from start: Int) -> Int? {
        guard let base = bytes.baseAddress else { return nil }
        let raw = UnsafeRawPointer(base)
        let count = bytes.count
        var position = start
        while position + 8 <= count {
            let word = UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: position, as: UInt64.self))
            var found = Self.signs(word)
            while found != 0 {
                let candidate = position + found.trailingZeroBitCount / 8
                if isSign(candidate) { return candidate }
                found &= found &- 1
            }
            position += 8
        }
        while position < count {
            if isSign(position) { return position }
            position += 1
        }
        return nil
    }

    /// The top bit of every byte of a word that may be a sign; some may be none.
    @inline(__always)
    private static func signs(_ word: UInt64) -> UInt64 {
        // Subtracting borrows from byte to byte, so a byte behind a true one may be marked wrongly; `isSign` sorts them out.
        let ones: UInt64 = 0x0101_0101_0101_0101
        @inline(__always) func zeros(_ word: UInt64) -> UInt64 { (word &- ones) & ~word & (ones &* 0x80) }
        return zeros(word ^ (ones &* UInt64(UInt8(ascii: "#")))) | zeros(word ^ (ones &* UInt64(UInt8(ascii: "$"))))
            | zeros(word ^ (ones &* UInt64(UInt8(ascii: "@")))) | zeros(word ^ (ones &* UInt64(UInt8(ascii: ":"))))
            | zeros(word ^ (ones &* 0xEF))
    }

    @inline(__always)
    private func isSign(_ position: Int) -> Bool {
        switch bytes[position] {
        case UInt8(ascii: "#"), UInt8(ascii: "@"), UInt8(ascii: "$"): true
        case UInt8(ascii: ":"): self[position + 1] == UInt8(ascii: "/")
        case 0xEF: self[position + 1] == 0xBC && (self[position + 2] == 0x83 || self[position + 2] == 0xA0)
        default: false
        }
    }
}
