import ConnectorKit
import ConnectorTesting
import HTTPTypes
import InstagramConnector
import Logging
import SocialEvents
import Synchronization

/// A stand-in of the Graph API: lists with the newest element first, pages by `after`, and single objects.
final class InstagramWorld: Sendable {
    static let account = "17841400000000007"
    static let host = "https://graph.facebook.com"

    struct State {
        /// Elements by the path behind the version, as JSON.
        var lists: [String: [String]] = [:]
        /// Bodies by path.
        var objects: [String: String] = [:]
        /// Paths of what is gone.
        var gone: Set<String> = []
        /// Paths that answer an error of this code.
        var errors: [String: Int] = [:]
        var pageSize = 2
        /// The offsets at which an empty page stands that is no end.
        var emptyPages: Set<Int> = []
        /// Whether the last page of a list names itself as the next.
        var isEndless = false
    }

    private let state = Mutex(State())

    func change(_ body: (inout State) -> Void) { state.withLock { body(&$0) } }

    func answer(_ request: HTTPClientRequest) -> ScriptedAnswer {
        let path = Query.path(request.url)
        let query = Query.parse(request.url)
        return state.withLock { state in
            if state.gone.contains(path) { return Self.error(100, subcode: 33) }
            if let code = state.errors[path] { return Self.error(code) }
            if let body = state.objects[path] { return .response(text: body) }
            guard let list = state.lists[path] else { return Self.error(100) }
            return .response(text: Self.page(list, path, query, state))
        }
    }

    private static func page(_ list: [String], _ path: String, _ query: [String: String], _ state: State) -> String {
        let places = (query["after"] ?? "0.0").split(separator: ".").compactMap { Int($0) }
        let start = places.first ?? 0
        let isEmpty = state.emptyPages.contains(start) && places.last == 0
        let end = isEmpty ? start : min(start + state.pageSize, list.count)
        let after = state.isEndless && end == list.count ? query["after"] ?? "0.0" : "\(end).\(isEmpty ? 1 : 0)"
        let elements = start < end ? list[start..<end].joined(separator: ",") : ""
        let isLast = end >= list.count && !isEmpty && !state.isEndless
        let next = isLast ? "" : ",\"next\":\"\(host)/v24.0\(path)?access_token=leak&after=\(after)\""
        return "{\"data\":[\(elements)],\"paging\":{\"cursors\":{\"before\":\"b\",\"after\":\"\(after)\"}\(next)}}"
    }

    static func error(_ code: Int, subcode: Int? = nil) -> ScriptedAnswer {
        let more = subcode.map { ",\"error_subcode\":\($0)" } ?? ""
        return .response(
            400,
            text: "{\"error\":{\"message\":\"no\",\"type\":\"OAuthException\",\"code\":\(code)\(more)}}"
        )
    }
}

/// An Instagram source over a scripted platform.
final class InstagramScript: Sendable {
    static let start = Timestamp(seconds: 1_784_927_750)

    let world = InstagramWorld()
    let http = ScriptedHTTPClient()
    let clock = ManualClock(now: InstagramScript.start)
    let account: any Account
    let connector: InstagramConnector

    init(_ settings: [SettingNode.Member], account: any Account = EphemeralAccount(name: "test")) throws {
        self.account = account
        let context = ConnectorContext(
            source: SourceName("test"),
            http: http,
            clock: clock,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            account: account
        )
        connector = try InstagramConnector(settings: Settings(settings), context: context)
        let world = world
        http.handle { world.answer($0) }
    }

    /// A source of Facebook Login whose token stays.
    static func facebook(
        _ kind: String,
        _ more: [SettingNode.Member] = [],
        account: any Account = EphemeralAccount(name: "test")
    ) throws -> InstagramScript {
        try InstagramScript(facebookSettings(kind) + more, account: account)
    }

    static func facebookSettings(_ kind: String) -> [SettingNode.Member] {
        [
            .plain("kind", kind), .plain("login", "facebook"), .plain("user", InstagramWorld.account),
            .secret("access_token", "page-token"),
        ]
    }

