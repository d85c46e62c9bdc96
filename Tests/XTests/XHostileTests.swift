import ConnectorTesting
import JSON
import SocialEvents
import Testing

@testable import XConnector

/// Payloads that nobody should send: whatever comes becomes events that the log takes.
struct XHostileTests {
    private static let fixtures = Fixture("../../Plugins/X/Fixtures")

    private static func check(_ payload: [UInt8]) {
        var events: [Event] = []
        let isJSON: Void? = try? JSONParser().parse(payload) { root in
            var normalizer = XNormalizer(now: XScript.start)
            normalizer.read(root, into: &events)
        }
        guard isJSON != nil else { return }
        #expect(!events.isEmpty)
        for event in events {
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
        "\"javascript:alert(1)\"", "\"http://\\u0001\"", "[null,null]", "{\"a\":{\"b\":[]}}",
        "\"\(String(repeating: "9", count: 2000))\"",
    ]

    @Test("Any value of a payload may be anything", arguments: try fixtures.names(suffix: ".json"))
    func anyValue(name: String) throws {
        let payload = try Self.fixtures.bytes(name)
        // Every value meets a third of them, which is enough for every kind of value to meet all.
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
        let many = (0..<12_000).map { "{\"start\":\($0),\"end\":\($0 + 1),\"tag\":\"a\"}" }.joined(separator: ",")
        let keys = (0..<3000).map { "\"k\($0)\"" }.joined(separator: ",")
        let media = (0..<3000).map { "{\"media_key\":\"k\($0)\",\"type\":\"photo\"}" }.joined(separator: ",")
        let unknown = (0..<3000).map { "\"f\($0)\":1" }.joined(separator: ",")
        Self.check(
            Array(
                """
                {"data":{"id":"1","text":"\(word)","entities":{"hashtags":[\(many)]},"attachments":{"media_keys":[\(keys)]},\(unknown)},\
                "includes":{"media":[\(media)],"users":[{"id":"1","username":"\(word)"}]}}
                """.utf8
            )
        )
    }

    @Test("Ids that are not X's are kept apart and kept printable")
    func ids() {
        for id in ["a b", "\\u0000", "../..", "x/created", String(repeating: "7", count: 5000)] {
            Self.check(
                Array(
                    "{\"data\":{\"id\":\"\(id)\",\"text\":\"a\",\"author_id\":\"\(id)\",\"conversation_id\":\"\(id)\"}}"
                        .utf8
                )
            )
        }
    }
}
