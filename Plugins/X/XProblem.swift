import ConnectorKit
import HTTPTypes
import JSON
import SocialEvents

/// What X says of a failure: problem+json (RFC 9457), or the `errors` of v1.1.
struct XProblem: Sendable, Hashable {
    /// The last part of the problem's type, such as `usage-capped`; the host before it has changed and will again.
    var kind: String?
    /// In a few words.
    var title: String?
    /// `TooManyConnections` and the like.
    var connectionIssue: String?
    /// `UpstreamOperationalDisconnect` and the like.
    var disconnectType: String?
    /// `Daily` or `Monthly`, of a spent allowance.
    var period: String?
    /// The parameters that an invalid request complains about, and what it says of them.
    var complaints: [String] = []

    /// The last part of a problem's type.
    static func kind(of type: JSONValue?) -> String? {
        guard let text = type?.string, text.utf8.count < 300, text != "about:blank" else { return nil }
        return text.split(separator: "/").last.map { String($0.prefix(80)) }
    }

    /// Reads a problem, or the first of several that stand in `errors`; `nil` for what is none.
    init?(_ value: JSONValue) {
        let inner = value["errors"]?[0]
        guard let whole = value["title"] != nil || value["type"] != nil ? value : inner else { return nil }
        kind = Self.kind(of: whole["type"])
        title = (whole["title"] ?? whole["message"])?.string.map { String($0.prefix(100)) }
        connectionIssue = whole["connection_issue"]?.string.map { String($0.prefix(80)) }
        disconnectType = whole["disconnect_type"]?.string.map { String($0.prefix(80)) }
        period = whole["period"]?.string.map { String($0.prefix(20)) }
        guard let errors = value["errors"] else { return }
        for error in errors.elements.prefix(20) {
            guard let parameters = error["parameters"] else { continue }
            for (name, _) in parameters.members { complaints.append(String(name.string.prefix(40))) }
        }
    }

    /// Reads a body; `nil` where it is no problem, such as the HTML of a load balancer.
    init?(_ body: [UInt8]) {
        guard body.count <= 256 << 10 else { return nil }
        // A body that is not JSON says nothing; that is no failure of its own.
        guard let problem = try? JSONParser(maximumDepth: 16).parse(body, { XProblem($0) }) else { return nil }
        self = problem
    }

    /// What it is called in an error: the kind, or else the title; letters and marks alone, as it is printed.
    var name: String {
        let text = connectionIssue ?? disconnectType ?? kind ?? title ?? "no reason given"
        return String(
            text.unicodeScalars.filter { $0.isASCII && $0.value >= 0x20 && $0.value < 0x7F }.map(Character.init)
        )
    }
}

// MARK: - What the host shall do

/// How long X asks to wait between attempts on a stream.
enum XLadders {
    /// After a connection that broke: 250 ms more each time, up to 16 s.
    static let transport = RetryLadder(
        first: .milliseconds(250),
        growth: .linear(.milliseconds(250)),
        cap: .seconds(16)
    )
    /// After a failure that HTTP tells: 5 s, doubling up to 320 s.
    static let http = RetryLadder(first: .seconds(5), growth: .doubling, cap: .seconds(320))
    /// After a 429 that does not say how long: 60 s, doubling.
    static let limited = RetryLadder(first: .seconds(60), growth: .doubling, cap: .seconds(3600))
}

extension ConnectorError {
    /// What a response of X means for the host; `nil` below 400.
    ///
    /// An allowance that is spent (`usage-capped`) is told from a rate limit: it does not clear at the limit's reset but with the next day or month.
    static func ofX(status: Int, headers: HTTPFields, body: [UInt8], now: Timestamp, what: String) -> ConnectorError? {
        guard status >= 400 else { return nil }
        let problem = XProblem(body)
        if problem?.kind == "usage-capped" || problem?.title == "UsageCapExceeded" || status == 402 {
            return .spent(problem, now: now, what: what)
        }
        switch (status, problem?.kind) {
        case (403, "client-forbidden"), (403, "client-not-enrolled"):
            return ConnectorError(
                .unauthorized,
                "\(what): the app's access does not include this (\(problem?.name ?? "403"))"
            )
        case (409, _):
            return ConnectorError(.unavailable, "\(what): there are no rules", ladder: XLadders.http)
        case (429, "streaming-connection"):
            return ConnectorError(
                .rateLimited,
                "\(what): another connection of this app is open (\(problem?.name ?? "429"))",
                ladder: XLadders.limited
            )
        default: break
        }
        guard
            var error = ConnectorError.of(status: status, headers: headers, body: body, now: now, what: what)
        else { return nil }
        switch error.code {
        case .rateLimited: error.ladder = XLadders.limited
        case .unavailable: error.ladder = XLadders.http
        default: break
        }
        if let problem { error.message += " (\(problem.name))" }
        return error
    }

    /// An allowance of posts that is used up until the next day or month, which no waiting for a rate limit mends.
    private static func spent(_ problem: XProblem?, now: Timestamp, what: String) -> ConnectorError {
        let isDaily = problem?.period?.lowercased() == "daily"
        return ConnectorError(
            .rateLimited,
            "\(what): the \(isDaily ? "day's" : "month's") allowance at the platform is used up (usage-capped); raise it there or wait",
            retryAt: isDaily ? now.nextDay : now.nextMonth,
            ladder: XLadders.limited
        )
    }

    /// A problem that X tells with status 200, in place of what was asked for.
    static func inAnswer(_ problem: XProblem, what: String) -> ConnectorError {
        switch problem.kind {
        case "not-authorized-for-resource":
            ConnectorError(
                .unauthorized,
                "\(what): X does not show this to these credentials: the account is protected, or blocks them (\(problem.name))"
            )
        case "resource-not-found":
            ConnectorError(.rejected, "\(what): the account is deleted, suspended or was never there (\(problem.name))")
        default: ConnectorError(.unavailable, "\(what): X gives nothing (\(problem.name))", ladder: XLadders.http)
        }
    }

    /// A problem that a stream tells in a line of its own before it ends.
    static func inStream(_ problem: XProblem, now: Timestamp, what: String) -> ConnectorError {
        if problem.kind == "usage-capped" { return .spent(problem, now: now, what: what) }
        if problem.connectionIssue != nil {
            return ConnectorError(
                .rateLimited,
                "\(what): ended by the platform (\(problem.name))",
                ladder: XLadders.limited
            )
        }
        return ConnectorError(
            .unavailable,
            "\(what): ended by the platform (\(problem.name))",
            ladder: XLadders.transport
        )
    }
}

extension Timestamp {
    /// The next midnight, UTC.
    var nextDay: Timestamp {
        let day: Int64 = 86_400_000
        let begun = milliseconds - ((milliseconds % day) + day) % day
        return Timestamp(milliseconds: begun + day)
    }

    /// The first midnight of the next month, UTC.
    var nextMonth: Timestamp {
        let month = description.prefix(7)
        var moment = nextDay
        while moment.description.prefix(7) == month { moment = moment.nextDay }
        return moment
    }
}
