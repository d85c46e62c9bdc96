import ConnectorKit
import Foundation
import Glibc
import Logging
import PlatformSimulators
import ServiceLifecycle
import SocialEvents
import Testing

/// The real binary, killed again and again while a platform calls its webhook.
@Suite("The binary under kill -9, while it is called", .serialized)
struct WebhookCrashTests {
    private static let kills = 6
    /// How many times as fast as ours the platform's time goes, so that it calls again soon.
    private static let haste: Int64 = 60

    /// A port that nobody listens on at the moment; it is the hub's through all its lives, for the platform knows no other.
    private static func freePort() throws -> UInt16 {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(socket, address, size) == 0 && getsockname(socket, address, &size) == 0
            }
        }
        try #require(result, "no port is free")
        return UInt16(bigEndian: address.sin_port)
    }

    @Test("Everything that was answered with 200 is in the log, once, and nothing else", .timeLimit(.minutes(5)))
    func answeredIsStored() async throws {
        let folder = try TestFolder()
        let port = try Self.freePort()
        let start = SystemClock().now.milliseconds
        let haste = Self.haste
        let simulator = MetaSimulator(
            [.whatsapp],
            seed: 11,
            now: start,
            history: 0,
            subscriptions: [MetaSubscription(.whatsapp, url: "http://127.0.0.1:\(port)/chaos")]
        )
        let data = folder.url.path + "/data"
        let file = try folder.write(
            "hub.yaml",
            """
            data: \(data)
            listen: 127.0.0.1:0
            webhooks: { listen: 127.0.0.1:\(port) }
            log: { level: critical }
            sources:
              chaos: { connector: whatsapp, app_secret: "${env:SECRET}", verify_token: "${env:TOKEN}" }
            """
        )
        let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let server = SimulatorServer(
            simulator,
            port: 0,
            logger: quiet,
            now: { start + (SystemClock().now.milliseconds - start) * haste },
            onRunning: { _ in }
        )
        let group = ServiceGroup(services: [server], logger: quiet)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            try await offThread { try Self.killInALoop(file, simulator) }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
        Self.compare(try await storedEvents(data), simulator)
    }

    private static func hub(_ file: String) throws -> RoostProcess {
        try RoostProcess(
            ["run", "--config", file, "--follow"],
            environment: ["SECRET": MetaSimulator.appSecret, "TOKEN": MetaSimulator.verifyToken]
        )
    }

    private static func killInALoop(_ file: String, _ simulator: MetaSimulator) throws {
        var dice = Dice(seed: 5)
        for _ in 1...kills {
            let roost = try hub(file)
            _ = try #require(roost.waitForError("webhook of chaos"))
            simulator.faults.add(Fault(dice.pick([.repeated, .reorder, "forged", "lost-answer"]), count: 3))
            simulator.publish(150)
            simulator.broadcast()
            // Some of it arrives.
            for _ in 0..<10 + dice.roll(70) { _ = try #require(roost.readLine(), "the hub ended by itself") }
            roost.send(SIGKILL)
            #expect(roost.wait() == -SIGKILL)
        }
        simulator.faults.clear()
        let roost = try hub(file)
        _ = try #require(roost.waitForError("webhook of chaos"))
        let patience = ContinuousClock.now + .seconds(90)
        while !simulator.isDelivered, ContinuousClock.now < patience { usleep(20_000) }
        #expect(simulator.isDelivered, "the hub did not take everything")
        roost.send(SIGTERM)
        #expect(roost.wait() == 0)
    }

    private static func compare(_ events: [Event], _ simulator: MetaSimulator) {
        #expect(Set(events.map(\.id)).count == events.count, "an event was stored twice")
        let ledger = simulator.ledger.entries
        #expect(simulator.forgeriesTaken == 0)
        func messages(_ entries: [Ledger.Entry]) -> Set<String> { Set(entries.map { "whatsapp:message:\($0.object)" }) }
        let said = messages(ledger.filter { $0.verb == "created" && $0.places.contains("webhook") })
        let answered = messages(ledger.filter { $0.verb == "told" && $0.places.contains("created") })
        // What was taken back is erased.
        let kept = answered.subtracting(messages(ledger.filter { $0.verb == "deleted" }))
        let stored = Set(events.filter { $0.type == .messageCreated }.compactMap(\.subject?.text))
        #expect(answered.count > 300, "there was no load: \(answered.count)")
        #expect(kept.subtracting(stored).sorted() == [], "answered with 200 and lost")
        #expect(stored.subtracting(said).sorted() == [], "never said")
        // No message goes back, whichever life of the hub heard of it.
        var reached: [String: Delivery.Status] = [:]
        for event in events where event.type == .deliveryUpdated {
            guard let message = event.subject?.text, let status = event.data.delivery?.status else { continue }
            #expect(
                status > reached[message] ?? .queued || reached[message] == nil,
                "\(message) went back to \(status)"
            )
            reached[message] = status
        }
        #expect(!reached.isEmpty)
    }
}