    func pull(_ cursor: Cursor? = nil) async throws -> PullPage {
        let page = try await connector.pull(PullRequest(cursor: cursor, limit: 100))
        for event in page.events {
            if let problem = event.validate().first { throw InvalidEvent(description: "\(event.id): \(problem)") }
        }
        return page
    }

    /// Pulls until nothing waits.
    func catchUp(_ cursor: Cursor? = nil) async throws -> (events: [Event], cursor: Cursor?, gaps: [GapReport]) {
        var cursor = cursor
        var events: [Event] = []
        var gaps: [GapReport] = []
        for _ in 0..<200 {
            let page = try await pull(cursor)
            cursor = page.cursor ?? cursor
            events += page.events
            gaps += page.gaps
            if !page.hasMore { return (events, cursor, gaps) }
        }
        throw NeverEnds()
    }

    /// The paths asked for, without version, in order.
    var paths: [String] { http.requests.map { Query.path($0.url) } }
}

struct NeverEnds: Error {}

/// An event that the log would refuse.
struct InvalidEvent: Error, CustomStringConvertible {
    var description: String
}

enum Query {
    static func parse(_ url: String) -> [String: String] {
        guard let mark = url.firstIndex(of: "?") else { return [:] }
        var values: [String: String] = [:]
        for pair in url[url.index(after: mark)...].split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1)
            values[String(parts[0])] = parts.count > 1 ? String(parts[1]) : ""
        }
        return values
    }

    static func path(_ url: String) -> String {
        let rest = url.split(separator: "?").first.map(String.init) ?? url
        return rest.replacing(InstagramWorld.host, with: "").replacing("https://graph.instagram.com", with: "")
            .replacing("/v24.0", with: "")
    }
}

extension SettingNode.Member {
    static func plain(_ key: String, _ value: String) -> Self {
        Self(key: key, position: SettingPosition(), value: SettingNode(.scalar(value, isQuoted: false)))
    }

    static func secret(_ key: String, _ value: String) -> Self {
        Self(key: key, position: SettingPosition(), value: SettingNode(.secret(Secret(value))))
    }

    static func list(_ key: String, _ values: [String]) -> Self {
        let nodes = values.map { SettingNode(.scalar($0, isQuoted: false)) }
        return Self(key: key, position: SettingPosition(), value: SettingNode(.list(nodes)))
    }
}

/// Small payloads, written out.
enum Sample {
    static let mediaPath = "/\(InstagramWorld.account)/media"

    /// A media made `age` seconds before the start.
    static func media(_ id: Int, age: Int = 60, caption: String = "words", more: String = "") -> String {
        let time = stamp(age)
        return "{\"id\":\"\(id)\",\"caption\":\"\(caption)\",\"media_type\":\"IMAGE\",\"timestamp\":\"\(time)\"\(more)}"
    }

    static func comment(_ id: Int, age: Int = 60, text: String = "words", replies: [String] = []) -> String {
        let answers = replies.isEmpty ? "" : ",\"replies\":{\"data\":[\(replies.joined(separator: ","))]}"
        return "{\"id\":\"\(id)\",\"text\":\"\(text)\",\"timestamp\":\"\(stamp(age))\",\"username\":\"jo\"\(answers)}"
    }

    /// A media with some comments along, and where the others are.
    static func commented(_ id: Int, age: Int = 60, _ comments: [String], after: String? = nil) -> String {
        let next = "\(InstagramWorld.host)/v24.0/\(id)/comments?after=\(after ?? "")"
        let paging = after.map { ",\"paging\":{\"cursors\":{\"after\":\"\($0)\"},\"next\":\"\(next)\"}" } ?? ""
        let list = ",\"comments\":{\"data\":[\(comments.joined(separator: ","))]\(paging)}"
        return media(id, age: age, more: comments.isEmpty ? "" : list)
    }

    static func stamp(_ age: Int) -> String {
        let time = InstagramScript.start.advanced(by: .seconds(-age))
        return time.description.prefix(19) + "+0000"
    }
}

/// Header fields by their names.
func headers(_ fields: KeyValuePairs<String, String>) -> HTTPFields {
    var headers = HTTPFields()
    for (name, value) in fields {
        if let name = HTTPField.Name(name) { headers[name] = value }
    }
    return headers
}
