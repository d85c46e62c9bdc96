import ConnectorKit
import Foundation
import Logging
import PlatformSimulators
import ServiceLifecycle
import SocialEvents
import Synchronization
import Testing

@Suite("The binary under kill -9", .serialized)
struct CrashTests {
    private static let kills = 15
    /// Events that are told before the last life, at least.
    private static let load = 600
    /// Decides when it is killed; `ROOST_SEED` repeats a run.
    private static let seed =
        ProcessInfo.processInfo.environment["ROOST_SEED"].flatMap { UInt64($0) } ?? .random(in: 0 ... .max)

    /// A world whose time is the real one until it is stopped, so that the hub can be let to catch up with all that happened.
    private final class WorldTime: Sendable {
        private let stopped = Mutex<Int64?>(nil)
        var now: Int64 { stopped.withLock { $0 } ?? SystemClock().now.milliseconds }
        func stop() -> Int64 {
            stopped.withLock { stopped in
                let now = stopped ?? SystemClock().now.milliseconds
                stopped = now
                return now
            }
        }
    }

    @Test("Killed again and again under load, it loses nothing and doubles nothing", .timeLimit(.minutes(5)))
    func killedInALoop() async throws {
        let folder = try TestFolder()
        let time = WorldTime()
        let world = FeedWorld(seed: 42, epoch: time.now, pace: 10, window: 400)
        let listening = AsyncStream.makeStream(of: Int.self, bufferingPolicy: .bufferingNewest(1))
        let simulator = FeedSimulator(world: world, port: 0, now: { time.now })
        let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let application = simulator.application(logger: quiet) { listening.continuation.yield($0) }
        let group = ServiceGroup(services: [application], logger: quiet)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            var ports = listening.stream.makeAsyncIterator()
            let port = try #require(await ports.next())
            let configuration = try folder.write(
                "crash.yaml",
                Self.configuration(port: port, data: folder.url.path + "/data")
            )
            let end = try await offThread { try Self.killInALoop(configuration, time) }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            Self.compare(try await storedEvents(folder.url.path + "/data"), with: world, at: end)
        }
    }

    private static func configuration(port: Int, data: String) -> String {
        let sources = FeedChannel.allCases.map {
            "  \($0.rawValue): { connector: feed, url: \"http://127.0.0.1:\(port)\($0.path)\", every: 100ms..200ms, allow_private_network: true }\n"
        }
        return "data: \(data)\nlisten: 127.0.0.1:0\nlog: { level: error }\nsources:\n" + sources.joined()
    }

    /// Starts the hub, lets it print some events, kills it; at last stops the world and lets a hub see the end of it.
    private static func killInALoop(_ configuration: String, _ time: WorldTime) throws -> Int64 {
        var dice = Dice(seed: seed)
        var told = 0
        var lives = 0
        while lives < kills || told < load {
            try #require(lives < 10 * kills, "hardly anything is told; seed \(seed)")
            lives += 1
            let roost = try RoostProcess(["run", "--config", configuration, "--follow"])
            for number in 0...dice.roll(150) {
                let line = try #require(roost.readLine(), "the hub ended by itself; seed \(seed)")
                // The first ten it prints may be old.
                if number >= 10, line.contains("  post.") { told += 1 }
            }
            roost.send(SIGKILL)
            #expect(roost.wait() == -SIGKILL)
        }
        let end = time.stop()
        let roost = try RoostProcess(["run", "--config", configuration])
        let base = try #require(
            roost.waitForError("listening on http://").map { "http://" + $0.split(separator: "http://")[1] }
        )
        try waitUntilCaughtUp(base)
        roost.send(SIGTERM)
        #expect(roost.wait() == 0)
        return end
    }

    /// Returns once every source has been asked three times since anything new came of any.
    private static func waitUntilCaughtUp(_ base: String) throws {
        var last = ""
        var asked: [Int] = []
        let patience = ContinuousClock.now + .seconds(120)
        while ContinuousClock.now < patience {
            let answer = try RoostProcess.run(["sources", "--json", "--url", base]).output
            let pulls = answer.matches(of: /"pulls":([0-9]+)/).compactMap { Int($0.1) }
            let events = answer.matches(of: /"events":([0-9]+)/).map { String($0.1) }.joined(separator: " ")
            guard pulls.count == FeedChannel.allCases.count else { continue }
            if events != last || asked.isEmpty {
                last = events
                asked = pulls
            } else if zip(asked, pulls).allSatisfy({ $1 >= $0 + 3 }) {
                return
            }
        }
        Issue.record("the hub did not come to rest; seed \(seed)")
    }

    /// Every article once, with its last words; every withdrawal that could be seen once; no event twice.
    private static func compare(_ events: [Event], with world: FeedWorld, at end: Int64) {
        #expect(Set(events.map(\.id)).count == events.count, "an event was stored twice; seed \(seed)")
        var titles: [String: String] = [:]
        var created: [String: Int] = [:]
        for event in events {
            guard let subject = event.subject?.text else { continue }
            if event.type == .postCreated { created[subject, default: 0] += 1 }
            titles[subject] = event.type == .postDeleted ? nil : event.data.object?.title
        }
        #expect(created.values.allSatisfy { $0 == 1 }, "an article was told twice as new; seed \(seed)")
        var missing: [Int] = []
        for index in 0..<world.published(by: end) {
            guard let article = world.article(index, at: end) else { continue }
            if titles.first(where: { $0.key.hasSuffix(":\(world.seed):\(index)") })?.value != article.title {
                missing.append(index)
            }
        }
        #expect(missing.isEmpty, "articles that are missing or not in their last form; seed \(seed)")
    }
}
