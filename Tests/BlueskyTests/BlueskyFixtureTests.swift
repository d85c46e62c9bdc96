import BlueskyConnector
import ConnectorKit
import ConnectorTesting
import JSON
import SocialEvents
import Testing

/// Whole payloads, shaped as the network and the AppView send them, against the events that they should become.
///
/// `UPDATE_FIXTURES=1 swift test --filter BlueskyFixtureTests` writes the expected events anew.
struct BlueskyFixtureTests {
    private static let fixtures = Fixture("../../Plugins/Bluesky/Fixtures")

    static var payloads: [String] {
        get throws { try fixtures.names().filter { !$0.hasSuffix(".expected.jsonl") } }
    }

    @Test("Every fixture becomes the events beside it", arguments: try payloads)
    func fixture(name: String) throws {
        let normalizer = try Self.read(name)
        try Self.fixtures.expect(normalizer.events, equals: "\(name).expected.jsonl")
    }

    @Test("Both wires of the stream tell the same events")
    func wires() throws {
        let first = try Self.read("jetstream-v1.jsonl").events
        let second = try Self.read("jetstream-v2.jsonl").events
        // What was not understood is kept as it came; all else is the same.
        let understood = first.filter { $0.type != .unrecognised }
        #expect(understood == second.filter { $0.type != .unrecognised })
        #expect(!understood.isEmpty)
    }

    @Test("A post has the same id in the stream, a search, a feed and a notification")
    func identity() throws {
        let id = "bluesky:post:at://did:plc:anna000000000000000000aa/app.bsky.feed.post/3aaaaaaaaaa2a/created"
        for name in ["jetstream-v1.jsonl", "search.json", "notifications.json"] {
            #expect(try Self.read(name).events.contains { $0.id.text == id }, "\(name)")
        }
    }

    @Test("Counts stand beside posts that a view shows, and nowhere else")
    func counts() throws {
        let posts = try Self.read("search.json").events
        #expect(posts.map { $0.data.metrics?.likes } == [5, 0])
        #expect(try Self.read("jetstream-v1.jsonl").events.allSatisfy { $0.data.metrics == nil })
    }

    static func read(_ name: String) throws -> BlueskyNormalizer {
        let parser = JSONParser()
        var normalizer = BlueskyNormalizer(now: Timestamp(seconds: 1_780_001_000))
        let bytes = try fixtures.bytes(name)
        if name.hasSuffix(".jsonl") {
            for line in bytes.split(separator: UInt8(ascii: "\n")) {
                _ = normalizer.jetstream(Array(line), with: parser)
            }
            return normalizer
        }
        try parser.parse(bytes) { root in
            for view in try root.optionalArray("posts") ?? root.elements { _ = normalizer.postView(view) }
            for item in try root.optionalArray("feed") ?? root.elements { _ = normalizer.feedEntry(item) }
            for item in try root.optionalArray("notifications") ?? root.elements { _ = normalizer.notification(item) }
        }
        return normalizer
    }
}
