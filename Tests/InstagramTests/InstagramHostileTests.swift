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

    @Test("Any value of a payload may be anything", arguments: try fixtures.names(suffix: ".json"))
    func anyValue(name: String) throws {
        try HostilePayloads.forEach(of: Self.fixtures.bytes(name), Self.check)
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
