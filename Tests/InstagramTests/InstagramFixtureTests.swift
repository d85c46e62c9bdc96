import ConnectorTesting
import JSON
import MetaGraph
import SocialEvents
import Testing

@testable import InstagramConnector

/// Payloads shaped like those of Instagram against the events that they should become.
///
/// `UPDATE_FIXTURES=1 swift test --filter InstagramFixtureTests` writes the expected events anew.
struct InstagramFixtureTests {
    private static let fixtures = Fixture("../../Plugins/Instagram/Fixtures")

    static var payloads: [String] {
        get throws { try fixtures.names(suffix: ".json") }
    }

    private static func events(_ name: String) throws -> [Event] {
        let payload = try fixtures.bytes(name)
        let normalizer = InstagramNormalizer(now: InstagramScript.start)
        return try JSONParser().parse(payload) { normalizer.read($0, body: payload).events }
    }

    @Test("Every fixture becomes the events beside it", arguments: try payloads)
    func fixture(name: String) throws {
        try Self.fixtures.expect(Self.events(name), equals: "\(name).expected.jsonl")
    }

    @Test("Both logins tell the same comment as the same fact")
    func logins() throws {
        let facebook = try Self.events("webhook-comment-facebook-login.json")
        let instagram = try Self.events("webhook-comment-instagram-login.json")
        #expect(facebook == instagram)
        #expect(facebook.first?.data.object?.text == "Où est-ce 😍? @acme_help #panne")
    }

    @Test("A reaction and its being taken back name the same object, and a message and its being unsent too")
    func pairs() throws {
        for (one, other) in [
            ("webhook-reaction.json", "webhook-reaction-taken-back.json"),
            ("webhook-message-text.json", "webhook-message-unsent.json"),
        ] {
            let first = try #require(try Self.events(one).first)
            let second = try #require(try Self.events(other).first)
            #expect(first.subject == second.subject && first.id != second.id)
        }
    }

    @Test("A conversation is the same whoever writes, and however the message was read")
    func conversation() throws {
        let ids = try [
            "webhook-message-text.json", "webhook-message-echo-with-picture.json", "conversation-message.json",
        ].map { try Self.events($0).first?.data.conversation?.text }
        #expect(Set(ids) == ["instagram:conversation:17841400000000007.900000000000311"])
    }

    @Test("The time until which an address of media works stands in it, in hexadecimal")
    func expiry() {
        let address = "https://scontent.cdninstagram.com/v/a.jpg?oh=1&oe=6A5F3C80&x=oe=00"
        #expect(InstagramValue.expiry(of: address) == Timestamp(seconds: 0x6A5F_3C80))
        #expect(InstagramValue.expiry(of: "https://e.example/a.jpg?oe=6a5f3c80") == Timestamp(seconds: 0x6A5F_3C80))
        for other in [
            "", "oe=6A5F3C80", "https://e.example/?oe=", "https://e.example/?oe=xyz", "https://e.example/?noe=12",
        ] {
            #expect(InstagramValue.expiry(of: other) == nil)
        }
        #expect(InstagramValue.expiry(of: "https://e.example/?oe=FFFFFFFFFFFF") == nil)
    }
}
