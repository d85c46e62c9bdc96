import ConnectorKit
import ConnectorTesting
import HubCore
import Logging
import MessageBus
import SocialEvents
import Testing

@Suite("Accounts", .serialized, .timeLimit(.minutes(2)))
struct AccountTests {
    private let text = """
        accounts:
          acme:
            connector: priced
            budget: { per_day: 0.05 USD, prices: { post: 0.01 USD } }
        sources:
          first: { connector: priced, account: acme, priority: high, every: 10s..10s }
          second: { connector: priced, account: acme, every: 10s..10s }
          alone: { connector: priced, every: 10s..10s }
        """

    /// A hub that asks one source after another: at the same moment, the second would first wait a little for what the first may read.
    private func hub(_ clock: ManualClock, _ bus: MemoryBus, _ text: String? = nil) throws -> Hub {
        var limits = HubLimits()
        limits.pullsInFlight = 1
        return try Hub(
            configuration: load(text ?? self.text),
            bus: bus,
            http: { _ in ScriptedHTTPClient() },
            clock: clock,
            alarm: Alarm(clock: clock) { clock.elapsed },
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            limits: limits
        )
    }

    private func until(
        sourceLocation: SourceLocation = #_sourceLocation,
        _ condition: () throws -> Bool
    ) async throws {
        let patience = ContinuousClock.now + .seconds(60)
        while try !condition() {
            guard ContinuousClock.now < patience else {
                Issue.record("did not come", sourceLocation: sourceLocation)
                throw CancellationError()
            }
            await Task.yield()
        }
    }

    @Test("Prices, budget and priorities arrive where they belong")
    func configuration() throws {
        let configuration = try load(text)
        #expect(configuration.accounts.map(\.name) == ["acme"])
        #expect(configuration.accounts[0].budget.perDay == Money("0.05 USD"))
        #expect(configuration.accounts[0].budget.prices == ["post": Money(micros: 10_000)])
        #expect(configuration.sources.map(\.account) == [.named("acme"), .named("acme"), .source("alone")])
        #expect(configuration.sources.map(\.priority) == [.high, .normal, .normal])
    }

    @Test("Sources of one account share its values and its budget, over restarts too, and others do not")
    func shared() async throws {
        let (clock, bus) = (ManualClock(), MemoryBus())
        let first = try hub(clock, bus)
        var running = Task { await first.run() }
        // Three posts cost 0.03: the second source would go beyond 0.05 and waits for the next day.
        try await until { first.source(SourceName("alone"))?.counts.pulls == 1 }
        try await until { first.sources().contains { $0.state == .throttled } }
        let status = try #require(first.accountStatuses().first)
        #expect(status.sources.map(\.name) == ["first", "second"])
        #expect(status.spend?.today == Money("0.03 USD"))
        #expect(status.spend?.dayBudget == Money("0.05 USD"))
        let throttled = try #require(first.sources().first { $0.state == .throttled })
        #expect(throttled.until.map { $0.milliseconds % 86_400_000 == 0 } == true)
        running.cancel()
        await running.value

        let second = try hub(clock, bus)
        running = Task { await second.run() }
        try await until { second.sources().filter { $0.state == .throttled }.count == 2 }
        #expect(second.accountStatuses().first?.spend?.today == Money("0.03 USD"))
        running.cancel()
        await running.value
        let values = bus.state.current.values.mapValues { String(decoding: $0, as: UTF8.self) }
        #expect(values["account/acme/count"] == "1")
        #expect(values["source/alone/account/count"] != nil)
    }

    @Test(
        "What a platform handed out while the disk was full is known at once, and kept once there is room, though its source was paused"
    )
    func fullDisk() async throws {
        let (clock, bus) = (ManualClock(), MemoryBus())
        bus.state.update { $0.condition = .full("no room") }
        let hub = try hub(clock, bus, "sources: { alone: { connector: priced, every: 10s..10s } }")
        let running = Task { await hub.run() }
        try await until { bus.state.current.refusedValues > 0 }
        #expect(hub.source(SourceName("alone"))?.counts.failures == 0, "the connector waits and has not lost it")
        running.cancel()
        bus.state.update { $0.condition = .ready }
        await running.value
        let values = bus.state.current.values.mapValues { String(decoding: $0, as: UTF8.self) }
        #expect(values["source/alone/account/count"] == "1")
    }

    @Test("A log that cannot be read at the start does not grant the budget again")
    func unreadableAtStart() async throws {
        let (clock, bus) = (ManualClock(), MemoryBus())
        bus.state.update { state in
            let day = clock.now.milliseconds / 86_400_000
            state.values["account/acme/spend"] = Array("{\"day\":\(day),\"today\":50000,\"month\":50000}".utf8)
            state.unreadableValues = 2
        }
        let hub = try hub(clock, bus)
        let running = Task { await hub.run() }
        try await until {
            clock.advance(by: .milliseconds(100))
            return hub.sources().filter { $0.state == .throttled }.count == 2
        }
        #expect(bus.state.current.unreadableValues == 0)
        #expect(hub.accountStatuses().first?.spend?.today == Money("0.05 USD"))
        running.cancel()
        await running.value
    }

    @Test("What was spent is kept as soon as it is a notable part of the budget, for a hub may be killed at any moment")
    func keptAtOnce() async throws {
        let (clock, bus) = (ManualClock(), MemoryBus())
        let hub = try hub(clock, bus)
        let running = Task { await hub.run() }
        try await until { bus.state.current.values["account/acme/spend"] != nil }
        #expect(clock.elapsed == .zero)
        running.cancel()
        await running.value
    }
}
