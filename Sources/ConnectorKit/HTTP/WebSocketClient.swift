public import HTTPTypes

/// Opens WebSockets (RFC 6455) for connectors, under the same network policy as ``HTTPClient``.
public protocol WebSocketClient: Sendable {
    /// Connects and shakes hands; returns once messages can come.
    ///
    /// Throws ``WebSocketRefusal`` where the server answers as to any other request, with what it said, and ``HTTPClientError`` where no handshake comes about.
    /// Cancelling the calling task ends the attempt.
    func connect(_ request: WebSocketRequest) async throws -> any WebSocketConnection
}

/// What to connect to, and within which limits.
public struct WebSocketRequest: Sendable {
    /// An absolute `ws` or `wss` URL.
    public var url: String
    /// Header fields for the handshake.
    public var headers: HTTPFields
    /// How long each part may take.
    ///
    /// `connect` bounds name resolution, TCP and TLS, `firstByte` the handshake, `idle` the longest silence; pings are sent well before it, so that
    /// silence means a broken connection. `idle` also bounds how long the network may take to accept a message. `total` bounds the connection's life.
    public var deadlines: HTTPDeadlines
    /// Most bytes of one message, fragments together.
    public var maximumMessageSize: Int

    /// A request for `url`.
    public init(
        _ url: String,
        headers: HTTPFields = [:],
        deadlines: HTTPDeadlines = HTTPDeadlines(idle: .seconds(60), total: nil),
        maximumMessageSize: Int = 1 << 20
    ) {
        self.url = url
        self.headers = headers
        self.deadlines = deadlines
        self.maximumMessageSize = maximumMessageSize
    }
}

/// One message.
public enum WebSocketMessage: Sendable, Hashable {
    /// Text, in UTF-8.
    case text([UInt8])
    /// Bytes.
    case binary([UInt8])

    /// The bytes of either.
    public var bytes: [UInt8] {
        switch self {
        case .text(let bytes), .binary(let bytes): bytes
        }
    }
}

/// An open WebSocket.
///
/// Pings are answered by it. What is not asked for is not read from the network beyond a bounded buffer. Letting go of it closes it.
public protocol WebSocketConnection: Sendable {
    /// The next message; `nil` once the other side has closed in order. Never called concurrently.
    ///
    /// Throws ``HTTPClientError`` when the connection breaks, a deadline passes or a message is too large. A cancelled call throws `CancellationError` and
    /// takes no message: the connection stays, and a later call reads on.
    func next() async throws -> WebSocketMessage?

    /// Sends a message; returns once it is handed to the network.
    ///
    /// Throws ``HTTPClientError`` when the connection is closed, breaks, or takes nothing for as long as it may be silent. A cancelled call throws
    /// `CancellationError` and closes the connection, since half a message may be on its way.
    func send(_ message: WebSocketMessage) async throws

    /// Closes in order, with a status of RFC 6455 §7.4; does nothing when it is closed already.
    func close(code: Int, reason: String) async

    /// The status with which the other side closed, once it has.
    var closeCode: Int? { get }
}

/// A client that opens no WebSocket.
public struct NoWebSockets: WebSocketClient {
    private let reason: String

    /// A client that refuses, and says why.
    public init(reason: String = "this host opens no WebSockets") { self.reason = reason }

    /// Throws ``HTTPClientError`` `invalidRequest`.
    public func connect(_ request: WebSocketRequest) async throws -> any WebSocketConnection {
        throw HTTPClientError(.invalidRequest, reason)
    }
}
