import ConnectorKit
import ConnectorTesting
import HTTPTypes
import SocialEvents
import Testing

@testable import InstagramConnector

/// What Meta calls, and what is read afterwards of the mentions that it told of.
struct InstagramWebhookTests {
    private static let hooks: [SettingNode.Member] = [
        .secret("app_secret", "app secret"), .secret("verify_token", "verify me"),
    ]

    private static func delivery(_ body: String) -> WebhookDelivery {
        let bytes = Array(body.utf8)
        let signature = Signature.hubSHA256.make(bytes, key: Secret("app secret"))
        return WebhookDelivery(
            method: .post,
            headers: headers(["X-Hub-Signature-256": signature]),
            body: bytes,
            receivedAt: InstagramScript.start
        )
    }

    private static func mention(_ value: String) -> String {
        """
        {"object":"instagram","entry":[{"id":"\(InstagramWorld.account)","time":1784927700,\
        "changes":[{"field":"mentions","value":\(value)}]}]}
        """
    }

    private static func accepted(_ outcome: WebhookOutcome) throws -> [Event] {
        guard case .accepted(let events, let letters) = outcome, letters.isEmpty else {
            throw ContractFailure("a genuine delivery is accepted", "\(outcome)")
        }
        return events
    }

    @Test("Meta's challenge is answered for the right token alone")
    func challenge() async throws {
        let script = try InstagramScript([.plain("kind", "messages")] + Self.hooks)
        for (token, isRight) in [("verify me", true), ("verify me ", false)] {
            let delivery = WebhookDelivery(
                method: .get,
                query: [("hub.mode", "subscribe"), ("hub.challenge", "1158201444"), ("hub.verify_token", token)],
                headers: [:],
                body: [],
                receivedAt: InstagramScript.start
            )
            switch try await script.connector.receive(delivery) {
            case .challenge(let reply, _): #expect(isRight && reply == Array("1158201444".utf8))
            case .rejected: #expect(!isRight)
            case .accepted: Issue.record("a question was accepted as a delivery")
            }
        }
    }

    @Test("A source of any kind takes whatever the app is told")
    func everything() async throws {
        let script = try InstagramScript([.plain("kind", "comments")] + Self.hooks)
        let body = try Fixture("../../Plugins/Instagram/Fixtures").bytes("webhook-mixed-batch.json")
        let events = try Self.accepted(
            try await script.connector.receive(Self.delivery(String(decoding: body, as: UTF8.self)))
        )
        #expect(events.map(\.type) == [.postCreated, .unrecognised, .messageCreated, .postCreated])
    }

    @Test("A part that cannot be read is set aside alone, as a delivery that can be read again")
    func parts() async throws {
        let script = try InstagramScript([.plain("kind", "comments")] + Self.hooks)
        let body = """
            {"object":"instagram","entry":[{"id":"1","time":1784927700,"changes":[{"field":"comments","value":{"text":"no id"}},\
            {"field":"comments","value":{"id":"5","text":"an id"}}]}]}
            """
        guard case .accepted(let events, let letters) = try await script.connector.receive(Self.delivery(body)) else {
            Issue.record("it was refused")
            return
        }
        #expect(events.map(\.id.text) == ["instagram:comment:5/created"] && letters.count == 1)
        var letter = try #require(letters.first)
        let text = String(decoding: letter.payload, as: UTF8.self)
        #expect(text.contains("no id") && !text.contains("an id"))
        letter.payload = Array(text.replacing("\"text\"", with: "\"id\":\"4\",\"text\"").utf8)
        let read = try await script.connector.reread(RereadRequest(letter: letter, receivedAt: InstagramScript.start))
        #expect(read.events.map(\.id.text) == ["instagram:comment:4/created"])
    }

    // MARK: - Mentions

    /// A source that is told and asks.
    private static func mentions(_ account: any Account) throws -> InstagramScript {
        try InstagramScript.facebook("mentions", hooks, account: account)
    }

    private static let comment = """
        {"mentioned_comment":{"id":"31","text":"ask acme","timestamp":"2026-07-24T21:14:00+0000","media":{"id":"30"}},"id":"1"}
        """

