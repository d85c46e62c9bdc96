import CCurl
import ConnectorKit

/// Scheme, host and port of a URL (RFC 6454): who answers, and so who may see credentials.
struct Origin: Sendable, Hashable, CustomStringConvertible {
    /// `http` or `https`.
    var scheme: String
    /// In lower case, an IPv6 address in brackets.
    var host: String
    /// The port, also where it is the scheme's own.
    var port: Int

    private var isDefaultPort: Bool { port == (scheme == "https" ? 443 : 80) }

    /// As it stands before the path: safe to print, since user names, paths and queries, which can all hold secrets,
    /// are not part of it.
    var description: String { isDefaultPort ? "\(scheme)://\(host)" : "\(scheme)://\(host):\(port)" }

    /// Whether credentials meant for this origin may go to `other`: to itself, and to the same host moved from http to
    /// https, which has seen them already.
    func sharesCredentials(with other: Origin) -> Bool {
        self == other
            || (host == other.host && scheme == "http" && port == 80 && other.scheme == "https" && other.port == 443)
    }
}

/// Where a request goes: a URL that libcurl can be given, and the user name and password that stood in it.
struct RequestTarget: Sendable {
    /// An absolute http or https URL without user name, password and fragment.
    let url: String
    /// The user name, decoded.
    var user: String?
    /// The password, decoded.
    var password: String?

    /// The target of a request.
    ///
    /// Throws ``HTTPClientError`` with `invalidRequest` when `url` is not an absolute http or https URL.
    init(_ url: String) throws {
        if Self.isPlain(url) {
            self.url = url
            user = nil
            password = nil
            return
        }
        // libcurl's parser forgives an empty authority by taking the path for it.
        guard url.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f }), !url.contains(":///"), let parts = URLParts(url),
            let target = RequestTarget(parts)
        else { throw HTTPClientError(.invalidRequest, "the URL is not an absolute http or https URL") }
        self = target
    }

    /// The target a `Location` field points to, seen from the URL it came from (RFC 9110 §10.2.2); nil when it is no
    /// http or https URL.
    init?(location: String, from base: RequestTarget) {
        guard location.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }), let parts = URLParts(base.url),
            parts.set(CURLUPART_URL, location, flags: UInt32(CURLU_URLENCODE) | UInt32(CURLU_ALLOW_SPACE)),
            let target = RequestTarget(parts)
        else { return nil }
        // A user name in a redirect is the redirecting side's idea, never a credential of the request.
        self.init(url: target.url, user: nil, password: nil)
    }

    private init(url: String, user: String?, password: String?) {
        self.url = url
        self.user = user
        self.password = password
    }

    private init?(_ parts: URLParts) {
        guard let scheme = parts.get(CURLUPART_SCHEME), scheme == "http" || scheme == "https",
            parts.get(CURLUPART_HOST)?.isEmpty == false
        else { return nil }
        let user = parts.get(CURLUPART_USER, flags: UInt32(CURLU_URLDECODE))
        let password = parts.get(CURLUPART_PASSWORD, flags: UInt32(CURLU_URLDECODE))
        for part in [CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_OPTIONS, CURLUPART_FRAGMENT] {
            guard parts.set(part, nil) else { return nil }
        }
        guard let url = parts.get(CURLUPART_URL) else { return nil }
        self.init(url: url, user: user, password: password)
    }

    /// Who answers; nil when the URL cannot be read, which libcurl will say as well.
    var origin: Origin? {
        guard let parts = URLParts(url), let scheme = parts.get(CURLUPART_SCHEME), let host = parts.get(CURLUPART_HOST),
            let port = parts.get(CURLUPART_PORT, flags: UInt32(CURLU_DEFAULT_PORT)).flatMap({ Int($0) })
        else { return nil }
        return Origin(scheme: scheme, host: host.lowercased(), port: port)
    }

    /// Whether libcurl can take the text as it is: printable ASCII, http or https, nothing to cut off.
    ///
    /// Most URLs; the others are parsed.
    private static func isPlain(_ url: String) -> Bool {
        var authorityStart = 0
        if url.hasPrefix("http://") { authorityStart = 7 } else if url.hasPrefix("https://") { authorityStart = 8 }
        guard authorityStart > 0, url.utf8.dropFirst(authorityStart).first != UInt8(ascii: "/") else { return false }
        var index = 0
        var inAuthority = true
        for byte in url.utf8 {
            switch byte {
            case 0...0x20, 0x7f..., UInt8(ascii: "#"), UInt8(ascii: "\\"): return false
            case UInt8(ascii: "@") where inAuthority: return false
            case UInt8(ascii: "/"), UInt8(ascii: "?"): if index >= authorityStart { inAuthority = false }
            default: break
            }
            index += 1
        }
        return index > authorityStart
    }
}

/// A URL taken apart by libcurl's own parser, so that what is judged is what will be connected to.
private final class URLParts {
    private let handle: OpaquePointer

    init?(_ url: String) {
        guard let handle = curl_url() else { return nil }
        self.handle = handle
        guard set(CURLUPART_URL, url, flags: UInt32(CURLU_URLENCODE)) else { return nil }
    }

    deinit {
        curl_url_cleanup(handle)
    }

    func set(_ part: CURLUPart, _ value: String?, flags: UInt32 = 0) -> Bool {
        curl_url_set(handle, part, value, flags) == CURLUE_OK
    }

    func get(_ part: CURLUPart, flags: UInt32 = 0) -> String? {
        var text: UnsafeMutablePointer<CChar>?
        guard curl_url_get(handle, part, &text, flags) == CURLUE_OK, let text else { return nil }
        defer { curl_free(text) }
        return String(cString: text)
    }
}
