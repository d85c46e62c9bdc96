import Crypto

/// Names bytes by what they are: the same bytes always get the same name, and nobody can make others that get it too.
public enum PayloadDigest {
    /// The first 128 bits of the SHA-256 of `bytes`, in hexadecimal: a native id for a payload that has none.
    public static func name(_ bytes: [UInt8]) -> String {
        hexadecimal(SHA256.hash(data: bytes))
    }

    /// A name for what a source reads, to be kept in its cursor.
    ///
    /// A position is worth nothing in another list: when an operator changes the server, the query or the account of a source and keeps its
    /// name, the name of what it reads differs, and the connector begins anew.
    ///
    /// - Parameter parts: every setting that decides which list is read, in a fixed order; not what decides how it is read.
    /// - Returns: 16 hexadecimal digits.
    public static func scope(_ parts: String?...) -> String {
        var hash = SHA256()
        for part in parts {
            // The length before each part keeps ("ab", "c") and ("a", "bc") apart.
            hash.update(data: Array("\(part.map { String($0.utf8.count) } ?? "-"):\(part ?? "")".utf8))
        }
        return String(hexadecimal(hash.finalize()).prefix(16))
    }

    private static func hexadecimal(_ digest: SHA256.Digest) -> String {
        let digits = Array("0123456789abcdef".utf8)
        let bytes = digest.prefix(16).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        return String(decoding: bytes, as: UTF8.self)
    }
}
