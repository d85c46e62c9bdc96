import HTTPTypes
import Logging
import Synchronization
import Testing

@testable import PlatformSimulators

/// The simulator of Meta's platforms behind a port, calling a callback behind another, both on this machine.
struct MetaServerTests {
    /// A callback that answers questions and keeps what comes; it refuses the first delivery.
    private final class Callback: PlatformSimulator {
        let ledger = Ledger()
        let faults = FaultPlan()
        static let ownFaults: Set<Fault.Kind> = []
        let came = Mutex<[SimulatedRequest]>([])

        func answer(_ request: SimulatedRequest) async -> SimulatedAnswer {
            if let challenge = request.parameter("hub.challenge") {
                return SimulatedAnswer(.ok, body: .bytes(Array(challenge.utf8)))
            }
            let count = came.withLock { came in
                came.append(request)
                return came.count
            }
            return SimulatedAnswer(count == 1 ? .serviceUnavailable : .ok)
        }

        func publish(_ count: Int) {}
        func advance(to now: Int64) {}
    }

    /// A clock on which each look is a second later.
    private final class Ticks: Sendable {
        private let time = Mutex<Int64>(MetaScene.start)

        func next() -> Int64 {
            time.withLock { time in
                time += 1000
                return time
            }
        }
    }

    @Test("Deliveries reach a callback over loopback, refused ones again", .timeLimit(.minutes(1)))
    func delivers() async throws {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let callback = Callback()
        let ticks = Ticks()
        let (ports, found) = AsyncStream.makeStream(of: Int.self)
        try await withThrowingTaskGroup(of: Void.self) { group in
            defer { group.cancelAll() }
            group.addTask {
                try await SimulatorServer(callback, port: 0, logger: logger, now: { 0 }) { found.yield($0) }.run()
            }
            var iterator = ports.makeAsyncIterator()
            let port = try #require(await iterator.next())
            let simulator = MetaSimulator(
                [.facebook],
                now: MetaScene.start,
                history: 0,
                subscriptions: [MetaSubscription(.facebook, url: "http://127.0.0.1:\(port)/acme")]
            )
            group.addTask {
                try await SimulatorServer(simulator, port: 0, logger: logger, now: ticks.next) { found.yield($0) }.run()
            }
            _ = try #require(await iterator.next())
            simulator.publish(20)
            while !simulator.isDelivered || callback.came.withLock({ $0.isEmpty }) { await Task.yield() }
            let came = callback.came.withLock { $0 }
            #expect(came.allSatisfy { $0.path == "/acme" && $0.method == .post })
            // The one that was refused came twice.
            #expect(came.count == Set(came.map(\.body)).count + 1)
            let told = Set(came.compactMap { MetaScene.parse($0.body) }.flatMap(MetaFacts.told))
            let toTell = simulator.ledger.entries.filter { $0.places.contains("webhook") && $0.verb != "told" }
            #expect(told == Set(toTell.map(MetaFacts.key)) && !told.isEmpty)
        }
    }

    @Test("Calls go to loopback addresses and nowhere else")
    func loopback() {
        #expect(WebhookCaller.Target("http://127.0.0.1:8081/a?b=c")?.path == "/a?b=c")
        #expect(WebhookCaller.Target("http://localhost:8081")?.host == "127.0.0.1")
        for url in [
            "https://127.0.0.1/a", "http://10.0.0.1/", "http://127.evil.example/", "http://127.0.0.1@example.org/",
            "http://localhost.example.org/", "http://127.0.0.1:0/", "http://127.0.0.1:99999/", "ftp://127.0.0.1/", "",
        ] { #expect(WebhookCaller.Target(url) == nil, "\(url)") }
    }
}
