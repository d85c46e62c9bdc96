public import HTTPTypes

/// Fetches over HTTP for connectors; the host gives one to each source, bound to that source's network policy.
///
/// May be called concurrently. Redirects are followed by the client, each target guarded like the first one. Cancelling the calling task ends
/// the transfer. What goes wrong on the way is thrown as ``HTTPClientError``; a response of any status is not an error.
public protocol HTTPClient: Sendable {
    /// Sends `request` and returns as soon as the final response's head is read; the body streams behind it.
    func send(_ request: HTTPClientRequest) async throws -> HTTPClientResponse
}

/// A request as a value.
public struct HTTPClientRequest: Sendable {
    /// The method; `GET` unless told otherwise.
    public var method: HTTPRequest.Method
    /// An absolute `http` or `https` URL.
    public var url: String
    /// Header fields to send as they are.
    public var headers: HTTPFields
    /// The body, empty for none.
    public var body: [UInt8]
    /// How long each part may take.
    public var deadlines: HTTPDeadlines
    /// Most bytes of body accepted, counted after decompression.
    public var maximumBodySize: Int
    /// Most redirects followed; 0 returns the redirecting response itself.
    public var maximumRedirects: Int

    /// A request for `url`.
    public init(
        _ method: HTTPRequest.Method = .get,
        _ url: String,
        headers: HTTPFields = [:],
        body: [UInt8] = [],
        deadlines: HTTPDeadlines = HTTPDeadlines(),
        maximumBodySize: Int = 16 << 20,
        maximumRedirects: Int = 5
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.deadlines = deadlines
        self.maximumBodySize = maximumBodySize
        self.maximumRedirects = maximumRedirects
    }
}

/// How long the parts of an exchange may take; `nil` means no limit, for streams that live for days.
public struct HTTPDeadlines: Sendable, Hashable {
    /// Name resolution, TCP and TLS together.
    public var connect: Duration
    /// From sending the request to the first byte of the final response's head.
    public var firstByte: Duration?
    /// The longest silence between two pieces of the body.
    public var idle: Duration?
    /// The whole exchange.
    public var total: Duration?

    /// Limits fit for a request that answers at once.
    public init(
        connect: Duration = .seconds(10),
        firstByte: Duration? = .seconds(30),
        idle: Duration? = .seconds(30),
        total: Duration? = .seconds(120)
    ) {
        self.connect = connect
        self.firstByte = firstByte
        self.idle = idle
        self.total = total
    }
}

/// The head of a response and its streaming body.
public struct HTTPClientResponse: Sendable {
    /// The status code of the final response.
    public var status: Int
    /// Header fields of the final response.
    public var headers: HTTPFields
    /// The URL that answered, after redirects.
    public var url: String
    /// The redirects on the way, in order.
    public var redirects: [HTTPRedirect]
    /// The body, to be read once; dropping it unread ends the transfer.
    public var body: HTTPBody

    /// A response, made by clients and test doubles.
    public init(status: Int, headers: HTTPFields, url: String, redirects: [HTTPRedirect] = [], body: HTTPBody) {
        self.status = status
        self.headers = headers
        self.url = url
        self.redirects = redirects
        self.body = body
    }
}

/// One hop of a redirected request.
public struct HTTPRedirect: Sendable, Hashable {
    /// 301, 302, 303, 307 or 308.
    public var status: Int
    /// Where it pointed, absolute.
    public var location: String

    /// A hop.
    public init(status: Int, location: String) {
        self.status = status
        self.location = location
    }

    /// Whether the redirect may be remembered for later requests (RFC 9110 §15.4: 301 and 308).
    public var isPermanent: Bool { status == 301 || status == 308 }
}

/// A response body as a sequence of chunks, with back-pressure: what is not asked for is not read from the network beyond a bounded buffer.
public struct HTTPBody: AsyncSequence, Sendable {
    /// A piece of the body.
    public typealias Element = [UInt8]

    private let read: @Sendable () async throws -> [UInt8]?

    /// A body whose chunks `next` delivers, `nil` at the end.
    public init(next: @escaping @Sendable () async throws -> [UInt8]?) {
        read = next
    }

    /// The iterator; a body is read once, so all iterators share one position.
    public func makeAsyncIterator() -> Iterator {
        Iterator(read: read)
    }

    /// Reads chunk by chunk.
    public struct Iterator: AsyncIteratorProtocol {
        fileprivate let read: @Sendable () async throws -> [UInt8]?

        /// The next chunk, `nil` at the end; throws ``HTTPClientError`` when the transfer breaks.
        public mutating func next() async throws -> [UInt8]? {
            try await read()
        }
    }

    /// The whole body.
    ///
    /// The request's `maximumBodySize` bounds it.
    public func collect() async throws -> [UInt8] {
        var iterator = makeAsyncIterator()
        guard var bytes = try await iterator.next() else { return [] }
        while let chunk = try await iterator.next() { bytes.append(contentsOf: chunk) }
        return bytes
    }
}

/// What can go wrong between a request and the end of its body.
public struct HTTPClientError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The kinds of failure, each with its own way to go on.
    public enum Code: String, Sendable, Hashable {
        /// The URL is not an absolute http or https URL, or a header cannot be sent.
        case invalidRequest
        /// The guard refused the address: private, loopback, link-local or metadata.
        case addressRefused
        /// The name does not resolve.
        case nameResolution
        /// No connection, or it was reset.
        case connection
        /// The TLS handshake or the certificate failed.
        case tls
        /// A deadline passed: see the message for which one.
        case deadline
        /// The body is larger than the request allows.
        case bodyTooLarge
        /// More redirects than the request allows, or to a scheme other than http and https.
        case redirect
        /// The other side broke the protocol or the body's encoding.
        case protocolViolation
        /// The client is shut down.
        case shutDown
    }

    /// The kind of failure.
    public var code: Code
    /// What happened, safe to print: never holds credentials or a query string.
    public var message: String

    /// A failure.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The code and the message.
    public var description: String { "\(code.rawValue): \(message)" }
}
