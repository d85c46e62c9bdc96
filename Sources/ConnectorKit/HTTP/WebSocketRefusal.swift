public import HTTPTypes

/// The server answered the handshake of a WebSocket with an ordinary response instead of opening it.
///
/// ``WebSocketClient/connect(_:)`` throws it beside ``HTTPClientError``: the server was reached and spoke HTTP, so what it said is for the connector to judge,
/// for example with ``ConnectorError/of(status:headers:body:now:what:)``.
public struct WebSocketRefusal: Error, Sendable, CustomStringConvertible {
    /// The response's status; never 101.
    public var status: Int
    /// The response's header fields.
    public var headers: HTTPFields
    /// The beginning of the body, at most ``longestBody`` bytes.
    public var body: [UInt8]

    /// No more of a body is kept.
    public static let longestBody = 64 << 10

    /// A refusal.
    public init(status: Int, headers: HTTPFields = [:], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// Says the status, and nothing of what was sent or answered.
    public var description: String { "the server refuses a WebSocket (status \(status))" }
}
