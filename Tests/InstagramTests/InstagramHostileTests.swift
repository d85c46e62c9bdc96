import ConnectorTesting
import JSON
import MetaGraph
import SocialEvents
import Testing

@testable import InstagramConnector

/// Payloads that nobody should send: whatever comes becomes events that the log takes, or is set aside.
struct InstagramHostileTests {
    private static let fixtures = Fixture("../../Plugins/Instagram/Fixtures")

    private static func check(_ payload: [UInt8]) {
        let normalizer = InstagramNormalizer(now: InstagramScript.start)
        guard let intake = try? JSONParser().parse(payload, { normalizer.read($0, body: payload) }) else { return }
        #expect(!intake.events.isEmpty || !intake.deadLetters.isEmpty)
        for event in intake.events {
            let problems = event.validate()
            #expect(problems.isEmpty, "\(event.id): \(problems)")
        }
    }

    /// The values of a document, one after the other, replaced by something else.
    private static func replace(_ target: Int, by other: String, in payload: [UInt8]) throws -> [UInt8]? {
        var left = target
        func write(_ value: JSONValue, _ writer: inout JSONWriter) {
            left -= 1
            if left == -1 { return writer.raw(Array(other.utf8)) }
            switch value.kind {
            case .object:
                writer.beginObject()
                for (key, member) in value.members {
                    writer.key(key.string)
                    write(member, &writer)
                }
                writer.endObject()
            case .array:
                writer.beginArray()
                for element in value.elements { write(element, &writer) }
                writer.endArray()
            default: value.write(into: &writer)
            }
        }
        var writer = JSONWriter()
        try JSONParser().parse(payload) { write($0, &writer) }
        return left < 0 ? writer.bytes : nil
    }

    private static let others = [
        "null", "{}", "[]", "[[]]", "\"\"", "\"\\u0000\\u202e\\n\"", "-1", "1e300", "99999999999999999", "true",
        "\"javascript:alert(1)\"", "\"http://\\u0001\"", "[null,null]", "{\"a\":{\"b\":[]}}", "{\"id\":{}}",
        "\"\(String(repeating: "9", count: 2000))\"",
    ]

    @Test("Any value of a payload may be anything", arguments: try fixtures.names(suffix: ".json"))
    func anyValue(name: String) throws {
        let payload = try Self.fixtures.bytes(name)
        for (index, other) in Self.others.enumerated() {
            var place = index % 3
            while let changed = try Self.replace(place, by: other, in: payload) {
                Self.check(changed)
                place += 3
            }
        }
    }

    @Test("Very long words, lists and names are cut or kept within what an event may hold")
    func large() {
        let word = String(repeating: "é", count: 700_000)
        let unknown = (0..<3000).map { "\"f\($0)\":1" }.joined(separator: ",")
        let files = (0..<3000).map { "{\"type\":\"image\",\"payload\":{\"url\":\"https://e.example/\($0)\"}}" }
        let children = (0..<3000).map { "{\"id\":\"\($0)\",\"media_url\":\"https://e.example/\($0)\"}" }
        let counts = (0..<3000).map { "\"n\($0)\":\($0)" }.joined(separator: ",")
        for payload in [
            "{\"object\":\"instagram\",\"entry\":[{\"id\":\"1\",\"time\":1,\"changes\":[{\"field\":\"comments\",\"value\":{\"id\":\"\(word)\",\"text\":\"\(word)\",\"from\":{\"id\":\"1\",\"username\":\"\(word)\"},\(unknown)}}]}]}",
            "{\"object\":\"instagram\",\"entry\":[{\"id\":\"1\",\"time\":1,\"messaging\":[{\"message\":{\"mid\":\"1\",\"attachments\":[\(files.joined(separator: ","))]}}]}]}",
            "{\"id\":\"1\",\"media_type\":\"CAROUSEL_ALBUM\",\"children\":{\"data\":[\(children.joined(separator: ","))]}}",
            "{\"object\":\"instagram\",\"entry\":[{\"id\":\"1\",\"time\":1,\"changes\":[{\"field\":\"story_insights\",\"value\":{\"media_id\":\"1\",\(counts)}}]}]}",
        ] {
            Self.check(Array(payload.utf8))
        }
    }

    @Test("Answers to answers without end are no danger")
    func deep() {
        var comment = "{\"id\":\"0\",\"text\":\"a\",\"timestamp\":\"2026-01-01T00:00:00+0000\"}"
        for id in 1..<15 {
            comment =
                "{\"id\":\"\(id)\",\"text\":\"a\",\"timestamp\":\"2026-01-01T00:00:00+0000\",\"replies\":{\"data\":[\(comment)]}}"
        }
        Self.check(Array(comment.utf8))
    }
}
