import ConnectorTesting
import JSON
import MetaGraph
import SocialEvents
import Testing

@testable import WhatsAppConnector

/// Payloads shaped like those of WhatsApp against the events that they should become.
///
/// `UPDATE_FIXTURES=1 swift test --filter WhatsAppFixtureTests` writes the expected events anew.
struct WhatsAppFixtureTests {
    static let fixtures = Fixture("../../Plugins/WhatsApp/Fixtures")

    /// How many parts of a fixture cannot be read; of all others none.
    private static let unreadable = ["batch-of-everything.json": 1, "history-threads.json": 1]

    @Test("Every fixture becomes the events beside it", arguments: try fixtures.names(suffix: ".json"))
    func fixture(name: String) throws {
        let intake = try WhatsAppScript.intake(Self.fixtures.bytes(name))
        #expect(intake.deadLetters.count == Self.unreadable[name] ?? 0)
        try Self.fixtures.expect(intake.events, equals: "\(name).expected.jsonl")
    }

    @Test("A delivery makes the same events each time", arguments: try fixtures.names(suffix: ".json"))
    func repeated(name: String) throws {
        let payload = try Self.fixtures.bytes(name)
        let first = try WhatsAppScript.intake(payload)
        let second = try WhatsAppScript.intake(payload)
        #expect(first.events == second.events)
        #expect(Set(first.events.map(\.id)).count == first.events.count, "no id stands for two facts")
    }

    @Test("A message that is withdrawn is withdrawn by the id under which it was told, edits and all")
    func withdrawal() throws {
        let said = try WhatsAppScript.events(WhatsAppScript.message(#""type":"text","text":{"body":"a"}"#))
        let edit =
            #""type":"edit","edit":{"original_message_id":"wamid.1","message":{"type":"text","text":{"body":"b"}}}"#
        let edited = try WhatsAppScript.events(WhatsAppScript.message(edit, id: "wamid.2"))
        let revoke = #""type":"revoke","revoke":{"original_message_id":"wamid.1"}"#
        let gone = try WhatsAppScript.events(WhatsAppScript.message(revoke, id: "wamid.3"))
        #expect(
            (said + edited + gone).map(\.subject)
                == Array(repeating: ObjectID(text: "whatsapp:message:wamid.1"), count: 3)
        )
        #expect((said + edited + gone).map(\.type) == [.messageCreated, .messageUpdated, .messageDeleted])
    }

    @Test("Two edits of the same second are two facts, and one of a later second has a higher revision")
    func edits() throws {
        let edit =
            #""type":"edit","edit":{"original_message_id":"wamid.1","message":{"type":"text","text":{"body":"b"}}}"#
        let revisions = try [("wamid.2", 0), ("wamid.3", 0), ("wamid.4", 1)].map { id, delay in
            let payload = WhatsAppScript.message(edit, id: id, at: 1_790_000_000 + delay)
            return try #require(try WhatsAppScript.events(payload).first?.data.object?.revision)
        }
        #expect(revisions[0] != revisions[1])
        #expect(revisions[2] > max(revisions[0], revisions[1]))
    }

    @Test("Taking a reaction back names the reaction that was given, whether its emoji is empty or absent")
    func reactions() throws {
        let ids = try [#","emoji":"😮""#, #","emoji":"""#, ""].map { emoji in
            let reaction = "\"type\":\"reaction\",\"reaction\":{\"message_id\":\"wamid.9\"\(emoji)}"
            let event = try #require(try WhatsAppScript.events(WhatsAppScript.message(reaction)).first)
            return (event.type, event.subject?.text)
        }
        #expect(ids.map(\.0) == [.reactionCreated, .reactionDeleted, .reactionDeleted])
        #expect(Set(ids.map(\.1)) == ["whatsapp:reaction:4915.wamid.9"])
    }

    @Test("What is unknown is kept with its number and people, and read as the same fact when it comes alone")
    func unknown() throws {
        let payload = WhatsAppScript.change(
            "messages",
            """
            "messages":[{"from":"1","id":"a","timestamp":"1790000000","type":"text","text":{"body":"t"}},\
            {"from":"1","id":"b","timestamp":"1790000000","type":"hologram"}]
            """
        )
        let events = try WhatsAppScript.events(payload)
        #expect(events.map(\.type) == [.messageCreated, .unrecognised])
        let raw = try #require(events.last?.data.raw?.bytes)
        #expect(try WhatsAppScript.intake(raw).events.map(\.id) == [events[1].id])
    }

    @Test("A contact is taken for somebody whose number it has, or who is the only one it can be")
    func contacts() throws {
        func names(_ messages: String) throws -> [String?] {
            let contacts = #""contacts":[{"wa_id":"52155","user_id":"MX.1","profile":{"name":"Luz"}}]"#
            let payload = WhatsAppScript.change("messages", "\(contacts),\"messages\":[\(messages)]")
            return try WhatsAppScript.events(payload).map(\.data.actor?.name)
        }
        func message(_ from: String) -> String {
            "{\"from\":\"\(from)\",\"id\":\"\(from)\",\"type\":\"text\",\"text\":{\"body\":\"a\"}}"
        }
        #expect(try names(message("52155")) == ["Luz"])
        #expect(try names(message("5255")) == ["Luz"], "Mexican numbers are written in two ways")
        #expect(try names("\(message("52155")),\(message("4915"))") == ["Luz", nil])
    }
}
