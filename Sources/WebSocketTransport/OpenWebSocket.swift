import ConnectorKit
import NIOCore
import NIOWebSocket

/// An open WebSocket as its reader sees it.
final class OpenWebSocket: WebSocketConnection {
    private let channel: any Channel
    private let handler: NIOLoopBound<WebSocketHandler>
    private let inbox: Inbox

    init(_ channel: any Channel, _ handler: NIOLoopBound<WebSocketHandler>, _ inbox: Inbox) {
        self.channel = channel
        self.handler = handler
        self.inbox = inbox
    }

    deinit {
        channel.close(promise: nil)
    }

    func next() async throws -> WebSocketMessage? {
        let (channel, handler) = (channel, handler)
        return try await inbox.next {
            channel.eventLoop.execute { handler.value.resume(channel) }
        }
    }

    func send(_ message: WebSocketMessage) async throws {
        guard !inbox.hasEnded else { throw HTTPClientError(.connection, "the connection is closed") }
        let opcode: WebSocketOpcode =
            switch message {
            case .text: .text
            case .binary: .binary
            }
        let data = channel.allocator.buffer(bytes: message.bytes)
        do {
            try await channel.writeAndFlush(
                WebSocketFrame(fin: true, opcode: opcode, maskKey: .random(), data: data)
            )
        } catch {
            throw TransportError.translated(error, "the message could not be sent")
        }
    }

    func close(code: Int, reason: String) async {
        let (channel, handler) = (channel, handler)
        channel.eventLoop.execute {
            guard let context = try? channel.pipeline.syncOperations.context(handler: handler.value) else { return }
            handler.value.close(code: code, reason: reason, context)
        }
        // It closes within seconds, answered or not.
        try? await channel.closeFuture.get()
    }

    var closeCode: Int? { inbox.closeCode }
}
