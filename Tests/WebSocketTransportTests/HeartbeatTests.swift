import NIOCore
import Testing

@testable import WebSocketTransport

@Suite("The heartbeat of a WebSocket")
struct HeartbeatTests {
    private static let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

    /// What it asks for at each second until it gives up.
    private func steps(
        idle: Int64,
        seconds: Int64,
        answered: Bool,
        isReading: Bool = true,
        isWritable: Bool = true
    ) -> [Int64: Heartbeat.Step] {
        var heartbeat = Heartbeat(idle: .seconds(idle), now: Self.start)
        var steps: [Int64: Heartbeat.Step] = [:]
        for second in 1...seconds {
            let now = Self.start + .seconds(second)
            let step = heartbeat.tick(now, isReading: isReading, isWritable: isWritable)
            if step != .wait { steps[second] = step }
            if step == .ping, answered { heartbeat.heard(now + .milliseconds(10)) }
            if step == .giveUp { break }
        }
        return steps
    }

    @Test("asks twice before it gives up")
    func silence() {
        #expect(steps(idle: 60, seconds: 100, answered: false) == [20: .ping, 40: .ping, 60: .giveUp])
    }

    @Test("asks every half minute at least")
    func longSilence() {
        let expected: [Int64: Heartbeat.Step] = [30: .ping, 60: .ping, 90: .ping, 120: .giveUp]
        #expect(steps(idle: 120, seconds: 200, answered: false) == expected)
    }

    @Test("goes on for as long as it is answered")
    func answered() {
        let steps = steps(idle: 6, seconds: 600, answered: true)
        #expect(steps.count >= 195)
        #expect(steps.values.allSatisfy { $0 == .ping })
    }

    @Test("takes a silence of its own making for no fault of the other side")
    func notReading() {
        let steps = steps(idle: 6, seconds: 60, answered: false, isReading: false)
        #expect(!steps.isEmpty)
        #expect(steps.values.allSatisfy { $0 == .ping })
    }

    @Test("gives up where it cannot even ask")
    func notWritable() {
        #expect(steps(idle: 6, seconds: 60, answered: false, isWritable: false) == [6: .giveUp])
    }

    @Test("gives up nothing that it had no time to ask")
    func stopped() {
        var heartbeat = Heartbeat(idle: .seconds(6), now: Self.start)
        // The process was stopped for a minute.
        let now = Self.start + .seconds(60)
        #expect(heartbeat.tick(now, isReading: true, isWritable: true) == .ping)
        #expect(heartbeat.tick(now + .seconds(1), isReading: true, isWritable: true) == .wait)
        var other = heartbeat
        #expect(heartbeat.tick(now + .seconds(2), isReading: true, isWritable: true) == .giveUp)
        other.heard(now + .seconds(1))
        #expect(other.tick(now + .seconds(2), isReading: true, isWritable: true) == .wait)
    }

    @Test("looks twice in the time between two pings", arguments: [1, 6, 60, 600])
    func step(idle: Int64) {
        let interval = min(Double(idle) / 3, 30)
        let heartbeat = Heartbeat(idle: .seconds(idle), now: Self.start)
        #expect(abs(Double(heartbeat.step.nanoseconds) / 1e9 - interval / 2) < 1e-6)
    }
}
