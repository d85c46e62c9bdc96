import ConnectorKit
import HubCore
import SocialEvents
import Testing

@Suite("When a source is asked again")
struct ScheduleTests {
    @Test("The wait stays within the configured range whatever happens", arguments: UInt64(1)...200)
    func withinRange(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let shortest = random.duration(in: .milliseconds(1) ... .seconds(600))
        let longest = shortest + random.duration(in: .zero ... .seconds(86_400))
        var schedule = PullSchedule(range: shortest...longest)
        for _ in 0..<100 {
            schedule.adapt(news: Bool.random(using: &random))
            let delay = schedule.nextDelay(random: &random)
            #expect(delay >= shortest && delay <= max(longest, shortest * 11 / 10))
            #expect(schedule.range.contains(schedule.interval))
        }
    }

    @Test("News brings the interval down to the shortest, silence up to the longest")
    func adapts() {
        var schedule = PullSchedule(range: .seconds(60) ... .seconds(3600))
        #expect(schedule.interval == .seconds(60))
        var before = schedule.interval
        for _ in 0..<20 {
            schedule.adapt(news: false)
            #expect(schedule.interval > before || schedule.interval == .seconds(3600))
            before = schedule.interval
        }
        #expect(schedule.interval == .seconds(3600))
        for _ in 0..<20 { schedule.adapt(news: true) }
        #expect(schedule.interval == .seconds(60))
    }

    @Test("Sources that start together drift apart with the first wait")
    func spread() {
        var slots: [Int64: Int] = [:]
        for number in 0..<5000 {
            var random = SeededGenerator(seed: 0, name: "feed-\(number)")
            var schedule = PullSchedule(range: .seconds(60) ... .seconds(3600))
            slots[schedule.nextDelay(random: &random).wholeMilliseconds / 1000, default: 0] += 1
        }
        // Evenly spread they would be 83 a second.
        #expect(slots.values.allSatisfy { $0 < 160 })
        #expect(slots.count >= 60)
    }

    @Test("Sources of one fixed interval drift apart too, and none asks sooner than configured")
    func fixedInterval() {
        let delays = (0..<100).map { number in
            var random = SeededGenerator(seed: 0, name: "feed-\(number)")
            var schedule = PullSchedule(range: .seconds(300) ... .seconds(300))
            return schedule.nextDelay(random: &random)
        }
        #expect(Set(delays).count > 50)
        #expect(delays.allSatisfy { $0 >= .seconds(300) && $0 <= .seconds(330) })
    }

    @Test("The same seed and name give the same jitter, another name another")
    func deterministic() {
        var first = SeededGenerator(seed: 3, name: "a")
        var again = SeededGenerator(seed: 3, name: "a")
        var other = SeededGenerator(seed: 3, name: "b")
        let numbers = (0..<8).map { _ in first.next() }
        #expect(numbers == (0..<8).map { _ in again.next() })
        #expect(numbers != (0..<8).map { _ in other.next() })
    }

    @Test(
        "Back-off doubles to its cap, spreads over the whole of it, and never comes to nothing",
        arguments: UInt64(1)...50
    )
    func backoff(seed: UInt64) {
        let backoff = Backoff(base: .seconds(2), cap: .seconds(900))
        var random = SeededGenerator(seed: seed)
        #expect(backoff.ceiling(attempt: 1) == .seconds(2))
        #expect(backoff.ceiling(attempt: 4) == .seconds(16))
        #expect(backoff.ceiling(attempt: 1_000_000) == .seconds(900))
        for attempt in 1...40 {
            let delay = backoff.delay(attempt: attempt, random: &random)
            #expect(delay >= backoff.floor && delay <= backoff.ceiling(attempt: attempt))
        }
        let delays = (0..<200).map { _ in backoff.delay(attempt: 10, random: &random) }
        #expect(delays.contains { $0 < .seconds(225) } && delays.contains { $0 > .seconds(675) })
    }

    @Test("A clock that jumps ahead drops nothing for its age until it has gone on evenly for a while")
    func clockCheck() {
        let minute = Duration.seconds(60)
        var now = Timestamp(seconds: 0)
        var check = ClockCheck(now: now)
        func passes(_ time: Duration) -> Bool {
            now = now.advanced(by: time)
            return check.trusts(now, after: minute)
        }
        #expect(passes(minute))
        #expect(passes(.seconds(90)))
        #expect(!passes(.seconds(86_400 * 365)), "a year in a minute")
        for _ in 1..<ClockCheck.rounds { #expect(!passes(minute)) }
        #expect(passes(minute))
        #expect(passes(.seconds(-86_400 * 365)), "set back, it drops nothing anyway")
        #expect(!passes(.seconds(86_400 * 365)), "and ahead again")
    }
}
