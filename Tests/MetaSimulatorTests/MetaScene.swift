import Crypto
import HTTPTypes
import JSON
import Testing

@testable import PlatformSimulators

/// A simulator, the time, and somebody who listens to its webhooks and asks it things.
final class MetaScene {
    static let start: Int64 = 1_780_000_000_000
    static let base = "http://127.0.0.1:9304"

    /// A delivery that came.
    struct Came {
        var call: SimulatedCall
        var root: GraphValue?
        var isSigned: Bool
    }

    let simulator: MetaSimulator
    var now = MetaScene.start
    /// What deliveries are answered; `nil` for no answer at all.
    var status: Int? = 200
    /// Whether the question before the first delivery is answered.
    var isAnsweringQuestions = true
    private(set) var came: [Came] = []
    private(set) var questions: [SimulatedCall] = []

    init(
        _ products: [MetaProduct] = MetaProduct.allCases,
        login: InstagramLogin = .facebook,
        seed: UInt64 = 5,
        history: Int = 0,
        allowance: Int = 100_000,
        isListening: Bool = true
    ) {
        let callbacks = products.map { MetaSubscription($0, url: "http://127.0.0.1:8081/\($0.rawValue)?a=1") }
        simulator = MetaSimulator(
            products,
            login: login,
            seed: seed,
            now: now,
            history: history,
            allowance: allowance,
            subscriptions: isListening ? callbacks : []
        )
    }

    // MARK: - Webhooks

    /// Lets time pass, and answers what comes meanwhile.
    func pass(_ milliseconds: Int64) {
        now += milliseconds
        simulator.advance(to: now)
        listen()
    }

    /// Lets that many things happen, half a second between every two.
    func live(_ count: Int) {
        for _ in 0..<count {
            simulator.publish(1)
            pass(500)
        }
    }

    /// Takes what comes until nothing more does; in two minutes the last status is told.
    func settle() {
        for _ in 0..<60 { pass(5000) }
    }

    /// Answers the calls that are made now.
    func listen() {
        while true {
            let calls = simulator.takeCalls()
            guard !calls.isEmpty else { return }
            for call in calls { answer(call) }
        }
    }

    private func answer(_ call: SimulatedCall) {
        guard call.method == .post else {
            questions.append(call)
            let query = SimulatedRequest(
                .get,
                String(call.url.dropFirst("http://127.0.0.1:8081".count)),
                base: Self.base
            )
            let isKnown = query.parameter("hub.verify_token") == MetaSimulator.verifyToken
            let challenge = Array((query.parameter("hub.challenge") ?? "").utf8)
            let isRight = isAnsweringQuestions && isKnown && query.parameter("hub.mode") == "subscribe"
            return simulator.answered(call, status: isRight ? 200 : 403, body: isRight ? challenge : [])
        }
        let key = SymmetricKey(data: Array(MetaSimulator.appSecret.utf8))
        let mac = HMAC<SHA256>.authenticationCode(for: call.body, using: key)
        let expected = "sha256=" + mac.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        let signature = call.headers.first { $0.name.canonicalName == "x-hub-signature-256" }?.value
        let isSigned = signature == expected
        came.append(Came(call: call, root: Self.parse(call.body), isSigned: isSigned))
        simulator.answered(call, status: isSigned ? status : 401, body: [])
    }

    /// Everything that genuine deliveries told, as ``MetaFacts`` has it, in the order in which it came.
    var told: [String] { came.filter(\.isSigned).compactMap(\.root).flatMap(MetaFacts.told) }

    /// Everything that webhooks had to tell.
    var toTell: [String] {
        simulator.ledger.entries.filter { $0.places.contains("webhook") && !Self.isAboutWebhooks($0) }
            .map(MetaFacts.key)
    }

    static func isAboutWebhooks(_ entry: Ledger.Entry) -> Bool {
        ["told", "silenced", "given-up"].contains(entry.verb)
    }

    // MARK: - Requests

    func ask(
        _ method: HTTPRequest.Method = .get,
        _ target: String,
        token: String? = MetaSimulator.pageToken,
        body: String = ""
    ) async -> (status: Int, value: GraphValue, headers: HTTPFields) {
        let headers: HTTPFields = token.map { [.authorization: "Bearer \($0)"] } ?? [:]
        let request = SimulatedRequest(method, target, headers: headers, body: Array(body.utf8), base: Self.base)
        let answer = await simulator.answer(request)
        guard case .bytes(let bytes) = answer.body else { return (Int(answer.status.code), .absent, answer.headers) }
        return (Int(answer.status.code), Self.parse(bytes) ?? .absent, answer.headers)
    }

    /// All that a list shows, and how many pages it has.
    func list(
        _ target: String,
        token: String = MetaSimulator.pageToken
    ) async -> (items: [GraphValue], pages: Int) {
        var items: [GraphValue] = []
        var pages = 0
        var next: String? = target
        while let target = next, pages < 1000 {
            let page = await ask(.get, target, token: token).value
            items += page["data"].elements
            pages += 1
            next = page["paging"]["next"].text.map { String($0.dropFirst(Self.base.count)) }
        }
        return (items, pages)
    }

    static func parse(_ bytes: [UInt8]) -> GraphValue? {
        try? JSONParser().parse(bytes) { GraphValue($0) }
    }
}

extension GraphValue {
    /// The same as a value that was read.
    init(_ value: JSONValue) {
        if let text = value.string {
            self = .string(text)
        } else if let number = value.int {
            self = .integer(Int64(number))
        } else if let number = value.double {
            self = .decimal(number)
        } else if let isTrue = value.bool {
            self = .bool(isTrue)
        } else if value.kind == .array {
            self = .array(value.elements.map { GraphValue($0) })
        } else if value.kind == .object {
            self = .object(value.members.map { Member(name: $0.0.string, value: GraphValue($0.1)) })
        } else {
            self = .absent
        }
    }

    var number: Int64? { if case .integer(let number) = self { number } else { nil } }
}
