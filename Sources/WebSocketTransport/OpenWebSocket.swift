import ConnectorKit
import NIOCore
import NIOWebSocket

/// An open WebSocket as its reader sees it.
final class OpenWebSocket: WebSocketConnection {
    private let channel: any Channel
    private let handler: NIOLoopBound<WebSocketHandler>
    private let inbox: Inbox
    private let patience: TimeAmount?

    /// - Parameters:
    ///   - channel: the connection.
    ///   - handler: its last handler.
    ///   - inbox: where its messages are.
    ///   - patience: how long the network may take to accept a message.
    init(_ channel: any Channel, _ handler: NIOLoopBound<WebSocketHandler>, _ inbox: Inbox, patience: Duration?) {
        self.channel = channel
        self.handler = handler
        self.inbox = inbox
        self.patience = patience.map(TimeAmount.init)
    }

    deinit {
        // Closed already, its event loop may be gone too.
        if channel.isActive { channel.close(promise: nil) }
    }

    func next() async throws -> WebSocketMessage? {
        let (channel, handler) = (channel, handler)
        return try await inbox.next {
            channel.eventLoop.execute { handler.value.resume(channel) }
        }
    }

    func send(_ message: WebSocketMessage) async throws {
        guard inbox.ending == nil else { throw HTTPClientError(.connection, "the connection is closed") }
        try Task.checkCancellation()
        let opcode: WebSocketOpcode =
            switch message {
            case .text: .text
            case .binary: .binary
            }
        let (channel, inbox) = (channel, inbox)
        let timer = patience.map { patience in
            channel.eventLoop.scheduleTask(in: patience) {
                inbox.end(.failed(HTTPClientError(.deadline, "the network did not take a message in time")))
                channel.close(promise: nil)
            }
        }
        defer { timer?.cancel() }
        try await withTaskCancellationHandler {
            let data = channel.allocator.buffer(bytes: message.bytes)
            do {
                try await channel.writeAndFlush(
                    WebSocketFrame(fin: true, opcode: opcode, maskKey: .random(), data: data)
                )
            } catch {
                try Task.checkCancellation()
                if case .failed(let reason) = inbox.ending { throw reason }
                throw TransportError.translated(error, "the message could not be sent")
            }
        } onCancel: {
            // Half a frame may be out, after which nothing could follow.
            inbox.end(.failed(HTTPClientError(.connection, "sending a message was given up")))
            channel.close(promise: nil)
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
