import Crypto
import FoundationEssentials

/// How a platform signs what it sends: an HMAC (RFC 2104) over the raw bytes, written as text with or without a prefix.
///
/// Checking takes the same time wherever two signatures differ. Check before anything is parsed, and over the bytes as received.
public struct Signature: Sendable, Hashable {
    /// The hash function.
    public enum Algorithm: Sendable, Hashable, CaseIterable {
        /// SHA-1, for platforms that offer nothing better.
        case sha1
        /// SHA-256.
        case sha256
        /// SHA-384.
        case sha384
        /// SHA-512.
        case sha512
    }

    /// How the bytes are written.
    public enum Encoding: Sendable, Hashable, CaseIterable {
        /// Lower-case hexadecimal; upper case is accepted.
        case hexadecimal
        /// Base64 with padding (RFC 4648 §4).
        case base64
    }

    /// The hash function.
    public var algorithm: Algorithm
    /// How the bytes are written.
    public var encoding: Encoding
    /// What stands before them, such as `sha256=`.
    public var prefix: String

    /// A form of signature.
    public init(_ algorithm: Algorithm, encoding: Encoding = .hexadecimal, prefix: String = "") {
        self.algorithm = algorithm
        self.encoding = encoding
        self.prefix = prefix
    }

    /// `sha256=` and hexadecimal: Meta's `X-Hub-Signature-256`, Discourse, GitHub.
    public static let hubSHA256 = Signature(.sha256, prefix: "sha256=")

    /// `sha256=` and base64: X's `x-twitter-webhooks-signature` and its challenge.
    public static let xSHA256 = Signature(.sha256, encoding: .base64, prefix: "sha256=")

    /// The signature of `body`.
    public func make(_ body: [UInt8], key: Secret) -> String {
        let code = authenticationCode(body, key: key)
        return switch encoding {
        case .hexadecimal: prefix + Self.hexadecimal(code)
        case .base64: prefix + Data(code).base64EncodedString()
        }
    }

    /// Whether `signature` is that of `body` under `key`.
    public func verify(_ signature: String, of body: [UInt8], key: Secret) -> Bool {
        verify(signature, of: body, anyOf: [key])
    }

    /// Whether `signature` is that of `body` under one of several keys, as while a secret is being changed.
    ///
    /// Every key is tried, so that the time does not tell which one fits.
    public func verify(_ signature: String, of body: [UInt8], anyOf keys: [Secret]) -> Bool {
        guard signature.utf8.count <= 1024 else { return false }
        let given = encoding == .hexadecimal ? signature.lowercased() : signature
        var isGenuine = false
        for key in keys {
            let expected = make(body, key: key)
            let text = encoding == .hexadecimal ? expected.lowercased() : expected
            let matches = Self.isEqual(Array(given.utf8), Array(text.utf8))
            isGenuine = isGenuine || matches
        }
        return isGenuine
    }

    /// Whether two byte strings are equal, in a time that depends on their lengths alone.
    public static func isEqual(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        guard a.count == b.count else { return false }
        var difference: UInt8 = 0
        for index in a.indices { difference |= a[index] ^ b[index] }
        return difference == 0
    }

    /// Whether two texts are equal byte for byte, such as a verify token, in a time that depends on their lengths alone.
    public static func isEqual(_ a: String, _ b: Secret) -> Bool {
        isEqual(Array(a.utf8), Array(b.reveal().utf8))
    }

    private func authenticationCode(_ body: [UInt8], key: Secret) -> [UInt8] {
        let key = SymmetricKey(data: Data(key.reveal().utf8))
        return switch algorithm {
        case .sha1: Array(HMAC<Insecure.SHA1>.authenticationCode(for: body, using: key))
        case .sha256: Array(HMAC<SHA256>.authenticationCode(for: body, using: key))
        case .sha384: Array(HMAC<SHA384>.authenticationCode(for: body, using: key))
        case .sha512: Array(HMAC<SHA512>.authenticationCode(for: body, using: key))
        }
    }

    private static func hexadecimal(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
