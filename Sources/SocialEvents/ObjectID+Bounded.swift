extension ObjectID {
    /// `native` itself when it is short and printable; otherwise its beginning, made printable, and a digest of all of it.
    ///
    /// Ids stand in logs, URLs and lines of a stream, so what could end a line or turn the text round is
    /// percent-encoded. The digest keeps apart what then looks alike. It is no protection against somebody who wants
    /// two ids to meet.
    static func bounded(_ native: String) -> String {
        guard native.utf8.count > longestNative || native.hasUnprintableScalar else { return native }
        var head = ""
        for scalar in native.unicodeScalars {
            let piece = scalar.isUnprintable ? percentEncoded(scalar) : String(scalar)
            guard head.utf8.count + piece.utf8.count <= longestHead else { break }
            head += piece
        }
        return head + "~" + digest(native)
    }

    /// Leaves room for the digest and its sign within ``longestNative``.
    private static let longestHead = longestNative - 33

    private static func percentEncoded(_ scalar: Unicode.Scalar) -> String {
        UTF8.encode(scalar)?.reduce(into: "") { $0 += "%" + hexadecimal($1, digits: 2).uppercased() } ?? ""
    }

    /// FNV-1a with 128 bits, in hexadecimal.
    private static func digest(_ text: String) -> String {
        var high: UInt64 = 0x6c62_272e_07bb_0142
        var low: UInt64 = 0x62b8_2175_6295_c58d
        for byte in text.utf8 {
            low ^= UInt64(byte)
            // Multiplication by the 128-bit FNV prime 2^88 + 0x13b, modulo 2^128.
            let (carry, product) = low.multipliedFullWidth(by: 0x13b)
            high = high &* 0x13b &+ carry &+ (low << 24)
            low = product
        }
        return hexadecimal(high, digits: 16) + hexadecimal(low, digits: 16)
    }

    private static func hexadecimal(_ value: some BinaryInteger, digits: Int) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: digits - text.count) + text
    }
}
