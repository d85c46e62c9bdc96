public import ConnectorKit
public import HTTPTypes

/// An HTTP client that answers from a script and remembers what it was asked.
///
/// Answers come from expectations, each used once and in their order, then from routes, used as often as they match, then from the
/// handler. A request that none of them answers fails and is kept in ``unexpectedRequests``. Limits on the body are kept as a
/// real client keeps them.
public final class ScriptedHTTPClient: HTTPClient {
    /// Decides what to do with a request; `nil` leaves it unanswered.
    public typealias Handler = @Sendable (HTTPClientRequest) -> ScriptedAnswer?

    private struct Expectation: Sendable {
        let method: HTTPRequest.Method
        let url: String
        let answer: ScriptedAnswer
    }

    private struct State: Sendable {
        var expectations: [Expectation] = []
        var routes: [String: ScriptedAnswer] = [:]
        var handler: Handler?
        var tamper: (@Sendable (ScriptedAnswer) -> ScriptedAnswer)?
        var requests: [HTTPClientRequest] = []
        var unexpected: [HTTPClientRequest] = []
    }

    private let state = Watched(State())

    /// A client without answers.
    public init() {}

    /// A client that asks `handler` about every request.
    public init(_ handler: @escaping Handler) {
        handle(handler)
    }

    /// Asks `handler` about every request that neither an expectation nor a route answers.
    public func handle(_ handler: @escaping Handler) {
        state.update { $0.handler = handler }
    }

    /// Answers the next request, which must be this one, once.
    public func expect(_ method: HTTPRequest.Method = .get, _ url: String, _ answer: ScriptedAnswer) {
        state.update { $0.expectations.append(Expectation(method: method, url: url, answer: answer)) }
    }

    /// Answers every request of this method and URL, replacing an earlier route.
    public func route(_ method: HTTPRequest.Method = .get, _ url: String, _ answer: ScriptedAnswer) {
        state.update { $0.routes["\(method.rawValue) \(url)"] = answer }
    }

    /// Passes every scripted answer through `change`, to cut or spoil what the script says.
    public func tamper(_ change: @escaping @Sendable (ScriptedAnswer) -> ScriptedAnswer) {
        state.update { $0.tamper = change }
    }

    /// Every request so far, in order.
    public var requests: [HTTPClientRequest] { state.current.requests }

    /// The requests that the script had no answer for.
    public var unexpectedRequests: [HTTPClientRequest] { state.current.unexpected }

    /// The expectations that are still to come, as `GET https://example.org/`.
    public var unmetExpectations: [String] {
        state.current.expectations.map { "\($0.method.rawValue) \($0.url)" }
    }

    /// Returns when at least `count` requests have been made; throws `CancellationError` when cancelled before.
    public func waitForRequests(_ count: Int = 1) async throws {
        try await state.wait { $0.requests.count >= count }
    }

    /// Answers from the script.
    public func send(_ request: HTTPClientRequest) async throws -> HTTPClientResponse {
        try Task.checkCancellation()
        let (scripted, handler) = state.update { state -> (ScriptedAnswer?, Handler?) in
            state.requests.append(request)
            if let next = state.expectations.first, next.url == request.url, next.method == request.method {
                return (state.expectations.removeFirst().answer, nil)
            }
            return (state.routes["\(request.method.rawValue) \(request.url)"], state.handler)
        }
        // Outside the lock: a handler may look at the client.
        guard let scripted = scripted ?? handler?(request) else {
            state.update { $0.unexpected.append(request) }
            throw HTTPClientError(.invalidRequest, "nothing is scripted for \(request.method.rawValue) \(request.url)")
        }
        let answer = state.current.tamper?(scripted) ?? scripted
        switch answer.kind {
        case .failure(let error): throw error
        case .hang:
            try await hang()
            throw CancellationError()
        case .response(let status, let headers, let body, let end):
            return HTTPClientResponse(
                status: status,
                headers: headers,
                url: answer.redirects.last?.location ?? request.url,
                redirects: answer.redirects,
                body: self.body(body, end, answer.chunkSize, limit: request.maximumBodySize)
            )
        }
    }

    private func body(_ bytes: [UInt8], _ end: ScriptedAnswer.End, _ chunkSize: Int, limit: Int) -> HTTPBody {
        let position = Watched(0)
        return HTTPBody { [self] in
            try Task.checkCancellation()
            let range = position.update { position in
                let start = position
                position = min(start + chunkSize, bytes.count)
                return start..<position
            }
            guard range.upperBound <= limit else {
                throw HTTPClientError(.bodyTooLarge, "the body is larger than \(limit) bytes")
            }
            if !range.isEmpty { return Array(bytes[range]) }
            switch end {
            case .complete: return nil
            case .failure(let error): throw error
            case .hang:
                try await hang()
                return nil
            }
        }
    }

    /// Ends only by cancellation.
    private func hang() async throws {
        try await state.wait { _ in false }
    }
}
