extension ObjectID {
    /// `native` itself when short enough, otherwise its first bytes and a 128-bit FNV-1a digest of all of it.
    ///
    /// The digest only has to tell apart ids of one platform that begin alike; it is no protection against somebody who wants two ids to meet.
    static func bounded(_ native: String) -> String {
        guard native.utf8.count > longestNative else { return native }
        var high: UInt64 = 0x6c62_272e_07bb_0142
        var low: UInt64 = 0x62b8_2175_6295_c58d
        for byte in native.utf8 {
            low ^= UInt64(byte)
            // Multiplication by the 128-bit FNV prime 2^88 + 0x13b, modulo 2^128.
            let (carry, product) = low.multipliedFullWidth(by: 0x13b)
            high = high &* 0x13b &+ carry &+ (low << 24)
            low = product
        }
        var head = native.unicodeScalars.prefix(longestNative - 40)
        while head.last.map({ $0.properties.isWhitespace }) == true { head.removeLast() }
        let digest = hexadecimal(high) + hexadecimal(low)
        return String(head) + "~" + digest
    }

    private static func hexadecimal(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
