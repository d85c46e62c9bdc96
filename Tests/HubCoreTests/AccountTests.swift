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

    /// A hub that asks one source after another: at the same moment, both would be admitted.
    private func hub(_ clock: ManualClock, _ bus: MemoryBus) throws -> Hub {
        var limits = HubLimits()
        limits.pullsInFlight = 1
        return try Hub(
            configuration: load(text),
            bus: bus,
            http: { _ in ScriptedHTTPClient() },
            clock: clock,
            alarm: Alarm(clock: clock) { clock.elapsed },
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            limits: limits
        )
    }

    private func until(_ condition: () throws -> Bool) async throws {
        let patience = ContinuousClock.now + .seconds(60)
        while try !condition() {
            guard ContinuousClock.now < patience else { throw CancellationError() }
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
}
