public import HTTPTypes

/// A response with its whole body.
public struct FetchedResponse: Sendable {
    /// The status, below 400.
    public var status: Int
    /// The response's header fields.
    public var headers: HTTPFields
    /// The URL that answered, after redirects.
    public var url: String
    /// The redirects on the way, in order.
    public var redirects: [HTTPRedirect]
    /// The body.
    public var body: [UInt8]
}

extension ConnectorContext {
    /// Sends a request and reads the whole body; what fails is thrown as a ``ConnectorError`` that tells the host what to do.
    ///
    /// - Parameters:
    ///   - request: the request, with its limits.
    ///   - what: what is asked for, in words for an error: `the feed`.
    /// - Returns: a response with a status below 400; 304 has no body.
    /// - Throws: ``ConnectorError`` for failed transfers and refusals (see ``ConnectorError/of(status:headers:body:now:what:)``),
    ///   `CancellationError` when cancelled.
    public func fetch(_ request: HTTPClientRequest, what: String) async throws -> FetchedResponse {
        do {
            let response = try await http.send(request)
            let body = try await response.body.collect()
            if let error = ConnectorError.of(
                status: response.status,
                headers: response.headers,
                body: body,
                now: clock.now,
                what: what
            ) {
                throw error
            }
            return FetchedResponse(
                status: response.status,
                headers: response.headers,
                url: response.url,
                redirects: response.redirects,
                body: body
            )
        } catch let error as HTTPClientError {
            throw ConnectorError.of(error, what: what)
        }
    }
}
