public import HTTPTypes
public import SocialEvents

/// How much a platform still allows, as its response headers say.
///
/// Every platform counts in its own way; what one does not say is `nil`. Values come from outside: they are read where they make
/// sense and left out where they do not, and nothing here fails.
public struct RateLimit: Sendable, Hashable {
    /// What is counted, in the platform's words: empty for requests at large, otherwise a policy, an application, an account.
    public var scope: String
    /// Most requests in a window.
    public var limit: Int?
    /// Requests left in this window.
    public var remaining: Int?
    /// How much is used up: 0 nothing, 1 all; more than 1 where the platform says so.
    public var usedFraction: Double?
    /// When the window ends, or when the platform expects to allow more.
    public var resetAt: Timestamp?
    /// How long a window is.
    public var window: Duration?

    /// A limit.
    public init(
        scope: String = "",
        limit: Int? = nil,
        remaining: Int? = nil,
        usedFraction: Double? = nil,
        resetAt: Timestamp? = nil,
        window: Duration? = nil
    ) {
        self.scope = scope
        self.limit = limit
        self.remaining = remaining
        self.usedFraction = usedFraction
        self.resetAt = resetAt
        self.window = window
    }

    /// Whether nothing is left.
    public var isExhausted: Bool {
        remaining == 0 || (usedFraction ?? 0) >= 1
    }

    /// Every limit that the headers tell of.
    ///
    /// Known are the three-field families `x-rate-limit-*` (X, also for its daily limits), `X-RateLimit-*` (Mastodon, GoToSocial, Reddit) and `RateLimit-*`
    /// (Bluesky, older drafts of the IETF), the single fields of later drafts (`RateLimit: limit=…` and `"policy";r=…;t=…`), and
    /// Meta's `X-App-Usage`, `X-Page-Usage`, `X-Ad-Account-Usage` and `X-Business-Use-Case-Usage`.
    ///
    /// - Parameters:
    ///   - headers: of any response, a refusal or not.
    ///   - now: the time now, for resets told in seconds.
    /// - Returns: the limits, at most 50; empty where the platform says nothing.
    public static func all(in headers: HTTPFields, now: Timestamp) -> [RateLimit] {
        var limits: [RateLimit] = []
        for family in families {
            let limit = read(family, in: headers, now: now)
            if let limit { limits.append(limit) }
        }
        limits += structured(in: headers, now: now)
        limits += metaUsage(in: headers, now: now)
        return Array(limits.prefix(50))
    }

    /// The limit that is nearest to its end: exhausted ones first, of these the one that ends last.
    public static func tightest(in headers: HTTPFields, now: Timestamp) -> RateLimit? {
        all(in: headers, now: now).max { a, b in
            if a.isExhausted != b.isExhausted { return b.isExhausted }
            if a.isExhausted { return (a.resetAt ?? now) < (b.resetAt ?? now) }
            return (a.usedFraction ?? 0) < (b.usedFraction ?? 0)
        }
    }

    /// The moment from which nothing is exhausted any more; `nil` when nothing is, or the platform does not say when.
    public static func exhaustedUntil(in headers: HTTPFields, now: Timestamp) -> Timestamp? {
        all(in: headers, now: now).filter(\.isExhausted).compactMap(\.resetAt).max()
    }
}

// MARK: - Three fields of one family

extension RateLimit {
    private struct Family {
        var scope = ""
        var prefix: String
    }

    private static let families = [
        Family(prefix: "x-rate-limit-"),
        Family(scope: "app-24hour", prefix: "x-app-limit-24hour-"),
        Family(scope: "user-24hour", prefix: "x-user-limit-24hour-"),
        Family(prefix: "x-ratelimit-"),
        Family(prefix: "ratelimit-"),
    ]

    private static func read(_ family: Family, in headers: HTTPFields, now: Timestamp) -> RateLimit? {
        func value(_ name: String) -> String? { headers.value(family.prefix + name) }
        let limit = HeaderNumber.count(value("limit"))
        let remaining = HeaderNumber.count(value("remaining"))
        let resetAt = value("reset").flatMap { reset($0, now: now) }
        guard limit != nil || remaining != nil || resetAt != nil else { return nil }
        var used: Double?
        if let remaining {
            // Reddit gives no limit but what was used of it.
            let total = limit ?? HeaderNumber.count(value("used")).map { $0 + remaining }
            used = total.flatMap { $0 > 0 ? max(0, 1 - Double(remaining) / Double($0)) : nil }
        }
        let policy = value("policy") ?? value("limit")
        return RateLimit(
            scope: family.scope,
            limit: limit,
            remaining: remaining,
            usedFraction: used,
            resetAt: resetAt,
            window: policy.flatMap { ParameterList.parse($0).compactMap { $0.number("w") }.first }.map { .seconds($0) }
        )
    }

