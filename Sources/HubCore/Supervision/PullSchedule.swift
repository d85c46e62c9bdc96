import SocialEvents

/// When a source is asked again: often while it brings news, less often while it does not, always within the configured range.
package struct PullSchedule: Sendable {
    /// The configured range.
    package let range: ClosedRange<Duration>
    /// The interval at the moment, before jitter.
    package private(set) var interval: Duration
    private var isFirst = true
    /// Fixed intervals are stretched by up to a tenth, or sources that started together would ask together for ever.
    private var longestDelay: Duration { max(range.upperBound, range.lowerBound * 11 / 10) }

    /// A schedule that begins at the short end.
    package init(range: ClosedRange<Duration>) {
        self.range = range
        interval = range.lowerBound
    }

    /// Adapts to whether the last pull brought something new: halves the interval, or lengthens it by half.
    package mutating func adapt(news: Bool) {
        interval = news ? max(range.lowerBound, interval / 2) : min(range.upperBound, interval * 3 / 2)
    }

    /// How long to wait now: the interval give or take a tenth, never shorter than configured.
    ///
    /// The very first wait lies anywhere between one and two intervals, so that sources which started together drift apart at once.
    package mutating func nextDelay(random: inout SeededGenerator) -> Duration {
        let shortest = isFirst ? interval : max(interval * 9 / 10, range.lowerBound)
        let longest = min(isFirst ? interval * 2 : interval * 11 / 10, longestDelay)
        isFirst = false
        return random.duration(in: shortest...max(shortest, longest))
    }
}
