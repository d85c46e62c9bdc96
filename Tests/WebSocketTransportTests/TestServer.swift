import ConnectorKit
import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import NIOWebSocket
import Synchronization
import WebSocketTransport

/// A server on loopback whose every connection does what a test says.
final class TestServer: Sendable {
    /// An opened connection, from the server's side.
    struct Peer: Sendable {
        let channel: any Channel

        /// Sends a frame as it is.
        func send(
            _ opcode: WebSocketOpcode,
            _ bytes: [UInt8],
            fin: Bool = true,
            rsv1: Bool = false,
            maskKey: WebSocketMaskingKey? = nil
        ) {
            let data = channel.allocator.buffer(bytes: bytes)
            let frame = WebSocketFrame(fin: fin, rsv1: rsv1, opcode: opcode, maskKey: maskKey, data: data)
            channel.writeAndFlush(frame, promise: nil)
        }

        func text(_ text: String) { send(.text, Array(text.utf8)) }

        func close(_ code: UInt16) { send(.connectionClose, [UInt8(code >> 8), UInt8(code & 255)]) }

        func hangUp() { channel.close(promise: nil) }
    }

    /// A frame that came from the client.
    struct Received: Sendable, Hashable {
        var opcode: UInt8
        var bytes: [UInt8]
        var isMasked: Bool
    }

    typealias Talk = @Sendable (Peer) -> Void
    typealias Answer = @Sendable (Peer, Received) -> Void

    private struct State {
        var heads: [HTTPRequestHead] = []
        var received: [Received] = []
        var accepted = 0
        var closed = 0
        var waiters: [(@Sendable (TestServer) -> Bool, CheckedContinuation<Void, Never>)] = []
    }

    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let state = Mutex(State())
    private let channel = Mutex<(any Channel)?>(nil)

    /// A server that opens WebSockets.
    ///
    /// - Parameters:
    ///   - isSecure: whether it speaks TLS.
    ///   - subprotocol: what it chooses.
    ///   - answer: what it does with a frame; closing frames and pings it answers itself.
    ///   - talk: what it does once a connection is open.
    /// - Throws: when it cannot listen.
    init(
        isSecure: Bool = false,
        subprotocol: String? = nil,
        answer: @escaping Answer = { _, _ in },
        talk: @escaping Talk
    ) async throws {
        var context: NIOSSLContext?
        if isSecure {
            let certificates = try NIOSSLCertificate.fromPEMBytes(Array(TestCertificate.certificate.utf8))
            let key = try NIOSSLPrivateKey(bytes: Array(TestCertificate.key.utf8), format: .pem)
            let configuration = TLSConfiguration.makeServerConfiguration(
                certificateChain: certificates.map { .certificate($0) },
                privateKey: .privateKey(key)
            )
            context = try NIOSSLContext(configuration: configuration)
        }
        try await listen { [self, context] channel in
            channel.eventLoop.makeCompletedFuture {
                if let context {
                    try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
                }
                let upgrader = NIOWebSocketServerUpgrader(
                    maxFrameSize: 1 << 24,
                    automaticErrorHandling: false,
                    shouldUpgrade: { channel, head in
                        self.note { $0.heads.append(head) }
                        var headers = HTTPHeaders()
                        if let subprotocol { headers.add(name: "Sec-WebSocket-Protocol", value: subprotocol) }
                        return channel.eventLoop.makeSucceededFuture(headers)
                    },
                    upgradePipelineHandler: { channel, _ in
                        channel.eventLoop.makeCompletedFuture {
                            let handler = FrameHandler(self, answer)
                            try channel.pipeline.syncOperations.addHandler(handler)
                        }.map { talk(Peer(channel: channel)) }
                    }
                )
                try channel.pipeline.syncOperations.configureHTTPServerPipeline(
                    withServerUpgrade: (upgraders: [upgrader], completionHandler: { _ in })
                )
            }
        }
    }

