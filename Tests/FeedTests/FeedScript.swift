import ConnectorKit
import ConnectorTesting
import FeedConnector
import HTTPTypes
import JSON
import Logging
import SocialEvents

/// A feed source over a scripted server, pulled as the host does: with the cursor of the last page.
final class FeedScript {
    static let url = "https://example.org/feed"

    let http = ScriptedHTTPClient()
    let clock = ManualClock(now: Timestamp(seconds: 1_780_000_000))
    private(set) var cursor: Cursor?
    let connector: FeedConnector

    init(_ settings: [String: String] = [:], url: String = FeedScript.url) throws {
        var members = settings.map { SettingNode.Member.plain($0.key, $0.value) }
        members.append(.plain("url", url))
        let context = ConnectorContext(
            source: SourceName("test"),
            http: http,
            clock: clock,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        connector = try FeedConnector(settings: Settings(members), context: context)
    }

    /// Goes on from the cursor of another script.
    func resume(from cursor: Cursor?) {
        self.cursor = cursor
    }

    /// Serves a document at the feed's address from now on.
    func serve(_ body: String, status: Int = 200, headers: HTTPFields = [:], at url: String = FeedScript.url) {
        http.route(.get, url, .response(status, headers: headers, text: body))
    }

    /// One pull; events are checked against the rules of the log and noted for the check against the schema.
    func pull() async throws -> PullPage {
        let page = try await connector.pull(PullRequest(cursor: cursor))
        for event in page.events {
            if let problem = event.validate().first { throw InvalidEvent(description: "\(event.id): \(problem)") }
        }
        note(page.events.prefix(100))
        if let next = page.cursor { cursor = next }
        return page
    }

    private func note(_ events: ArraySlice<Event>) {
        for event in events {
            var writer = JSONWriter()
            EventEncoder.encodeBody(event, source: SourceName("test"), into: &writer)
            EmittedEvents.note(writer.bytes)
        }
    }

    /// Serves a document and pulls.
    func pull(_ body: String) async throws -> PullPage {
        serve(body)
        return try await pull()
    }

    /// Pulls until nothing more waits.
    func pullAll() async throws -> [PullPage] {
        var pages: [PullPage] = []
        repeat { pages.append(try await pull()) } while pages.last?.hasMore == true && pages.count < 200
        return pages
    }
}

/// An event that the log would refuse.
struct InvalidEvent: Error, CustomStringConvertible {
    var description: String
}

extension SettingNode.Member {
    static func plain(_ key: String, _ value: String) -> Self {
        Self(key: key, position: SettingPosition(), value: SettingNode(.scalar(value, isQuoted: false)))
    }
}

/// Small feeds, written out.
enum Sample {
    static func item(_ id: String, title: String? = nil, text: String = "words", date: String? = nil) -> String {
        """
        <item><guid isPermaLink="false">tag:example.org,2026:\(id)</guid><title>\(title ?? "Entry \(id)")</title>\
        <description>\(text)</description>\(date.map { "<pubDate>\($0)</pubDate>" } ?? "")</item>
        """
    }

    static func rss(_ items: String..., head: String = "") -> String {
        """
        <rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom" xmlns:sy="http://purl.org/rss/1.0/modules/syndication/">\
        <channel><title>A feed</title><link>https://example.org/</link>\(head)\(items.joined())</channel></rss>
        """
    }

    static func items(_ ids: [Int]) -> String { ids.map { item("\($0)") }.joined() }

    static func atom(_ entries: String..., head: String = "") -> String {
        """
        <feed xmlns="http://www.w3.org/2005/Atom" xmlns:at="http://purl.org/atompub/tombstones/1.0" \
        xmlns:thr="http://purl.org/syndication/thread/1.0"><id>tag:example.org,2026:feed</id><title>A feed</title>\
        \(head)\(entries.joined())</feed>
        """
    }

    static let json = """
        {"version": "https://jsonfeed.org/version/1.1", "title": "A feed", "items": [
        {"id": "2", "content_text": "b", "date_published": "2026-01-02T00:00:00Z"}, {"id": 1, "content_html": "<p>a</p>"}]}
        """

    static func entry(_ id: String, updated: String = "2026-05-01T12:00:00Z", _ more: String = "") -> String {
        "<entry><id>tag:example.org,2026:\(id)</id><title>Entry \(id)</title><updated>\(updated)</updated>\(more)</entry>"
    }
}

/// The object of `tag:example.org,2026:ID`.
func tagged(_ id: String) -> ObjectID { ObjectID(text: "feed:article:tag:example.org,2026:\(id)") }
