import ConnectorKit
import ConnectorTesting
import FeedConnector
import HTTPTypes
import SocialEvents
import Testing

/// Holes between fetches: found, reported, filled from older pages where the feed offers them.
struct FeedGapTests {
    private static func link(_ relation: String, _ page: String) -> String {
        "<atom:link rel=\"\(relation)\" href=\"https://example.org/\(page)\"/>"
    }

    private func page(_ ids: [Int], _ head: String = "") -> String { Sample.rss(Sample.items(ids), head: head) }

    private func keys(_ pages: [PullPage]) -> (opened: [String], closed: [String]) {
        var opened: [String] = []
        var closed: [String] = []
        for report in pages.flatMap(\.gaps) {
            switch report {
            case .opened(let key, _): opened.append(key)
            case .closed(let key, _): closed.append(key)
            }
        }
        return (opened, closed)
    }

    @Test("A fetch without a known entry opens a gap; without older pages it stays open")
    func stays() async throws {
        let script = try FeedScript()
        #expect(try await script.pull(page([2, 1])).gaps.isEmpty)
        let next = try await script.pull(page([9, 8]))
        #expect(keys([next]).opened.count == 1 && keys([next]).closed.isEmpty && !next.hasMore)
        #expect(next.events.count == 2)
        #expect(try await script.pull(page([10, 9])).gaps.isEmpty)
    }

    @Test("A gap is filled page by page until an entry known before it", arguments: ["prev-archive", "next"])
    func archives(relation: String) async throws {
        let script = try FeedScript()
        _ = try await script.pull(page([3, 2, 1]))
        script.serve(page([9, 8], Self.link(relation, "a")))
        script.serve(page([7, 6], Self.link(relation, "b")), at: "https://example.org/a")
        script.serve(page([5, 4, 3], Self.link(relation, "c")), at: "https://example.org/b")
        let pages = try await script.pullAll()
        let ids = pages.flatMap { $0.events.compactMap(\.subject) }
        #expect(Set(ids) == Set([4, 5, 6, 7, 8, 9].map { tagged("\($0)") }) && ids.count == 6)
        let (opened, closed) = keys(pages)
        #expect(opened.count == 1 && opened == closed)
        #expect(!script.http.requests.contains { $0.url == "https://example.org/c" })
        let calm = try await script.pullAll()
        #expect(calm.flatMap(\.events).isEmpty && calm.flatMap(\.gaps).isEmpty)
    }

    @Test("JSON Feed is filled by `next_url`")
    func json() async throws {
        func document(_ ids: [Int], next: String? = nil) -> String {
            let items = ids.map { "{\"id\": \"urn:x:\($0)\", \"content_text\": \"entry \($0)\"}" }.joined(
                separator: ","
            )
            let next = next.map { "\"next_url\": \"https://example.org/\($0)\", " } ?? ""
            return "{\"version\": \"https://jsonfeed.org/version/1.1\", \(next)\"items\": [\(items)]}"
        }
        let script = try FeedScript()
        _ = try await script.pull(document([1]))
        script.serve(document([3], next: "2"))
        script.serve(document([2, 1]), at: "https://example.org/2")
        let pages = try await script.pullAll()
        #expect(pages.flatMap(\.events).count == 2 && keys(pages).closed.count == 1)
    }

    @Test("WordPress is filled by its paged feed, and a 404 means that the first entry is reached")
    func wordPress() async throws {
        let generator = "<generator>https://wordpress.org/?v=6.1.9</generator>"
        let url = "https://example.org/?feed=rss2"
        let script = try FeedScript(url: url)
        script.serve(page([1], generator), at: url)
        _ = try await script.pull()
        // The known entry was deleted in the meantime, so no page has it.
        script.serve(page([6, 5], generator), at: url)
        script.serve(page([4, 3], generator), at: url + "&paged=2")
        script.serve(page([2], generator), at: url + "&paged=3")
        script.serve(page([], generator), status: 404, at: url + "&paged=4")
        let pages = try await script.pullAll()
        #expect(pages.flatMap(\.events).count == 5)
        #expect(keys(pages).opened == keys(pages).closed && keys(pages).closed.count == 1)
        #expect(script.http.unexpectedRequests.isEmpty)
    }

    @Test("A comment feed of WordPress has no pages, so what is missing in it stays an open gap")
    func wordPressComments() async throws {
        let url = "https://example.org/?feed=comments-rss2"
        func comments(_ numbers: [Int]) -> String {
            let items = numbers.map {
                "<item><title>By N</title><guid>https://example.org/?p=1#comment-\($0)</guid>"
                    + "<link>https://example.org/?p=1#comment-\($0)</link><description>Words \($0)</description></item>"
            }
            return
                "<rss version=\"2.0\"><channel><title>Comments</title><generator>https://wordpress.org/?v=6.1.9</generator>"
                + items.joined() + "</channel></rss>"
        }
        let script = try FeedScript(url: url)
        script.serve(comments([1]), at: url)
        _ = try await script.pull()
        script.serve(comments([9, 8]), at: url)
        let pages = try await script.pullAll()
        #expect(keys(pages).opened.count == 1 && keys(pages).closed.isEmpty)
        #expect(script.http.unexpectedRequests.isEmpty)
    }