    /// A server that answers whatever comes with these bytes, or with nothing, and then closes if told to.
    init(raw answer: String?, thenCloses: Bool = false) async throws {
        try await listen { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(RawHandler(answer, thenCloses: thenCloses))
            }
        }
    }

    private func listen(_ prepare: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>) async throws {
        let channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { [self] channel in
                note { $0.accepted += 1 }
                channel.closeFuture.whenComplete { _ in self.note { $0.closed += 1 } }
                return prepare(channel)
            }
            .bind(host: "127.0.0.1", port: 0).get()
        self.channel.withLock { $0 = channel }
    }

    var port: Int { channel.withLock { $0?.localAddress?.port } ?? 0 }
    var url: String { "ws://127.0.0.1:\(port)/subscribe?cursor=1" }
    var secureURL: String { "wss://localhost:\(port)/subscribe" }

    var heads: [HTTPRequestHead] { state.withLock { $0.heads } }
    var received: [Received] { state.withLock { $0.received } }
    var accepted: Int { state.withLock { $0.accepted } }
    var closed: Int { state.withLock { $0.closed } }

    private func note(_ change: (inout State) -> Void) {
        state.withLock { change(&$0) }
        let ready = state.withLock { state in
            let waiters = state.waiters
            state.waiters = []
            return waiters
        }
        for (condition, continuation) in ready {
            if condition(self) { continuation.resume() } else { wait(condition, continuation) }
        }
    }

    private func wait(
        _ condition: @escaping @Sendable (TestServer) -> Bool,
        _ continuation: CheckedContinuation<Void, Never>
    ) {
        state.withLock { $0.waiters.append((condition, continuation)) }
        // What it waits for may have happened in between.
        if condition(self) { note { _ in } }
    }

    /// Returns when the condition holds.
    func wait(until condition: @escaping @Sendable (TestServer) -> Bool) async {
        await withCheckedContinuation { wait(condition, $0) }
    }

    func shutdown() async {
        try? await channel.withLock { $0 }?.close().get()
        try? await group.shutdownGracefully()
    }

    fileprivate func received(_ frame: WebSocketFrame) -> Received {
        let received = Received(
            opcode: UInt8(webSocketOpcode: frame.opcode),
            bytes: Array(frame.unmaskedData.readableBytesView),
            isMasked: frame.maskKey != nil
        )
        note { $0.received.append(received) }
        return received
    }
}

private final class FrameHandler: ChannelInboundHandler {
    typealias InboundIn = WebSocketFrame

    private let server: TestServer
    private let answer: TestServer.Answer

    init(_ server: TestServer, _ answer: @escaping TestServer.Answer) {
        self.server = server
        self.answer = answer
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let received = server.received(unwrapInboundIn(data))
        answer(TestServer.Peer(channel: context.channel), received)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}

private final class RawHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let answer: String?
    private let closes: Bool

    init(_ answer: String?, thenCloses: Bool) {
        self.answer = answer
        closes = thenCloses
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard let answer else { return }
        context.writeAndFlush(NIOAny(context.channel.allocator.buffer(string: answer)), promise: nil)
        if closes { context.close(promise: nil) }
    }
}

/// Runs a test against a server with a transport, and ends both.
func withServer(
    _ server: TestServer,
    policy: NetworkPolicy = .allowPrivate,
    configuration: WebSocketTransportConfiguration = WebSocketTransportConfiguration(),
    certificateAuthority: String? = nil,
    _ body: (any WebSocketClient, TestServer) async throws -> Void
) async throws {
    let transport = WebSocketTransport(configuration)
    let client = transport.client(policy: policy, certificateAuthority: certificateAuthority)
    let outcome: Result<Void, any Error>
    do {
        try await body(client, server)
        outcome = .success(())
    } catch {
        outcome = .failure(error)
    }
    await transport.shutdown()
    await server.shutdown()
    try outcome.get()
}

extension WebSocketRequest {
    /// A request whose deadlines suit a test.
    static func test(
        _ url: String,
        connect: Duration = .seconds(10),
        firstByte: Duration? = .seconds(10),
        idle: Duration? = nil,
        total: Duration? = nil,
        maximumMessageSize: Int = 1 << 20
    ) -> WebSocketRequest {
        WebSocketRequest(
            url,
            deadlines: HTTPDeadlines(connect: connect, firstByte: firstByte, idle: idle, total: total),
            maximumMessageSize: maximumMessageSize
        )
    }
}
