import ConnectorKit
import HubCore
import SocialEvents
import Testing

private let start = Timestamp(seconds: 1_000_000)

private func machine(_ range: ClosedRange<Duration> = .seconds(60) ... .seconds(600)) -> SourceMachine {
    SourceMachine(schedule: PullSchedule(range: range), random: SeededGenerator(seed: 7), now: start)
}

/// What can happen to a source.
private enum Happening: CaseIterable {
    case page, pageWithMore, unavailable, limited, denied, refused, unsupported, unreadable, logFull, pause, resume,
        stop

    func apply(to machine: inout SourceMachine, at now: Timestamp) {
        func failed(_ code: ConnectorError.Code) {
            _ = machine.failed(StepFailure(code, "why"), now: now)
        }
        switch self {
        case .page:
            machine.read(hasMore: false, now: now)
            _ = machine.stored(hasMore: false, news: true, notBefore: nil, now: now)
        case .pageWithMore:
            machine.read(hasMore: true, now: now)
            _ = machine.stored(hasMore: true, news: true, notBefore: nil, now: now)
        case .unavailable: failed(.unavailable)
        case .limited: failed(.rateLimited)
        case .denied: failed(.unauthorized)
        case .refused: failed(.rejected)
        case .unsupported: failed(.unsupported)
        case .unreadable: failed(.malformed)
        case .logFull: _ = machine.blocked("full", now: now)
        case .pause: _ = machine.pause(now: now)
        case .resume: _ = machine.resume(now: now)
        case .stop: machine.stop(now: now)
        }
    }
}

@Suite("The states of a source")
struct SourceMachineTests {
    @Test("Each happening leads from each state to the one state that the design names")
    func transitions() {
        // Rows: the state before. Columns: as in `Happening`.
        let reading: [SourceState] = [
            .running, .backfilling, .retrying, .throttled, .unauthorized, .failed, .failed, .retrying, .retrying,
            .paused,
        ]
        let table: [(path: [Happening], before: SourceState, after: [SourceState])] = [
            ([], .starting, reading + [.starting, .stopped]),
            ([.pageWithMore], .backfilling, reading + [.backfilling, .stopped]),
            // What has caught up once stays running however much more comes.
            ([.page], .running, [.running, .running] + reading[2...] + [.running, .stopped]),
            ([.limited], .throttled, reading + [.throttled, .stopped]),
            ([.unavailable], .retrying, reading + [.retrying, .stopped]),
            (
                [.denied], .unauthorized,
                Array(repeating: .unauthorized, count: 9) + [.paused, .starting, .unauthorized]
            ),
            ([.refused], .failed, Array(repeating: .failed, count: 9) + [.paused, .starting, .failed]),
            ([.pause], .paused, Array(repeating: .paused, count: 10) + [.starting, .paused]),
            ([.stop], .stopped, Array(repeating: .stopped, count: 12)),
        ]
        for row in table {
            for (happening, after) in zip(Happening.allCases, row.after) {
                var machine = machine()
                for step in row.path { step.apply(to: &machine, at: start) }
                #expect(machine.state == row.before)
                happening.apply(to: &machine, at: start.advanced(by: .seconds(5)))
                #expect(machine.state == after, "\(row.before) after \(happening)")
                let since = after == row.before ? start : start.advanced(by: .seconds(5))
                #expect(machine.since == since, "\(row.before) after \(happening)")
            }
            #expect(row.after.count == Happening.allCases.count)
        }
    }

    @Test("A moment the platform names is waited for exactly")
    func retryAt() {
        var machine = machine()
        let until = start.advanced(by: .milliseconds(123_456))
        let next = machine.failed(StepFailure(.rateLimited, "slow down", retryAt: until), now: start)
        #expect(next == .wait(.milliseconds(123_456)))
        #expect(machine.until == until)
        #expect(machine.reason == "slow down")
    }

    @Test("A moment that has passed does not make a busy loop", arguments: [0, -5, -100_000])
    func retryAtInThePast(seconds: Int) throws {
        var machine = machine()
        for _ in 0..<20 {
            let past = start.advanced(by: .seconds(seconds))
            let next = machine.failed(StepFailure(.rateLimited, "now", retryAt: past), now: start)
            guard case .wait(let delay) = next else { throw Unexpected(next) }
            #expect(delay >= Backoff.platform.floor)
        }
        #expect(machine.attempt == 20)
    }

    @Test("A moment beyond reason is cut, so that a source is not lost for years")
    func retryAtFarAway() {
        var machine = machine()
        let next = machine.failed(
            StepFailure(.rateLimited, "later", retryAt: Timestamp(milliseconds: .max)),
            now: start
        )
        #expect(next == .wait(SourceMachine.longestWait))
    }

    @Test("More that waits is asked for at once, unless the platform names a moment")
    func hasMore() {
        var machine = machine()
        machine.read(hasMore: true, now: start)
        #expect(machine.stored(hasMore: true, news: true, notBefore: nil, now: start) == .step)
        let later = start.advanced(by: .seconds(9))
        #expect(machine.stored(hasMore: true, news: true, notBefore: later, now: start) == .wait(.seconds(9)))
        #expect(machine.state == .backfilling)
    }

    @Test("The platform's earliest moment puts off the next pull, never brings it forward")
    func notBefore() throws {
        var machine = machine()
        machine.read(hasMore: false, now: start)
        let hour = start.advanced(by: .seconds(3600))
        #expect(machine.stored(hasMore: false, news: true, notBefore: hour, now: start) == .wait(.seconds(3600)))
        let soon = start.advanced(by: .seconds(1))
        let next = machine.stored(hasMore: false, news: true, notBefore: soon, now: start)
        guard case .wait(let delay) = next else { throw Unexpected(next) }
        #expect(delay >= .seconds(60))
    }

    @Test("A payload that cannot be read is not asked for again sooner than planned")
    func malformed() throws {
        var machine = machine()
        let next = machine.failed(StepFailure(.malformed, "no feed"), now: start)
        guard case .wait(let delay) = next else { throw Unexpected(next) }
        #expect(delay >= .seconds(60))
    }

    @Test("Success ends the count of failures; a stream's mere opening does not")
    func attempts() {
        var machine = machine()
        for _ in 0..<3 { _ = machine.failed(StepFailure(.unavailable, "down"), now: start) }
        machine.connecting(now: start)
        #expect(machine.attempt == 3)
        #expect(machine.state == .retrying)
        machine.delivered(news: false, now: start)
        #expect(machine.attempt == 3, "what was known already shows nothing")
        machine.delivered(news: true, now: start)
        #expect(machine.attempt == 0)
        #expect(machine.state == .running)
    }

    @Test("What a platform says is kept short and on one line")
    func reasons() {
        let page = String(repeating: "x", count: 10_000)
        let long = ConnectorError(.unavailable, "down\nERROR forged line\u{1b}[2J" + page)
        let reason = StepFailure(long).reason
        #expect(reason.utf8.count < 500)
        #expect(reason.hasPrefix("down ERROR forged line [2J"))
    }

    @Test("A stream that ends with nothing backs off as one that fails")
    func emptyStream() {
        var machine = machine()
        _ = machine.ended(hadNews: false, now: start)
        #expect(machine.state == .retrying)
        #expect(machine.attempt == 1)
        machine.delivered(news: true, now: start)
        _ = machine.ended(hadNews: true, now: start)
        #expect(machine.state == .running)
        #expect(machine.attempt == 0)
    }
}

/// What was not expected.
struct Unexpected: Error {
    var next: SourceMachine.Next

    init(_ next: SourceMachine.Next) { self.next = next }
}
