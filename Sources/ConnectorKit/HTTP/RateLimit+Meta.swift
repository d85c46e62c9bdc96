import HTTPTypes
import JSON
import SocialEvents

// Meta counts calls, CPU time and total time in percent of what is allowed, in JSON inside a header field. The fullest of
// the three counts. `X-Business-Use-Case-Usage` has a list for each business object, each with minutes until access returns.

extension RateLimit {
    private static let simpleFields = [
        ("app", "x-app-usage"), ("page", "x-page-usage"), ("ad-account", "x-ad-account-usage"),
    ]

    static func metaUsage(in headers: HTTPFields, now: Timestamp) -> [RateLimit] {
        var limits: [RateLimit] = []
        let parser = JSONParser(maximumDepth: 8, maximumSize: 64 << 10)
        for (scope, name) in simpleFields {
            guard let value = headers.value(name) else { continue }
            // A field that is not JSON says nothing, which is no failure.
            try? parser.parse(value) { usage in
                if let limit = self.usage(usage, scope: scope, now: now) { limits.append(limit) }
            }
        }
        if let value = headers.value("x-business-use-case-usage") {
            try? parser.parse(value) { root in
                for (key, usages) in root.members {
                    let account = key.string
                    for usage in usages.elements.prefix(20) {
                        let scope = usage["type"]?.string.map { "\($0) \(account)" } ?? account
                        if let limit = self.usage(usage, scope: scope, now: now) { limits.append(limit) }
                    }
                }
            }
        }
        return limits
    }

    private static func usage(_ usage: JSONValue, scope: String, now: Timestamp) -> RateLimit? {
        let fractions = [usage["call_count"], usage["total_time"], usage["total_cputime"], usage["acc_id_util_pct"]]
            .compactMap { $0?.double }.filter { $0 >= 0 && $0 <= 1e6 }
        guard let most = fractions.max() else { return nil }
        var resetAt: Timestamp?
        if let minutes = usage["estimated_time_to_regain_access"]?.double, minutes > 0, minutes < 1e7 {
            resetAt = now.advanced(by: .milliseconds(Int64((minutes * 60_000).rounded(.up))))
        } else if let seconds = usage["reset_time_duration"]?.double, seconds > 0, seconds < 1e9 {
            resetAt = now.advanced(by: .milliseconds(Int64((seconds * 1000).rounded(.up))))
        }
        return RateLimit(scope: String(scope.prefix(100)), usedFraction: most / 100, resetAt: resetAt)
    }
}
