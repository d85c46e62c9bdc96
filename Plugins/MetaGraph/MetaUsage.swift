package import ConnectorKit
package import HTTPTypes
package import SocialEvents

/// What an answer's usage headers ask for: `X-App-Usage`, `X-Page-Usage`, `X-Business-Use-Case-Usage`, in percent of what is allowed.
///
/// The quota of the account learns them with every answer; this says how a source that reads at leisure keeps away from the end.
package enum MetaUsage {
    /// The fullest of all counts; `nil` where the answer has none.
    package static func fullest(in headers: HTTPFields, now: Timestamp) -> RateLimit? {
        RateLimit.tightest(in: headers, now: now)
    }

    /// The earliest moment to ask again at leisure; `nil` as long as four fifths are not used up.
    ///
    /// Windows roll over an hour (calls of an app) or a day (a business use case), and calls while throttled prolong it.
    package static func notBefore(in headers: HTTPFields, now: Timestamp) -> Timestamp? {
        guard let limit = fullest(in: headers, now: now), let used = limit.usedFraction, used >= 0.8 else { return nil }
        if used >= 1 { return limit.resetAt ?? now.advanced(by: .seconds(1800)) }
        return now.advanced(by: used >= 0.95 ? .seconds(900) : .seconds(300))
    }
}
