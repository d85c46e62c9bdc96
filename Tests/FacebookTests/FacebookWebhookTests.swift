import ConnectorKit
import ConnectorTesting
import HTTPTypes
import SocialEvents
import Testing

@testable import FacebookConnector

struct FacebookWebhookTests {
    private static func delivery(_ body: String, signatures: [String]? = nil) throws -> WebhookDelivery {
        let bytes = Array(body.utf8)
        let values = signatures ?? [Signature.hubSHA256.make(bytes, key: Secret("app secret"))]
        let name = try #require(HTTPField.Name("X-Hub-Signature-256"))
        return WebhookDelivery(
            method: .post,
            headers: HTTPFields(values.map { HTTPField(name: name, value: $0) }),
            body: bytes,
            receivedAt: FacebookScript.start
        )
    }

    private static func accepted(_ body: String) async throws -> (events: [Event], letters: [DeadLetter]) {
        let source = try FacebookScript(FacebookScript.called).connector
        guard case .accepted(let events, let letters) = try await source.receive(delivery(body)) else {
            Issue.record("it was not accepted")
            return ([], [])
        }
        for event in events { #expect(event.validate().isEmpty) }
        return (events, letters)
    }

    private static func feed(_ values: String..., time: Int = 1_784_927_760) -> String {
        let changes = values.map { "{\"field\":\"feed\",\"value\":{\($0)}}" }.joined(separator: ",")
        return "{\"object\":\"page\",\"entry\":[{\"id\":\"1\",\"time\":\(time),\"changes\":[\(changes)]}]}"
    }

    private static let comment = """
        "item":"comment","verb":"add","comment_id":"901_11","post_id":"1_901","parent_id":"1_901","from":{"id":"7"},\
        "created_time":1784927759,"message":"d\\u00e9\\u00e7ue"
        """

    @Test("Only what Meta signed is taken")
    func signatures() async throws {
        let body = Self.feed(Self.comment)
        let (events, _) = try await Self.accepted(body)
        #expect(events.map { $0.data.object?.text } == ["déçue"])
        let source = try FacebookScript(FacebookScript.called).connector
        let good = Signature.hubSHA256.make(Array(body.utf8), key: Secret("app secret"))
        let wrong = Signature.hubSHA256.make(Array(body.utf8), key: Secret("other"))
        for signatures in [[], [wrong], [good, good], [good.replacing("sha256=", with: "")]] {
            guard case .rejected(403, _) = try await source.receive(Self.delivery(body, signatures: signatures)) else {
                Issue.record("accepted \(signatures)")
                continue
            }
        }
        var altered = try Self.delivery(body, signatures: [good])
        altered.body = Array(body.replacing("\\u00e9", with: "é").utf8)
        guard case .rejected(403, _) = try await source.receive(altered) else {
            Issue.record("accepted other bytes")
            return
        }
    }

    @Test("A challenge is answered")
    func challenge() async throws {
        let source = try FacebookScript(FacebookScript.called).connector
        let delivery = WebhookDelivery(
            method: .get,
            query: [("hub.mode", "subscribe"), ("hub.challenge", "42"), ("hub.verify_token", "verify me")],
            headers: [:],
            body: [],
            receivedAt: FacebookScript.start
        )
        guard case .challenge(let reply, _) = try await source.receive(delivery) else {
            Issue.record("no challenge")
            return
        }
        #expect(reply == Array("42".utf8))
    }

    @Test("A change that cannot be read is set aside alone, and can be read again")
    func deadLetter() async throws {
        let bad = #""item":"comment","verb":"add","post_id":"1_901","message":"no id""#
        let (events, letters) = try await Self.accepted(Self.feed(Self.comment, bad, Self.comment))
        #expect(events.count == 2 && letters.count == 1)
        var letter = try #require(letters.first)
        let source = try FacebookScript(FacebookScript.called).connector
        let still = try await source.reread(RereadRequest(letter: letter, receivedAt: FacebookScript.start))
        #expect(still.events.isEmpty && still.deadLetters.map(\.payload) == [letter.payload])
        let mended = String(decoding: letter.payload, as: UTF8.self)
            .replacing("\"verb\"", with: "\"comment_id\":\"901_12\",\"verb\"")
        letter.payload = Array(mended.utf8)
        let again = try await source.reread(RereadRequest(letter: letter, receivedAt: FacebookScript.start))
        #expect(again.events.map(\.id.text) == ["facebook:comment:901_12/created"])
    }

    @Test("The same delivery again makes the same events, and each edit and each reaction is a fact of its own")
    func sameFacts() async throws {
        let body = Self.feed(Self.comment)
        #expect(try await Self.accepted(body).events == Self.accepted(body).events)
        let edit = Self.comment.replacing("add", with: "edited")
        let first = try await Self.accepted(Self.feed(edit, time: 1_784_927_770)).events
        let again = edit.replacing("d\\u00e9", with: "De")
        let others = try await Self.accepted(Self.feed(again, edit, time: 1_784_927_770)).events
        let later = try await Self.accepted(Self.feed(edit, time: 1_784_927_780)).events
        let revisions = (first + others + later).map { $0.data.object?.revision ?? 0 }
        #expect(Set(revisions).count == 3 && revisions[2] == revisions[0])
        #expect(revisions.map { $0 / 1000 } == [1_784_927_770, 1_784_927_770, 1_784_927_770, 1_784_927_780])
        #expect(first.map(\.id.text) == ["facebook:comment:901_11/updated/\(revisions[0])"])
        let edits = try await Self.accepted(Self.feed(Self.comment.replacing("add", with: "edit"), time: 1_784_927_770))
        #expect(edits.events.map(\.id) == first.map(\.id))
    }

    @Test("A comment whose parent is the post stands at the top; another answers its parent")
    func parents() async throws {
        let answer = Self.comment.replacing("\"parent_id\":\"1_901\"", with: "\"parent_id\":\"901_10\"")
        let events = try await Self.accepted(Self.feed(Self.comment, answer)).events
        #expect(events.map { $0.data.inReplyTo?.id?.text } == ["facebook:post:1_901", "facebook:comment:901_10"])
        #expect(events.allSatisfy { $0.data.conversation?.text == "facebook:conversation:1_901" })
    }

    @Test("A pulled comment is the same fact as the one that was told")
    func sameByBothWays() async throws {
        let told = try await Self.accepted(Self.feed(Self.comment)).events
        let world = FacebookWorld(posts: [.init(id: 901, age: 20, comments: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10])])
        let script = try FacebookScript()
        script.http.handle { world.answer($0) }
        #expect(try await script.walk().ids.contains(told[0].id.text))
    }

