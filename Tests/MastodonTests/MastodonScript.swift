import ConnectorKit
import ConnectorTesting
import HTTPTypes
import JSON
import Logging
import MastodonConnector
import SocialEvents
import Synchronization

/// A source over a scripted server with one timeline, pulled as the host does: with the cursor of the last page.
final class MastodonScript {
    static let base = "https://harbour.example"

    let http: ScriptedHTTPClient
    let timeline: ScriptedTimeline
    let clock = ManualClock(now: Timestamp(seconds: 1_780_000_000))
    let connector: MastodonConnector
    private(set) var cursor: Cursor?

    init(_ settings: [String: String] = [:], _ timeline: ScriptedTimeline = ScriptedTimeline()) throws {
        self.timeline = timeline
        http = ScriptedHTTPClient(timeline.handler)
        let context = ConnectorContext(
            source: SourceName("test"),
            http: http,
            clock: clock,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        connector = try MastodonConnector(settings: Settings(Self.members(settings)), context: context)
    }

    /// The settings of a source of kind `home`, with others in their place or beside them.
    static func members(_ settings: [String: String]) -> [SettingNode.Member] {
        var all = ["kind": "home", "base_url": base]
        all.merge(settings) { _, new in new }
        return all.sorted { $0.key < $1.key }.map { .plain($0.key, $0.value) }
            + [
                SettingNode.Member(
                    key: "access_token",
                    position: SettingPosition(),
                    value: SettingNode(.secret(Secret("token-of-nora")))
                )
            ]
    }

    /// One pull, its events checked against the rules of the log.
    func pull(limit: Int = 500) async throws -> PullPage {
        let page = try await connector.pull(PullRequest(cursor: cursor, limit: limit))
        try Self.check(page.events)
        if let next = page.cursor { cursor = next }
        return page
    }

    /// Pulls until there is no more; the events of all pages.
    func pullAll(limit: Int = 500) async throws -> [Event] {
        var events: [Event] = []
        for _ in 0..<200 {
            let page = try await pull(limit: limit)
            events += page.events
            if !page.hasMore { return events }
        }
        throw InvalidEvent(description: "it never ends")
    }

    static func check(_ events: [Event]) throws {
        for event in events {
            if let problem = event.validate().first { throw InvalidEvent(description: "\(event.id): \(problem)") }
            var writer = JSONWriter()
            EventEncoder.encodeBody(event, source: SourceName("test"), into: &writer)
            EmittedEvents.note(writer.bytes)
        }
    }
}

/// An event the log would refuse.
struct InvalidEvent: Error, CustomStringConvertible {
    var description: String
}

extension SettingNode.Member {
    static func plain(_ key: String, _ value: String) -> Self {
        SettingNode.Member(key: key, position: SettingPosition(), value: SettingNode(.scalar(value, isQuoted: false)))
    }
}

/// A timeline that answers `min_id`, `max_id` and `limit` as servers do.
final class ScriptedTimeline: Sendable {
    struct Post: Sendable, Equatable {
        var id: Int
        var editedAt: String?
        var isOnTimeline = true

        /// Seconds since the first post.
        var second: Int { id - 1000 }
        var uri: String { "https://harbour.example/users/nora/statuses/\(id)" }
        var objectID: String { "mastodon:post:\(uri)" }

        var json: String {
            let time = Timestamp(seconds: Int64(1_770_000_000 + second))
            return """
                {"id":"\(id)","uri":"\(uri)","url":"https://harbour.example/@nora/\(id)","created_at":"\(time)",\
                "edited_at":\(editedAt.map { "\"\($0)\"" } ?? "null"),"visibility":"public","content":"<p>Post \(id)</p>",\
                "account":{"id":"1","acct":"nora","username":"nora","url":"https://harbour.example/@nora"}}
                """
        }
    }

    struct State: Sendable {
        var posts: [Post] = []
        /// Ids below this are answered with the oldest page.
        var foreignBelow = 0
        /// Whether `min_id` means "from this one on".
        var isInclusive = false
        /// Whether `min_id` means nothing at all.
        var ignoresMinimum = false
        /// Answers every page with this status.
        var status = 200
        /// Most a page has, whatever is asked for.
        var cap = 40
        var stream = ""
    }

