import HTTPTypes

/// An error of the Graph API.
struct GraphProblem: Error, Hashable {
    var code: Int64
    var subcode: Int64?
    var status: Int
    var message: String
    var type = "OAuthException"
    var isTransient = false
    /// WhatsApp tells more in `error_data`.
    var details: String?
    /// Why the usage that goes with it is at its end: the kind of limit, as in `X-Business-Use-Case-Usage`.
    var limit: Limit?

    /// Which count of calls is at its end.
    enum Limit: Hashable {
        case app
        case page
        /// A business object, of a kind such as `instagram`.
        case business(String)
    }

    func answer(_ usage: GraphUsage) -> SimulatedAnswer {
        let error: GraphValue = [
            "error": [
                "message": .string(message), "type": .string(type), "code": .integer(code),
                "error_subcode": subcode.map { .integer($0) } ?? .absent,
                "is_transient": isTransient ? true : .absent,
                "error_data": details.map { ["messaging_product": "whatsapp", "details": .string($0)] } ?? .absent,
                "fbtrace_id": "AsimulatedTraceOf\(code)",
            ]
        ]
        var answer = SimulatedAnswer.json(HTTPResponse.Status(code: status), bytes: error.bytes)
        usage.write(into: &answer.headers, exhausted: limit)
        return answer
    }

    // MARK: - Throttling

    /// Every code by which the platforms say that it is too much.
    static let throttles: [Int64: GraphProblem] = [
        4: GraphProblem(
            code: 4,
            status: 400,
            message: "(#4) Application request limit reached",
            isTransient: true,
            limit: .app
        ),
        17: GraphProblem(
            code: 17,
            subcode: 2_446_079,
            status: 400,
            message: "(#17) User request limit reached",
            limit: .app
        ),
        32: GraphProblem(code: 32, status: 400, message: "(#32) Page request limit reached", limit: .page),
        613: GraphProblem(
            code: 613,
            status: 400,
            message: "(#613) Calls to this api have exceeded the rate limit.",
            limit: .app
        ),
        80_002: GraphProblem(
            code: 80_002,
            status: 400,
            message: "(#80002) There have been too many calls to this Instagram account. Wait a bit and try again.",
            limit: .business("instagram")
        ),
        80_007: GraphProblem(
            code: 80_007,
            status: 400,
            message: "(#80007) Rate limit issues",
            details: "The WhatsApp Business Account has reached its rate limit.",
            limit: .business("whatsapp")
        ),
        130_429: GraphProblem(
            code: 130_429,
            status: 429,
            message: "(#130429) Rate limit hit",
            details:
                "Message failed to send because there were too many messages sent from this phone number in a short period of time"
        ),
        131_056: GraphProblem(
            code: 131_056,
            status: 400,
            message: "(#131056) (Business Account, Consumer Account) pair rate limit hit",
            details:
                "Message failed to send because there were too many messages sent from this phone number to the same recipient in a short period of time"
        ),
    ]

    // MARK: - Tokens

    static let expired = GraphProblem(
        code: 190,
        subcode: 463,
        status: 401,
        message: "Error validating access token: Session has expired on Monday, 01-Jan-24 02:00:00 PST."
    )
    static let passwordChanged = GraphProblem(
        code: 190,
        subcode: 460,
        status: 401,
        message:
            "Error validating access token: The session has been invalidated because the user changed their password."
    )
    static let noToken = GraphProblem(
        code: 104,
        status: 400,
        message: "An access token is required to request this resource."
    )
    static let unknownToken = GraphProblem(
        code: 190,
        status: 401,
        message: "Invalid OAuth access token - Cannot parse access token"
    )
    static let wrongProof = GraphProblem(
        code: 100,
        status: 400,
        message: "Invalid appsecret_proof provided in the API argument",
        type: "GraphMethodException"
    )
    static let permission = GraphProblem(
        code: 10,
        status: 403,
        message: "(#10) Application does not have permission for this action"
    )

    // MARK: - The rest

    static let transient = GraphProblem(
        code: 2,
        status: 500,
        message: "An unexpected error has occurred. Please retry your request later.",
        isTransient: true
    )
    static let unknown = GraphProblem(code: 1, status: 500, message: "An unknown error occurred")
    static let tooManyHashtags = GraphProblem(
        code: 18,
        subcode: 2_207_034,
        status: 403,
        message:
            "(#18) You have reached the maximum number of unique hashtags that can be queried within a rolling 7 day period."
    )

    /// The object is not there, not any more, or not for this token.
    static func gone(_ id: String) -> GraphProblem {
        GraphProblem(
            code: 100,
            subcode: 33,
            status: 400,
            message:
                "Unsupported get request. Object with ID '\(id)' does not exist, cannot be loaded due to missing permissions, or does not support this operation.",
            type: "GraphMethodException"
        )
    }

    static func missing(_ parameter: String) -> GraphProblem {
        GraphProblem(code: 100, status: 400, message: "(#100) The parameter \(parameter) is required.")
    }

    static func invalid(_ parameter: String) -> GraphProblem {
        GraphProblem(code: 100, status: 400, message: "(#100) Invalid parameter \(parameter)")
    }

    static func unsupported(_ path: String) -> GraphProblem {
        GraphProblem(code: 2500, status: 400, message: "Unknown path components: /\(path)")
    }

    /// WhatsApp's refusal of a message.
    static func message(_ code: Int64, _ title: String, _ details: String) -> GraphProblem {
        GraphProblem(code: code, status: 400, message: "(#\(code)) \(title)", details: details)
    }
}

/// How much of what is allowed has been called, as the answers' header fields say.
struct GraphUsage: Hashable {
    /// In percent.
    var calls: Int
    /// The Instagram account, or the WhatsApp Business account.
    var business: String
    /// Its kind, such as `instagram`.
    var kind: String

    private static let appField = HTTPField.Name("x-app-usage") ?? .date
    private static let pageField = HTTPField.Name("x-page-usage") ?? .date
    private static let businessField = HTTPField.Name("x-business-use-case-usage") ?? .date

    func write(into headers: inout HTTPFields, exhausted limit: GraphProblem.Limit? = nil) {
        headers[Self.appField] = Self.simple(limit == .app ? 100 : calls)
        if limit == .page { headers[Self.pageField] = Self.simple(100) }
        var kind = kind
        var calls = calls
        var minutes: Int64 = 0
        if case .business(let exhausted) = limit { (kind, calls, minutes) = (exhausted, 100, 1) }
        let list: GraphValue = [
            .object([
                .init(name: "type", value: .string(kind)), .init(name: "call_count", value: .integer(Int64(calls))),
                .init(name: "total_cputime", value: 1), .init(name: "total_time", value: 1),
                .init(name: "estimated_time_to_regain_access", value: .integer(minutes)),
            ])
        ]
        let usage = GraphValue.object([.init(name: business, value: list)])
        headers[Self.businessField] = String(decoding: usage.bytes, as: UTF8.self)
    }

    private static func simple(_ calls: Int) -> String {
        "{\"call_count\":\(calls),\"total_cputime\":1,\"total_time\":1}"
    }
}
