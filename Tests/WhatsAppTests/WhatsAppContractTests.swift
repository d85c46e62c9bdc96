import ConnectorKit
import ConnectorTesting
import HTTPTypes
import SocialEvents
import Testing

@testable import WhatsAppConnector

struct WhatsAppContractTests {
    private static let message = WhatsAppScript.message(#""type":"text","text":{"body":"Gr\u00fc\u00dfe"}"#)
    private static let status = WhatsAppScript.change(
        "messages",
        #""statuses":[{"id":"w","status":"sent","timestamp":"1790000000","recipient_id":"49","biz_opaque_callback_data":"c"}]"#
    )

    @Test("It keeps the contract of webhook sources", .timeLimit(.minutes(2)))
    func webhook() async throws {
        let contract = ConnectorContract(
            WhatsAppConnector.self,
            settings: WhatsAppScript.settings,
            now: WhatsAppScript.start
        ) { _ in }
        try contract.describesItself()
        try contract.buildsWithoutEffects()
        try contract.refusesBadSettings()
        let deliveries = [Self.message, Self.status].map {
            WhatsAppScript.delivery($0, key: ConnectorContract.secret)
        }
        try await contract.webhook(deliveries, isSigned: true)
    }

    @Test(
        "Settings that do not fit are refused by name",
        arguments: [
            ([], "app_secret"),
            ([SettingNode.Member.secret("verify_token", "t")], "verify_token"),
            ([.secret("app_secret", "s"), .plain("campaign_window", "1s")], "campaign_window"),
            (
                [.secret("app_secret", "s"), .list("campaigns", ["template"]), .plain("campaign_separator", "/")],
                "campaign_separator"
            ),
        ]
    )
    func settings(members: [SettingNode.Member], name: String) {
        #expect { try WhatsAppScript.source(members) } throws: { ($0 as? SettingsError)?.path == name }
    }

    @Test("It reads by webhook alone")
    func modes() {
        #expect(WhatsAppConnector.modes(of: Settings(WhatsAppScript.settings)) == .webhook)
    }

    // MARK: - Calls

    @Test("Meta's challenge is answered with its words where the token is ours")
    func challenge() async throws {
        let query: [(name: String, value: String)] = [
            ("hub.mode", "subscribe"), ("hub.challenge", "1158201444"), ("hub.verify_token", "token"),
        ]
        let delivery = WebhookDelivery(
            method: .get,
            query: query,
            headers: [:],
            body: [],
            receivedAt: WhatsAppScript.start
        )
        guard case .challenge(let reply, _) = try await WhatsAppScript.source().receive(delivery) else {
            Issue.record("it was not answered")
            return
        }
        #expect(String(decoding: reply, as: UTF8.self) == "1158201444")
    }

    @Test("Only what one genuine signature stands over is taken")
    func signatures() async throws {
        let source = try WhatsAppScript.source()
        let good = Signature.hubSHA256.make(Array(Self.message.utf8), key: WhatsAppScript.secret)
        let other = Signature.hubSHA256.make(Array(Self.message.utf8), key: Secret("another"))
        for signatures in [[], [other], [good, good], [String(good.dropLast()) + "g"]] {
            let delivery = WhatsAppScript.delivery(Self.message, signatures: signatures)
            guard case .rejected(403, _) = try await source.receive(delivery) else {
                Issue.record("\(signatures.count) signatures were taken")
                continue
            }
        }
        guard case .accepted(let events, _) = try await source.receive(WhatsAppScript.delivery(Self.message)) else {
            Issue.record("the genuine one was not taken")
            return
        }
        #expect(events.first?.data.object?.text == "Grüße")
    }

    @Test("A part that cannot be read is set aside, its siblings go on, and what is set aside can be read again")
    func deadLetters() async throws {
        let source = try WhatsAppScript.source()
        let body = WhatsAppScript.change(
            "messages",
            """
            "messages":[{"from":"1","id":"a","timestamp":"1790000000","type":"text","text":{"body":"t"}},\
            {"from":"1","id":"b","timestamp":"1790000000","type":"text"},\
            {"from":"1","id":"c","timestamp":"1790000000","type":"text","text":{"body":"t"}}],\
            "statuses":[{"id":"w"},{"id":"w","status":"sent","timestamp":"1790000000","recipient_id":"49"}]
            """
        )
        guard case .accepted(let events, let letters) = try await source.receive(WhatsAppScript.delivery(body)) else {
            Issue.record("it was not accepted")
            return
        }
        #expect(events.map { $0.subject?.text.last } == ["a", "c", "w"])
        #expect(letters.count == 2)
        for letter in letters {
            let again = try await source.reread(RereadRequest(letter: letter, receivedAt: WhatsAppScript.start))
            #expect(again.events.isEmpty && again.deadLetters.count == 1)
        }
        // What was missing is there now: the letter holds this message alone.
        var mended = letters[0]
        let text = String(decoding: mended.payload, as: UTF8.self)
        mended.payload = Array(text.replacing(#""type":"text""#, with: #""type":"text","text":{"body":"t"}"#).utf8)
        let again = try await source.reread(RereadRequest(letter: mended, receivedAt: WhatsAppScript.start))
        #expect(again.events.map(\.id.text) == ["whatsapp:message:b/created"])
    }

    @Test("A genuine delivery that is no JSON is set aside, not refused: Meta would send it for days")
    func notJSON() async throws {
        let outcome = try await WhatsAppScript.source().receive(WhatsAppScript.delivery("<html>"))
        guard case .accepted(let events, let letters) = outcome else {
            Issue.record("it was not accepted")
            return
        }
        #expect(events.isEmpty && letters.count == 1)
        await #expect(throws: ConnectorError.self) {
            try await WhatsAppScript.source().reread(
                RereadRequest(letter: letters[0], receivedAt: WhatsAppScript.start)
            )
        }
    }
}
