package import ConnectorKit
import CCurl
import Glibc
import Synchronization

/// HTTP over libcurl for any number of concurrent requests, on one thread of its own.
///
/// Made once by the program, which hands out a client to each source through
/// ``client(policy:proxy:certificateAuthority:)`` and calls ``shutdown()`` at its end. HTTP/1.1, and HTTP/2 where TLS
/// negotiates it; bodies are decompressed; connections are reused among clients of the same policy, proxy and
/// certificate authority, and never across. The environment's proxy variables are ignored.
package final class CurlTransport: Sendable {
    private struct RouteKey: Hashable {
        var policy: NetworkPolicy
        var proxy: String?
        var certificateAuthority: String?
    }

    let mailbox: Mailbox
    private let configuration: CurlTransportConfiguration
    private let end = CurlThread.End()
    private let routes = Mutex<[RouteKey: Route]>([:])

    /// libcurl's process-wide set-up, which must happen once and before anything else.
    private static let isInitialised = ccurl_global_init() == CURLE_OK

    /// Starts the thread.
    ///
    /// Throws ``HTTPClientError`` with `connection` when the system has no descriptor, memory or thread left.
    package init(_ configuration: CurlTransportConfiguration = CurlTransportConfiguration()) throws {
        guard Self.isInitialised, let mailbox = Mailbox() else {
            throw HTTPClientError(.connection, "the HTTP client cannot start: no descriptors left")
        }
        self.mailbox = mailbox
        self.configuration = configuration
        let thread = try CurlThread.start(mailbox, end: end)
        end.lifecycle.withLock { $0.thread = thread }
    }

    deinit {
        // Nobody waits for the thread: it may be the one that lets go of the last reference, so it ends by itself.
        mailbox.post(.stop)
        if let thread = end.lifecycle.withLock({ $0.thread.take() }) { pthread_detach(thread) }
    }

    /// A client bound to a network policy.
    ///
    /// - Parameters:
    ///   - policy: Which addresses may be connected to, checked after name resolution, for the first URL and every
    ///     redirect.
    ///   - proxy: A proxy's URL as libcurl takes it, such as `http://127.0.0.1:3128` or `socks5h://...`. The policy
    ///     does not apply to the proxy itself, which the operator chose. It resolves the names, so through it the
    ///     policy only sees addresses that stand in URLs.
    ///   - certificateAuthority: A file of trusted certificates in PEM form instead of the system's.
    /// - Returns: A client that may be used concurrently and outlive other references to the transport.
    package func client(
        policy: NetworkPolicy,
        proxy: String? = nil,
        certificateAuthority: String? = nil
    ) -> any HTTPClient {
        let key = RouteKey(policy: policy, proxy: proxy, certificateAuthority: certificateAuthority)
        let route = routes.withLock { routes in
            if let route = routes[key] { return route }
            let route = Route(
                index: routes.count,
                policy: policy,
                proxy: proxy,
                certificateAuthority: certificateAuthority,
                configuration: configuration
            )
            routes[key] = route
            return route
        }
        return CurlClient(transport: self, route: route)
    }

    /// Fails all open transfers with `shutDown`, closes all connections and ends the thread; returns when it has ended.
    ///
    /// May be called more than once, also concurrently. Later requests fail with `shutDown`.
    package func shutdown() async {
        await withCheckedContinuation { continuation in
            let hasEnded = end.lifecycle.withLock { state in
                if !state.isReached { state.waiters.append(continuation) }
                return state.isReached
            }
            mailbox.post(.stop)
            if hasEnded { continuation.resume() }
        }
        // The thread has nothing left to do but return, so this does not block.
        if let thread = end.lifecycle.withLock({ $0.thread.take() }) { pthread_join(thread, nil) }
    }
}

/// A client of a ``CurlTransport``, bound to one route.
private struct CurlClient: HTTPClient {
    let transport: CurlTransport
    let route: Route

    func send(_ request: HTTPClientRequest) async throws -> HTTPClientResponse {
        let target = try RequestTarget(request.url)
        try RequestRules.check(request)
        let transfer = Transfer(request, target: target, route: route, mailbox: transport.mailbox)
        let head = try await transfer.start()
        let reader = BodyReader(transfer, transport: transport)
        return HTTPClientResponse(
            status: head.status,
            headers: try FieldLines.fields(head.fieldLines),
            url: head.url,
            redirects: head.redirects,
            body: HTTPBody { try await reader.next() }
        )
    }
}
