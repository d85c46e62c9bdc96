import HTTPTypes
import Hummingbird

/// Keeps web pages from reaching a hub through their visitor's browser.
///
/// A hub on loopback answers only when asked by a loopback name, so that a foreign name pointed at 127.0.0.1 (DNS rebinding) opens nothing; and a
/// request that changes something is refused when a page of another origin sends it.
struct HostGuard<Context: RequestContext>: RouterMiddleware {
    let isLoopback: Bool

    @concurrent
    func handle(
        _ request: Request,
        context: Context,
        next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        let authority = request.head.authority ?? ""
        if isLoopback, !HostGuard<BasicRequestContext>.isLoopback(Self.host(of: authority)) {
            throw Problem(
                .misdirectedRequest,
                "foreign-host",
                "this hub listens on loopback and answers to localhost, 127.0.0.1 and [::1] only, not to \"\(authority.prefix(100))\""
            )
        }
        if request.method != .get, request.method != .head, let origin = request.headers[.origin],
            origin != "http://\(authority)", origin != "https://\(authority)"
        {
            throw Problem(
                .forbidden,
                "foreign-origin",
                "a page of \"\(origin.prefix(100))\" may not change anything here"
            )
        }
        return try await next(request, context)
    }

    /// The host of an authority, without port and brackets.
    static func host(of authority: String) -> String {
        if authority.hasPrefix("[") {
            return String(authority.dropFirst().prefix { $0 != "]" })
        }
        return String(authority.prefix { $0 != ":" })
    }
}

extension HostGuard where Context == BasicRequestContext {
    /// Whether a host name or address means this machine alone.
    static func isLoopback(_ host: String) -> Bool {
        if host.lowercased() == "localhost" || host == "::1" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }
}
