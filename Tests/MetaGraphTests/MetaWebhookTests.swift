import ConnectorKit
import HTTPTypes
import MetaGraph
import SocialEvents
import Testing

struct MetaWebhookTests {
    private static let judge = MetaWebhook(appSecrets: [Secret("app secret")], verifyToken: Secret("verify me"))

    /// What is sent: words beyond ASCII as Meta writes them.
    private static let body =
        #"{"object":"page","entry":[{"id":"1","time":1784927750,"changes":[{"field":"feed","value":{"message":"d\u00e9\u00e7u"}}]}]}"#
    // printf '%s' BODY | openssl dgst -sha256 -hmac 'app secret'
    private static let signature = "sha256=4865da85bca735c96b6bc3b20051047b1da59596de7e0772b53782325c279b5c"

    private static func delivery(
        _ body: String = body,
        _ fields: KeyValuePairs<String, String> = ["X-Hub-Signature-256": signature]
    ) -> WebhookDelivery {
        WebhookDelivery(
            method: .post,
            headers: headers(fields),
            body: Array(body.utf8),
            receivedAt: MetaScript.start
        )
    }

    /// How often something was read of a delivery; `nil` when it was rejected, with the status it was rejected with.
    private static func notices(
        _ delivery: WebhookDelivery,
        judge: MetaWebhook = judge
    ) -> (count: Int, rejected: Int?) {
        var count = 0
        let outcome = judge.outcome(of: delivery) { _, _ in count += 1 }
        if case .rejected(let status, _) = outcome { return (count, status) }
        return (count, nil)
    }

    @Test("A genuine delivery is read, as it was signed: with its escapes")
    func genuine() {
        let read = Self.notices(Self.delivery())
        #expect(read.count == 1 && read.rejected == nil)
    }

    @Test("The same words written without escapes are another body, and not what was signed")
    func rewritten() {
        let plain = Self.body.replacing(#"\u00e9\u00e7"#, with: "éç")
        #expect(Self.notices(Self.delivery(plain)) == (0, 403))
    }

    @Test("A delivery of which any byte was altered is refused and not read")
    func alteredBytes() {
        let bytes = Array(Self.body.utf8)
        for index in bytes.indices {
            var delivery = Self.delivery()
            delivery.body[index] ^= 1
            #expect(Self.notices(delivery) == (0, 403))
        }
    }

    @Test("A signature of which any character was altered is refused")
    func alteredHeader() {
        for index in Self.signature.indices {
            var altered = Self.signature
            altered.replaceSubrange(index...index, with: altered[index] == "0" ? "1" : "0")
            #expect(Self.notices(Self.delivery(Self.body, ["X-Hub-Signature-256": altered])) == (0, 403))
        }
        let short = String(Self.signature.dropLast())
        #expect(Self.notices(Self.delivery(Self.body, ["X-Hub-Signature-256": short])) == (0, 403))
    }

    @Test("A delivery signed with another secret is refused")
    func wrongSecret() {
        let other = MetaWebhook(appSecrets: [Secret("app secre")], verifyToken: nil)
        #expect(Self.notices(Self.delivery(), judge: other) == (0, 403))
        let none = MetaWebhook(appSecrets: [], verifyToken: nil)
        #expect(Self.notices(Self.delivery(), judge: none) == (0, 403))
    }

    @Test("While the secret is being changed both count")
    func twoSecrets() {
        let both = MetaWebhook(appSecrets: [Secret("new"), Secret("app secret")], verifyToken: nil)
        #expect(Self.notices(Self.delivery(), judge: both) == (1, nil))
    }

    @Test("A delivery without a signature, or with that of SHA-1 alone, is refused")
    func missingHeader() {
        #expect(Self.notices(Self.delivery(Self.body, [:])) == (0, 403))
        #expect(Self.notices(Self.delivery(Self.body, ["X-Hub-Signature": Self.signature])) == (0, 403))
        #expect(Self.notices(Self.delivery(Self.body, ["X-Hub-Signature-256": ""])) == (0, 403))
    }

    @Test("Two signatures are one too many, even where both are genuine")
    func doubleHeader() {
        let field = "X-Hub-Signature-256"
        #expect(Self.notices(Self.delivery(Self.body, [field: Self.signature, field: Self.signature])) == (0, 403))
        #expect(Self.notices(Self.delivery(Self.body, [field: Self.signature, field: "sha256=00"])) == (0, 403))
        let joined = "\(Self.signature), \(Self.signature)"
        #expect(Self.notices(Self.delivery(Self.body, [field: joined])) == (0, 403))
    }

    @Test("A genuine delivery that is no JSON is set aside whole, and not refused: Meta would give up on the hook")
    func notJSON() {
        let body = "<html>"
        let signature = Signature.hubSHA256.make(Array(body.utf8), key: Secret("app secret"))
        let outcome = Self.judge.outcome(of: Self.delivery(body, ["X-Hub-Signature-256": signature])) { _, _ in }
        guard case .accepted(let events, let letters) = outcome else {
            Issue.record("it was not accepted")
            return
        }
        #expect(events.isEmpty && letters.map(\.payload) == [Array(body.utf8)])
    }

    // MARK: - Challenges

    private static func challenge(_ query: [(name: String, value: String)], judge: MetaWebhook = judge) -> String {
        let delivery = WebhookDelivery(
            method: .get,
            query: query,
            headers: [:],
            body: [],
            receivedAt: MetaScript.start
        )
        switch judge.outcome(of: delivery, read: { _, _ in }) {
        case .challenge(let reply, let type): return "\(type): \(String(decoding: reply, as: UTF8.self))"
        case .rejected(let status, _): return String(status)
        case .accepted: return "accepted"
        }
    }

    private static func asked(_ token: String, mode: String = "subscribe", challenge: String = "1158201444")
        -> [(name: String, value: String)]
    {
        [("hub.mode", mode), ("hub.challenge", challenge), ("hub.verify_token", token)]
    }

    @Test("A challenge with the verify token is answered with its words")
    func challenge() {
        #expect(Self.challenge(Self.asked("verify me")) == "text/plain; charset=utf-8: 1158201444")
    }

    @Test("A challenge with another token, without one, with two, or of another mode is refused")
    func refusedChallenges() {
        #expect(Self.challenge(Self.asked("verify m")) == "403")
        #expect(Self.challenge(Self.asked("")) == "403")
        #expect(Self.challenge(Array(Self.asked("verify me").dropLast())) == "400")
        #expect(Self.challenge(Self.asked("verify me") + Self.asked("verify me").suffix(1)) == "400")
        #expect(Self.challenge(Self.asked("verify me", mode: "unsubscribe")) == "400")
        let silent = MetaWebhook(appSecrets: [Secret("app secret")], verifyToken: nil)
        #expect(Self.challenge(Self.asked("verify me"), judge: silent) == "403")
    }

    @Test("Nothing but plain characters is sent back")
    func plainChallenges() {
        #expect(Self.challenge(Self.asked("verify me", challenge: "")) == "400")
        #expect(Self.challenge(Self.asked("verify me", challenge: "a\r\nSet-Cookie: b")) == "400")
        #expect(Self.challenge(Self.asked("verify me", challenge: String(repeating: "1", count: 2000))) == "400")
    }

    @Test("Other methods are refused")
    func methods() {
        for method in [HTTPRequest.Method.put, .delete, .head, .options] {
            var delivery = Self.delivery()
            delivery.method = method
            #expect(Self.notices(delivery) == (0, 405))
        }
    }
}
