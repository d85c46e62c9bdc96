import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOWebSocket
import ServiceLifecycle
import Synchronization

/// Puts a simulator that opens WebSockets behind a port: those, requests, and the control of tests.
struct WebSocketListener {
    let simulator: any WebSocketSimulator
    let host: String
    let port: Int

    /// Serves until the task is cancelled or the service group shuts down.
    func run(_ onRunning: @Sendable (_ port: Int) async -> Void) async throws {
        let open = OpenChannels()
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 256)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { [simulator] channel in
                open.add(channel)
                return channel.eventLoop.makeCompletedFuture { try Self.prepare(channel, simulator) }
            }
            .bind(host: host, port: port).get()
        await onRunning(listener.localAddress?.port ?? 0)
        try await withTaskCancellationHandler {
            try await withGracefulShutdownHandler {
                try await listener.closeFuture.get()
            } onGracefulShutdown: {
                listener.close(promise: nil)
            }
        } onCancel: {
            listener.close(promise: nil)
        }
        open.closeAll()
    }

    /// What a handshake came to, between the handler that decides and the one that answers.
    fileprivate final class Handover: Sendable {
        let refusal = Mutex<SimulatedAnswer?>(nil)
        let subscription = Mutex<(any SimulatedSocket)?>(nil)
    }

    private static func prepare(_ channel: any Channel, _ simulator: any WebSocketSimulator) throws {
        let handover = Handover()
        let base = "http://127.0.0.1:\(channel.localAddress?.port ?? 0)"
        let upgrader = NIOWebSocketServerUpgrader(
            maxFrameSize: 16 << 20,
            automaticErrorHandling: false,
            shouldUpgrade: { channel, head in
                switch simulator.subscribe(SimulatedRequest(.get, head.uri, headers: head.fields, base: base)) {
                case .refused(let answer):
                    handover.refusal.withLock { $0 = answer }
                    return channel.eventLoop.makeSucceededFuture(nil)
                case .opened(let subscription):
                    handover.subscription.withLock { $0 = subscription }
                    var headers = HTTPHeaders()
                    let offered = head.headers[canonicalForm: "sec-websocket-protocol"].map(String.init)
                    if let chosen = subscription.subprotocol, offered.contains(chosen) {
                        headers.add(name: "Sec-WebSocket-Protocol", value: chosen)
                    }
                    return channel.eventLoop.makeSucceededFuture(headers)
                }
            },
            upgradePipelineHandler: { channel, _ in
                channel.eventLoop.makeCompletedFuture {
                    guard let subscription = handover.subscription.withLock({ $0 }) else { return }
                    try channel.pipeline.syncOperations.addHandler(StreamHandler(subscription))
                    StreamHandler.pump(subscription, to: channel)
                }
            }
        )
        let handler = RequestHandler(simulator, handover, base: base)
        let bound = NIOLoopBound(handler, eventLoop: channel.eventLoop)
        try channel.pipeline.syncOperations.configureHTTPServerPipeline(
            withServerUpgrade: (
                upgraders: [upgrader],
                completionHandler: { context in
                    context.pipeline.syncOperations.removeHandler(bound.value, promise: nil)
                }
            )
        )
        try channel.pipeline.syncOperations.addHandler(handler)
    }
}

/// The connections to close at the end.
private final class OpenChannels: Sendable {
    private let channels = Mutex<[ObjectIdentifier: any Channel]>([:])

    func add(_ channel: any Channel) {
        let key = ObjectIdentifier(channel)
        channels.withLock { $0[key] = channel }
        channel.closeFuture.whenComplete { [self] _ in channels.withLock { _ = $0.removeValue(forKey: key) } }
    }

    func closeAll() {
        for channel in channels.withLock({ Array($0.values) }) { channel.close(promise: nil) }
    }
}

extension HTTPRequestHead {
    /// The header fields in the words of HTTPTypes.
    fileprivate var fields: HTTPFields {
        var fields = HTTPFields()
        for (name, value) in headers {
            if let name = HTTPField.Name(name) { fields.append(HTTPField(name: name, value: value)) }
        }
        return fields
    }
}

