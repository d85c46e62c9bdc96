import ConnectorTesting
import Synchronization
import Testing

@testable import HubCore

@Suite("The alarm", .serialized, .timeLimit(.minutes(2)))
struct AlarmTests {
    private let clock = ManualClock()

    /// Rings an alarm while `body` plays.
    private func ring(_ body: (Alarm) async throws -> Void) async throws {
        let clock = clock
        let alarm = Alarm(clock: clock) { clock.elapsed }
        // Awaited below.
        let ringing = Task { await alarm.run() }
        do {
            try await body(alarm)
        } catch {
            Issue.record(error)
        }
        ringing.cancel()
        await ringing.value
    }

    private func until(_ condition: () -> Bool) async throws {
        // The minute is for machines so busy that the other tasks do not get their turn; nothing is decided by it.
        let patience = ContinuousClock.now + .seconds(60)
        while !condition() {
            try #require(ContinuousClock.now < patience)
            await Task.yield()
        }
    }

    /// Lets time pass once the alarm sleeps no longer than to its next wait.
    private func advance(_ alarm: Alarm, by duration: Duration) async throws {
        try await until {
            guard let next = alarm.untilNext else { return true }
            return clock.untilNextWake.map { $0 <= next } ?? false
        }
        clock.advance(by: duration)
    }

    @Test("Waits end in the order of their moments, each at its own and not before")
    func order() async throws {
        try await ring { alarm in
            let rung = Shared<[Int]>([])
            for seconds in [30, 10, 20, 40] {
                alarm.schedule(after: .seconds(seconds)) { rung.update { $0.append(seconds) } }
            }
            try await advance(alarm, by: .milliseconds(9_999))
            for _ in 0..<1000 { await Task.yield() }
            #expect(rung.current == [])
            try await advance(alarm, by: .milliseconds(1))
            try await until { rung.current == [10] }
            try await advance(alarm, by: .seconds(20))
            try await until { rung.current == [10, 20, 30] }
            #expect(alarm.untilNext == .seconds(10))
        }
    }

    @Test("A sooner wait is not held up by the sleep until a later one")
    func sooner() async throws {
        try await ring { alarm in
            let rung = Shared<[Int]>([])
            alarm.schedule(after: .seconds(1000)) { rung.update { $0.append(1000) } }
            try await until { clock.untilNextWake == .seconds(1000) }
            alarm.schedule(after: .seconds(1)) { rung.update { $0.append(1) } }
            try await advance(alarm, by: .seconds(1))
            try await until { rung.current == [1] }
        }
    }

    @Test("What was called off does not ring, and does not pile up")
    func cancel() async throws {
        try await ring { alarm in
            let rung = Shared(0)
            alarm.schedule(after: .seconds(500)) { rung.update { $0 += 1 } }
            for _ in 0..<10_000 {
                let token = alarm.schedule(after: .seconds(150)) { rung.update { $0 += 1000 } }
                alarm.cancel(token)
            }
            #expect(alarm.count == 1)
            #expect(alarm.entries < 200)
            try await advance(alarm, by: .seconds(499))
            try await advance(alarm, by: .seconds(1))
            try await until { rung.current == 1 }
        }
    }

    @Test("A wait ends at its cancellation, before, during and after its beginning")
    func cancelWait() async throws {
        try await ring { alarm in
            for yields in 0..<50 {
                let waiting = Task { try await alarm.wait(for: .seconds(3600)) }
                for _ in 0..<yields { await Task.yield() }
                waiting.cancel()
                await #expect(throws: CancellationError.self) { try await waiting.value }
            }
            try await until { alarm.count == 0 }
        }
    }

    @Test("The heap gives back what it was given, in order, whatever is dropped in between", arguments: UInt64(1)...50)
    func heap(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var heap = AlarmHeap()
        var due: [UInt64: Duration] = [:]
        for id in UInt64(0)..<300 {
            due[id] = random.duration(in: .zero ... .seconds(100))
            heap.push(AlarmHeap.Entry(due: due[id] ?? .zero, id: id))
            if Int.random(in: 0..<3, using: &random) == 0, let victim = due.keys.min() { due[victim] = nil }
            if Int.random(in: 0..<20, using: &random) == 0 { heap.compact { due[$0] != nil } }
        }
        var given: [Duration] = []
        heap.dropStale { due[$0] == nil }
        while let first = heap.first {
            given.append(first.due)
            heap.pop()
            heap.dropStale { due[$0] == nil }
        }
        #expect(given == due.values.sorted())
    }
}
