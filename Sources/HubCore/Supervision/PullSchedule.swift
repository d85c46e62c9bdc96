import SocialEvents

/// When a source is asked again: often while it brings news, less often while it does not, always within the configured range.
package struct PullSchedule: Sendable {
    /// The configured range.
    package let range: ClosedRange<Duration>
    /// The interval at the moment, before jitter.
    package private(set) var interval: Duration
    private var isFirst = true

    /// A schedule that begins at the short end.
    package init(range: ClosedRange<Duration>) {
        self.range = range
        interval = range.lowerBound
    }

    /// Adapts to whether the last pull brought something new: halves the interval, or lengthens it by half.
    package mutating func adapt(news: Bool) {
        interval = news ? max(range.lowerBound, interval / 2) : min(range.upperBound, interval * 3 / 2)
    }

    /// How long to wait now: the interval give or take a tenth, within the range.
    ///
    /// The very first wait lies anywhere between one and two intervals, so that sources which started together drift apart at once.
    package mutating func nextDelay(random: inout SeededGenerator) -> Duration {
        let spread = isFirst ? interval...(interval * 2) : (interval * 9 / 10)...(interval * 11 / 10)
        isFirst = false
        return min(max(random.duration(in: spread), range.lowerBound), range.upperBound)
    }
}
