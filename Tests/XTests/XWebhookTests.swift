import ConnectorKit
import ConnectorTesting
import HTTPTypes
import SocialEvents
import Testing

@testable import XConnector

struct XWebhookTests {
    private static let members: [SettingNode.Member] = [
        .plain("kind", "activity"), .secret("api_secret", "consumer secret"),
    ]

    private static func source() throws -> XConnector { try XScript(members, bearer: false).connector }

    private static func delivery(_ body: String, key: Secret, signature: String? = nil) -> WebhookDelivery {
        let bytes = Array(body.utf8)
        let value = signature ?? Signature.xSHA256.make(bytes, key: key)
        return WebhookDelivery(
            method: .post,
            headers: headers(["x-twitter-webhooks-signature": value]),
            body: bytes,
            receivedAt: XScript.start
        )
    }

    private static let like = """
        {"data":{"event_uuid":"1","filter":{"user_id":"7","direction":"outbound"},"event_type":"like.create","tag":"likes",\
        "payload":{"id":"a7","created_at":"2026-07-24T21:12:45.000Z","liked_tweet_author_id":"3","liked_tweet_id":"9"}}}
        """

    @Test("A challenge is answered with the token's signature")
    func challenge() async throws {
        let delivery = WebhookDelivery(
            method: .get,
            query: [("crc_token", "challenge string")],
            headers: [:],
            body: [],
            receivedAt: XScript.start
        )
        guard case .challenge(let reply, let type) = try await Self.source().receive(delivery) else {
            Issue.record("no challenge")
            return
        }
        #expect(type == "application/json")
        // printf 'challenge string' | openssl dgst -sha256 -hmac 'consumer secret' -binary | base64
        #expect(
            String(decoding: reply, as: UTF8.self)
                == #"{"response_token":"sha256=sSXXeIM8ma4LIpaIrvILL01biN4YXUoILrB4rz6JTYM="}"#
        )
    }

    @Test("A call without a token, or of another method, is refused")
    func refused() async throws {
        for method in [HTTPRequest.Method.get, .put] {
            let delivery = WebhookDelivery(method: method, headers: [:], body: [], receivedAt: XScript.start)
            guard case .rejected = try await Self.source().receive(delivery) else {
                Issue.record("accepted \(method)")
                return
            }
        }
    }

    @Test("Deliveries keep the contract of webhooks", .timeLimit(.minutes(1)))
    func contract() async throws {
        let contract = ConnectorContract(XConnector.self, settings: Self.members) { _ in }
        let old = """
            {"for_user_id":"1","favorite_events":[{"id":"a7","timestamp_ms":1522082006140,"favorited_status":{"id_str":"9","user":{"id_str":"3"}},\
            "user":{"id_str":"7","screen_name":"a"}}]}
            """
        try await contract.webhook(
            [
                Self.delivery(Self.like, key: ConnectorContract.secret),
                Self.delivery(old, key: ConnectorContract.secret),
            ],
            isSigned: true
        )
    }

    @Test("A like is the same fact in the new envelope and in the old body; taking it back and liking again are others")
    func sameLike() async throws {
        let old = """
            {"for_user_id":"1","favorite_events":[{"id":"a7","timestamp_ms":1784927565140,"favorited_status":{"id_str":"9"},\
            "user":{"id_str":"7"}}]}
            """
        let end = #"{"data":{"delete":{"favorite":{"id":"9","user_id":"7"},"event_at":"2026-07-24T21:14:00.000Z"}}}"#
        let again = old.replacing("1784927565140", with: "1784927700000")
        var ids: [String] = []
        for body in [Self.like, old, end, again] {
            let delivery = Self.delivery(body, key: Secret("consumer secret"))
            guard case .accepted(let events, _) = try await Self.source().receive(delivery) else { continue }
            ids += events.map(\.id.text)
            // The like is withdrawn, not the post.
            #expect(events.allSatisfy { $0.subject?.text == "x:like:7.9" && $0.data.target?.id == postID(9) })
        }
        #expect(
            ids == [
                "x:like:7.9/created/1784927565", "x:like:7.9/created/1784927565", "x:like:7.9/deleted/1784927640",
                "x:like:7.9/created/1784927700",
            ]
        )
    }

    @Test("The deletion of a later version withdraws the post that it belongs to")
    func laterVersion() async throws {
        let source = try Self.source()
        let post = """
            {"data":{"event_uuid":"1","filter":{"user_id":"7"},"event_type":"post.create",\
            "payload":{"id":"12","text":"words","author_id":"7","edit_history_tweet_ids":["10","11","12"]},"includes":{}}}
            """
        let end = """
            {"data":{"event_uuid":"2","filter":{"user_id":"7"},"event_type":"post.delete","payload":{"id":"11","author_id":"7"}}}
            """
        var ids: [String] = []
        for body in [post, end] {
            let delivery = Self.delivery(body, key: Secret("consumer secret"))
            guard case .accepted(let events, _) = try await source.receive(delivery) else { continue }
            ids += events.map(\.id.text)
        }
        #expect(ids == ["x:post:10/updated/2", "x:post:11/deleted", "x:post:10/deleted"])
    }

    @Test("A genuine delivery that is no JSON is set aside, not refused: X would send it again and again")
    func notJSON() async throws {
        let outcome = try await Self.source().receive(Self.delivery("<html>", key: Secret("consumer secret")))
        guard case .accepted(let events, let letters) = outcome else {
            Issue.record("it was not accepted")
            return
        }
        #expect(events.isEmpty && letters.count == 1)
    }
}
