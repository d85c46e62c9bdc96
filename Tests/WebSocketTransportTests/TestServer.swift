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
        var isStalled = false
        var waiters: [Int: Waiter] = [:]
        var waits = 0
    }

    private struct Waiter {
        var condition: @Sendable (TestServer) -> Bool
        var continuation: CheckedContinuation<Void, Never>
    }

    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let state = Mutex(State())
    private let channel = Mutex<(any Channel)?>(nil)

    /// A server that opens WebSockets.
    ///
    /// - Parameters:
    ///   - isSecure: whether it speaks TLS.
    ///   - subprotocol: what it chooses.
    ///   - isPolite: whether it answers closing frames and pings by itself.
    ///   - stalls: whether it reads the first bytes of a connection and no more.
    ///   - answer: what it does with a frame besides.
    ///   - talk: what it does once a connection is open.
    /// - Throws: when it cannot listen.
    init(
        isSecure: Bool = false,
        subprotocol: String? = nil,
        isPolite: Bool = true,
        stalls: Bool = false,
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
                    maxFrameSize: 1 << 26,
                    automaticErrorHandling: false,
                    shouldUpgrade: { channel, head in
                        self.note { $0.heads.append(head) }
                        var headers = HTTPHeaders()
                        if let subprotocol { headers.add(name: "Sec-WebSocket-Protocol", value: subprotocol) }
                        return channel.eventLoop.makeSucceededFuture(headers)
                    },
                    upgradePipelineHandler: { channel, _ in
                        channel.eventLoop.makeCompletedFuture {
                            let handler = FrameHandler(self, isPolite: isPolite, answer)
                            try channel.pipeline.syncOperations.addHandler(handler)
                            guard stalls else { return }
                            channel.setOption(.socketOption(.so_rcvbuf), value: 1 << 16).whenFailure { _ in }
                            let stall = StallHandler { self.note { $0.isStalled = true } }
                            try channel.pipeline.syncOperations.addHandler(stall, position: .first)
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
    /// Whether it has read the first bytes of a connection and reads no more.
    var isStalled: Bool { state.withLock { $0.isStalled } }
    /// How many frames of a kind came.
    func count(_ opcode: WebSocketOpcode) -> Int {
        let code = UInt8(webSocketOpcode: opcode)
        return received.count { $0.opcode == code }
    }

    private func note(_ change: (inout State) -> Void) {
        let waiters = state.withLock { state in
            change(&state)
            return state.waiters
        }
        for (id, waiter) in waiters where waiter.condition(self) { release(id) }
    }

    private func release(_ id: Int) {
        state.withLock { $0.waiters.removeValue(forKey: id) }?.continuation.resume()
    }

    /// Returns when the condition holds, or the test's time is over.
    func wait(until condition: @escaping @Sendable (TestServer) -> Bool) async {
        let id = state.withLock { state in
            state.waits += 1
            return state.waits
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                state.withLock { $0.waiters[id] = Waiter(condition: condition, continuation: continuation) }
                // What it waits for, or the end of its time, may have come in between.
                if Task.isCancelled || condition(self) { release(id) }
            }
        } onCancel: {
            release(id)
        }
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

private final class FrameHandler: ChannelDuplexHandler {
    typealias InboundIn = WebSocketFrame
    typealias OutboundIn = WebSocketFrame
    typealias OutboundOut = WebSocketFrame

    private let server: TestServer
    private let isPolite: Bool
    private let answer: TestServer.Answer
    private var hasSentClose = false

    init(_ server: TestServer, isPolite: Bool, _ answer: @escaping TestServer.Answer) {
        self.server = server
        self.isPolite = isPolite
        self.answer = answer
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let frame = unwrapOutboundIn(data)
        if frame.opcode == .connectionClose { hasSentClose = true }
        context.write(wrapOutboundOut(frame), promise: promise)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        let received = server.received(frame)
        let peer = TestServer.Peer(channel: context.channel)
        answer(peer, received)
        guard isPolite else { return }
        if frame.opcode == .ping { peer.send(.pong, received.bytes) }
        if frame.opcode == .connectionClose {
            if !hasSentClose { peer.send(.connectionClose, received.bytes) }
            peer.hangUp()
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}

/// Reads no more once something has come.
private final class StallHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let hasCome: @Sendable () -> Void

    init(_ hasCome: @escaping @Sendable () -> Void) {
        self.hasCome = hasCome
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        context.channel.setOption(.autoRead, value: false).whenFailure { _ in }
        hasCome()
        context.fireChannelRead(data)
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
