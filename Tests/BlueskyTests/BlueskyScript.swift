import BlueskyConnector
import ConnectorKit
import ConnectorTesting
import HTTPTypes
import JSON
import Logging
import SocialEvents
import Synchronization

/// A source over a scripted server, pulled as the host does: with the cursor of the last page.
final class BlueskyScript {
    /// Goes on from a cursor that another source left.
    func resume(_ cursor: Cursor?) { self.cursor = cursor }

    static let now = Timestamp(seconds: 1_780_000_000)
    static let appView = "https://public.api.bsky.app"

    let http = ScriptedHTTPClient()
    let webSockets = ScriptedWebSocketClient()
    let clock = ManualClock(now: BlueskyScript.now)
    let account = EphemeralAccount(name: "test")
    let connector: BlueskyConnector
    private(set) var cursor: Cursor?

    init(
        _ settings: [String: String],
        lists: [String: [String]] = [:],
        password: String? = nil,
        webSockets: (any WebSocketClient)? = nil,
        account: EphemeralAccount? = nil
    ) throws {
        let context = ConnectorContext(
            source: SourceName("test"),
            http: http,
            clock: clock,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            webSockets: webSockets ?? self.webSockets,
            account: account ?? self.account
        )
        connector = try BlueskyConnector(
            settings: Settings(SettingNode.members(settings, lists: lists, password: password)),
            context: context
        )
    }

    /// One pull; events are checked against the rules of the log.
    func pull() async throws -> PullPage {
        let page = try await connector.pull(PullRequest(cursor: cursor))
        for event in page.events {
            if let problem = event.validate().first { throw InvalidEvent(description: "\(event.id): \(problem)") }
        }
        if let next = page.cursor { cursor = next }
        return page
    }

    /// Pulls until nothing more waits.
    func pullAll() async throws -> [PullPage] {
        var pages: [PullPage] = []
        repeat { pages.append(try await pull()) } while pages.last?.hasMore == true && pages.count < 300
        return pages
    }

    /// Pulls until nothing more waits; what was said, by record key and in order.
    func pullKeys() async throws -> [String] {
        try await pullAll().flatMap(\.events).map { $0.key }
    }
}

extension Event {
    /// The record key in the subject, with a sign for what happened: `+` created, `-` deleted, `#` counted.
    var key: String {
        let sign =
            switch type.verb {
            case .created: ""
            case .deleted: "-"
            case .observed: "#"
            default: "~"
            }
        return sign + (subject?.text.split(separator: "/").last.map(String.init) ?? "")
    }
}

/// An event that the log would refuse.
struct InvalidEvent: Error, CustomStringConvertible {
    var description: String
}

extension SettingNode {
    static func members(
        _ settings: [String: String],
        lists: [String: [String]] = [:],
        password: String? = nil
    ) -> [Member] {
        func member(_ key: String, _ content: Content) -> Member {
            Member(key: key, position: SettingPosition(), value: SettingNode(content))
        }
        var members = settings.map { member($0.key, .scalar($0.value, isQuoted: false)) }
        members += lists.map { member($0.key, .list($0.value.map { SettingNode(.scalar($0, isQuoted: true)) })) }
        if let password { members.append(member("app_password", .secret(Secret(password)))) }
        return members
    }
}

/// A server that keeps posts and shows them as the AppView does: newest first, in pages.
final class PostServer: Sendable {
    struct Post: Sendable {
        var key: String
        var time: Timestamp
        var likes = 0
    }

    private struct State: Sendable {
        var posts: [Post] = []
        var refusesCursors = false
        var refusals = 0
        var repeatsCursors = false
        var checks: CheckAnswer = .good
        var pageSize = 100
        var limit = Int.max
    }

    private let state = Mutex(State())

    func publish(_ key: String, at time: Timestamp, likes: Int = 0) {
        state.withLock { $0.posts.append(Post(key: key, time: time, likes: likes)) }
    }

    /// What `getPosts` answers.
    enum CheckAnswer: Sendable {
        case good, empty, failing
    }

    func answerChecks(_ answer: CheckAnswer) { state.withLock { $0.checks = answer } }

    /// Takes its own cursors so many times not.
    func forgetCursors(_ count: Int) { state.withLock { $0.refusals = count } }

    /// Gives the cursor that was asked with again.
    func repeatCursors() { state.withLock { $0.repeatsCursors = true } }

    func delete(_ key: String) {
        state.withLock { $0.posts.removeAll { $0.key == key } }
    }

    func like(_ key: String) {
        state.withLock { state in
            for index in state.posts.indices where state.posts[index].key == key { state.posts[index].likes += 1 }
        }
    }

    /// How it pages: the most posts of a page, the most of a search, and whether it refuses cursors.
    func page(size: Int = 100, limit: Int = .max, refusesCursors: Bool = false) {
        state.withLock {
            $0.pageSize = size
            $0.limit = limit
            $0.refusesCursors = refusesCursors
        }
    }

