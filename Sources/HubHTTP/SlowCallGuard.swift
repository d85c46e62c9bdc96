import NIOCore
import NIOHTTPTypes

/// Closes connections whose calls arrive too slowly, and those that are silent for long between two calls.
///
/// A time-out that every byte renews would let a thousand connections of a byte a second hold all places for hours.
final class SlowCallGuard: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart

    private let arrival: TimeAmount
    private let silence: TimeAmount
    private var timer: Scheduled<Void>?

    /// - Parameters:
    ///   - arrival: from a call's head to its end.
    ///   - silence: from the end of one call, or from the connection, to the head of the next.
    init(arrival: Duration, silence: Duration) {
        self.arrival = TimeAmount(arrival)
        self.silence = TimeAmount(silence)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { close(context, in: arrival) }
    }

    func channelActive(context: ChannelHandlerContext) {
        close(context, in: arrival)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head: close(context, in: arrival)
        case .body: break
        case .end: close(context, in: silence)
        }
        context.fireChannelRead(data)
    }

    private func close(_ context: ChannelHandlerContext, in delay: TimeAmount) {
        timer?.cancel()
        let channel = context.channel
        timer = context.eventLoop.scheduleTask(in: delay) { channel.close(promise: nil) }
    }
}
