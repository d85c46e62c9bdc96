import ConnectorKit
import ConnectorTesting
import FacebookConnector
import HTTPTypes
import JSON
import Logging
import SocialEvents

/// A Facebook source over a scripted platform.
struct FacebookScript {
    static let start = Timestamp(seconds: 1_784_927_750)
    static let page = "108824017345866"

    let http = ScriptedHTTPClient()
    let clock = ManualClock(now: FacebookScript.start)
    let connector: FacebookConnector

    init(_ settings: [SettingNode.Member] = pulling) throws {
        let context = ConnectorContext(
            source: SourceName("test"),
            http: http,
            clock: clock,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        connector = try FacebookConnector(settings: Settings(settings), context: context)
    }

    static var pulling: [SettingNode.Member] { [.plain("page", page), .secret("access_token", "page-token")] }
    static var called: [SettingNode.Member] {
        [.secret("app_secret", "app secret"), .secret("verify_token", "verify me")]
    }

    func pull(_ cursor: Cursor? = nil) async throws -> PullPage {
        let page = try await connector.pull(PullRequest(cursor: cursor, limit: 100))
        for event in page.events {
            if let problem = event.validate().first { throw InvalidEvent(description: "\(event.id): \(problem)") }
        }
        return page
    }

    /// Pulls until nothing waits; every page that came.
    func walk(_ cursor: Cursor? = nil) async throws -> [PullPage] {
        var pages: [PullPage] = []
        var cursor = cursor
        repeat {
            let page = try await pull(cursor)
            cursor = page.cursor ?? cursor
            pages.append(page)
        } while pages.last?.hasMore == true && pages.count < 100
        return pages
    }
}

extension [PullPage] {
    var ids: [String] { flatMap { $0.events.map(\.id.text) } }
}

/// An event that the log would refuse.
struct InvalidEvent: Error, CustomStringConvertible {
    var description: String
}

extension SettingNode.Member {
    static func plain(_ key: String, _ value: String) -> Self {
        Self(key: key, position: SettingPosition(), value: SettingNode(.scalar(value, isQuoted: false)))
    }

    static func secret(_ key: String, _ value: String) -> Self {
        Self(key: key, position: SettingPosition(), value: SettingNode(.secret(Secret(value))))
    }
}

/// A small Page: posts and comments that are answered as the Graph API does.
struct FacebookWorld: Sendable {
    struct Post: Sendable {
        var id: Int
        /// Seconds before the script's start.
        var age: Int
        var comments: [Int] = []
        var isGone = false
    }

    /// The newest first.
    var posts: [Post]
    var pageSize = 2

    /// The answer to a request of the connector.
    func answer(_ request: HTTPClientRequest) -> ScriptedAnswer? {
        if request.method == .post { return batch(String(decoding: request.body, as: UTF8.self)) }
        let query = Query.parse(request.url)
        let since = query["since"].flatMap { Int64($0) } ?? 0
        let start = FacebookScript.start.milliseconds / 1000
        let found = posts.filter { !$0.isGone && start - Int64($0.age) >= since }
        let from = query["after"].flatMap { Int($0) } ?? 0
        let shown = found.dropFirst(from).prefix(pageSize)
        let next = from + pageSize < found.count ? from + pageSize : nil
        let link = next.map {
            ",\"next\":\"https://graph.facebook.com/v24.0/\(FacebookScript.page)/feed?access_token=page-token&since=\(since)&after=\($0)\""
        }
        let data = shown.map {
            "{\"id\":\"\(FacebookScript.page)_\($0.id)\",\"message\":\"words\",\(Self.time($0.age))}"
        }
        return .response(
            text: "{\"data\":[\(data.joined(separator: ","))],\"paging\":{\"cursors\":{\"after\":\"x\"}\(link ?? "")}}"
        )
    }

    private func batch(_ form: String) -> ScriptedAnswer {
        let calls = Query.parse("?" + form)["batch"] ?? "[]"
        let urls = try? JSONParser().parse(calls) { root in root.elements.compactMap { $0["relative_url"]?.string } }
        var writer = JSONWriter()
        writer.beginArray()
        for url in urls ?? [] {
            let (status, body) = comments(url)
            writer.beginObject()
            writer.member("code", status)
            writer.member("body", body)
            writer.endObject()
        }
        writer.endArray()
        return .response(body: writer.bytes)
    }

    private func comments(_ url: String) -> (Int, String) {
        let path = url.split(separator: "?")[0].split(separator: "/")
        let id = path[1].split(separator: "_").last.flatMap { Int($0) } ?? 0
        guard let post = posts.first(where: { $0.id == id }), !post.isGone else {
            return (400, #"{"error":{"code":100,"error_subcode":33}}"#)
        }
        let from = Query.parse(url)["after"].flatMap { Int($0) } ?? 0
        let data = post.comments.enumerated().dropFirst(from).prefix(pageSize).map { index, age in
            "{\"id\":\"\(id)_\(post.comments.count - index)\",\"message\":\"answer\",\(Self.time(age))}"
        }
        let next = from + pageSize < post.comments.count ? from + pageSize : nil
        let link = next.map {
            ",\"next\":\"https://graph.facebook.com/v24.0/\(FacebookScript.page)_\(id)/comments?filter=stream&after=\($0)\""
        }
        return (
            200, "{\"data\":[\(data.joined(separator: ","))],\"paging\":{\"cursors\":{\"after\":\"x\"}\(link ?? "")}}"
        )
    }

    private static func time(_ age: Int) -> String {
        "\"created_time\":\"\(FacebookScript.start.advanced(by: .seconds(-age)).description.prefix(19))+0000\""
    }
}

enum Query {
    static func parse(_ url: String) -> [String: String] {
        guard let mark = url.firstIndex(of: "?") else { return [:] }
        var values: [String: String] = [:]
        for pair in url[url.index(after: mark)...].split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1)
            values[String(parts[0])] = parts.count > 1 ? decode(String(parts[1])) : ""
        }
        return values
    }

    private static func decode(_ text: String) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
