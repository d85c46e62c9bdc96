import ConnectorKit
import NIOCore
import NIOWebSocket

/// The last handler of an open WebSocket: assembles messages, answers pings, notices silence, and stops reading while nobody takes what came.
///
/// Lives on its event loop.
final class WebSocketHandler: ChannelInboundHandler {
    typealias InboundIn = WebSocketFrame
    typealias OutboundOut = WebSocketFrame

    private let inbox: Inbox
    private let total: TimeAmount?
    private var assembler: FrameAssembler
    private var heartbeat: Heartbeat?
    private var timers: [Scheduled<Void>] = []
    private var isClosing = false
    private var isReading = true

    /// - Parameters:
    ///   - inbox: where messages go.
    ///   - deadlines: how long the connection may be silent, and may live.
    ///   - maximumMessageSize: most bytes of one message.
    init(_ inbox: Inbox, deadlines: HTTPDeadlines, maximumMessageSize: Int) {
        self.inbox = inbox
        assembler = FrameAssembler(maximumMessageSize: maximumMessageSize)
        heartbeat = deadlines.idle.map { Heartbeat(idle: TimeAmount($0), now: .now()) }
        total = deadlines.total.map(TimeAmount.init)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        heartbeat?.heard(.now())
        schedule(context)
        if let total {
            timers.append(
                context.eventLoop.assumeIsolated().scheduleTask(in: total) { [self] in
                    fail(
                        HTTPClientError(.deadline, "the connection has lived for as long as it may"),
                        code: 1000,
                        context
                    )
                }
            )
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        for timer in timers { timer.cancel() }
        timers = []
        inbox.end(.failed(HTTPClientError(.connection, "the connection was lost")))
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        heartbeat?.heard(.now())
        switch assembler.take(unwrapInboundIn(data)) {
        case .wait: break
        case .message(let message):
            if inbox.put(message), isReading {
                isReading = false
                context.channel.setOption(.autoRead, value: false).whenFailure { _ in }
            }
        case .pong(let payload): pong(payload, context)
        case .close(let code): closed(code, context)
        case .fail(let error, let code): fail(error, code: code, context)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        inbox.end(.failed(HTTPClientError(.connection, "the connection was closed without a word")))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let error = error as? NIOWebSocketError {
            switch error {
            case .invalidFrameLength:
                fail(HTTPClientError(.bodyTooLarge, "a message is larger than allowed"), code: 1009, context)
            case .fragmentedControlFrame, .multiByteControlFrameLength:
                fail(
                    HTTPClientError(.protocolViolation, "a control frame is fragmented or too long"),
                    code: 1002,
                    context
                )
            }
            return
        }
        fail(TransportError.translated(error, "the connection broke"), code: 1002, context)
    }

    /// Reads on, once there is room again.
    func resume(_ channel: any Channel) {
        guard !isReading, !inbox.isPaused else { return }
        isReading = true
        // While nothing was read nothing could be heard.
        heartbeat?.heard(.now())
        channel.setOption(.autoRead, value: true).whenFailure { _ in }
    }

    /// Begins the closing handshake; the connection ends when it is answered, or soon after.
    func close(code: Int, reason: String, _ context: ChannelHandlerContext) {
        guard !isClosing else { return }
        isClosing = true
        inbox.end(.closed)
        sendClose(code: code, reason: reason, context)
        // Whatever still comes is of no interest but for the answer.
        resumeReading(context)
        let context = NIOLoopBound(context, eventLoop: context.eventLoop)
        timers.append(
            context.eventLoop.scheduleTask(in: Self.patience) { context.value.close(promise: nil) }
        )
    }

    // MARK: - Closing

    /// How long the other side may take to answer a closing frame.
    static let patience = TimeAmount.seconds(1)

    private func closed(_ code: Int?, _ context: ChannelHandlerContext) {
        inbox.end(.closed, closeCode: code ?? 1005)
        if isClosing {
            context.close(promise: nil)
            return
        }
        isClosing = true
        sendClose(code: code.flatMap { Self.mayBeSent($0) ? $0 : nil } ?? 1000, reason: "", context, thenEnd: true)
    }

    private func fail(_ error: HTTPClientError, code: Int, _ context: ChannelHandlerContext) {
        inbox.end(.failed(error))
        guard !isClosing else {
            context.close(promise: nil)
            return
        }
        isClosing = true
        sendClose(code: code, reason: "", context, thenEnd: true)
    }

    /// Codes that may stand in a frame (RFC 6455 §7.4).
    private static func mayBeSent(_ code: Int) -> Bool {
        (1000...1003).contains(code) || (1007...1014).contains(code) || (3000...4999).contains(code)
    }

    private func sendClose(code: Int, reason: String, _ context: ChannelHandlerContext, thenEnd: Bool = false) {
        var data = context.channel.allocator.buffer(capacity: 2 + reason.utf8.count)
        data.writeInteger(UInt16(truncatingIfNeeded: code))
        // A closing frame holds at most 125 bytes, and only whole characters.
        var words = reason
        while words.utf8.count > 123 { words.removeLast() }
        data.writeString(words)
        let frame = WebSocketFrame(fin: true, opcode: .connectionClose, maskKey: .random(), data: data)
        let promise = thenEnd ? context.eventLoop.makePromise(of: Void.self) : nil
        context.writeAndFlush(wrapOutboundOut(frame), promise: promise)
        guard let promise else { return }
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        promise.futureResult.whenComplete { _ in bound.value.close(promise: nil) }
        // A peer that takes no bytes must not keep the connection.
        timers.append(context.eventLoop.scheduleTask(in: Self.patience) { bound.value.close(promise: nil) })
    }

    private func resumeReading(_ context: ChannelHandlerContext) {
        guard !isReading else { return }
        isReading = true
        context.channel.setOption(.autoRead, value: true).whenFailure { _ in }
    }

    // MARK: - Pings

    private func pong(_ payload: [UInt8], _ context: ChannelHandlerContext) {
        // Only the newest ping needs an answer: where the network takes no bytes, answers must not pile up.
        guard !isClosing, context.channel.isWritable else { return }
        let data = context.channel.allocator.buffer(bytes: payload)
        let frame = WebSocketFrame(fin: true, opcode: .pong, maskKey: .random(), data: data)
        context.writeAndFlush(wrapOutboundOut(frame), promise: nil)
    }

    private func schedule(_ context: ChannelHandlerContext) {
        guard let heartbeat else { return }
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        let this = NIOLoopBound(self, eventLoop: context.eventLoop)
        let timer = context.eventLoop.scheduleTask(in: heartbeat.step) { this.value.tick(bound.value) }
        if timers.isEmpty { timers.append(timer) } else { timers[0] = timer }
    }

    /// Pings after some silence, and ends the connection after more of it.
    private func tick(_ context: ChannelHandlerContext) {
        guard !isClosing else { return }
        switch heartbeat?.tick(.now(), isReading: isReading, isWritable: context.channel.isWritable) {
        case .giveUp: return fail(HTTPClientError(.deadline, "nothing was heard for too long"), code: 1001, context)
        case .ping:
            let data = context.channel.allocator.buffer(capacity: 0)
            let frame = WebSocketFrame(fin: true, opcode: .ping, maskKey: .random(), data: data)
            context.writeAndFlush(wrapOutboundOut(frame), promise: nil)
        case .wait, nil: break
        }
        schedule(context)
    }
}

extension TimeAmount {
    /// The same span; saturates.
    init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        let (nanoseconds, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        self = overflow ? .nanoseconds(.max / 4) : .nanoseconds(nanoseconds + attoseconds / 1_000_000_000)
    }
}