    private let state = Mutex(State())

    func update<Value: Sendable>(_ change: (inout sending State) -> sending Value) -> Value {
        state.withLock { change(&$0) }
    }

    func post(_ ids: some Swift.Sequence<Int>) {
        state.withLock { state in
            for id in ids { state.posts.append(Post(id: id)) }
            state.posts.sort { $0.id < $1.id }
        }
    }

    /// Forgets posts as a server does whose author deleted them.
    func delete(_ ids: Int...) {
        state.withLock { state in state.posts.removeAll { ids.contains($0.id) } }
    }

    func edit(_ id: Int, at time: String) {
        state.withLock { state in
            for index in state.posts.indices where state.posts[index].id == id { state.posts[index].editedAt = time }
        }
    }

    var handler: ScriptedHTTPClient.Handler {
        { [self] request in
            let parts = request.url.dropFirst(MastodonScript.base.count).split(separator: "?", maxSplits: 1)
            var query: [Substring: Substring] = [:]
            for pair in parts.count > 1 ? parts[1].split(separator: "&") : [] {
                let sides = pair.split(separator: "=", maxSplits: 1)
                query[sides[0]] = sides.count > 1 ? sides[1] : ""
            }
            let now = state.withLock { $0 }
            switch parts[0] {
            case "/api/v1/timelines/home": return page(query, now)
            case "/.well-known/nodeinfo":
                return .response(
                    text:
                        "{\"links\":[{\"rel\":\"http://nodeinfo.diaspora.software/ns/schema/2.0\",\"href\":\"https://harbour.example/nodeinfo/2.0\"}]}"
                )
            case "/nodeinfo/2.0": return .response(text: "{\"software\":{\"name\":\"mastodon\",\"version\":\"4.5.0\"}}")
            case "/api/v2/instance":
                return .response(
                    text: "{\"configuration\":{\"urls\":{\"streaming\":\"wss://harbour.example\"}}}"
                )
            case "/api/v1/streaming/user":
                return .response(headers: [.contentType: "text/event-stream"], text: now.stream).chunked(64)
            case let path where path.hasPrefix("/api/v1/statuses/"):
                let id = Int(path.dropFirst("/api/v1/statuses/".count))
                guard let post = now.posts.first(where: { $0.id == id }) else {
                    return .response(404, text: "{\"error\":\"Record not found\"}")
                }
                return .response(text: post.json)
            default: return .response(404, text: "{\"error\":\"Record not found\"}")
            }
        }
    }

    private func page(_ query: [Substring: Substring], _ now: State) -> ScriptedAnswer {
        guard now.status == 200 else { return .response(now.status, text: "{\"error\":\"nope\"}") }
        let limit = min(query["limit"].flatMap { Int($0) } ?? 20, now.cap)
        var posts = now.posts.filter(\.isOnTimeline)
        if let bound = query["max_id"].flatMap({ Int($0) }) { posts = posts.filter { $0.id < bound } }
        if let bound = query["min_id"].flatMap({ Int($0) }), !now.ignoresMinimum {
            if bound >= now.foreignBelow { posts = posts.filter { now.isInclusive ? $0.id >= bound : $0.id > bound } }
            posts = Array(posts.prefix(limit))
        } else {
            posts = Array(posts.suffix(limit))
        }
        return .response(text: "[\(posts.reversed().map(\.json).joined(separator: ","))]")
    }
}

/// The id of the post of that number in a ``ScriptedTimeline``.
func postID(_ id: Int) -> String { ScriptedTimeline.Post(id: id).objectID }

extension [Event] {
    /// What was told, as `created 1001`, `updated 1001`, `deleted 1001`.
    var facts: [String] {
        map { event in
            let number = event.subject?.text.split(separator: "/").last.map(String.init) ?? "?"
            return "\(event.type.verb.rawValue) \(number)"
        }
    }
}