    @Test("A receipt for all messages up to a moment does not move a later one back")
    func watermarks() async throws {
        func receipt(_ name: String, _ mark: Int) -> String {
            """
            {"object":"page","entry":[{"id":"1","time":\(mark + 1),"messaging":[{"sender":{"id":"5"},"recipient":{"id":"1"},"timestamp":\(mark + 1),\
            "\(name)":{"watermark":\(mark)}}]}]}
            """
        }
        let read = try await Self.accepted(receipt("read", 1_784_927_765_000)).events
        let delivered = try await Self.accepted(receipt("delivery", 1_784_927_769_000)).events
        #expect(read.map { $0.data.delivery?.status } == [.read])
        #expect(delivered.map { $0.data.delivery?.status } == [.delivered])
        #expect(read[0].subject != delivered[0].subject)
        #expect(read[0].data.delivery?.recipient?.text == "facebook:actor:5")
    }

    @Test("What the Page itself writes and likes belongs to the person's conversation")
    func echo() async throws {
        let text = """
            {"object":"page","entry":[{"id":"1","time":1784927765000,"messaging":[{"sender":{"id":"1"},"recipient":{"id":"5"},\
            "timestamp":1784927765000,"message":{"mid":"m","is_echo":true,"text":"a"}},{"sender":{"id":"5"},"recipient":{"id":"1"},\
            "timestamp":1784927766000,"message":{"mid":"n","text":"b"}},{"sender":{"id":"1"},"recipient":{"id":"5"},\
            "timestamp":1784927767000,"reaction":{"mid":"n","action":"react","emoji":"c"}}]}]}
            """
        let events = try await Self.accepted(text).events
        #expect(events.map { $0.data.actor?.id?.text } == ["facebook:actor:1", "facebook:actor:5", "facebook:actor:1"])
        #expect(Set(events.map { $0.data.conversation?.text }) == ["facebook:conversation:1.5"])
    }
}
