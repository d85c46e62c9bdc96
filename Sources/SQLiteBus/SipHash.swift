/// SipHash-2-4 (Aumasson and Bernstein, 2012): a keyed digest of 64 bits.
///
/// The log keeps only this of a person's id beside an event, under a key of its own: enough to find what to erase, nothing to read, and nobody
/// outside can make two ids meet.
struct SipHash: Sendable {
    private let low: UInt64
    private let high: UInt64

    /// The digest under a key of 16 bytes, given as two little-endian words.
    init(low: UInt64, high: UInt64) {
        self.low = low
        self.high = high
    }

    /// The digest of `bytes`.
    func digest(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        var v0 = low ^ 0x736f_6d65_7073_6575
        var v1 = high ^ 0x646f_7261_6e64_6f6d
        var v2 = low ^ 0x6c79_6765_6e65_7261
        var v3 = high ^ 0x7465_6462_7974_6573

        func round() {
            v0 &+= v1
            v2 &+= v3
            v1 = v1.rotatedLeft(13) ^ v0
            v3 = v3.rotatedLeft(16) ^ v2
            v0 = v0.rotatedLeft(32)
            v2 &+= v1
            v0 &+= v3
            v1 = v1.rotatedLeft(17) ^ v2
            v3 = v3.rotatedLeft(21) ^ v0
            v2 = v2.rotatedLeft(32)
        }

        func absorb(_ word: UInt64) {
            v3 ^= word
            round()
            round()
            v0 ^= word
        }

        let whole = bytes.count & ~7
        for offset in stride(from: 0, to: whole, by: 8) {
            absorb(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
        }
        var last = UInt64(truncatingIfNeeded: bytes.count) << 56
        for (index, byte) in bytes[whole...].enumerated() { last |= UInt64(byte) << (8 * UInt64(index)) }
        absorb(last)
        v2 ^= 0xff
        for _ in 0..<4 { round() }
        return v0 ^ v1 ^ v2 ^ v3
    }

    /// The digest of a text's UTF-8.
    func digest(_ text: String) -> Int64 {
        var text = text
        return Int64(bitPattern: text.withUTF8 { digest(UnsafeRawBufferPointer($0)) })
    }
}

extension UInt64 {
    fileprivate func rotatedLeft(_ count: UInt64) -> UInt64 { self << count | self >> (64 - count) }
}
