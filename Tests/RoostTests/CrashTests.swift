import ConnectorKit
import Foundation
import Logging
import PlatformSimulators
import ServiceLifecycle
import SQLiteBus
import MessageBus
import SocialEvents
import Synchronization
import Testing

@Suite("The binary under kill -9", .serialized)
struct CrashTests {
    private static let kills = 15

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
            let end = try await Self.offThread { try Self.killInALoop(configuration, time) }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            try await Self.compare(folder.url.path + "/data", with: world, at: end)
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
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<kills {
            let roost = try RoostProcess(["run", "--config", configuration, "--follow"])
            let lines = Int.random(in: 1...150, using: &generator)
            for _ in 0..<lines where roost.readLine() == nil {
                Issue.record("the hub ended by itself")
                break
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

    /// Returns once every source has been asked several times since the world stopped, with nothing new in the last turns.
    private static func waitUntilCaughtUp(_ base: String) throws {
        var last = ""
        var calm = 0
        for _ in 0..<20_000 where calm < 3 {
            let answer = try RoostProcess.run(["sources", "--json", "--url", base]).output
            let pulls = answer.matches(of: /"pulls":([0-9]+)/).compactMap { Int($0.1) }
            let events = answer.matches(of: /"events":([0-9]+)/).map { String($0.1) }.joined(separator: " ")
            let hasAsked = pulls.count == FeedChannel.allCases.count && pulls.allSatisfy { $0 >= 3 }
            calm = hasAsked && events == last ? calm + 1 : 0
            last = events
        }
        try #require(calm == 3, "the hub did not come to rest")
    }

    /// Every article once, with its last words; every withdrawal that could be seen once; no event twice.
    private static func compare(_ data: String, with world: FeedWorld, at end: Int64) async throws {
        var events: [Event] = []
        let bus = try await SQLiteBus(directory: data, SQLiteBusConfiguration { SystemClock().now })
        let decoder = EventDecoder()
        var position = Sequence.start
        while true {
            let page = try await bus.page(
                after: position,
                filter: EventFilter(includesDuplicates: true),
                limits: PageLimits()
            )
            for entry in page.entries where entry.platform != .hub {
                events.append(
                    try page.storage.withUnsafeBytes {
                        try decoder.decodeBody(UnsafeRawBufferPointer(rebasing: $0[entry.body])).event
                    }
                )
            }
            position = page.scannedThrough
            if position == page.head { break }
        }
        await bus.close()

        #expect(Set(events.map(\.id)).count == events.count, "an event was stored twice")
        var titles: [String: String] = [:]
        var created: [String: Int] = [:]
        for event in events {
            guard let subject = event.subject?.text else { continue }
            if event.type == .postCreated { created[subject, default: 0] += 1 }
            titles[subject] = event.type == .postDeleted ? nil : event.data.object?.title
        }
        #expect(created.values.allSatisfy { $0 == 1 }, "an article was told twice as new")
        var missing: [Int] = []
        for index in 0..<world.published(by: end) {
            guard let article = world.article(index, at: end) else { continue }
            if titles.first(where: { $0.key.hasSuffix(":\(world.seed):\(index)") })?.value != article.title {
                missing.append(index)
            }
        }
        #expect(missing.isEmpty, "articles that are missing or not in their last form")
        #expect(events.count > 500, "there was no load")
    }

    private static func offThread<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws
        -> Result
    {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Swift.Result(catching: body)) }
        }
    }
}
