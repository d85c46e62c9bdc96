/// URLs from attributes, made safe to follow: of an allowed scheme, absolute where a base is known, free of tricks.
struct HTMLURL: ~Copyable {
    /// The schemes that an attribute may lead to.
    enum Purpose {
        /// A link that a person follows: http, https, mailto, tel.
        case link
        /// Something that is loaded by itself: http, https.
        case resource
    }

    private static let longest = 8192
    private var cleaned = ByteBuffer(capacity: 512)
    private var resolved = ByteBuffer(capacity: 512)
    private var encoded = ByteBuffer(capacity: 512)

    init() {}

    /// The URL of the last successful call, free of quotes, angle brackets, spaces and control characters.
    var view: ByteView { encoded.view }

    /// Takes a decoded attribute value; false if it must not be kept.
    mutating func take(_ value: ByteView, base: URLBase?, for purpose: Purpose) -> Bool {
        // What browsers strip before they look for the scheme (URL Standard, section 4.4) is stripped here too.
        cleaned.removeAll()
        var start = 0
        var end = value.count
        while start < end, value[start] <= 0x20 { start += 1 }
        while end > start, value[end - 1] <= 0x20 { end -= 1 }
        guard start < end, end - start <= Self.longest else { return false }
        encoded.removeAll()
        let written = value[start..<end]
        if written.isCleanURL, let scheme = URLReference.schemeLength(written) {
            // Nearly all are as they should be.
            guard Self.allows(written[0..<scheme], for: purpose) else { return false }
            encoded.append(written)
            return true
        }
        for index in start..<end {
            let byte = value[index]
            if byte != 0x09, byte != 0x0A, byte != 0x0D, byte != 0 { cleaned.append(byte) }
        }
        let url = cleaned.view
        if let scheme = URLReference.schemeLength(url) {
            guard Self.allows(url[0..<scheme], for: purpose) else { return false }
            encode(url)
        } else if Self.hasColonInFirstSegment(url) {
            // No relative reference may have one (RFC 3986, section 4.2): it would be a scheme to less careful readers.
            return false
        } else if let base {
            resolved.removeAll()
            base.resolve(url, into: &resolved)
            encode(resolved.view)
        } else {
            encode(url)
        }
        return true
    }

    private static func allows(_ scheme: ByteView, for purpose: Purpose) -> Bool {
        if scheme.equalsIgnoringCase("https") || scheme.equalsIgnoringCase("http") { return true }
        return purpose == .link && (scheme.equalsIgnoringCase("mailto") || scheme.equalsIgnoringCase("tel"))
    }

    private static func hasColonInFirstSegment(_ url: ByteView) -> Bool {
        for index in 0..<url.count {
            switch url[index] {
            case UInt8(ascii: ":"): return true
            case UInt8(ascii: "/"), UInt8(ascii: "?"), UInt8(ascii: "#"): return false
            default: continue
            }
        }
        return false
    }

    private mutating func encode(_ url: ByteView) {
        for index in 0..<url.count {
            let byte = url[index]
            if byte.isUnfitForURL {
                encoded.append(UInt8(ascii: "%"))
                encoded.append(Self.hexDigit(byte >> 4))
                encoded.append(Self.hexDigit(byte & 15))
            } else {
                encoded.append(byte)
            }
        }
    }

    private static func hexDigit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x41 + value - 10 }
}

extension ByteView {
    /// Whether no byte has to be left out or encoded.
    fileprivate var isCleanURL: Bool {
        // Without a way out of the loop it is compiled to vector instructions.
        var found: UInt8 = 0
        for byte in bytes { found |= byte.isUnfitForURL ? 1 : 0 }
        return found == 0
    }
}

extension UInt8 {
    /// A control character, a space, or one of `" < > \`` and delete.
    @inline(__always)
    fileprivate var isUnfitForURL: Bool {
        self <= 0x20 || self == 0x22 || self == 0x3C || self == 0x3E || self == 0x60 || self == 0x7F
    }
}
