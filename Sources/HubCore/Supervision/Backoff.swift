import SocialEvents

/// How long to wait after failures in a row: exponential with full jitter, so that sources that failed together do not return together.
package struct Backoff: Sendable, Hashable {
    /// The longest wait after the first failure; doubled by each further one.
    package var base: Duration
    /// No wait is longer.
    package var cap: Duration
    /// No wait is shorter, so that chance never makes a busy loop.
    package var floor: Duration

    /// A back-off.
    package init(base: Duration, cap: Duration, floor: Duration = .milliseconds(500)) {
        self.base = base
        self.cap = cap
        self.floor = floor
    }

    /// For a platform that fails.
    package static let platform = Backoff(base: .seconds(2), cap: .seconds(900))

    /// For the hub's own log, which is near and whose recovery should not be missed for long.
    package static let log = Backoff(base: .seconds(1), cap: .seconds(15))

    /// The longest wait after `attempt` failures in a row, counted from 1.
    package func ceiling(attempt: Int) -> Duration {
        // Beyond 2^20 every base of a millisecond or more is past any cap in use.
        let factor = 1 << min(max(attempt, 1) - 1, 20)
        return max(floor, min(cap, base * factor))
    }

    /// A wait after `attempt` failures in a row.
    package func delay(attempt: Int, random: inout SeededGenerator) -> Duration {
        random.duration(in: floor...ceiling(attempt: attempt))
    }
}
