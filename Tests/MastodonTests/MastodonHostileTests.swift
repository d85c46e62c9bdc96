import ConnectorKit
import ConnectorTesting
import HTTPTypes
import JSON
import MastodonConnector
import PlatformSimulators
import SocialEvents
import Testing

/// Payloads that are broken, endless or meant to do harm.
struct MastodonHostileTests {
    private static let now = Timestamp(seconds: 1_780_000_000)

    private func events(_ payload: String) throws -> [Event] {
        var events: [Event] = []
        let normalizer = MastodonNormalizer(host: "harbour.example", now: Self.now)
        try JSONParser().parse(payload) { root in
            if root["type"] == nil {
                try normalizer.status(root, on: .appearance, into: &events)
            } else {
                try normalizer.notification(root, into: &events)
            }
        }
        return events
    }

    @Test("A member of another kind than documented is left out, and the rest is told")
    func kinds() throws {
        let names = [
            "uri", "url", "created_at", "edited_at", "account", "content", "spoiler_text", "visibility", "sensitive",
            "language",
            "in_reply_to_id", "in_reply_to_account_id", "reblog", "quote", "quote_id", "media_attachments", "mentions",
            "tags",
            "emojis", "card", "poll", "replies_count", "reblogs_count", "favourites_count", "quotes_count", "reactions",
            "pleroma",
        ]
        let values = [
            "1", "-1", "true", "\"\"", "\"x\"", "[]", "[1]", "[[]]", "[{}]", "{}", "{\"id\":\"2\"}", "1e300",
            "\"\\u0000\"", "null",
        ]
        for name in names {
            for value in values {
                // A boost of nothing cannot be told.
                if name == "reblog", value == "{}" { continue }
                let told = try events("{\"id\":\"1\",\"\(name)\":\(value)}")
                #expect(told.count == 1, "\(name): \(value)")
                for event in told { #expect(event.validate().isEmpty, "\(name): \(value): \(event.validate())") }
            }
        }
    }

    @Test("What is too long is cut, and the event stays one the log takes")
    func lengths() throws {
        let long = String(repeating: "é", count: 700_000)
        let options = Array(repeating: "{\"title\":\"x\"}", count: 1500).joined(separator: ",")
        let media = Array(
            repeating:
                "{\"type\":\"image\",\"url\":\"https://h.example/1\",\"description\":\"\(String(repeating: "y", count: 70_000))\"}",
            count: 3
        )
        let payload = """
            {"id":"1","uri":"https://h.example/\(String(repeating: "u", count: 9000))","url":"https://h.example/\(String(repeating: "u", count: 9000))","content":"<p>\(long)</p>",
            "spoiler_text":"\(long)","language":"\(long.prefix(300))","account":{"display_name":"\(long)","acct":"\(long)","url":"javascript:alert(1)"},"poll":{"options":[\(options)]},
            "media_attachments":[\(media.joined(separator: ","))]}
            """
        let event = try #require(try events(payload).first)
        #expect(event.validate().isEmpty, "\(event.validate())")
        #expect(event.data.object?.text.map { $0.utf8.count <= EventLimits.text } == true)
        #expect(event.data.loss.contains { $0.field == "content" && $0.reason == .truncated })
        #expect(event.data.object?.media.count == 3 && event.data.object?.poll?.options.count == 1000)
    }

    @Test("Reactions of one name are one count")
    func reactions() throws {
        for member in ["\"reactions\":", "\"pleroma\":{\"emoji_reactions\":"] {
            let list =
                "[{\"name\":\"🐟\",\"count\":2},{\"name\":\"é\",\"count\":1},{\"name\":\"🐟\",\"count\":3},{\"name\":\"e\u{301}\",\"count\":1},{\"name\":\"🐟\",\"count\":9223372036854775807}]"
            let payload = "{\"id\":\"1\",\(member)\(list)\(member.contains("{") ? "}" : "")}"
            let event = try #require(try events(payload).first)
            #expect(event.validate().isEmpty, "\(event.validate())")
            #expect(event.data.metrics?.other.map(\.count) == [.max, 2])
        }
    }

    @Test("As many emoji, mentions and tags as anybody likes cost no more than some hundreds")
    func abundance() throws {
        let count = 3000
        let emojis = (0..<count).map { "{\"shortcode\":\"e\($0)\",\"url\":\"https://h.example/e\($0).png\"}" }
        let tags = (0..<count).map { "{\"name\":\"Tag\($0)\"},{\"name\":\"TAG\($0)\"}" }
        let mentions = (0..<count).map {
            "{\"id\":\"\($0)\",\"acct\":\"p\($0)@q.example\",\"url\":\"https://q.example/@p\($0)\"}"
        }
        let text = (0..<count).reversed().map { ":x \(":e\($0):") <a href='https://q.example/@p\($0)'>@p\($0)</a>" }
        let payload = """
            {"id":"1","content":"<p>\(text.joined(separator: " "))</p>","emojis":[\(emojis.joined(separator: ","))],\
            "tags":[\(tags.joined(separator: ","))],"mentions":[\(mentions.joined(separator: ","))]}
            """
        let event = try #require(try events(payload).first)
        #expect(event.validate().isEmpty, "\(event.validate())")
        let object = try #require(event.data.object)
        // Of each list only the beginning is looked at, and the text names it last.
        #expect(object.entities.filter { $0.kind == .emoji }.map(\.value) == (0..<500).reversed().map { "e\($0)" })
        #expect(object.entities.filter { $0.kind == .mention }.allSatisfy { $0.actor == nil })
        #expect(object.tags == (0..<500).map { "Tag\($0)" })
    }

    @Test("Notifications of every shape are told or kept")
    func notifications() throws {
        for type in [
            "mention", "favourite", "reblog", "follow", "poll", "update", "quote", "quoted_update", "status",
            "reaction", "tide", "",
        ] {
            for status in ["", ",\"status\":null", ",\"status\":{}", ",\"status\":{\"id\":\"9\"}", ",\"status\":7"] {
                let payload = "{\"id\":\"5\",\"type\":\"\(type)\"\(status)}"
                guard let told = try? events(payload) else {
                    #expect(status.contains("{}"), "\(payload)")
                    continue
                }
                #expect(told.count == 1, "\(payload)")
                for event in told { #expect(event.validate().isEmpty, "\(payload): \(event.validate())") }
            }
        }
    }

    @Test("A stream of broken bytes never ends the reader, and never makes it keep more than it may")
    func noise() throws {
        var dice = Dice(seed: 3)
        let words = [
            "event: ", "update", "delete", "data: ", "{\"id\":\"1\"}", "\n", "\n\n", "\r", "\r\n", ":", "id: 4",
            "\u{0}", "{", "é", "undefined",
        ]
        for _ in 0..<200 {
            var reader = MastodonStreamReader(
                MastodonCursor(),
                .home,
                MastodonNormalizer(host: "harbour.example", now: Self.now)
            )
            for _ in 0..<50 {
                let chunk = (0..<dice.roll(8)).map { _ in dice.pick(words) }.joined()
                guard let batch = try reader.read(Array(chunk.utf8), now: Self.now) else { continue }
                for event in batch.events { #expect(event.validate().isEmpty, "\(event.validate())") }
            }
        }
    }

    @Test("A page of one good and many bad elements gives the good one, and each bad one once")
    func badElements() async throws {
        let script = try MastodonScript()
        let good = ScriptedTimeline.Post(id: 1002).json
        let body = "[{\"id\":\"1003\",\"reblog\":{\"x\":1}},\(good),null,7,{\"no\":\"id\"}]"
        let url = MastodonScript.base + "/api/v1/timelines/home?limit=40"
        script.http.route(.get, url, .response(text: body))
        script.http.route(.get, url + "&max_id=1002", .response(text: "[]"))
        let page = try await script.pull()
        #expect(page.events.facts == ["created 1002"])
        #expect(page.deadLetters.count == 4)
        script.http.route(.get, url + "&min_id=1002", .response(text: "[{\"id\":\"1003\",\"reblog\":{\"x\":1}}]"))
        let again = try await script.pull()
        #expect(again.events.isEmpty && again.deadLetters.isEmpty)
    }
}
