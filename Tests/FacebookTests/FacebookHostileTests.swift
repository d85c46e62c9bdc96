import ConnectorTesting
import JSON
import MetaGraph
import SocialEvents
import Testing

@testable import FacebookConnector

/// Payloads that nobody should send: whatever comes becomes events that the log takes.
struct FacebookHostileTests {
    private static let fixtures = Fixture("../../Plugins/Facebook/Fixtures")

    private static func check(_ payload: [UInt8]) {
        guard let intake = try? FacebookFixtureTests.intake(payload) else { return }
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

    private static func feed(_ value: String, field: String = "feed") -> [UInt8] {
        Array(
            "{\"object\":\"page\",\"entry\":[{\"id\":\"1\",\"time\":1,\"changes\":[{\"field\":\"\(field)\",\"value\":\(value)}]}]}"
                .utf8
        )
    }

    @Test("Very long words, lists and names are cut or kept within what an event may hold")
    func large() {
        let word = String(repeating: "é", count: 700_000)
        let tags = (0..<12_000).map { "{\"offset\":\($0),\"length\":1,\"id\":\"7\"}" }.joined(separator: ",")
        let photos = (0..<3000).map { "\"https://a.example/\($0)\"" }.joined(separator: ",")
        let value = """
            {"item":"status","verb":"add","post_id":"1_2","message":"\(word)","photos":[\(photos)],"message_tags":[\(tags)],\
            "photo":"https://a.example/x","from":{"id":"7","name":"\(word)"}}
            """
        Self.check(Self.feed(value))
        let mids = (0..<3000).map { "\"m\($0)\"" }.joined(separator: ",")
        let parts = (0..<3000).map { _ in "{\"type\":\"image\",\"payload\":{\"url\":\"https://a.example/\"}}" }.joined(
            separator: ","
        )
        for item in ["\"delivery\":{\"mids\":[\(mids)]}", "\"message\":{\"mid\":\"m\",\"attachments\":[\(parts)]}"] {
            Self.check(
                Array(
                    "{\"object\":\"page\",\"entry\":[{\"id\":\"1\",\"messaging\":[{\"sender\":{\"id\":\"5\"},\(item)}]}]}"
                        .utf8
                )
            )
        }
    }

    @Test("Ids that are not Facebook's are kept apart and kept printable")
    func ids() {
        for id in ["a b", "\\u0000", "../..", "x/created", "_", "1_", String(repeating: "7", count: 5000)] {
            for item in ["comment", "status", "reaction", "rating"] {
                let value = """
                    {"item":"\(item)","verb":"add","post_id":"\(id)","comment_id":"\(id)","parent_id":"\(id)","open_graph_story_id":"\(id)",\
                    "from":{"id":"\(id)"},"message":"a"}
                    """
                Self.check(Self.feed(value))
                Self.check(Self.feed(value, field: "ratings"))
            }
        }
    }
}
