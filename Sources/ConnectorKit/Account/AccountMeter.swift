package import SocialEvents
import Synchronization

/// What one account may still do, shared by its sources.
package final class AccountMeter: Sendable {
    /// A rate limit as last told by the platform, less what was sent since.
    package struct Bucket: Sendable, Hashable {
        /// What is counted together.
        package var name: String
        /// Most requests in a window, where told.
        package var limit: Int?
        /// Requests left.
        package var remaining: Int?
        /// When there are more again.
        package var resetAt: Timestamp?
    }

    private struct State {
        var buckets: [String: Bucket] = [:]
        var spend = SpendMeter()
        /// How many sources of each are read.
        var priorities: [SourcePriority: Int] = [:]
        var readers: UInt64 = 0
    }

    /// Buckets that are remembered; a connector has a handful.
    private static let mostBuckets = 200
    /// The currency of what is spent.
    package let currency: String
    private let state: Mutex<State>

    /// An account of which nothing is known yet.
    package init(spend: SpendMeter = SpendMeter(), currency: String = "USD") {
        self.currency = currency
        state = Mutex(State(spend: spend))
    }

    /// A source of this priority begins to be read, or is no longer: what is kept for it is for others then.
    package func isRead(_ isRead: Bool, _ priority: SourcePriority) {
        state.withLock { state in
            let count = state.priorities[priority, default: 0] + (isRead ? 1 : -1)
            state.priorities[priority] = count > 0 ? count : nil
        }
    }

    /// A name for one who reads, unlike all others of this account.
    func newReader() -> UInt64 {
        state.withLock { state in
            state.readers += 1
            return state.readers
        }
    }

    /// When a request may be made; `nil` now, and it is counted.
    package func admit(_ name: String, priority: SourcePriority, now: Timestamp) -> Timestamp? {
        state.withLock { state in
            guard var bucket = state.buckets[name], let resetAt = bucket.resetAt, resetAt > now else { return nil }
            guard let remaining = bucket.remaining else { return nil }
            let kept = Int(
                (Double(bucket.limit ?? 0) * (1 - Self.share(of: priority, among: state.priorities))).rounded()
            )
            guard remaining > kept else { return resetAt }
            bucket.remaining = remaining - 1
            state.buckets[name] = bucket
            return nil
        }
    }

    /// Takes up what the platform told.
    package func learn(_ limit: RateLimit, for name: String) {
        state.withLock { state in
            guard state.buckets[name] != nil || state.buckets.count < Self.mostBuckets else { return }
            let remaining = limit.remaining ?? limit.usedFraction.map { $0 >= 1 ? 0 : 1 }
            var learned = Bucket(name: name, limit: limit.limit, remaining: remaining, resetAt: limit.resetAt)
            // An answer to an earlier request may come after that to a later one: within a window the count only falls. Platforms that tell the
            // seconds left rather than a moment name one that moves by less than two.
            if let known = state.buckets[name], Self.isSame(known.resetAt, learned.resetAt),
                let old = known.remaining, let new = learned.remaining
            {
                learned.remaining = min(old, new)
            }
            state.buckets[name] = learned
        }
    }

    func admitSpend(
        _ kind: String,
        count: Int,
        priority: SourcePriority,
        reader: UInt64,
        now: Timestamp
    ) -> Timestamp? {
        state.withLock { state in
            let share = Self.share(of: priority, among: state.priorities)
            return state.spend.waitsUntil(kind, count: count, share: share, reader: reader, now: now)
        }
    }

    func read(_ kind: String, ids: some Swift.Sequence<String>, by reader: UInt64, now: Timestamp) {
        state.withLock { $0.spend.read(kind, ids: ids, by: reader, now: now) }
    }

    private static func isSame(_ one: Timestamp?, _ other: Timestamp?) -> Bool {
        guard let one, let other else { return one == other }
        return abs(one.milliseconds - other.milliseconds) < 2000
    }

    /// The limits known, by name.
    package var buckets: [Bucket] { state.withLock { $0.buckets.values.sorted { $0.name < $1.name } } }

    /// What was spent, and the means to change it.
    package func withSpend<Value>(_ body: (inout SpendMeter) -> Value) -> Value {
        state.withLock { body(&$0.spend) }
    }

    /// How much of a limit a source may use: all, unless the account has sources of higher priority to keep a part for.
    private static func share(of priority: SourcePriority, among priorities: [SourcePriority: Int]) -> Double {
        switch priority {
        case .high: 1
        case .normal: priorities[.high] != nil ? 0.8 : 1
        case .low:
            switch (priorities[.normal] != nil, priorities[.high] != nil) {
            case (false, false): 1
            case (true, true): 0.5
            default: 0.8
            }
        }
    }
}
