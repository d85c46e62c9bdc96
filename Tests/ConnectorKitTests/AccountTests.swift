import ConnectorKit
import ConnectorTesting
import HTTPTypes
import SocialEvents
import Synchronization
import Testing

@Suite("Money")
struct MoneyTests {
    @Test(
        "An amount is read exactly and written with at least two decimals",
        arguments: [
            ("20 USD", 20_000_000, "20.00 USD"), ("0.005 USD", 5_000, "0.005 USD"), ("1.50 EUR", 1_500_000, "1.50 EUR"),
            ("0.000001 JPY", 1, "0.000001 JPY"), ("0 USD", 0, "0.00 USD"),
        ] as [(String, Int64, String)]
    )
    func reads(_ text: String, _ micros: Int64, _ written: String) throws {
        let money = try #require(Money(text))
        #expect(money.micros == micros)
        #expect(money.description == written)
    }

    @Test(
        "Anything else is no amount",
        arguments: [
            "", "20", "USD 20", "20 usd", "20 US", "-1 USD", "1. USD", ".5 USD", "1.0000001 USD", "1e3 USD", "1,5 USD",
            "9999999999999 USD",
        ]
    )
    func refuses(_ text: String) {
        #expect(Money(text) == nil)
    }
}

@Suite("What reads cost")
struct SpendMeterTests {
    /// 2026-01-30T12:00:00Z.
    private let noon = Timestamp(seconds: 1_769_774_400)
    private let day = Duration.seconds(86_400)

    private func meter(day: Int64? = nil, month: Int64? = nil) -> SpendMeter {
        SpendMeter(prices: ["post": 5_000, "user": 10_000], dailyBudget: day, monthlyBudget: month)
    }

    @Test("A resource costs once a UTC day, and again on the next")
    func oncePerDay() {
        var meter = meter()
        meter.read("post", ids: ["1", "2", "1"], by: 1, now: noon)
        meter.read("post", ids: ["2"], by: 1, now: noon)
        meter.read("user", ids: ["1"], by: 1, now: noon)
        meter.read("like", ids: ["1"], by: 1, now: noon)
        #expect(meter.spentToday == 20_000)
        meter.read("post", ids: ["1"], by: 1, now: noon.advanced(by: day / 2))
        #expect(meter.spentToday == 5_000)
        #expect(meter.spentThisMonth == 25_000)
    }

    @Test("A month ends with its last day")
    func month() {
        var meter = meter()
        meter.read("post", ids: ["1"], by: 1, now: noon.advanced(by: day))
        meter.read("post", ids: ["1"], by: 1, now: noon.advanced(by: day * 2))
        #expect(meter.spentThisMonth == 5_000)
    }

    @Test("A clock set back does not give the budget anew")
    func clockSetBack() {
        var meter = meter(day: 5_000)
        meter.read("post", ids: ["1"], by: 1, now: noon)
        #expect(meter.waitsUntil("post", count: 1, share: 1, reader: 1, now: noon.advanced(by: day * -3)) != nil)
    }

    @Test("A clock that was far ahead for a moment does not block the budget until then")
    func clockAhead() {
        var meter = meter(day: 10_000)
        meter.read("post", ids: ["1"], by: 1, now: noon.advanced(by: day * 4000))
        meter.read("post", ids: ["2", "3"], by: 1, now: noon)
        let until = meter.waitsUntil("post", count: 1, share: 1, reader: 1, now: noon)
        #expect(until == Timestamp(rfc3339: "2026-01-31T00:00:00Z"))
        #expect(meter.waitsUntil("post", count: 1, share: 1, reader: 1, now: noon.advanced(by: day)) == nil)
    }

    @Test("A spent budget waits for the next day, or the next month")
    func waits() {
        var meter = meter(day: 10_000, month: 1_000_000)
        #expect(meter.waitsUntil("post", count: 2, share: 1, reader: 1, now: noon) == nil)
        #expect(
            meter.waitsUntil("post", count: 3, share: 1, reader: 1, now: noon)
                == Timestamp(rfc3339: "2026-01-31T00:00:00Z")
        )
        #expect(meter.waitsUntil("free", count: 1_000, share: 1, reader: 1, now: noon) == nil)
        meter.monthlyBudget = 10_000
        #expect(
            meter.waitsUntil("post", count: 3, share: 1, reader: 1, now: noon)
                == Timestamp(rfc3339: "2026-02-01T00:00:00Z")
        )
    }

    @Test("The forecast takes the day and the month to go on as they began")
    func forecast() {
        var meter = meter()
        meter.restore(day: 20_483, today: 6_000, month: 59_000)
        // The 30th, half gone: 29.5 days of 31.
        let forecast = meter.forecast(now: noon)
        #expect(forecast.day == 12_000)
        #expect(forecast.month == 62_000)
    }

    @Test("Every day from 1968 to 2400 has the date that counting gives")
    func calendar() {
        var (year, month, day) = (1968, 1, 1)
        for number in Int64(-731)...157_054 {
            let date = CivilDate(day: number)
            guard date.year == year, date.month == month, date.day == day else {
                Issue.record("\(number): \(date) is not \(year)-\(month)-\(day)")
                return
            }
            day += 1
            if day > date.daysInMonth { (month, day) = (month + 1, 1) }
            if month > 12 { (year, month) = (year + 1, 1) }
        }
        #expect(year == 2400)
    }
}

@Suite("What an account may still do")
struct QuotaTests {
    private let clock = ManualClock()

    private func headers(remaining: Int, limit: Int = 10, reset: Int = 60) -> HTTPFields {
        var fields = HTTPFields()
        for (name, value) in [("limit", limit), ("remaining", remaining), ("reset", reset)] {
            if let field = HTTPField.Name("x-rate-limit-\(name)") { fields[field] = String(value) }
        }
        return fields
    }

