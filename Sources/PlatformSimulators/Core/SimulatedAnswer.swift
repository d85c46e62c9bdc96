package import HTTPTypes
package import JSON

/// What a simulator answers.
package struct SimulatedAnswer: Sendable {
    /// What follows the head.
    package enum Body: Sendable {
        /// A body of known length.
        case bytes([UInt8])
        /// A body that is announced with its whole length and breaks off after `count` bytes.
        case broken([UInt8], after: Int)
        /// A body that goes on until the stream ends.
        case stream(SimulatedStream)
        /// Nothing is ever answered: the request hangs until the client gives up.
        case silence
    }

    /// The status.
    package var status: HTTPResponse.Status
    /// The header fields.
    package var headers: HTTPFields
    /// What follows.
    package var body: Body

    /// An answer.
    package init(_ status: HTTPResponse.Status, headers: HTTPFields = [:], body: Body = .bytes([])) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// A JSON answer.
    package static func json(
        _ status: HTTPResponse.Status = .ok,
        headers: HTTPFields = [:],
        _ write: (inout JSONWriter) -> Void
    ) -> SimulatedAnswer {
        var writer = JSONWriter()
        write(&writer)
        return json(status, headers: headers, bytes: writer.bytes)
    }

    /// A JSON answer whose bytes are at hand.
    package static func json(
        _ status: HTTPResponse.Status = .ok,
        headers: HTTPFields = [:],
        bytes: [UInt8]
    ) -> SimulatedAnswer {
        var answer = SimulatedAnswer(status, headers: headers, body: .bytes(bytes))
        answer.headers[.contentType] = "application/json; charset=utf-8"
        return answer
    }

    /// An HTML page, as proxies answer when what is behind them is down.
    package static func html(
        _ status: HTTPResponse.Status,
        headers: HTTPFields = [:],
        _ html: String
    ) -> SimulatedAnswer {
        var answer = SimulatedAnswer(status, headers: headers, body: .bytes(Array(html.utf8)))
        answer.headers[.contentType] = "text/html; charset=utf-8"
        return answer
    }
}