    /// Reads a reset: an RFC 3339 time, or a number whose size tells what it counts.
    ///
    /// Seconds left are fewer than 10^9 (31 years), seconds since 1970 have been more since 2001, and milliseconds since 1970 are more than 10^11.
    private static func reset(_ text: String, now: Timestamp) -> Timestamp? {
        let text = text.trimmingSpaces()
        guard let number = HeaderNumber.decimal(text) else {
            return Timestamp(rfc3339: text) ?? HTTPDate.parse(text, now: now)
        }
        switch number {
        case ..<1e9: return now.advanced(by: .milliseconds(Int64((number * 1000).rounded(.up))))
        case ..<1e11: return Timestamp(milliseconds: Int64((number * 1000).rounded(.up)))
        case ..<1e14: return Timestamp(milliseconds: Int64(number))
        default: return nil
        }
    }
}

// MARK: - One field of the IETF's drafts

extension RateLimit {
    /// `RateLimit: limit=100, remaining=50, reset=30` (drafts 3 to 7) or `"default";r=50;t=30` with `RateLimit-Policy: "default";q=100;w=60` (since draft 8).
    private static func structured(in headers: HTTPFields, now: Timestamp) -> [RateLimit] {
        guard let value = headers.value("ratelimit") else { return [] }
        let items = ParameterList.parse(value)
        var flat = RateLimit()
        for item in items where item.parameters.isEmpty {
            guard let (name, number) = item.assignment else { continue }
            switch name {
            case "limit": flat.limit = number
            case "remaining": flat.remaining = number
            case "reset": flat.resetAt = now.advanced(by: .seconds(number))
            default: break
            }
        }
        let policies = ParameterList.parse(headers.value("ratelimit-policy") ?? "")
        var limits: [RateLimit] = []
        if flat != RateLimit() {
            flat.window = policies.first?.number("w").map { .seconds($0) }
            limits.append(flat)
        }
        for item in items {
            guard let remaining = item.number("r") else { continue }
            let policy = policies.first { $0.name == item.name }
            limits.append(
                RateLimit(
                    scope: item.name,
                    limit: policy?.number("q"),
                    remaining: remaining,
                    resetAt: item.number("t").map { now.advanced(by: .seconds($0)) },
                    window: policy?.number("w").map { .seconds($0) }
                )
            )
        }
        for index in limits.indices {
            guard let limit = limits[index].limit, limit > 0, let remaining = limits[index].remaining else { continue }
            limits[index].usedFraction = max(0, 1 - Double(remaining) / Double(limit))
        }
        return limits
    }
}

/// A list of items with parameters, `"a";q=1;w=2, b=3`, as far as rate limits need structured fields (RFC 9651).
struct ParameterList {
    var name: String
    var parameters: [(name: String, value: String)]

    /// An item such as `limit=100` that stands alone.
    var assignment: (name: String, number: Int)? {
        let parts = name.split(separator: "=", maxSplits: 1)
        guard parts.count == 2, let number = HeaderNumber.count(String(parts[1])) else { return nil }
        return (parts[0].trimmingSpaces().lowercased(), number)
    }

    /// The parameter of that name as a number, none above 10^12.
    func number(_ name: String) -> Int? {
        parameters.first { $0.name == name }.flatMap { HeaderNumber.count($0.value) }.map { min($0, 1_000_000_000_000) }
    }

    /// The items, at most 50.
    ///
    /// Quotes around a name are taken off; nothing here holds a `,` or `;` inside quotes.
    static func parse(_ value: String) -> [ParameterList] {
        guard value.utf8.count <= 4096 else { return [] }
        return value.split(separator: ",").prefix(50).map { item in
            let parts = item.split(separator: ";")
            let parameters = parts.dropFirst().compactMap { part -> (name: String, value: String)? in
                let pair = part.split(separator: "=", maxSplits: 1)
                guard pair.count == 2 else { return nil }
                return (pair[0].trimmingSpaces().lowercased(), pair[1].trimmingSpaces())
            }
            let name = (parts.first ?? "").trimmingSpaces().filter { $0 != "\"" }
            return ParameterList(name: name, parameters: parameters)
        }
    }
}