    private func quota(_ meter: AccountMeter, _ priority: SourcePriority = .normal) -> Quota {
        Quota(meter, priority: priority, clock: clock)
    }

    private func refusal(_ body: () throws -> Void) -> ConnectorError? {
        do {
            try body()
            return nil
        } catch { return error as? ConnectorError }
    }

    @Test("A limit that one source's answer told holds for every source of the account until it ends")
    func shared() throws {
        let meter = AccountMeter()
        let (first, second) = (quota(meter), quota(meter))
        try first.admit("search")
        first.observe(headers(remaining: 1), bucket: "search")
        try second.admit("search")
        let refusal = try #require(refusal { try first.admit("search") })
        #expect(refusal.code == .rateLimited)
        #expect(refusal.retryAt == clock.now.advanced(by: .seconds(60)))
        try first.admit("lookup")
        clock.advance(by: .seconds(60))
        try first.admit("search")
    }

    @Test("Answers that come in another order do not give back what is used up")
    func reordered() throws {
        let quota = quota(AccountMeter())
        quota.observe(headers(remaining: 0), bucket: "search")
        quota.observe(headers(remaining: 5), bucket: "search")
        #expect(refusal { try quota.admit("search") } != nil)
    }

    @Test("Sources of lower priority leave a part for those of higher, and only where there are such")
    func priorities() throws {
        let meter = AccountMeter()
        let (low, high) = (quota(meter, .low), quota(meter, .high))
        meter.isRead(true, .low)
        low.observe(headers(remaining: 1), bucket: "search")
        try low.admit("search")
        meter.isRead(true, .high)
        clock.advance(by: .seconds(60))
        low.observe(headers(remaining: 2), bucket: "search")
        #expect(refusal { try low.admit("search") } != nil)
        try high.admit("search")
        try high.admit("search")
        #expect(refusal { try high.admit("search") } != nil)
    }

    @Test("What is kept for a source is for others once that source is no longer read")
    func leaving() throws {
        let meter = AccountMeter()
        let low = quota(meter, .low)
        meter.isRead(true, .low)
        meter.isRead(true, .high)
        low.observe(headers(remaining: 2), bucket: "search")
        #expect(refusal { try low.admit("search") } != nil)
        meter.isRead(false, .high)
        try low.admit("search")
    }

    @Test("A reset told in seconds moves with each answer, and is the same window all the same")
    func drifting() throws {
        let quota = quota(AccountMeter())
        quota.observe(headers(remaining: 0), bucket: "search")
        clock.advance(by: .milliseconds(700))
        quota.observe(headers(remaining: 5), bucket: "search")
        #expect(refusal { try quota.admit("search") } != nil)
    }

    @Test("Money is kept for a request under way, so that others are not admitted for the same")
    func reservations() throws {
        let meter = AccountMeter(spend: SpendMeter(prices: ["post": 1], dailyBudget: 100))
        let (first, second) = (quota(meter), quota(meter))
        try first.admitSpend("post", count: 80)
        let waiting = try #require(refusal { try second.admitSpend("post", count: 30) })
        #expect(waiting.retryAt == clock.now.advanced(by: SpendMeter.whileReserved), "the day is not over yet")
        try second.admitSpend("post", count: 20)
        first.reads("post", ids: (0..<3).map(String.init))
        try second.admitSpend("post", count: 90)
        #expect(refusal { try first.admitSpend("post", count: 80) } != nil)
        // A request that failed and is not tried again keeps nothing for long.
        clock.advance(by: SpendMeter.longestReservation)
        try first.admitSpend("post", count: 80)
    }

    @Test("Money runs out for sources of low priority first")
    func money() throws {
        let meter = AccountMeter(spend: SpendMeter(prices: ["post": 1], dailyBudget: 100))
        let (low, high) = (quota(meter, .low), quota(meter, .high))
        meter.isRead(true, .low)
        meter.isRead(true, .high)
        high.reads("post", ids: (0..<80).map(String.init))
        let refusal = try #require(refusal { try low.admitSpend("post", count: 1) })
        #expect(refusal.code == .rateLimited && refusal.retryAt != nil)
        try high.admitSpend("post", count: 20)
        #expect(self.refusal { try high.admitSpend("post", count: 21) } != nil)
    }

    @Test("Within an account one call with a key runs after another")
    func exclusively() async throws {
        let account = EphemeralAccount(name: "a")
        let inside = Inside()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    try await account.exclusively("token") {
                        inside.enter()
                        for _ in 0..<5 { await Task.yield() }
                        inside.leave()
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(inside.most == 1)
    }

    @Test("A ladder climbs as the platform says and stops at its top")
    func ladders() {
        let linear = RetryLadder(first: .milliseconds(250), growth: .linear(.milliseconds(250)), cap: .seconds(16))
        #expect(
            [1, 2, 4, 64, 65, 1_000_000].map(linear.delay) == [
                .milliseconds(250), .milliseconds(500), .seconds(1), .seconds(16), .seconds(16), .seconds(16),
            ]
        )
        let doubling = RetryLadder(first: .seconds(5), growth: .doubling, cap: .seconds(320))
        #expect(
            [0, 1, 2, 7, 8, 1_000_000].map(doubling.delay) == [
                .seconds(5), .seconds(5), .seconds(10), .seconds(320), .seconds(320), .seconds(320),
            ]
        )
    }
}

/// Counts who is inside at once.
private final class Inside: Sendable {
    private let counts = Mutex((now: 0, most: 0))

    func enter() { counts.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1)) } }
    func leave() { counts.withLock { $0.now -= 1 } }
    var most: Int { counts.withLock { $0.most } }
}