    @Test("A mention is accepted with its ids and the payload before anything is asked for")
    func storedFirst() async throws {
        let script = try Self.mentions(EphemeralAccount(name: "a"))
        let body = Self.mention(#"{"media_id":"30","comment_id":"31"}"#)
        let events = try Self.accepted(try await script.connector.receive(Self.delivery(body)))
        #expect(events.map(\.id.text) == ["instagram:comment:31/created"])
        #expect(events.first?.data.inReplyTo?.id?.text == "instagram:media:30")
        #expect(events.first?.data.raw?.bytes == Array(body.utf8))
        #expect(script.http.requests.isEmpty)
    }

    @Test("The pull reads what the mention says, once, and takes it off the list when that is durable")
    func completed() async throws {
        let account = EphemeralAccount(name: "a")
        let script = try Self.mentions(account)
        script.world.change { $0.objects["/\(InstagramWorld.account)"] = Self.comment }
        _ = try await script.connector.receive(Self.delivery(Self.mention(#"{"media_id":"30","comment_id":"31"}"#)))
        let box = InstagramMentionBox(account: account, user: InstagramWorld.account)
        let page = try await script.pull()
        #expect(page.events.map(\.id.text) == ["instagram:comment:31/updated/1"])
        #expect(page.events.first?.data.object?.text == "ask acme")
        #expect(try await box.take(done: []).count == 1, "nothing is taken off before its words are durable")
        // The page was lost: the same is read again.
        #expect(try await script.pull().events.map(\.id) == page.events.map(\.id))
        let rest = try await script.catchUp(page.cursor)
        #expect(rest.events.isEmpty)
        #expect(try await box.take(done: []).isEmpty)
    }

    @Test("A mention told by another source of the account is read too, and twice told is read once")
    func shared() async throws {
        let account = EphemeralAccount(name: "a")
        let told = try InstagramScript([.plain("kind", "messages")] + Self.hooks, account: account)
        let body = Self.mention(#"{"media_id":"30"}"#)
        for _ in 0..<2 { _ = try await told.connector.receive(Self.delivery(body)) }
        let script = try Self.mentions(account)
        script.world.change { state in
            state.objects["/\(InstagramWorld.account)"] =
                #"{"mentioned_media":{"id":"30","caption":"with acme","media_type":"IMAGE","username":"jo"},"id":"1"}"#
        }
        let events = try await script.catchUp().events
        #expect(events.map(\.id.text) == ["instagram:media:30/updated/1"])
        #expect(script.http.requests.first?.url.contains("mentioned_media.media_id%2830%29") == true)
    }

    @Test(
        "A mention that is gone when it is read was deleted; one that is refused is set aside; a failure is tried again"
    )
    func failures() async throws {
        let script = try Self.mentions(EphemeralAccount(name: "a"))
        let path = "/\(InstagramWorld.account)"
        _ = try await script.connector.receive(Self.delivery(Self.mention(#"{"media_id":"30","comment_id":"31"}"#)))
        script.world.change { $0.errors[path] = 2 }
        await #expect(throws: ConnectorError.self) { try await script.pull() }
        script.world.change { state in
            state.errors = [:]
            state.gone = [path]
        }
        let page = try await script.pull()
        #expect(page.events.map(\.id.text) == ["instagram:comment:31/deleted"])
        _ = try await script.connector.receive(Self.delivery(Self.mention(#"{"media_id":"40"}"#)))
        script.world.change { state in
            state.gone = []
            state.errors[path] = 100
        }
        let refused = try await script.pull(page.cursor)
        #expect(refused.events.isEmpty && refused.deadLetters.count == 1)
    }

    @Test(
        "An answer that cannot be read is asked for again, lets others go before, and is set aside after the third time"
    )
    func broken() async throws {
        let script = try Self.mentions(EphemeralAccount(name: "a"))
        _ = try await script.connector.receive(Self.delivery(Self.mention(#"{"media_id":"30","comment_id":"31"}"#)))
        script.world.change { $0.objects["/\(InstagramWorld.account)"] = "<html>" }
        let first = try await script.pull()
        let second = try await script.pull(first.cursor)
        #expect(first.deadLetters.isEmpty && second.deadLetters.isEmpty && !second.hasMore)
        let third = try await script.pull(second.cursor)
        #expect(third.deadLetters.count == 1 && third.events.isEmpty)
        let asked = script.http.requests.count
        _ = try await script.catchUp(third.cursor)
        #expect(script.http.requests.count == asked)
    }

    @Test("Where too many mentions wait, the event says that no update follows")
    func full() async throws {
        let account = EphemeralAccount(name: "a")
        let box = InstagramMentionBox(account: account, user: InstagramWorld.account)
        let many = (0..<InstagramMentionBox.most).map {
            InstagramMention(media: "17841400000000\($0)", comment: "18000000000000000\($0)")
        }
        #expect(try await box.put(many).isEmpty)
        #expect(try await account.value(for: "instagram-mentions-\(InstagramWorld.account)")?.count ?? 0 < 64 << 10)
        let script = try Self.mentions(account)
        let events = try Self.accepted(
            try await script.connector.receive(Self.delivery(Self.mention(#"{"media_id":"30"}"#)))
        )
        #expect(events.first?.data.loss.contains { $0.field == "mentions" } == true)
    }
}
