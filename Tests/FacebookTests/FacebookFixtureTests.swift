import ConnectorKit
import ConnectorTesting
import JSON
import MetaGraph
import SocialEvents
import Testing

@testable import FacebookConnector

/// Payloads shaped like those of Facebook against the events that they should become.
///
/// `UPDATE_FIXTURES=1 swift test --filter FacebookFixtureTests` writes the expected events anew.
struct FacebookFixtureTests {
    private static let fixtures = Fixture("../../Plugins/Facebook/Fixtures")

    static var payloads: [String] {
        get throws { try fixtures.names(suffix: ".json") }
    }

    static func intake(_ payload: [UInt8]) throws -> MetaIntake {
        var intake = MetaIntake()
        let normalizer = FacebookNormalizer(now: FacebookScript.start)
        try JSONParser().parse(payload) { root in
            intake.read(root, body: payload) { notice, intake in try normalizer.read(notice, into: &intake) }
        }
        return intake
    }

    @Test("Every fixture becomes the events beside it", arguments: try payloads)
    func fixture(name: String) throws {
        let intake = try Self.intake(Self.fixtures.bytes(name))
        #expect(intake.deadLetters.isEmpty)
        try Self.fixtures.expect(intake.events, equals: "\(name).expected.jsonl")
    }

    @Test("Marks in the words count UTF-16 units there and Unicode scalars here")
    func offsets() throws {
        let text = """
            {"id":"1_2","created_time":"2026-07-24T20:00:00+0000","permalink_url":"https://www.facebook.com/1_2","message":"😀 Léa #a",\
            "message_tags":[{"id":"7","name":"Léa","offset":3,"length":3},{"id":"8","name":"beyond","offset":9,"length":5}]}
            """
        let event = try #require(try Self.intake(Array(text.utf8)).events.first)
        let entities = event.data.object?.entities ?? []
        #expect(entities.map(\.kind) == [.mention, .hashtag])
        #expect(entities.map(\.start) == [2, 6] && entities.map(\.end) == [5, 8])
        #expect(event.data.loss.contains { $0.field == "message_tags" })
    }
}
