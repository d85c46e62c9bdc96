/// What a pass over bytes says about their being UTF-8.
struct UTF8Check {
    /// Well-formed sequences of two to four bytes.
    private(set) var sequences = 0
    /// Bytes that are part of no well-formed sequence.
    private(set) var errors = 0

    var isValid: Bool { errors == 0 }

    init(_ bytes: ByteView) {
        var position = 0
        while true {
            position = bytes.positionOfNonASCII(from: position)
            guard position < bytes.count else { return }
            let length = Self.sequenceLength(bytes, at: position)
            if length > 0 {
                sequences += 1
                position += length
            } else {
                errors += 1
                position += 1
            }
        }
    }

    /// Copies the bytes with U+FFFD in place of each that is part of no well-formed sequence.
    func repair(_ bytes: ByteView, into buffer: inout ByteBuffer) {
        var position = 0
        var kept = 0
        while true {
            position = bytes.positionOfNonASCII(from: position)
            guard position < bytes.count else { break }
            let length = Self.sequenceLength(bytes, at: position)
            if length > 0 {
                position += length
            } else {
                buffer.append(bytes[kept..<position])
                buffer.append(scalar: 0xFFFD)
                position += 1
                kept = position
            }
        }
        buffer.append(bytes[kept..<bytes.count])
    }

    /// Length of the well-formed sequence that starts here (Unicode, table 3-7), or 0.
    private static func sequenceLength(_ bytes: ByteView, at position: Int) -> Int {
        let lead = bytes[position]
        func continuation(_ offset: Int, _ range: ClosedRange<UInt8> = 0x80...0xBF) -> Bool {
            position + offset < bytes.count && range.contains(bytes[position + offset])
        }
        switch lead {
        case 0xC2...0xDF: return continuation(1) ? 2 : 0
        case 0xE0: return continuation(1, 0xA0...0xBF) && continuation(2) ? 3 : 0
        case 0xED: return continuation(1, 0x80...0x9F) && continuation(2) ? 3 : 0
        case 0xE1...0xEF: return continuation(1) && continuation(2) ? 3 : 0
        case 0xF0: return continuation(1, 0x90...0xBF) && continuation(2) && continuation(3) ? 4 : 0
        case 0xF1...0xF3: return continuation(1) && continuation(2) && continuation(3) ? 4 : 0
        case 0xF4: return continuation(1, 0x80...0x8F) && continuation(2) && continuation(3) ? 4 : 0
        default: return 0
        }
    }
}

extension ByteView {
    /// The first byte of 0x80 or more from a position on, or the end; eight bytes at a time.
    func positionOfNonASCII(from start: Int) -> Int {
        var position = start
        while position + 8 <= count {
            if word(at: position) & 0x8080_8080_8080_8080 != 0 { break }
            position += 8
        }
        while position < count, self[position] < 0x80 { position += 1 }
        return position
    }

    /// The first control character other than tab and line feed from a position on, or the end; eight bytes at a time.
    func positionOfControl(from start: Int) -> Int {
        var position = start
        while position + 8 <= count {
            let word = word(at: position)
            // High bit set in each byte below 0x20; false alarms above such a byte are settled one by one below.
            let low = (word &- 0x2020_2020_2020_2020) & ~word & 0x8080_8080_8080_8080
            if low != 0 {
                for index in position..<(position + 8) where self[index].isStrayControl { return index }
            }
            position += 8
        }
        while position < count, !self[position].isStrayControl { position += 1 }
        return position
    }

    /// Eight bytes from a position on.
    @inline(__always)
    func word(at position: Int) -> UInt64 {
        precondition(position >= 0 && position + 8 <= count, "byte range outside of the view")
        return UnsafeRawPointer(bytes.baseAddress.unsafelyUnwrapped + position).loadUnaligned(as: UInt64.self)
    }
}

extension UInt8 {
    @inline(__always)
    fileprivate var isStrayControl: Bool { self < 0x20 && self != 0x09 && self != 0x0A }
}
