import ConnectorKit
import ConnectorTesting
import HTTPTypes
import JSON
import Logging
import SocialEvents
import XConnector

/// An X source over a scripted platform.
final class XScript: Sendable {
    static let start = Timestamp(seconds: 1_784_927_750)

    let http = ScriptedHTTPClient()
    let clock = ManualClock(now: XScript.start)
    let account: any Account
    let meter = AccountMeter()
    let connector: XConnector

    init(
        _ settings: [SettingNode.Member],
        source: String = "test",
        account: any Account = EphemeralAccount(name: "test"),
        bearer: Bool = true
    ) throws {
        self.account = account
        let context = ConnectorContext(
            source: SourceName(source),
            http: http,
            clock: clock,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            account: account,
            quota: Quota(meter, priority: .normal, clock: clock)
        )
        let all = settings + (bearer ? [.secret("bearer_token", "app-token")] : [])
        connector = try XConnector(settings: Settings(all), context: context)
    }

    func pull(_ cursor: Cursor? = nil, limit: Int = 100) async throws -> PullPage {
        let page = try await connector.pull(PullRequest(cursor: cursor, limit: limit))
        for event in page.events {
            if let problem = event.validate().first { throw InvalidEvent(description: "\(event.id): \(problem)") }
        }
        return page
    }

    /// What a request asked for, by its parameters; nothing where it was not made.
    func query(_ index: Int) -> [String: String] {
        http.requests.indices.contains(index) ? Query.parse(http.requests[index].url) : [:]
    }
}

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
            values[String(parts[0])] = parts.count > 1 ? decode(String(parts[1])) : ""
        }
        return values
    }

    static func path(_ url: String) -> String {
        let rest = url.split(separator: "?").first.map(String.init) ?? url
        return rest.replacing("https://api.x.com", with: "")
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

extension SettingNode.Member {
    static func plain(_ key: String, _ value: String) -> Self {
        Self(key: key, position: SettingPosition(), value: SettingNode(.scalar(value, isQuoted: false)))
    }

    static func secret(_ key: String, _ value: String) -> Self {
        Self(key: key, position: SettingPosition(), value: SettingNode(.secret(Secret(value))))
    }

    static func rules(_ rules: KeyValuePairs<String, String>) -> Self {
        let members = rules.map { SettingNode.Member.plain($0.key, $0.value) }
        return Self(key: "rules", position: SettingPosition(), value: SettingNode(.map(members)))
    }
}

/// Small payloads, written out.
enum Sample {
    static func post(_ id: Int, text: String = "words", more: String = "") -> String {
        """
        {"id":"\(id)","text":"\(text)","author_id":"7","created_at":"2026-07-24T21:00:00.000Z",\
        "edit_history_tweet_ids":["\(id)"]\(more)}
        """
    }

    static func page(_ ids: [Int], next: String? = nil, more: String = "") -> String {
        let data = ids.isEmpty ? "" : "\"data\":[\(ids.map { post($0) }.joined(separator: ","))],"
        let newest = ids.first.map { ",\"newest_id\":\"\($0)\",\"oldest_id\":\"\(ids.last ?? $0)\"" } ?? ""
        let token = next.map { ",\"next_token\":\"\($0)\"" } ?? ""
        return "{\(data)\"meta\":{\"result_count\":\(ids.count)\(newest)\(token)}\(more)}"
    }

    static func line(_ id: Int, rule: String = "roost/test/care") -> String {
        "{\"data\":\(post(id)),\"matching_rules\":[{\"id\":\"\(rule.utf8.count)9\",\"tag\":\"\(rule)\"}]}\r\n"
    }

    static func problem(_ kind: String, status: Int, more: String = "") -> String {
        """
        {"title":"A problem","detail":"details","type":"https://api.twitter.com/2/problems/\(kind)","status":\(status)\(more)}
        """
    }

    static func invalid(_ parameter: String) -> String {
        """
        {"errors":[{"parameters":{"\(parameter)":["1"]},"message":"bad"}],"title":"Invalid Request",\
        "type":"https://api.x.com/2/problems/invalid-request"}
        """
    }
}

func postID(_ id: Int) -> ObjectID { ObjectID(text: "x:post:\(id)") }

/// Header fields by their names.
func headers(_ fields: KeyValuePairs<String, String>) -> HTTPFields {
    var headers = HTTPFields()
    for (name, value) in fields {
        if let name = HTTPField.Name(name) { headers[name] = value }
    }
    return headers
}
