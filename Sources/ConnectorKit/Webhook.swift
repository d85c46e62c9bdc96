public import HTTPTypes
public import SocialEvents

/// One call of a platform, byte for byte.
public struct WebhookDelivery: Sendable {
    /// `GET` for challenges, mostly `POST` otherwise.
    public var method: HTTPRequest.Method
    /// The query string's items in their order, percent-decoded.
    public var query: [(name: String, value: String)]
    /// Header fields as received.
    public var headers: HTTPFields
    /// The body as received; signatures are over exactly these bytes.
    public var body: [UInt8]
    /// When it arrived.
    public var receivedAt: Timestamp

    /// A delivery.
    public init(
        method: HTTPRequest.Method,
        query: [(name: String, value: String)] = [],
        headers: HTTPFields,
        body: [UInt8],
        receivedAt: Timestamp
    ) {
        self.method = method
        self.query = query
        self.headers = headers
        self.body = body
        self.receivedAt = receivedAt
    }
}

/// What a connector makes of a delivery.
///
/// The host answers the platform only after accepted events are durable.
public enum WebhookOutcome: Sendable {
    /// Genuine: make these durable, then answer 200.
    case accepted([Event], deadLetters: [DeadLetter] = [])
    /// Not a delivery but a question: answer 200 with this body and media type.
    case challenge(reply: [UInt8], contentType: String)
    /// Not genuine, or not for us: answer this status and forget it.
    case rejected(status: Int, reason: String)
}
