import BlueskyConnector
import ConnectorKit
import ConnectorTesting
import JSON
import SocialEvents
import Testing

@Suite("Hostile input")
struct BlueskyHostileTests {
    private static let fixtures = Fixture("../../Plugins/Bluesky/Fixtures")

    private func check(_ normalizer: BlueskyNormalizer, _ what: String) {
        for event in normalizer.events {
            let problems = event.validate()
            #expect(problems.isEmpty, "\(what): \(event.id) \(problems)")
        }
    }

    @Test(
        "A message with any value replaced is told, kept raw or set aside",
        arguments: [
            "null", "0", "-1", "\"\"", "\"x\"", "[]", "{}", "[[]]", "true", "1e300", "\"\\u0000\\u202e\"",
        ]
    )
    func replacedValues(value: String) throws {
        let parser = JSONParser()
        for name in ["jetstream-v1.jsonl", "jetstream-v2.jsonl"] {
            for line in try Self.fixtures.bytes(name).split(separator: UInt8(ascii: "\n")) {
                try HostilePayloads.forEach(of: Array(line), with: [value], part: 1) { message in
                    var normalizer = BlueskyNormalizer(now: BlueskyScript.now)
                    let outcome = normalizer.jetstream(message, with: parser)
                    check(normalizer, String(decoding: message.prefix(300), as: UTF8.self))
                    if outcome == nil { #expect(normalizer.deadLetters.count == 1) }
                }
            }
        }
    }

    @Test(
        "An entry with any value replaced is told or set aside",
        arguments: ["null", "0", "\"x\"", "[]", "{}", "true"]
    )
    func replacedValuesInViews(value: String) throws {
        let parser = JSONParser()
        for name in ["author-feed.json", "notifications.json", "search.json"] {
            try HostilePayloads.forEach(of: Self.fixtures.bytes(name), with: [value]) { body in
                var normalizer = BlueskyNormalizer(now: BlueskyScript.now)
                try parser.parse(body) { root in
                    for key in ["posts", "feed", "notifications"] {
                        guard let list = root[named: key] else { continue }
                        for item in list.elements {
                            switch key {
                            case "posts": _ = normalizer.postView(item)
                            case "feed": _ = normalizer.feedEntry(item)
                            default: _ = normalizer.notification(item)
                            }
                        }
                    }
                }
                check(normalizer, name)
            }
        }
    }

    @Test("Long names and addresses are cut or left out")
    func long() throws {
        let long = String(repeating: "a", count: 9000)
        let messages = [
            "{\"did\":\"did:plc:\(long)\",\"time_us\":1,\"kind\":\"commit\",\"commit\":{}}",
            "{\"did\":\"did:plc:aaaaaaaaaa\",\"time_us\":1,\"kind\":\"commit\",\"commit\":{\"collection\":\"app.bsky.feed.post\",\"rkey\":\"\(long.prefix(2000))\",\"operation\":\"delete\"}}",
            "{\"did\":\"did:plc:aaaaaaaaaa\",\"time_us\":9223372036854775807,\"kind\":\"commit\",\"commit\":{\"collection\":\"app.bsky.feed.post\",\"rkey\":\"x\",\"operation\":\"create\",\"record\":{\"text\":\"\(long)\",\"langs\":[\"\(long)\"],\"\(long)\":1,\"createdAt\":\"\(long)\",\"tags\":[\"\(long)\"]}}}",
        ]
        for message in messages {
            var normalizer = BlueskyNormalizer(now: BlueskyScript.now)
            _ = normalizer.jetstream(Array(message.utf8), with: JSONParser())
            check(normalizer, String(message.prefix(80)))
            #expect(normalizer.events.count + normalizer.deadLetters.count == 1)
        }
    }
}
