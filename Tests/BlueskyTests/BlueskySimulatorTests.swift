import HTTPTypes
import JSON
import Testing

@testable import PlatformSimulators

@Suite("The simulator")
struct BlueskySimulatorTests {
    private let simulator = BlueskySimulator(now: 1_780_000_000_000)

    private func request(
        _ method: HTTPRequest.Method = .get,
        _ target: String,
        _ body: String = ""
    ) -> SimulatedRequest {
        SimulatedRequest(method, target, body: Array(body.utf8), base: "http://127.0.0.1")
    }

    private func text(_ answer: SimulatedAnswer) -> String {
        guard case .bytes(let bytes) = answer.body else { return "" }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test("A handshake is throttled when it shall be")
    func throttledHandshake() {
        simulator.faults.add(Fault(.throttle))
        guard case .refused(let answer) = simulator.subscribe(request(.get, "/subscribe")) else {
            Issue.record("it was opened")
            return
        }
        #expect(answer.status == .tooManyRequests)
        guard case .opened = simulator.subscribe(request(.get, "/subscribe")) else {
            Issue.record("it was refused again")
            return
        }
    }

    @Test("A fault that nobody knows is refused with the names of those that are known")
    func unknownFault() async {
        let refused = await simulator.controlled(request(.post, "/_simulator/faults", "{\"kind\":\"dorp\"}"))
        #expect(refused.status == .badRequest)
        #expect(text(refused).contains("`dorp`"))
        #expect(text(refused).contains(" drop,"))
        #expect(simulator.faults.waiting.isEmpty)
        for kind in Fault.Kind.shared.union(BlueskySimulator.ownFaults) {
            let body = "{\"kind\":\"\(kind.rawValue)\"}"
            #expect(await simulator.controlled(request(.post, "/_simulator/faults", body)).status == .noContent)
        }
        #expect(
            await simulator.controlled(request(.post, "/_simulator/faults", "{\"kind\":\"drop\",\"after\":-1}")).status
                == .badRequest
        )
    }

    @Test("A fault for a route touches requests there, and what has no route")
    func routes() {
        let plan = FaultPlan()
        for route in ["/subscribe", "/xrpc"] { plan.add(Fault(.drop, route: route)) }
        #expect(!plan.takes(.drop, on: "/api"))
        #expect(plan.takes(.drop, on: "/xrpc/x"))
        #expect(!plan.takes(.drop, on: "/xrpc/x"))
        #expect(plan.takes(.drop))
        #expect(plan.waiting.isEmpty)
    }

    @Test("Time that passes without anything happening uses up no fault of the streams")
    func quietTime() {
        guard case .opened(let socket) = simulator.subscribe(request(.get, "/subscribe")) else {
            Issue.record("it was refused")
            return
        }
        simulator.faults.add(Fault(.drop))
        for second in 1...100 { simulator.advance(to: 1_780_000_000_000 + Int64(second) * 1000) }
        #expect(socket.messages.isOpen)
        simulator.publish(1)
        #expect(!socket.messages.isOpen)
    }

    @Test("A pace brings one after another, and all that was missed")
    func pace() {
        var pace = Pace(every: 10, from: 100)
        #expect(pace.due(by: 109) == nil)
        #expect(pace.due(by: 131) == 110)
        #expect(pace.due(by: 131) == 120)
        #expect(pace.due(by: 131) == 130)
        #expect(pace.due(by: 131) == nil)
        var none = Pace(every: 0, from: 100)
        #expect(none.due(by: .max) == nil)
    }

    @Test("A world that begins at the same moment is the same world, however often it is started")
    func sameWorld() {
        let moment: Int64 = 1_780_000_000_000
        let first = BlueskySimulator(seed: 7, now: moment, pace: 4000)
        for step in 1...50 { first.advance(to: moment + Int64(step) * 3000) }
        let second = BlueskySimulator(seed: 7, now: moment, pace: 4000)
        second.advance(to: moment + 150_000)
        #expect(first.ledger.entries == second.ledger.entries)
        #expect(first.ledger.count > 60 + 30)
    }
}
