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

    @Test("Any value of a payload may be anything", arguments: try fixtures.names(suffix: ".json"))
    func anyValue(name: String) throws {
        try HostilePayloads.forEach(of: Self.fixtures.bytes(name), Self.check)
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
