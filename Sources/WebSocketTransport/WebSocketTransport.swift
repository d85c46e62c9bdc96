package import ConnectorKit
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// Settings of a ``WebSocketTransport`` that hold for all its clients.
package struct WebSocketTransportConfiguration: Sendable {
    /// What handshakes without a `User-Agent` field say.
    package var userAgent: String
    /// Bytes of messages that are kept for a reader who does not come; beyond it nothing is read from the network.
    package var bufferSize: Int

    /// Settings fit for a hub of some hundred streams.
    package init(userAgent: String = "Roost", bufferSize: Int = 1 << 20) {
        self.userAgent = userAgent
        self.bufferSize = bufferSize
    }
}

/// WebSockets over SwiftNIO for any number of connections, on one event loop of its own.
///
/// Made once by the program, which hands out a client to each source through ``client(policy:certificateAuthority:)`` and calls ``shutdown()``
/// at its end. No compression is offered; the environment's proxy variables are ignored.
package final class WebSocketTransport: Sendable {
    private struct State {
        var isShutDown = false
        var attempts: [ObjectIdentifier: ConnectionAttempt] = [:]
        var channels: [ObjectIdentifier: (any Channel, Inbox)] = [:]
        var contexts: [String: NIOSSLContext] = [:]
    }

    let configuration: WebSocketTransportConfiguration
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    /// Threads that may wait for the system's resolver: as many names as may be slow at a time before others wait for them.
    private let resolvers = NIOThreadPool(numberOfThreads: resolverCount)
    private let lookUp: @Sendable (WebSocketAddress) -> Result<[ResolvedAddress], HTTPClientError>
    private let state = Mutex(State())

    static let resolverCount = 4

    /// Starts the event loop.
    package convenience init(_ configuration: WebSocketTransportConfiguration = WebSocketTransportConfiguration()) {
        self.init(configuration, lookUp: NameResolver.resolve)
    }

    /// Starts the event loop.
    ///
    /// - Parameters:
    ///   - configuration: settings for all clients.
    ///   - lookUp: asks for the addresses of a name; may block.
    init(
        _ configuration: WebSocketTransportConfiguration,
        lookUp: @escaping @Sendable (WebSocketAddress) -> Result<[ResolvedAddress], HTTPClientError>
    ) {
        self.configuration = configuration
        self.lookUp = lookUp
        resolvers.start()
    }

    /// A client bound to a network policy.
    ///
    /// - Parameters:
    ///   - policy: Which addresses may be connected to, checked after name resolution; the address that was checked is the one connected to.
    ///   - certificateAuthority: A file of trusted certificates in PEM form instead of the system's.
    /// - Returns: A client that may be used concurrently.
    package func client(policy: NetworkPolicy, certificateAuthority: String? = nil) -> any WebSocketClient {
        Client(transport: self, addressGuard: AddressGuard(policy), certificateAuthority: certificateAuthority)
    }

    /// Fails all attempts and connections with `shutDown` and ends the event loop; returns when it has ended.
    ///
    /// May be called more than once. Later attempts fail with `shutDown`.
    package func shutdown() async {
        let (isFirst, attempts, channels) = state.withLock { state in
            defer {
                state.isShutDown = true
                state.attempts = [:]
                state.channels = [:]
            }
            return (!state.isShutDown, Array(state.attempts.values), Array(state.channels.values))
        }
        guard isFirst else { return }
        for attempt in attempts { attempt.abort(Self.shutDown) }
        for (channel, inbox) in channels {
            inbox.end(.failed(Self.shutDown))
            channel.close(promise: nil)
        }
        // Nothing waits for a name any more; the system's resolver may take its time, and its threads end with it.
        resolvers.shutdownGracefully { _ in }
        // It cannot fail in a way that anybody could mend.
        try? await group.shutdownGracefully()
    }

    private static let shutDown = HTTPClientError(.shutDown, "the WebSocket client is shut down")

    // MARK: - Opening

    private struct Client: WebSocketClient {
        let transport: WebSocketTransport
        let addressGuard: AddressGuard
        let certificateAuthority: String?

        func connect(_ request: WebSocketRequest) async throws -> any WebSocketConnection {
            try await transport.open(request, addressGuard, certificateAuthority)
        }
    }

    private func open(
        _ request: WebSocketRequest,
        _ addressGuard: AddressGuard,
        _ certificateAuthority: String?
    ) async throws -> any WebSocketConnection {
        let address = try WebSocketAddress(request.url)
        let handshake = Handshake(address: address, request: request, userAgent: configuration.userAgent)
        try handshake.check()
        let tls = address.isSecure ? try context(certificateAuthority) : nil
        let attempt = ConnectionAttempt(group.any())
        let isOpen = state.withLock { state in
            if !state.isShutDown { state.attempts[ObjectIdentifier(attempt)] = attempt }
            return !state.isShutDown
        }
        guard isOpen else { throw Self.shutDown }
        defer { state.withLock { _ = $0.attempts.removeValue(forKey: ObjectIdentifier(attempt)) } }
        return try await withTaskCancellationHandler {
            do {
                attempt.setDeadline(request.deadlines.connect, "connecting to \(address) took too long")
                let addresses = try await resolve(address, attempt)
                return try await connect(handshake, to: try Self.judged(addresses, addressGuard, address), tls, attempt)
            } catch {
                // Whoever ended the attempt says why it ended; what failed for it is only a consequence.
                try attempt.check()
                attempt.abort(error)
                throw error
            }
        } onCancel: {
            attempt.abort(CancellationError())
        }
    }

    private func resolve(_ address: WebSocketAddress, _ attempt: ConnectionAttempt) async throws -> [ResolvedAddress] {
        // A literal address asks nobody and waits for nobody.
        guard address.literal == nil else { return try NameResolver.resolve(address).get() }
        return try await attempt.addresses {
            resolvers.submit { [lookUp] state in
                guard case .active = state else { return attempt.resolved(.failure(Self.shutDown)) }
                // Who gave up while others were looked up needs no answer.
                guard (try? attempt.check()) != nil else { return }
                attempt.resolved(lookUp(address).mapError { $0 as any Error })
            }
        }
    }

    /// The addresses that may be connected to; every one is judged.
    private static func judged(
        _ addresses: [ResolvedAddress],
        _ addressGuard: AddressGuard,
        _ target: WebSocketAddress
    ) throws -> [ResolvedAddress] {
        let allowed = addresses.filter { addressGuard.allows($0.address) }
        guard allowed.isEmpty, let refused = addresses.first else { return allowed }
        throw HTTPClientError(.addressRefused, "\(target) is at the address \(refused.address), which is not public")
    }

    /// Tries one address after the other until one connects.
    private func connect(
        _ handshake: Handshake,
        to addresses: [ResolvedAddress],
        _ tls: NIOSSLContext?,
        _ attempt: ConnectionAttempt
    ) async throws -> any WebSocketConnection {
        let target = handshake.address
        var failure: any Error = HTTPClientError(.connection, "no connection to \(target)")
        for (position, address) in addresses.prefix(6).enumerated() {
            try attempt.check()
            let inbox = Inbox(mostBytes: configuration.bufferSize)
            let outcome: HandshakeOutcome
            do {
                // Hosts have several addresses so that one may be down: the last one may take all the time there is.
                let isLast = position + 1 == min(addresses.count, 6)
                let limit = isLast ? handshake.request.deadlines.connect : handshake.request.deadlines.connect / 2
                let upgraded = try await bootstrap(limit).connect(to: address.socket) { channel in
                    attempt.adopt(channel)
                    return channel.eventLoop.makeCompletedFuture {
                        let secured: @Sendable () -> Void = {
                            attempt.setDeadline(
                                handshake.request.deadlines.firstByte,
                                "\(target) did not answer the handshake in time"
                            )
                        }
                        if let tls {
                            let name = target.literal == nil ? target.host : nil
                            let operations = channel.pipeline.syncOperations
                            try operations.addHandler(NIOSSLClientHandler(context: tls, serverHostname: name))
                            try operations.addHandler(SecuredWatcher(secured))
                        }
                        return try handshake.prepare(channel, inbox)
                    }
                }
                if tls == nil {
                    attempt.setDeadline(
                        handshake.request.deadlines.firstByte,
                        "\(target) did not answer the handshake in time"
                    )
                }
                outcome = try await upgraded.get()
                if case .refused(let answer) = outcome { throw try await answer.get() }
            } catch let refusal as WebSocketRefusal {
                throw refusal
            } catch let error as HTTPClientError {
                throw error
            } catch {
                try attempt.check()
                let translated = TransportError.translated(error, "no connection to \(target)")
                // Another address of the host has the same certificate and speaks as little HTTP.
                guard translated.code == .connection || translated.code == .deadline else { throw translated }
                failure = translated
                attempt.discard()
                continue
            }
            if case .opened(let channel, let handler) = outcome {
                try attempt.succeed()
                return try keep(channel, handler, inbox, handshake.request.deadlines.idle)
            }
        }
        throw failure
    }

    /// Remembers an open connection for as long as it lives.
    private func keep(
        _ channel: any Channel,
        _ handler: NIOLoopBound<WebSocketHandler>,
        _ inbox: Inbox,
        _ patience: Duration?
    ) throws -> any WebSocketConnection {
        let key = ObjectIdentifier(channel)
        let isOpen = state.withLock { state in
            if !state.isShutDown { state.channels[key] = (channel, inbox) }
            return !state.isShutDown
        }
        guard isOpen else {
            channel.close(promise: nil)
            throw Self.shutDown
        }
        channel.closeFuture.whenComplete { [weak self] _ in
            self?.state.withLock { _ = $0.channels.removeValue(forKey: key) }
        }
        return OpenWebSocket(channel, handler, inbox, patience: patience)
    }

    private func bootstrap(_ timeout: Duration) -> ClientBootstrap {
        ClientBootstrap(group: group)
            .connectTimeout(TimeAmount(timeout))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.maxMessagesPerRead, value: 4)
    }

    // MARK: - TLS

    /// The settings of TLS for a set of trusted certificates, made once.
    private func context(_ certificateAuthority: String?) throws -> NIOSSLContext {
        let key = certificateAuthority ?? ""
        if let known = state.withLock({ $0.contexts[key] }) { return known }
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.minimumTLSVersion = .tlsv12
        tls.applicationProtocols = ["http/1.1"]
        // A peer that takes no bytes must not keep the connection.
        tls.shutdownTimeout = WebSocketHandler.patience
        if let certificateAuthority { tls.trustRoots = .file(certificateAuthority) }
        do {
            let context = try NIOSSLContext(configuration: tls)
            state.withLock { $0.contexts[key] = context }
            return context
        } catch {
            throw HTTPClientError(.tls, "the trusted certificates cannot be read")
        }
    }
}
