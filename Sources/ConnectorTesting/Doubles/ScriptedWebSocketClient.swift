public import ConnectorKit

/// A WebSocket client that answers from a script and remembers what it was asked.
///
/// Each connection takes the next script; when there is none the handler is asked, and without its answer the attempt fails as ``HTTPClientError``
/// `connection`.
public final class ScriptedWebSocketClient: WebSocketClient {
    /// How a connection ends after its last message.
    public enum End: Sendable {
        /// The other side closes in order.
        case close(code: Int)
        /// It breaks.
        case failure(HTTPClientError)
        /// It stays open until the reader is cancelled.
        case silence
    }

    fileprivate struct Script: Sendable {
        var messages: [WebSocketMessage]
        var end: End
    }

    fileprivate struct State: Sendable {
        var scripts: [Script] = []
        var handler: (@Sendable (WebSocketRequest) -> Script?)?
        var requests: [WebSocketRequest] = []
        var sent: [WebSocketMessage] = []
        var closes: [Int] = []

        mutating func next(_ request: WebSocketRequest) -> (messages: [WebSocketMessage], end: End)? {
            requests.append(request)
            guard let script = scripts.isEmpty ? handler?(request) : scripts.removeFirst() else { return nil }
            return (script.messages, script.end)
        }
    }

    private let state = Watched(State())

    /// A client without connections.
    public init() {}

    /// The next connection brings these messages and then ends so.
    public func script(_ messages: [WebSocketMessage], then end: End = .close(code: 1000)) {
        state.update { $0.scripts.append(Script(messages: messages, end: end)) }
    }

    /// Connections for which there is no script bring what `answer` says for their requests; nil refuses them.
    public func handle(_ answer: @escaping @Sendable (WebSocketRequest) -> (messages: [WebSocketMessage], end: End)?) {
        state.update { state in
            state.handler = { request in answer(request).map { Script(messages: $0.messages, end: $0.end) } }
        }
    }

    /// Every attempt so far, in order.
    public var requests: [WebSocketRequest] { state.current.requests }

    /// What was sent over any connection, in order.
    public var sent: [WebSocketMessage] { state.current.sent }

    /// The codes with which connections were closed from this side.
    public var closes: [Int] { state.current.closes }

    /// Returns when at least `count` connections have been tried; throws `CancellationError` when cancelled before.
    public func waitForRequests(_ count: Int = 1) async throws {
        try await state.wait { $0.requests.count >= count }
    }

    /// Opens a connection from the script.
    public func connect(_ request: WebSocketRequest) async throws -> any WebSocketConnection {
        try Task.checkCancellation()
        guard let script = state.update({ $0.next(request) }) else {
            throw HTTPClientError(.connection, "nothing is scripted for \(request.url)")
        }
        return ScriptedWebSocketConnection(script.messages, script.end, limit: request.maximumMessageSize, state: state)
    }
}

private final class ScriptedWebSocketConnection: WebSocketConnection {
    private let messages: [WebSocketMessage]
    private let end: ScriptedWebSocketClient.End
    private let limit: Int
    private let state: Watched<ScriptedWebSocketClient.State>
    private let position = Watched(0)

    init(
        _ messages: [WebSocketMessage],
        _ end: ScriptedWebSocketClient.End,
        limit: Int,
        state: Watched<ScriptedWebSocketClient.State>
    ) {
        self.messages = messages
        self.end = end
        self.limit = limit
        self.state = state
    }

    func next() async throws -> WebSocketMessage? {
        try Task.checkCancellation()
        let index = position.update { position in
            defer { position += 1 }
            return position
        }
        if messages.indices.contains(index) {
            guard messages[index].bytes.count <= limit else {
                throw HTTPClientError(.bodyTooLarge, "a message is larger than \(limit) bytes")
            }
            return messages[index]
        }
        switch end {
        case .close: return nil
        case .failure(let error): throw error
        case .silence:
            try await position.wait { _ in false }
            return nil
        }
    }

    func send(_ message: WebSocketMessage) async throws {
        state.update { $0.sent.append(message) }
    }

    func close(code: Int, reason: String) async {
        state.update { $0.closes.append(code) }
    }

    var closeCode: Int? {
        guard case .close(let code) = end, position.current > messages.count else { return nil }
        return code
    }
}
