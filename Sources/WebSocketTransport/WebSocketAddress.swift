import ConnectorKit

/// Where a WebSocket goes: a `ws` or `wss` URL taken apart (RFC 6455 §3).
struct WebSocketAddress: Sendable, Hashable, CustomStringConvertible {
    /// Whether the connection is encrypted.
    var isSecure: Bool
    /// A name in lower case or a literal address, an IPv6 one without brackets.
    var host: String
    var port: Int
    /// Path and query, as they are sent.
    var target: String

    /// Throws ``HTTPClientError`` with `invalidRequest` when `url` is not an absolute `ws` or `wss` URL, or holds credentials.
    init(_ url: String) throws {
        let fault = HTTPClientError(.invalidRequest, "the URL is not an absolute ws or wss URL")
        guard url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") }) else { throw fault }
        var rest: Substring
        if url.hasPrefix("ws://") {
            isSecure = false
            rest = url.dropFirst(5)
        } else if url.hasPrefix("wss://") {
            isSecure = true
            rest = url.dropFirst(6)
        } else {
            throw fault
        }
        if let fragment = rest.firstIndex(of: "#") { rest = rest[..<fragment] }
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        let authority = rest[..<end]
        guard !authority.contains("@") else {
            throw HTTPClientError(.invalidRequest, "the URL holds credentials; send them in a header")
        }
        let path = rest[end...]
        target = path.hasPrefix("/") ? String(path) : "/\(path)"
        guard let (host, port) = Self.split(authority) else { throw fault }
        self.host = host
        self.port = port ?? (isSecure ? 443 : 80)
    }

    private static func split(_ authority: Substring) -> (host: String, port: Int?)? {
        var host = authority
        var port: Substring?
        if authority.hasPrefix("[") {
            guard let close = authority.firstIndex(of: "]") else { return nil }
            host = authority[authority.index(after: authority.startIndex)..<close]
            let rest = authority[authority.index(after: close)...]
            guard rest.isEmpty || rest.hasPrefix(":") else { return nil }
            port = rest.isEmpty ? nil : rest.dropFirst()
            guard IPAddress(String(host))?.isIPv4 == false else { return nil }
        } else {
            if let colon = authority.lastIndex(of: ":") {
                host = authority[..<colon]
                port = authority[authority.index(after: colon)...]
            }
            let isName = host.utf8.allSatisfy { byte in
                (byte | 0x20) &- UInt8(ascii: "a") < 26 || byte &- UInt8(ascii: "0") < 10 || byte == UInt8(ascii: "-")
                    || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "_")
            }
            guard isName, !host.isEmpty, host.utf8.count <= 253 else { return nil }
        }
        guard let port, !port.isEmpty else { return (host.lowercased(), nil) }
        guard port.utf8.allSatisfy({ $0 &- UInt8(ascii: "0") < 10 }), let number = Int(port),
            (1...65_535).contains(number)
        else { return nil }
        return (host.lowercased(), number)
    }

    /// The address itself, where the URL names no host but one.
    var literal: IPAddress? { IPAddress(host) }

    /// What stands in the `Host` field (RFC 9110 §7.2).
    var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == (isSecure ? 443 : 80) ? name : "\(name):\(port)"
    }

    /// Scheme, host and port: safe to print, since paths and queries can hold secrets.
    var description: String { "\(isSecure ? "wss" : "ws")://\(authority)" }
}
