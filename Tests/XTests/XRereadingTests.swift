import ConnectorKit
import ConnectorTesting
import HTTPTypes
import SocialEvents
import Testing
import XConnector

@Suite("Reading X's dead letters again")
struct XRereadingTests {
    private static let fixtures = Fixture("../../Plugins/X/Fixtures")
    private static let webhook: [SettingNode.Member] = [
        .plain("kind", "activity"), .secret("api_secret", "consumer secret"),
    ]

    private func letter(_ payload: [UInt8]) -> DeadLetter {
        DeadLetter(reason: "an older version", contentType: "application/json", payload: payload)
    }

    @Test(
        "A kept delivery of a webhook gives the events that the delivery itself gives",
        arguments: ["activity-like.json", "activity-mention.json", "account-activity-message.json"]
    )
    func delivery(name: String) async throws {
        let payload = try Self.fixtures.bytes(name)
        let contract = ConnectorContract(XConnector.self, settings: Self.webhook) { _ in }
        let events = try await contract.rereading([letter(payload)])
        let delivery = WebhookDelivery(
            method: .post,
            headers: headers([
                "x-twitter-webhooks-signature": Signature.xSHA256.make(payload, key: Secret("consumer secret"))
            ]),
            body: payload,
            receivedAt: XScript.start
        )
        let script = try XScript(Self.webhook, bearer: false)
        guard case .accepted(let received, _) = try await script.connector.receive(delivery) else {
            Issue.record("not accepted")
            return
        }
        #expect(events.map { $0.map(\.id) } == [received.map(\.id)])
    }

    @Test("The deletion of a later version withdraws its post by this way too")
    func laterVersion() async throws {
        let script = try XScript(Self.webhook, bearer: false)
        let post = """
            {"data":{"event_uuid":"1","filter":{"user_id":"7"},"event_type":"post.create",\
            "payload":{"id":"12","text":"words","author_id":"7","edit_history_tweet_ids":["10","11","12"]},"includes":{}}}
            """
        let deletion = #"{"delete":{"tweet":{"id":"12","author_id":"7"},"event_at":"2026-07-24T21:14:00.000Z"}}"#
        var subjects: [[String?]] = []
        for payload in [post, deletion] {
            let request = RereadRequest(letter: letter(Array(payload.utf8)), receivedAt: XScript.start)
            subjects.append(try await script.connector.reread(request).events.map { $0.subject?.text })
        }
        #expect(subjects.last == ["x:post:12", "x:post:10"])
    }

    @Test("What is no JSON stays unreadable")
    func garbage() async throws {
        let script = try XScript(Self.webhook, bearer: false)
        let request = RereadRequest(letter: letter(Array("{\"data\":".utf8)), receivedAt: XScript.start)
        let error = await #expect(throws: ConnectorError.self) { _ = try await script.connector.reread(request) }
        #expect(error?.code == .malformed)
    }
}
