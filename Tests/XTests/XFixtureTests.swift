import ConnectorKit
import ConnectorTesting
import HTTPTypes
import JSON
import SocialEvents
import Testing

@testable import XConnector

/// Payloads shaped like those of X against the events that they should become.
///
/// `UPDATE_FIXTURES=1 swift test --filter XFixtureTests` writes the expected events anew.
struct XFixtureTests {
    private static let fixtures = Fixture("../../Plugins/X/Fixtures")

    static var payloads: [String] {
        get throws { try fixtures.names(suffix: ".json") }
    }

    private static func events(_ payload: [UInt8]) throws -> [Event] {
        var events: [Event] = []
        try JSONParser().parse(payload) { root in
            var normalizer = XNormalizer(now: XScript.start)
            normalizer.read(root, into: &events)
        }
        return events
    }

    @Test("Every fixture becomes the events beside it", arguments: try payloads)
    func fixture(name: String) throws {
        try Self.fixtures.expect(Self.events(Self.fixtures.bytes(name)), equals: "\(name).expected.jsonl")
    }

    @Test("Every version of a post belongs to one object, and each edit is one fact of its own")
    func editChain() throws {
        let history = "\"edit_history_tweet_ids\":[\"1\",\"2\",\"3\"]"
        let ids = try ["1", "2", "3"].flatMap { id in
            try Self.events(Array("{\"data\":{\"id\":\"\(id)\",\"text\":\"t\",\(history)}}".utf8)).map(\.id.text)
        }
        #expect(ids == ["x:post:1/created", "x:post:1/updated/1", "x:post:1/updated/2"])
    }

    @Test("Both spellings are the same fact")
    func spellings() throws {
        let old = """
            {"data":[{"id":"5","text":"a","created_at":"2026-03-01T08:00:00.000Z","edit_history_tweet_ids":["4","5"],\
            "referenced_tweets":[{"type":"quoted","id":"3"}],"note_tweet":{"text":"long"},"public_metrics":{"retweet_count":2}}],\
            "includes":{"tweets":[{"id":"3","author_id":"7","text":"x"}]}}
            """
        let new = old.replacing("_tweet_ids", with: "_post_ids").replacing("_tweets", with: "_posts")
            .replacing("note_tweet", with: "note_post").replacing("retweet_count", with: "repost_count")
            .replacing("\"tweets\"", with: "\"posts\"")
        #expect(try Self.events(Array(old.utf8)) == Self.events(Array(new.utf8)))
        #expect(try Self.events(Array(old.utf8)).first?.data.object?.text == "long")
    }

    private static let repost = """
        {"data":[{"id":"20","text":"RT @b: the wor…","author_id":"7","entities":{"mentions":[{"start":3,"end":5,"username":"b","id":"8"}]},\
        "referenced_tweets":[{"type":"retweeted","id":"11"}]},\
        {"id":"21","text":"RT @b: the wor…","author_id":"9","referenced_tweets":[{"type":"retweeted","id":"11"}]}],\
        "includes":{"tweets":[{"id":"11","author_id":"8","text":"the words","edit_history_tweet_ids":["10","11"]}]}}
        """

    @Test("A repost carries no words of another's: these are an event of their own, once, and withdrawn with the post")
    func reposts() throws {
        let events = try Self.events(Array(Self.repost.utf8))
        #expect(events.map(\.id.text) == ["x:post:10/updated/1", "x:post:20/created", "x:post:21/created"])
        #expect(events[0].data.object?.text == "the words")
        #expect(events[0].data.actor?.id?.text == "x:actor:8")
        for repost in events.dropFirst() {
            #expect(repost.type == .repostCreated)
            #expect(repost.subject == postID(10))
            #expect(repost.data.object?.text == nil && repost.data.object?.entities == [])
            #expect(repost.data.repostOf == Reference(id: postID(10), actor: ObjectID(text: "x:actor:8")))
            #expect(repost.validate().isEmpty)
        }
    }

    @Test("The old form's reposts carry no words either")
    func legacyReposts() throws {
        let payload = """
            {"for_user_id":"1","tweet_create_events":[{"id_str":"20","text":"RT @b: the wor…","user":{"id_str":"7"},\
            "retweeted_status":{"id_str":"11","text":"the words","user":{"id_str":"8"}}}]}
            """
        let events = try Self.events(Array(payload.utf8))
        #expect(events.map(\.id.text) == ["x:post:11/created", "x:post:20/created"])
        #expect(events.map(\.subject) == [postID(11), postID(11)])
        #expect(events.map { $0.data.object?.text } == ["the words", nil])
    }

    @Test("A repost whose original is not included says so and carries no words of it")
    func repostAlone() throws {
        let payload =
            #"{"data":{"id":"20","text":"RT @b: the wor…","referenced_tweets":[{"type":"retweeted","id":"11"}]}}"#
        let events = try Self.events(Array(payload.utf8))
        #expect(events.map(\.subject) == [postID(11)])
        #expect(events[0].data.object?.text == nil)
        #expect(events[0].data.loss.contains { $0.field == "text" && $0.reason == .dropped })
    }

    @Test("A repost that includes itself leads nowhere")
    func circle() throws {
        let post = #"{"id":"20","text":"RT","referenced_tweets":[{"type":"retweeted","id":"20"}]}"#
        let events = try Self.events(Array("{\"data\":\(post),\"includes\":{\"tweets\":[\(post)]}}".utf8))
        #expect(Set(events.map(\.id.text)) == ["x:post:20/created"])
    }
}
