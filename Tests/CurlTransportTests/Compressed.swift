/// Compressed bodies.
enum Compressed {
    /// `hello, hello, hello` as gzip.
    static let hello: [UInt8] = [
        0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0xd7,
        0x51, 0xc8, 0x40, 0xa2, 0x00, 0x9f, 0xa1, 0xca, 0x09, 0x13, 0x00, 0x00, 0x00,
    ]

    /// The beginning of a gzip body that unfolds to `size` zeros or a little more: one literal, then copies of 258
    /// bytes in 13 bits each (RFC 1951).
    static func bomb(size: Int) -> [UInt8] {
        var bytes: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]
        var current: UInt32 = 0
        var filled = 0
        func put(_ bits: UInt32, _ count: Int) {
            current |= bits << UInt32(filled)
            filled += count
            while filled >= 8 {
                bytes.append(UInt8(truncatingIfNeeded: current))
                current >>= 8
                filled -= 8
            }
        }
        put(0b1, 1)  // the last block
        put(0b01, 2)  // fixed codes
        put(0b0000_1100, 8)  // literal 0 is 00110000, most significant bit first
        for _ in 0...(size / 258) {
            put(0b1010_0011, 8)  // length 258 is 11000101
            put(0, 5)  // distance 1
        }
        return bytes
    }
}
