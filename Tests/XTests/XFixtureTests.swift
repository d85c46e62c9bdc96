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

    @Test("Results of a batch job become withdrawals, and what cannot be read is set aside")
    func batchJob() throws {
        let results = """
            {"id":"1","action":"delete","created_at":"2024-01-10T12:00:00.000Z","redacted_at":"2024-01-12T08:30:00.000Z","reason":"deleted"}
            {"id":"2","action":"delete","redacted_at":"2024-01-13T14:20:00.000Z","reason":"suspended"}
            {"action":
            """
        let batch = XComplianceJob.events(of: Array(results.utf8), .tweets, now: XScript.start)
        #expect(batch.events.map(\.id.text) == ["x:post:1/deleted", "x:post:2/deleted/1705155600000"])
        #expect(batch.events.allSatisfy { $0.validate().isEmpty })
        #expect(batch.deadLetters.count == 1)
        let users = XComplianceJob.events(of: Array(results.utf8), .users, now: XScript.start)
        #expect(users.events.map(\.data.actor?.id?.text) == ["x:actor:1", "x:actor:2"])
    }

    @Test("A batch job's ids go where X says, one a line, without credentials")
    func batchUpload() throws {
        let answer = """
            {"data":{"id":"12","type":"tweets","status":"created","upload_url":"https://storage.example/u?s=1","download_url":"https://storage.example/d"}}
            """
        let job = try XComplianceJob(Array(answer.utf8))
        #expect(job.status == .created)
        let ids = ["x:post:5", "x:actor:6", "mastodon:post:7", "x:post:8"].map { ObjectID(text: $0) }
        let upload = job.upload(ids.compactMap { XComplianceJob.nativeID($0, .tweets) })
        #expect(upload?.body == Array("5\n8\n".utf8))
        #expect(upload?.headers.isEmpty == false && upload?.headers[.authorization] == nil)
        #expect(job.download?.url == "https://storage.example/d")
    }
}
