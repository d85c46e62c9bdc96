import ConnectorKit
import ConnectorTesting
import FeedConnector
import SocialEvents
import Testing

/// New, edited, withdrawn and returned entries over a row of fetches.
struct FeedChangeTests {
    @Test("An entry becomes an event once, however often the feed shows it")
    func once() async throws {
        let script = try FeedScript()
        let first = try await script.pull(Sample.rss(Sample.items([2, 1])))
        #expect(
            first.events.map(\.id.text) == [
                "feed:article:tag:example.org,2026:1/created", "feed:article:tag:example.org,2026:2/created",
            ]
        )
        #expect(first.events.allSatisfy { $0.type == .postCreated && $0.platform == .feed })
        let second = try await script.pull(Sample.rss(Sample.items([3, 2, 1])))
        #expect(second.events.map(\.subject) == [tagged("3")])
        let third = try await script.pull(Sample.rss(Sample.items([3, 2, 1])))
        #expect(third.events.isEmpty && third.cursor == nil)
    }

    @Test("An edit is an update with a rising revision, white space and order of fetches are none")
    func edits() async throws {
        let script = try FeedScript()
        _ = try await script.pull(Sample.rss(Sample.item("1", text: "one two")))
        let same = try await script.pull(Sample.rss(Sample.item("1", text: " one \n two ")))
        #expect(same.events.isEmpty)
        let edited = try await script.pull(Sample.rss(Sample.item("1", text: "one three")))
        let event = try #require(edited.events.first)
        #expect(event.type == .postUpdated && event.id == EventID(tagged("1"), .updated, revision: 1))
        #expect(event.data.object?.revision == 1 && event.data.object?.text == "one three")
        #expect(event.time == script.clock.now && event.data.loss.contains { $0.field == "updated" })
        let back = try await script.pull(Sample.rss(Sample.item("1", text: "one two")))
        #expect(back.events.map(\.id) == [EventID(tagged("1"), .updated, revision: 2)])
    }

    @Test("An entry that left the feed and returns is not told again, but its edit is")
    func returning() async throws {
        let script = try FeedScript()
        _ = try await script.pull(Sample.rss(Sample.items([2, 1])))
        _ = try await script.pull(Sample.rss(Sample.items([3, 2])))
        let returned = try await script.pull(Sample.rss(Sample.items([3, 1])))
        #expect(returned.events.isEmpty)
        let edited = try await script.pull(Sample.rss(Sample.item("3"), Sample.item("1", text: "other")))
        #expect(edited.events.map(\.id) == [EventID(tagged("1"), .updated, revision: 1)])
    }

    @Test("A tombstone is a withdrawal, told once; an entry that is changed after it returns as an update")
    func tombstones() async throws {
        let script = try FeedScript()
        _ = try await script.pull(Sample.atom(Sample.entry("2"), Sample.entry("1")))
        let tombstone = "<at:deleted-entry ref=\"tag:example.org,2026:1\" when=\"2026-05-02T00:00:00Z\"/>"
        let withdrawn = try await script.pull(Sample.atom(tombstone, Sample.entry("2")))
        let event = try #require(withdrawn.events.first)
        #expect(withdrawn.events.count == 1 && event.type == .postDeleted && event.subject == tagged("1"))
        #expect(event.id == EventID(tagged("1"), .deleted) && event.time.description == "2026-05-02T00:00:00.000Z")
        let again = try await script.pull(Sample.atom(tombstone, Sample.entry("2"), Sample.entry("3")))
        #expect(again.events.map(\.subject) == [tagged("3")])
        // The entry itself is still in the feed, but older than its tombstone.
        let stale = try await script.pull(Sample.atom(tombstone, Sample.entry("2"), Sample.entry("1")))
        #expect(stale.events.isEmpty)
        let newer = Sample.entry("1", updated: "2026-05-03T00:00:00Z")
        let returned = try await script.pull(Sample.atom(tombstone, Sample.entry("2"), newer))
        #expect(returned.events.map(\.id) == [EventID(tagged("1"), .updated, revision: 1)])
        let second = "<at:deleted-entry ref=\"tag:example.org,2026:1\" when=\"2026-05-04T00:00:00Z\"/>"
        let twice = try await script.pull(Sample.atom(second, Sample.entry("2")))
        #expect(twice.events.map(\.id) == [EventID(tagged("1"), .deleted, revision: 1)])
    }

    @Test("Absence says nothing: an entry that leaves the feed is not withdrawn")
    func absence() async throws {
        let script = try FeedScript()
        _ = try await script.pull(Sample.rss(Sample.items([2, 1])))
        #expect(try await script.pull(Sample.rss(Sample.items([2]))).events.isEmpty)
    }

    @Test("Events come oldest first, also from feeds that begin with the oldest")
    func order() async throws {
        let old = Sample.item("1", date: "Fri, 01 May 2026 10:00:00 +0000")
        let new = Sample.item("2", date: "Fri, 01 May 2026 11:00:00 +0000")
        for body in [Sample.rss(old, new), Sample.rss(new, old)] {
            let page = try await FeedScript().pull(body)
            #expect(page.events.map(\.subject) == [tagged("1"), tagged("2")])
        }
    }

    @Test("Entries that share an id but not a link are told apart by their links")
    func sharedIDs() async throws {
        func item(_ page: String) -> String {
            "<item><guid>https://example.org/</guid><link>https://example.org/\(page)</link><title>\(page)</title></item>"
        }
        let page = try await FeedScript().pull(Sample.rss(item("b"), item("a")))
        #expect(
            page.events.map(\.subject?.text) == [
                "feed:article:https://example.org/a", "feed:article:https://example.org/b",
            ]
        )
        #expect(page.events.allSatisfy { $0.data.loss.contains { $0.field == "id" } })
    }

    @Test("An id that is unique in the world is the same in every feed, others are the feed's own")
    func scopes() async throws {
        let body = """
            <rss version="2.0"><channel><item><guid isPermaLink="false">17</guid><title>a</title></item>\
            <item><guid isPermaLink="false">urn:uuid:1</guid><title>b</title></item>\
            <item><title>no id, no link</title></item></channel></rss>
            """
        var ids: [[String]] = []
        for url in ["https://one.example/feed/", "http://two.example/feed?key=secret"] {
            let script = try FeedScript(url: url)
            script.serve(body, at: url)
            ids.append(try await script.pull().events.compactMap(\.subject?.text).sorted())
        }
        #expect(ids[0].contains("feed:article:one.example/feed#17"))
        #expect(Set(ids[0]).intersection(ids[1]) == ["feed:article:urn:uuid:1"])
        #expect(!ids[1].contains { $0.contains("secret") })
    }

    @Test("What a source remembers is bounded, and holds what the feed has now")
    func boundedMemory() async throws {
        let script = try FeedScript()
        for start in stride(from: 0, to: 3000, by: 20) {
            _ = try await script.pull(Sample.rss(Sample.items((start..<start + 25).reversed())))
        }
        #expect(try #require(script.cursor).bytes.count < 8000)
        #expect(try await script.pull(Sample.rss(Sample.items(Array(2980..<3005)))).events.isEmpty)
    }
}
