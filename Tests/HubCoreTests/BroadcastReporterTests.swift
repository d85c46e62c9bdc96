import ConnectorKit
import ConnectorTesting
@testable import HubCore
import MessageBus
import SocialEvents
import Testing

@Suite("What the hub tells of broadcasts", .serialized, .timeLimit(.minutes(2)))
struct BroadcastReporterTests {
    private let broadcast = ObjectID("demo", .broadcast, "spring")

    private func tally(_ version: Int64, read: Int) -> BroadcastTally {
        BroadcastTally(source: SourceName("a"), broadcast: broadcast, version: version, counts: ["read": read])
    }

    private var delivery: Event {
        let message = ObjectID("demo", .message, "1")
        var event = Event(
            id: EventID(message, .updated),
            type: .deliveryUpdated,
            platform: "demo",
            subject: message,
            time: Timestamp(seconds: 1_700_000_000)
        )
        event.data.delivery = Delivery(.read)
        return event
    }

    private func told(_ bus: MemoryBus) -> [Event] {
        bus.state.current.events.map(\.event).filter { $0.type == .metricsObserved }
    }

    @Test("Counts that changed are gathered for five seconds and told in one event")
    func gathered() async throws {
        let page = PullPage(events: [delivery], cursor: Cursor(bytes: [1]))
        let stage = try Stage(["a"], script: Script(["a": [.page(page)]]))
        try await stage.play {
            try await stage.untilSleeping(for: BroadcastReporter.interval)
            stage.bus.state.update { $0.changed = [tally(7, read: 3)] }
            #expect(told(stage.bus).isEmpty)
            try stage.advanceToNext()
            try await stage.until("told", { !told(stage.bus).isEmpty })
            let event = try #require(told(stage.bus).first)
            #expect(event.id.text == "demo:broadcast:spring/observed/7")
            #expect(event.subject == broadcast && event.platform == "demo" && event.validate().isEmpty)
            #expect(event.data.metrics?.other.prefix(4).map(\.count) == [3, 3, 3, 3])
            #expect(stage.bus.state.current.changed.isEmpty)
        }
        #expect(told(stage.bus).count == 1)
    }

    @Test("A hub that was killed before it told them tells them when it is started again")
    func afterRestart() async throws {
        let bus = MemoryBus()
        bus.state.update { $0.changed = [self.tally(2, read: 1)] }
        let stage = try Stage(["a"], bus: bus)
        try await stage.play { try await stage.until("told", { told(bus).count == 1 }) }
    }

    @Test("While the log is full they wait, and are told when it has room again")
    func fullLog() async throws {
        let bus = MemoryBus()
        bus.state.update {
            $0.changed = [self.tally(2, read: 1)]
            $0.condition = .full("no room")
        }
        let stage = try Stage([], bus: bus)
        try await stage.play {
            try await stage.untilSleeping(for: BroadcastReporter.interval)
            bus.state.update { $0.condition = .ready }
            try stage.advanceToNext()
            try await stage.until("told", { told(bus).count == 1 })
        }
    }
}
