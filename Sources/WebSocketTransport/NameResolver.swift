import ConnectorKit
import Glibc
import NIOCore
import NIOPosix

/// An address to connect to, as the guard judges it and as the system takes it.
struct ResolvedAddress: Sendable {
    var address: IPAddress
    var socket: SocketAddress

    /// From what the system's resolver gives; nil for other families than IPv4 and IPv6, and for addresses of one link.
    init?(_ info: addrinfo, port: Int) {
        guard info.ai_family == AF_INET || info.ai_family == AF_INET6, let name = info.ai_addr else { return nil }
        var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        guard getnameinfo(name, info.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST) == 0 else {
            return nil
        }
        let numeric = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        guard let address = IPAddress(numeric), let socket = try? SocketAddress(ipAddress: numeric, port: port) else {
            return nil
        }
        self.address = address
        self.socket = socket
    }
}

/// Asks the system for a host's addresses, on threads that may block.
///
/// The addresses that are judged are the ones that are connected to: nothing resolves the name a second time.
enum NameResolver {
    /// Most addresses of one host that are looked at.
    private static let most = 32

    /// The addresses of a host, in the system's order; a literal address is itself.
    static func resolve(_ target: WebSocketAddress) -> Result<[ResolvedAddress], HTTPClientError> {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_family = AF_UNSPEC
        hints.ai_flags = target.literal == nil ? AI_ADDRCONFIG : AI_NUMERICHOST
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(target.host, nil, &hints, &list)
        defer { if let list { freeaddrinfo(list) } }
        guard status == 0 else {
            return .failure(HTTPClientError(.nameResolution, "the name of \(target) does not resolve"))
        }
        var addresses: [ResolvedAddress] = []
        var next = list
        while let entry = next, addresses.count < most {
            if let address = ResolvedAddress(entry.pointee, port: target.port) { addresses.append(address) }
            next = entry.pointee.ai_next
        }
        guard !addresses.isEmpty else {
            return .failure(HTTPClientError(.nameResolution, "the name of \(target) has no address"))
        }
        return .success(addresses)
    }
}