/// Gathers a request and writes the simulator's answer.
private final class RequestHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let simulator: any WebSocketSimulator
    private let handover: WebSocketListener.Handover
    private let base: String
    private var head: HTTPRequestHead?
    private var body: [UInt8] = []

    init(_ simulator: any WebSocketSimulator, _ handover: WebSocketListener.Handover, base: String) {
        self.simulator = simulator
        self.handover = handover
        self.base = base
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            body = []
        case .body(let part):
            guard body.count + part.readableBytes <= 16 << 20 else { return context.close(promise: nil) }
            body.append(contentsOf: part.readableBytesView)
        case .end:
            guard let head else { return }
            let request = SimulatedRequest(
                HTTPRequest.Method(head.method.rawValue) ?? .get,
                head.uri,
                headers: head.fields,
                body: body,
                base: base
            )
            let refusal = handover.refusal.withLock { $0.take() }
            let simulator = simulator
            let channel = context.channel
            let isKeptAlive = head.isKeepAlive
            // Ends with its answer; nobody waits for it, since the connection may be gone by then.
            Task { await RequestHandler.respond(to: request, refusal, simulator, channel, isKeptAlive) }
        }
    }

    private static func respond(
        to request: SimulatedRequest,
        _ refusal: SimulatedAnswer?,
        _ simulator: any WebSocketSimulator,
        _ channel: any Channel,
        _ isKeptAlive: Bool
    ) async {
        let answer: SimulatedAnswer
        if let refusal { answer = refusal } else { answer = await simulator.controlled(request) }
        write(answer, to: channel, isKeptAlive: isKeptAlive)
    }

    private static func write(_ answer: SimulatedAnswer, to channel: any Channel, isKeptAlive: Bool) {
        let bytes: [UInt8]
        var length: Int
        switch answer.body {
        case .bytes(let all): (bytes, length) = (all, all.count)
        case .broken(let all, let count): (bytes, length) = (Array(all.prefix(count)), all.count)
        case .stream: (bytes, length) = ([], 0)
        // The client gives up, or does not.
        case .silence: return
        }
        var headers = HTTPHeaders(answer.headers.map { ($0.name.rawName, $0.value) })
        headers.replaceOrAdd(name: "Content-Length", value: String(length))
        let head = HTTPResponseHead(
            version: .http1_1,
            status: HTTPResponseStatus(statusCode: Int(answer.status.code)),
            headers: headers
        )
        channel.write(HTTPServerResponsePart.head(head), promise: nil)
        let body = channel.allocator.buffer(bytes: bytes)
        channel.writeAndFlush(HTTPServerResponsePart.body(.byteBuffer(body)), promise: nil)
        guard bytes.count == length else { return channel.close(promise: nil) }
        let end = channel.writeAndFlush(HTTPServerResponsePart.end(nil))
        if !isKeptAlive { end.whenComplete { _ in channel.close(promise: nil) } }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}

/// The server's side of an open stream.
private final class StreamHandler: ChannelInboundHandler {
    typealias InboundIn = WebSocketFrame
    typealias OutboundOut = WebSocketFrame

    private let subscription: any SimulatedSocket

    init(_ subscription: any SimulatedSocket) {
        self.subscription = subscription
    }

    /// Writes what the subscription brings, as fast as the client takes it.
    static func pump(_ subscription: any SimulatedSocket, to channel: any Channel) {
        // Ends with the subscription, which ends with the connection.
        Task {
            do {
                while let lines = try await subscription.messages.next() {
                    var written = channel.eventLoop.makeSucceededVoidFuture()
                    for line in lines.split(separator: UInt8(ascii: "\n")) {
                        let data = channel.allocator.buffer(bytes: line)
                        written = channel.write(WebSocketFrame(fin: true, opcode: .text, data: data))
                    }
                    channel.flush()
                    try await written.get()
                }
                let data = channel.allocator.buffer(bytes: [0x03, 0xE9])
                try await channel.writeAndFlush(WebSocketFrame(fin: true, opcode: .connectionClose, data: data))
            } catch {
                // A frame that promises more than comes.
                let data = channel.allocator.buffer(bytes: Array("{\"did\":\"did:plc:".utf8))
                let frame = WebSocketFrame(fin: false, opcode: .text, data: data)
                try? await channel.writeAndFlush(frame)
            }
            channel.close(promise: nil)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        switch frame.opcode {
        case .ping:
            guard !subscription.isStalled else { return }
            let pong = WebSocketFrame(fin: true, opcode: .pong, data: frame.unmaskedData)
            context.writeAndFlush(wrapOutboundOut(pong), promise: nil)
        case .connectionClose:
            let close = WebSocketFrame(fin: true, opcode: .connectionClose, data: frame.unmaskedData)
            context.writeAndFlush(wrapOutboundOut(close), promise: nil)
            subscription.messages.breakOff()
        case .text, .binary: subscription.receive(Array(frame.unmaskedData.readableBytesView))
        default: break
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        subscription.messages.breakOff()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
