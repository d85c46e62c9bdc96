import Markup
package import SocialEvents

/// How often a feed wants to be asked, as its document says.
package struct FeedPace: Sendable, Hashable {
    /// The unit of `sy:updatePeriod`.
    package enum Period: String, Sendable {
        case hourly, daily, weekly, monthly, yearly

        init?(_ view: ByteView) {
            self.init(rawValue: view.string.lowercased())
        }

        /// Minutes in one of them.
        var minutes: Int {
            switch self {
            case .hourly: 60
            case .daily: 24 * 60
            case .weekly: 7 * 24 * 60
            case .monthly: 30 * 24 * 60
            case .yearly: 365 * 24 * 60
            }
        }
    }

    /// `ttl` of RSS, in minutes.
    package var ttlMinutes: Int?
    /// `sy:updatePeriod`.
    package var period: Period?
    /// `sy:updateFrequency`: how often within a period.
    package var frequency: Int?
    /// Hours of the day in UTC not to ask in; bit 0 is midnight to one.
    package private(set) var skippedHours: UInt32 = 0
    /// Days of the week in UTC not to ask on; bit 0 is Monday.
    package private(set) var skippedDays: UInt8 = 0

    package init() {}

    /// The hours and days not to ask in, as a cursor keeps them.
    init(skippedHours: Int, skippedDays: Int) {
        self.skippedHours = UInt32(truncatingIfNeeded: skippedHours) & 0xFF_FFFF
        self.skippedDays = UInt8(truncatingIfNeeded: skippedDays) & 0x7F
    }

    mutating func skip(hour: Int) {
        // Midnight is 0 in the specification and 24 in Netscape's.
        if (0...24).contains(hour) { skippedHours |= 1 << UInt32(hour % 24) }
    }

    mutating func skip(day: ByteView) {
        let name = day.string.lowercased()
        if let index = Self.days.firstIndex(of: name) { skippedDays |= 1 << UInt8(index) }
    }

    private static let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]

    /// Feeds are asked at least this often, whatever they say.
    package static let longestWait = Duration.seconds(24 * 3600)

    /// The least time between two fetches that the feed asks for.
    ///
    /// WordPress says "hourly, once" in every feed it serves, which is its default and nobody's wish, and is not counted.
    package func interval(generator: String) -> Duration {
        var minutes = max(0, ttlMinutes ?? 0)
        if let period {
            let times = max(1, frequency ?? 1)
            let isDefault = period == .hourly && times == 1 && generator.contains("wordpress.org")
            if !isDefault { minutes = max(minutes, period.minutes / times) }
        }
        return min(.seconds(60) * min(minutes, 24 * 60), Self.longestWait)
    }

    /// `moment`, or the first moment after it that is in no skipped hour and on no skipped day.
    ///
    /// A feed that leaves no hour of the week is taken to leave all.
    package func firstAllowed(from moment: Timestamp) -> Timestamp {
        let hour: Int64 = 3_600_000
        guard skippedHours != 0 || skippedDays != 0 else { return moment }
        var candidate = moment
        for _ in 0...(7 * 24) {
            if !skips(candidate) { return candidate }
            let start = candidate.milliseconds - ((candidate.milliseconds % hour) + hour) % hour
            candidate = Timestamp(milliseconds: start + hour)
        }
        return moment
    }

    private func skips(_ moment: Timestamp) -> Bool {
        let hours = Int((Double(moment.milliseconds) / 3_600_000).rounded(.down))
        let hourOfDay = (hours % 24 + 24) % 24
        let day = (hours - hourOfDay) / 24
        // 1 January 1970 was a Thursday.
        let weekday = ((day + 3) % 7 + 7) % 7
        return skippedHours & (1 << UInt32(hourOfDay)) != 0 || skippedDays & (1 << UInt8(weekday)) != 0
    }
}