    func answer(_ request: HTTPClientRequest) -> ScriptedAnswer? {
        let query = Self.query(request.url)
        let isFurther = query.contains { $0.0 == "cursor" }
        let state = state.withLock { state in
            defer { if isFurther { state.refusals = max(0, state.refusals - 1) } }
            return state
        }
        if isFurther, state.refusals > 0 {
            return .response(400, text: "{\"error\":\"InvalidRequest\",\"message\":\"Malformed cursor\"}")
        }
        func value(_ name: String) -> String? { query.first { $0.0 == name }?.1 }
        if request.url.contains("app.bsky.feed.getPosts") {
            switch state.checks {
            case .good: break
            case .empty: return .response(text: "{\"posts\":[]}")
            case .failing: return .response(502, text: "{\"error\":\"UpstreamFailure\",\"message\":\"\"}")
            }
            let asked = Set(
                query.filter { $0.0 == "uris" }.compactMap { $0.1.split(separator: "/").last.map(String.init) }
            )
            return .response(
                text:
                    "{\"posts\":[\(state.posts.filter { asked.contains($0.key) }.map(Self.view).joined(separator: ","))]}"
            )
        }
        var posts = state.posts.sorted { $0.time > $1.time }
        if let since = value("since").flatMap({ Timestamp(rfc3339: $0) }) { posts.removeAll { $0.time < since } }
        if let until = value("until").flatMap({ Timestamp(rfc3339: $0) }) { posts.removeAll { $0.time >= until } }
        posts = Array(posts.prefix(state.limit))
        let start = value("cursor").flatMap { Int($0) } ?? 0
        if start > 0, state.refusesCursors {
            return .response(
                403,
                text: "{\"error\":\"Forbidden\",\"message\":\"Request forbidden by administrative rules\"}"
            )
        }
        let page = posts.dropFirst(start).prefix(state.pageSize)
        var next = start + page.count < posts.count ? ",\"cursor\":\"\(start + page.count)\"" : ""
        if start > 0, state.repeatsCursors { next = ",\"cursor\":\"\(start)\"" }
        let views = page.map(Self.view)
        if request.url.contains("searchPosts") {
            return .response(text: "{\"posts\":[\(views.joined(separator: ","))]\(next)}")
        }
        return .response(text: "{\"feed\":[\(views.map { "{\"post\":\($0)}" }.joined(separator: ","))]\(next)}")
    }

    static func view(_ post: Post) -> String {
        """
        {"uri":"at://did:plc:aaaaaaaaaaaaaaaaaaaaaaaa/app.bsky.feed.post/\(post.key)","cid":"bafyreibbbbbbbbbbbb",\
        "author":{"did":"did:plc:aaaaaaaaaaaaaaaaaaaaaaaa","handle":"anna.example"},"record":{"$type":"app.bsky.feed.post",\
        "text":"\(post.key)","createdAt":"\(post.time)"},"indexedAt":"\(post.time)","likeCount":\(post.likes)}
        """
    }

    private static func query(_ url: String) -> [(String, String)] {
        guard let mark = url.firstIndex(of: "?") else { return [] }
        return url[url.index(after: mark)...].split(separator: "&").map { pair in
            let sides = pair.split(separator: "=", maxSplits: 1)
            let value = sides.count > 1 ? String(sides[1]) : ""
            return (
                String(sides[0]),
                value.replacing("%3A", with: ":").replacing("%2F", with: "/")
            )
        }
    }
}

/// An instance of Jetstream on its first wire: it goes on from the time it is asked for, that moment included.
struct StreamServer: Sendable {
    static let start = 1_779_990_000_000_000
    /// How many messages it keeps, a second apart.
    var count: Int

    func answer(_ request: WebSocketRequest) -> (messages: [WebSocketMessage], end: ScriptedWebSocketClient.End)? {
        let cursor = request.url.split(separator: "&").last { $0.hasPrefix("cursor=") }.flatMap { Int($0.dropFirst(7)) }
        let numbers = (0..<count).filter { Self.start + $0 * 1_000_000 >= cursor ?? 0 }
        return (numbers.map { Self.message($0) }, .close(code: 1000))
    }

    static func message(_ number: Int, _ key: String? = nil) -> WebSocketMessage {
        .text(
            Array(
                """
                {"did":"did:plc:aaaaaaaaaaaaaaaaaaaaaaaa","time_us":\(start + number * 1_000_000),"kind":"commit","commit":{\
                "rev":"3mptbypkxkx2g","operation":"create","collection":"app.bsky.feed.post","rkey":"\(key ?? "p\(number)")",\
                "record":{"$type":"app.bsky.feed.post","text":"x","createdAt":"2026-05-28T00:00:00Z"},"cid":"bafyreibbbbbbbb"}}
                """.utf8
            )
        )
    }
}
