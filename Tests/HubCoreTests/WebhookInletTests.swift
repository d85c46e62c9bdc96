import ConnectorKit
import ConnectorTesting
import HTTPTypes
import HubCore
import Logging
import MessageBus
import SocialEvents
import Testing

@Suite("Calls of a webhook", .serialized, .timeLimit(.minutes(2)))
struct WebhookInletTests {
    private func delivery(_ body: String) -> WebhookDelivery {
        WebhookDelivery(method: .post, headers: [:], body: Array(body.utf8), receivedAt: Timestamp(seconds: 0))
    }

    private func hub(_ text: String, _ clock: ManualClock, _ bus: MemoryBus) throws -> Hub {
        try Hub(
            configuration: load(text),
            bus: bus,
            http: { _ in ScriptedHTTPClient() },
            clock: clock,
            alarm: Alarm(clock: clock) { clock.elapsed },
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
    }

    @Test("A full log has the platform call again, and takes the call once there is room, though nobody else writes")
    func fullLog() async throws {
        let (clock, bus) = (ManualClock(), MemoryBus())
        let hub = try hub("sources: { acme: { connector: called } }", clock, bus)
        let running = Task { await hub.run() }
        while hub.source(SourceName("acme"))?.state != .running {
            try Task.checkCancellation()
            await Task.yield()
        }
        let inlet = try #require(hub.webhooks["/acme"])
        #expect(await inlet.receive(delivery("1")) == .accepted)
        bus.state.update { $0.condition = .full("no room") }
        let answered = Shared(false)
        // Awaited below, once the time has passed that it waits.
        let call = Task {
            defer { answered.update { $0 = true } }
            return await inlet.receive(delivery("2"))
        }
        while !answered.current {
            try Task.checkCancellation()
            clock.advance(by: .milliseconds(100))
            await Task.yield()
        }
        guard case .later = await call.value else { throw CancellationError() }
        bus.state.update { $0.hasRoomAgain = true }
        #expect(await inlet.receive(delivery("2")) == .accepted)
        #expect(bus.posts(of: "acme") == ids("1", "2"))
        running.cancel()
        await running.value
    }

    @Test("A source that is switched off is called nowhere")
    func switchedOff() throws {
        let text = "sources: { acme: { connector: called, enabled: false }, other: { connector: called } }"
        #expect(Array(try hub(text, ManualClock(), MemoryBus()).webhooks.keys) == ["/other"])
    }
}
