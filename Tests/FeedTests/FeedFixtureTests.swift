import ConnectorKit
import ConnectorTesting
import FeedConnector
import JSON
import SocialEvents
import Testing

/// Whole feeds, shaped like those of the software named, against the events that they should become.
///
/// `UPDATE_FIXTURES=1 swift test --filter FeedFixtureTests` writes the expected events anew.
struct FeedFixtureTests {
    private static let fixtures = Fixture("../../Plugins/Feed/Fixtures")

    static var payloads: [String] {
        get throws { try fixtures.names().filter { !$0.hasSuffix(".expected.jsonl") } }
    }

    @Test("Every fixture becomes the events beside it", arguments: try payloads)
    func fixture(name: String) throws {
        let url = "https://fixture.example/feed"
        let now = Timestamp(seconds: 1_780_000_000)
        let document = try FeedParser.parse(Self.fixtures.bytes(name), url: url)
        let normalizer = FeedNormalizer(url: url, now: now)
        var memory = FeedMemory()
        let news = memory.absorb(
            normalizer.items(of: document),
            withdrawals: normalizer.withdrawals(of: document),
            unreadable: document.unreadable,
            now: now
        )
        try Self.fixtures.expect(news.events, equals: "\(name).expected.jsonl")
    }

    @Test("There is a fixture for every format")
    func formats() throws {
        let formats = try Self.payloads.map { try FeedParser.parse(Self.fixtures.bytes($0)).format }
        #expect(Set(formats) == [.rss, .rdf, .atom, .json])
    }
}
