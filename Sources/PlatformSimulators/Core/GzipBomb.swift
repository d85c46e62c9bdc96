/// A small gzip stream (RFC 1952) that decompresses into very many spaces.
enum GzipBomb {
    /// About a 158th of `decompressedSize` bytes; the checksum at its end is wrong, since nobody should ever get there.
    static func bytes(decompressedSize: Int) -> [UInt8] {
        var bits = BitWriter(bytes: [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255])
        // One final block with fixed codes (RFC 1951 §3.2.6): a space, then "258 bytes like the one before" over and over.
        bits.append(0b1, count: 1)
        bits.append(0b01, count: 2)
        bits.appendCode(0x30 + 0x20, count: 8)
        // Eight of these codes are thirteen bytes, and from the second eight on always the same.
        for _ in 0..<16 {
            bits.appendCode(0b1100_0101, count: 8)
            bits.appendCode(0, count: 5)
        }
        bits.repeatLast(13, times: max(0, decompressedSize / 258 / 8 - 2))
        bits.appendCode(0, count: 7)
        return bits.finished() + [0, 0, 0, 0, 0, 0, 0, 0]
    }

    private struct BitWriter {
        var bytes: [UInt8]
        private var pending: UInt32 = 0
        private var count: UInt32 = 0

        init(bytes: [UInt8]) { self.bytes = bytes }

        /// Numbers go with their lowest bit first.
        mutating func append(_ value: UInt32, count: UInt32) {
            pending |= value << self.count
            self.count += count
            while self.count >= 8 {
                bytes.append(UInt8(truncatingIfNeeded: pending))
                pending >>= 8
                self.count -= 8
            }
        }

        /// Huffman codes go with their highest bit first.
        mutating func appendCode(_ code: UInt32, count: UInt32) {
            for bit in (0..<count).reversed() { append(code >> bit & 1, count: 1) }
        }

        /// Appends the last whole bytes again, for codes that end where they began within a byte.
        mutating func repeatLast(_ count: Int, times: Int) {
            let last = bytes.suffix(count)
            bytes.reserveCapacity(bytes.count + count * times + 16)
            for _ in 0..<times { bytes += last }
        }

        mutating func finished() -> [UInt8] {
            if count > 0 { append(0, count: 8 - count) }
            return bytes
        }
    }
}
