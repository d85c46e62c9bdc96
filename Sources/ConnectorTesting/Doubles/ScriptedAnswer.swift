public import ConnectorKit
public import HTTPTypes

/// What a ``ScriptedHTTPClient`` does with a request.
public struct ScriptedAnswer: Sendable {
    /// How the body ends.
    enum End: Sendable {
        case complete
        case failure(HTTPClientError)
        case hang
    }

    enum Kind: Sendable {
        case response(status: Int, headers: HTTPFields, body: [UInt8], end: End)
        case failure(HTTPClientError)
        case hang
    }

    let kind: Kind
    var chunkSize = 16 << 10
    var redirects: [HTTPRedirect] = []

    /// A response with these bytes as its body.
    public static func response(_ status: Int = 200, headers: HTTPFields = [:], body: [UInt8] = []) -> ScriptedAnswer {
        ScriptedAnswer(kind: .response(status: status, headers: headers, body: body, end: .complete))
    }

    /// A response with this text as its body, UTF-8.
    public static func response(_ status: Int = 200, headers: HTTPFields = [:], text: String) -> ScriptedAnswer {
        response(status, headers: headers, body: Array(text.utf8))
    }

    /// No response: the transfer fails before its head.
    public static func failure(_ code: HTTPClientError.Code, _ message: String = "scripted") -> ScriptedAnswer {
        ScriptedAnswer(kind: .failure(HTTPClientError(code, message)))
    }

    /// Nothing, until the caller is cancelled.
    public static var hang: ScriptedAnswer { ScriptedAnswer(kind: .hang) }

    /// The same, its body breaking with this error after the last byte.
    public func breaking(_ code: HTTPClientError.Code, _ message: String = "scripted") -> ScriptedAnswer {
        ending(.failure(HTTPClientError(code, message)))
    }

    /// The same, its body staying open after the last byte until the reader is cancelled.
    public func stayingOpen() -> ScriptedAnswer {
        ending(.hang)
    }

    /// The same, its body coming in pieces of `size` bytes.
    public func chunked(_ size: Int) -> ScriptedAnswer {
        var answer = self
        answer.chunkSize = max(1, size)
        return answer
    }

    /// The same after redirects; the last one's location is the URL that answers.
    public func redirected(_ redirects: HTTPRedirect...) -> ScriptedAnswer {
        var answer = self
        answer.redirects = redirects
        return answer
    }

    /// The same with another body; answers without one stay as they are.
    public func replacingBody(_ change: ([UInt8]) -> [UInt8]) -> ScriptedAnswer {
        guard case .response(let status, let headers, let body, let end) = kind else { return self }
        return replacing(.response(status: status, headers: headers, body: change(body), end: end))
    }

    private func ending(_ end: End) -> ScriptedAnswer {
        guard case .response(let status, let headers, let body, _) = kind else { return self }
        return replacing(.response(status: status, headers: headers, body: body, end: end))
    }

    private func replacing(_ kind: Kind) -> ScriptedAnswer {
        var answer = ScriptedAnswer(kind: kind)
        answer.chunkSize = chunkSize
        answer.redirects = redirects
        return answer
    }
}
