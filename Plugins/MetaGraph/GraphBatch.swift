package import ConnectorKit
import HTTPTypes
import JSON

extension GraphClient {
    /// Most requests of a batch.
    package static let mostInBatch = 50

    /// Sends up to 50 reads as one call; each counts for the limits as if it were sent alone.
    ///
    /// - Parameters:
    ///   - requests: the reads; more than ``mostInBatch`` are not sent, and answered by nothing.
    ///   - bucket: what the platform counts together.
    ///   - what: what is asked for, in words for an error.
    /// - Returns: an answer or a failure for each, in their order. A read that Meta did not come to in time is `unavailable`.
    /// - Throws: ``ConnectorError`` when the call as a whole fails.
    package func fetch(
        batch requests: [GraphRequest],
        bucket: String,
        what: String
    ) async throws -> [Result<GraphAnswer, ConnectorError>] {
        let requests = requests.prefix(Self.mostInBatch)
        guard !requests.isEmpty else { return [] }
        var call = GraphRequest(.post, "/", bucket: bucket, what: what)
        call.body = .form([
            GraphParameter("batch", Self.batch(of: requests, version: version)),
            GraphParameter("include_headers", "false"),
        ])
        let answer = try await fetch(call)
        let now = context.clock.now
        do {
            return try JSONParser().parse(answer.body) { root in
                let parts = Array(try root.expectArray())
                return requests.enumerated().map { position, request in
                    guard position < parts.count, let status = parts[position]["code"]?.int else {
                        return .failure(
                            ConnectorError(
                                .unavailable,
                                "\(request.what): the platform did not come to it in time",
                                ladder: GraphLadders.failed
                            )
                        )
                    }
                    let body = Array((parts[position]["body"]?.string ?? "").utf8)
                    let error = ConnectorError.ofGraph(
                        status: status,
                        headers: [:],
                        body: body,
                        now: now,
                        what: request.what
                    )
                    if let error { return .failure(error) }
                    return .success(GraphAnswer(body: body, what: request.what, notBefore: answer.notBefore))
                }
            }
        } catch let error as JSONError {
            throw ConnectorError.malformed(error, payload: GraphAnswer.withoutTokens(answer.body), what: what)
        }
    }

    private static func batch(of requests: ArraySlice<GraphRequest>, version: String) -> String {
        var writer = JSONWriter()
        writer.beginArray()
        for request in requests {
            writer.beginObject()
            writer.member("method", request.method.rawValue)
            writer.member("relative_url", String(request.target(version: version).dropFirst()))
            if case .form(let parameters) = request.body { writer.member("body", parameters.encoded) }
            writer.endObject()
        }
        writer.endArray()
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}
