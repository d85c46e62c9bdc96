/// How long to wait after one failure after another, where a platform prescribes it.
///
/// The host climbs it, adds jitter, and starts anew after data.
public struct RetryLadder: Sendable, Hashable {
    /// How the wait grows from one failure to the next.
    public enum Growth: Sendable, Hashable {
        /// By this much.
        case linear(Duration)
        /// Twice as long each time.
        case doubling
    }

    /// The wait after the first failure.
    public var first: Duration
    /// How it grows.
    public var growth: Growth
    /// The longest wait.
    public var cap: Duration

    /// A ladder.
    public init(first: Duration, growth: Growth, cap: Duration) {
        self.first = first
        self.growth = growth
        self.cap = cap
    }

    /// The wait after so many failures in a row, counted from 1.
    public func delay(attempt: Int) -> Duration {
        let steps = max(0, attempt - 1)
        switch growth {
        case .linear(let step): return min(cap, first + step * min(steps, 100_000))
        case .doubling: return min(cap, first * (1 << min(steps, 30)))
        }
    }
}
