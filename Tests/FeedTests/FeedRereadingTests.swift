import ConnectorKit
import ConnectorTesting
import FeedConnector
import SocialEvents
import Testing

@Suite("Reading a feed's dead letters again")
struct FeedRereadingTests {
    private static let contract = ConnectorContract(
        FeedConnector.self,
        settings: [.plain("url", FeedScript.url)]
    ) { _ in }

    private func letter(_ payload: String, _ contentType: String) -> DeadLetter {
        DeadLetter(reason: "an older version", contentType: contentType, payload: Array(payload.utf8))
    }

    private func reread(_ letter: DeadLetter, _ script: FeedScript) async throws -> Rereading {
        try await script.connector.reread(RereadRequest(letter: letter, receivedAt: script.clock.now))
    }

    @Test("A kept document gives the events that the feed itself gives")
    func document() async throws {
        let body = Sample.rss(Sample.items([3, 2, 1]))
        let events = try await Self.contract.rereading([letter(body, "application/rss+xml; charset=utf-8")])
        #expect(events.map { $0.map(\.id) } == [try await FeedScript().pull(body).events.map(\.id)])
    }

    @Test("A kept entry is read in a document of its format, with the id it has in its feed")
    func entries() async throws {
        let atom = """
            <entry><id>tag:example.org,2026:1</id><title>One</title><updated>2026-01-01T00:00:00Z</updated>\
            <link href="https://example.org/1"/></entry>
            """
        let events = try await Self.contract.rereading([
            letter(Sample.item("1"), "application/xml; charset=utf-8; form=rss"),
            letter(atom, "application/xml; charset=utf-8; form=atom"),
            letter(#"{"id":"tag:example.org,2026:1","title":"One"}"#, "application/json; form=item"),
        ])
        let subjects = events.map { $0.map { $0.subject?.text } }
        #expect(subjects == Array(repeating: ["feed:article:tag:example.org,2026:1"], count: 3))
    }

    @Test(
        "An entry that says nothing can be read again as it was set aside, and still says nothing",
        arguments: [
            Sample.rss("<item><unknown>x</unknown></item>", Sample.items([1])),
            Sample.atom("<entry><unknown>x</unknown></entry>"),
            #"{"version":"https://jsonfeed.org/version/1.1","items":[{"unknown":1},{"id":"1","title":"One"}]}"#,
        ]
    )
    func unreadable(body: String) async throws {
        let script = try FeedScript()
        let kept = try #require(try await script.pull(body).deadLetters.first)
        #expect(!kept.isCut)
        #expect(kept.parameter("form") != nil)
        let error = await #expect(throws: ConnectorError.self) { _ = try await reread(kept, script) }
        #expect(error?.code == .malformed)
    }

    @Test("An entry whose end is missing is not taken for a whole one")
    func cut() async throws {
        let body = Sample.rss(Sample.items([1])).replacing("</item></channel></rss>", with: "")
        let kept = try #require(try await FeedScript().pull(body).deadLetters.first)
        #expect(kept.isCut)
    }

    @Test("What is no feed stays unreadable")
    func page() async throws {
        let kept = letter("<html><body>not a feed</body></html>", "text/html")
        let error = await #expect(throws: ConnectorError.self) { _ = try await reread(kept, try FeedScript()) }
        #expect(error?.code == .malformed)
    }
}
