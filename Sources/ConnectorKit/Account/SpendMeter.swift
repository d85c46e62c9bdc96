package import SocialEvents

/// What an account's reads cost, counted the way the platform bills them.
///
/// Days and months are UTC's. A resource read twice on one day is billed once, so the ids of the day are remembered, as hashes and up to a bound; beyond it, and
/// after a restart, a repeated read counts again, which errs on the side of the purse.
package struct SpendMeter: Sendable {
    /// What one read of each kind costs, in millionths of the currency's unit.
    package var prices: [String: Int64]
    /// Most millionths a UTC day may cost.
    package var dailyBudget: Int64?
    /// Most millionths a UTC month may cost.
    package var monthlyBudget: Int64?
    /// Spent on ``day``.
    package private(set) var spentToday: Int64 = 0
    /// Spent in the month of ``day``.
    package private(set) var spentThisMonth: Int64 = 0
    /// Days since 1970.
    package private(set) var day: Int64 = .min
    private var billed: Set<UInt64> = []
    /// What was admitted and may still be read, by reader.
    private var reserved: [UInt64: Reservation] = [:]

    private struct Reservation {
        var cost: Int64
        var until: Timestamp
    }

    /// For how long money is kept for who was admitted and does not say what it read; longer than any request takes.
    package static let longestReservation = Duration.seconds(300)
    /// When to ask again where there is money, but all that is left is kept for requests under way.
    package static let whileReserved = Duration.seconds(5)

    /// Ids of a day that are remembered.
    package static let remembered = 500_000
    private static let millisecondsPerDay: Int64 = 86_400_000

    /// Nothing spent yet.
    package init(prices: [String: Int64] = [:], dailyBudget: Int64? = nil, monthlyBudget: Int64? = nil) {
        self.prices = prices
        self.dailyBudget = dailyBudget
        self.monthlyBudget = monthlyBudget
    }

    /// Takes up what had been spent before a restart.
    package mutating func restore(day: Int64, today: Int64, month: Int64) {
        self.day = day
        spentToday = today
        spentThisMonth = month
    }

    /// Counts reads of resources; what had been kept for the reader is free again.
    package mutating func read(_ kind: String, ids: some Swift.Sequence<String>, by reader: UInt64, now: Timestamp) {
        turn(now)
        reserved[reader] = nil
        guard let price = prices[kind] else { return }
        for id in ids {
            let key = Self.hash(kind, id)
            guard !billed.contains(key) else { continue }
            if billed.count < Self.remembered { billed.insert(key) }
            spentToday += price
            spentThisMonth += price
        }
    }

    /// When there is money again for `count` reads of a kind; `nil` when there is now, and it is kept for the reader.
    ///
    /// Requests go on side by side: without what is kept, all of them would be admitted for the same money.
    ///
    /// - Parameters:
    ///   - kind: what is read.
    ///   - count: how many at most.
    ///   - share: how much of the budgets may be used: 1 all of it.
    ///   - reader: who reads; it has one reservation at a time.
    ///   - now: the time.
    /// - Returns: the moment to ask again.
    package mutating func waitsUntil(
        _ kind: String,
        count: Int,
        share: Double,
        reader: UInt64,
        now: Timestamp
    ) -> Timestamp? {
        turn(now)
        guard let price = prices[kind] else { return nil }
        // A reservation that ends later than any could was made before the clock was set back.
        let latest = now.advanced(by: Self.longestReservation)
        reserved = reserved.filter { $0.key != reader && $0.value.until > now && $0.value.until <= latest }
        let cost = price * Int64(min(max(count, 0), 1_000_000))
        let kept = reserved.values.reduce(0) { $0 + $1.cost }
        func isTooMuch(_ spent: Int64, of budget: Int64?) -> Bool {
            budget.map { spent + cost > Int64((Double($0) * share).rounded()) } == true
        }
        if isTooMuch(spentThisMonth, of: monthlyBudget) { return nextMonth }
        if isTooMuch(spentToday, of: dailyBudget) { return nextDay }
        if isTooMuch(spentThisMonth + kept, of: monthlyBudget) || isTooMuch(spentToday + kept, of: dailyBudget) {
            return now.advanced(by: Self.whileReserved)
        }
        reserved[reader] = Reservation(cost: cost, until: latest)
        return nil
    }

    /// What the day and the month will have cost if they go on as until now.
    package mutating func forecast(now: Timestamp) -> (day: Int64, month: Int64) {
        turn(now)
        let millisecondsIntoDay = Double(now.milliseconds - day * Self.millisecondsPerDay)
        // An hour is the least that says anything.
        let dayPart = max(millisecondsIntoDay, 3_600_000) / Double(Self.millisecondsPerDay)
        let date = CivilDate(day: day)
        let daysGone = Double(date.day - 1) + min(1, dayPart)
        return (
            Int64(Double(spentToday) / min(1, dayPart)),
            Int64(Double(spentThisMonth) / daysGone * Double(date.daysInMonth))
        )
    }

    private var nextDay: Timestamp { Timestamp(milliseconds: (day + 1) * Self.millisecondsPerDay) }

    private var nextMonth: Timestamp {
        let date = CivilDate(day: day)
        return Timestamp(milliseconds: (day + Int64(date.daysInMonth - date.day + 1)) * Self.millisecondsPerDay)
    }

    /// Begins a new day and month where one has begun.
    ///
    /// A clock set back a little keeps the later day; a day further off than that came of a clock that was wrong, and is given up, or nothing
    /// would be read until it comes.
    private mutating func turn(_ now: Timestamp) {
        let today = Int64((Double(now.milliseconds) / Double(Self.millisecondsPerDay)).rounded(.down))
        if day != .min, day - today > 1 { day = today }
        guard today > day else { return }
        if day != .min {
            let (old, new) = (CivilDate(day: day), CivilDate(day: today))
            if old.month != new.month || old.year != new.year { spentThisMonth = 0 }
        }
        day = today
        spentToday = 0
        billed.removeAll(keepingCapacity: billed.count < 10_000)
    }

    /// FNV-1a over both parts.
    private static func hash(_ kind: String, _ id: String) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in kind.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        hash = (hash ^ 0xff) &* 0x100_0000_01b3
        for byte in id.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return hash
    }
}

/// A day of the Gregorian calendar.
package struct CivilDate {
    package var year: Int
    package var month: Int
    package var day: Int

    /// From days since 1970-01-01, by the usual era arithmetic: years begin in March, so that the leap day is the last.
    package init(day number: Int64) {
        let shifted = number + 719_468
        let era = Int64((Double(shifted) / 146_097).rounded(.down))
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        day = Int(dayOfYear - (153 * shiftedMonth + 2) / 5) + 1
        month = Int(shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9)
        year = Int(yearOfEra + era * 400) + (month <= 2 ? 1 : 0)
    }

    package var daysInMonth: Int {
        switch month {
        case 2: (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}