    @Test("A WordPress that gives the same page whatever is asked leaves the gap open")
    func wordPressWithoutPages() async throws {
        let generator = "<generator>https://wordpress.org/?v=6.1.9</generator>"
        let url = "https://example.org/?feed=rss2"
        let script = try FeedScript(url: url)
        script.serve(page([1], generator), at: url)
        _ = try await script.pull()
        script.serve(page([6, 5], generator), at: url)
        script.serve(page([6, 5], generator), at: url + "&paged=2")
        let pages = try await script.pullAll()
        #expect(keys(pages).opened.count == 1 && keys(pages).closed.isEmpty)
        #expect(script.http.unexpectedRequests.isEmpty)
    }

    @Test("A page that cannot be had is tried again later, and the gap stays open when it never comes")
    func failingArchive() async throws {
        let script = try FeedScript()
        _ = try await script.pull(page([1]))
        script.serve(page([9], Self.link("next", "a")))
        script.serve("", status: 503, at: "https://example.org/a")
        var pages = try await script.pullAll()
        // The feed itself goes on being read between the attempts.
        script.serve(page([10, 9], Self.link("next", "a")))
        pages += try await script.pullAll()
        #expect(pages.flatMap(\.events).map(\.subject) == [tagged("9"), tagged("10")])
        script.serve(page([8, 1]), at: "https://example.org/a")
        pages += try await script.pullAll()
        #expect(keys(pages).closed == keys(pages).opened && pages.flatMap(\.events).count == 3)

        let never = try FeedScript()
        _ = try await never.pull(page([1]))
        never.serve(page([9], Self.link("next", "a")))
        never.serve("", status: 503, at: "https://example.org/a")
        for _ in 0..<5 { _ = try await never.pullAll() }
        #expect(never.http.requests.filter { $0.url == "https://example.org/a" }.count == 3)
    }

    @Test("Pages that lead in a circle end")
    func circle() async throws {
        let script = try FeedScript()
        _ = try await script.pull(page([1]))
        script.serve(page([9], Self.link("next", "a")))
        script.serve(page([8], Self.link("next", "b")), at: "https://example.org/a")
        script.serve(page([7], Self.link("next", "a")), at: "https://example.org/b")
        let pages = try await script.pullAll()
        #expect(pages.count < 100 && pages.flatMap(\.events).count == 3)
        #expect(keys(pages).closed.isEmpty)
    }

    @Test("An older page that says otherwise of a known entry is no edit")
    func staleArchive() async throws {
        let script = try FeedScript()
        _ = try await script.pull(page([1]))
        script.serve(Sample.rss(Sample.items([9]), head: Self.link("next", "a")))
        let old = Sample.rss(Sample.item("9", text: "first draft"), Sample.items([1]))
        script.serve(old, at: "https://example.org/a")
        let pages = try await script.pullAll()
        #expect(pages.flatMap(\.events).map(\.type) == [.postCreated])
    }

    @Test("Older pages are left alone where the operator wants it, and in feeds that hold all there is")
    func ignored() async throws {
        let script = try FeedScript(["archives": "ignore"])
        _ = try await script.pull(page([1]))
        let next = try await script.pull(page([9], Self.link("next", "a")))
        #expect(next.gaps.count == 1 && !next.hasMore)
        let complete = try FeedScript()
        let head = "<fh:complete xmlns:fh=\"http://purl.org/syndication/history/1.0\"/>"
        _ = try await complete.pull(page([1], head))
        #expect(try await complete.pull(page([9], head)).gaps.isEmpty)
    }

    @Test("A second gap during a repair is closed with the first")
    func twoGaps() async throws {
        let script = try FeedScript()
        _ = try await script.pull(page([1]))
        script.serve(page([5], Self.link("next", "a")))
        script.serve("", status: 503, at: "https://example.org/a")
        var pages = try await script.pullAll()
        script.serve(page([9], Self.link("next", "b")))
        script.serve(page([8, 7, 6, 5, 4, 3, 2, 1]), at: "https://example.org/b")
        pages += try await script.pullAll()
        #expect(keys(pages).opened.count == 2 && Set(keys(pages).opened) == Set(keys(pages).closed))
        #expect(pages.flatMap(\.events).count == 8)
    }
}
