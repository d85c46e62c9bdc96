package import HTTPTypes

/// A request as a simulator sees it.
package struct SimulatedRequest: Sendable {
    /// The method.
    package var method: HTTPRequest.Method
    /// The path without the query, percent-encoding kept, beginning with `/`.
    package var path: String
    /// The query's names and values in their order, decoded.
    package var query: [(name: String, value: String)]
    /// The header fields.
    package var headers: HTTPFields
    /// The body.
    package var body: [UInt8]
    /// Scheme, host and port that the simulator was reached at, for the links in its answers.
    package var base: String

    /// A request.
    ///
    /// - Parameters:
    ///   - method: its method.
    ///   - target: path and query as they stand in the request line.
    ///   - headers: its header fields.
    ///   - body: its body.
    ///   - base: where the simulator was reached.
    package init(
        _ method: HTTPRequest.Method = .get,
        _ target: String,
        headers: HTTPFields = [:],
        body: [UInt8] = [],
        base: String
    ) {
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        self.method = method
        path = parts.first.map(String.init) ?? "/"
        query = parts.count > 1 ? Self.pairs(parts[1]) : []
        self.headers = headers
        self.body = body
        self.base = base
    }

    /// The first value of that name in the query.
    package func parameter(_ name: String) -> String? {
        query.first { $0.name == name }?.value
    }

    /// All values of that name in the query, in their order: `types[]=mention&types[]=follow`.
    package func parameters(_ name: String) -> [String] {
        query.filter { $0.name == name }.map(\.value)
    }

    /// The whole number of that name in the query, or `standard`, within `range`.
    package func number(_ name: String, default standard: Int, in range: ClosedRange<Int>) -> Int {
        min(max(parameter(name).flatMap { Int($0) } ?? standard, range.lowerBound), range.upperBound)
    }

    /// The body's names and values, for `application/x-www-form-urlencoded`.
    package var form: [(name: String, value: String)] {
        Self.pairs(Substring(decoding: body, as: UTF8.self))
    }

    /// The parts of the path between slashes, decoded.
    package var segments: [String] {
        path.split(separator: "/").map { Self.decoded($0) }
    }

    /// The token of `Authorization: Bearer TOKEN`.
    package var bearer: String? {
        guard let field = headers[.authorization] else { return nil }
        let parts = field.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
        return String(parts[1])
    }

    private static func pairs(_ text: Substring) -> [(name: String, value: String)] {
        text.split(separator: "&").map { pair in
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (decoded(sides[0]), sides.count > 1 ? decoded(sides[1]) : "")
        }
    }

    /// Undoes percent-encoding and `+`; what is ill-formed is kept.
    private static func decoded(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        let source = Array(text.utf8)
        var position = 0
        while position < source.count {
            let byte = source[position]
            if byte == UInt8(ascii: "%"), position + 2 < source.count,
                let value = UInt8(String(decoding: source[position + 1...position + 2], as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                position += 3
            } else {
                bytes.append(byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
                position += 1
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
