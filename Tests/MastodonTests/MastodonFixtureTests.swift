import ConnectorKit
import ConnectorTesting
import JSON
import MastodonConnector
import SocialEvents
import Testing

/// Payloads shaped like those of the software named, against the events that they should become.
///
/// `UPDATE_FIXTURES=1 swift test --filter MastodonFixtureTests` writes the expected events anew.
struct MastodonFixtureTests {
    private static let fixtures = Fixture("../../Plugins/Mastodon/Fixtures")
    private static let now = Timestamp(seconds: 1_780_000_000)

    static var payloads: [String] {
        get throws { try fixtures.names().filter { !$0.hasSuffix(".expected.jsonl") } }
    }

    @Test("Every fixture becomes the events beside it", arguments: try payloads)
    func fixture(name: String) throws {
        let bytes = try Self.fixtures.bytes(name)
        let normalizer = MastodonNormalizer(host: "harbour.example", now: Self.now)
        var events: [Event] = []
        if name.hasPrefix("stream") {
            var reader = MastodonStreamReader(MastodonCursor(), .home, normalizer)
            let batch = try #require(try reader.read(bytes, now: Self.now))
            #expect(batch.deadLetters.count == 1, "the last update is cut")
            events = batch.events
        } else {
            try JSONParser().parse(bytes) { root in
                if root.kind == .array {
                    for notification in root.elements { try normalizer.notification(notification, into: &events) }
                } else {
                    try normalizer.status(root, on: .appearance, into: &events)
                }
            }
        }
        try Self.fixtures.expect(events, equals: "\(name).expected.jsonl")
    }
}
