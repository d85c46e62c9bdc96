import ConnectorKit
import Foundation
import Logging
import PlatformSimulators
import ServiceLifecycle
import SocialEvents
import Testing

@testable import roost

/// The real binary, killed again and again, on platforms that misbehave: what its log holds in the end is held against the platform's ledger.
///
/// Run by hand, since it takes minutes, most of them the platforms' own waits: `ROOST_CHAOS=600` turns it on and sets how much happens on each platform.
/// A burst takes the simulated world ahead of the clock; with more than some thousands, posts come from the hub's future.
@Suite(
    "The binary under kill -9, on platforms that misbehave",
    .serialized,
    .enabled(if: ProcessInfo.processInfo.environment["ROOST_CHAOS"] != nil, "ROOST_CHAOS is not set")
)
struct PlatformCrashTests {
    private static let kills = 5
    private static let faultsPerPlatform = 30
    private static let happenings = ProcessInfo.processInfo.environment["ROOST_CHAOS"].flatMap { Int($0) } ?? 600

    @Test("Mastodon: every post once, none missed, none invented", .timeLimit(.minutes(20)))
    func mastodon() async throws {
        // So much is said at once here that who comes seconds late comes behind more posts than any source looks at again.
        let simulator = MastodonSimulator(
            seed: 3,
            now: Trial.now(),
            pace: Trial.pace,
            requests: 1_000_000,
            lateness: 200
        )
        let trial = Trial(
            simulator,
            settings: "connector: mastodon, kind: home, access_token: \"${env:TOKEN}\", backfill: 400, recheck: 400",
            token: MastodonSimulator.token,
            faults: [
                .drop, .close, .repeated, .reorder, .garbage, .unknownType, .unknownFields, .serverError, .truncated,
                .oldestPage,
            ],
            place: "home"
        )
        try await trial.run { SimulatorServer(simulator, port: 0, logger: $0, now: Trial.now, onRunning: $1) }
    }

    @Test("Bluesky's stream: every post once, none missed, none invented", .timeLimit(.minutes(20)))
    func bluesky() async throws {
        let simulator = BlueskySimulator(seed: 3, now: Trial.now(), pace: Trial.pace, requests: 1_000_000)
        let trial = Trial(
            simulator,
            settings: "connector: bluesky, kind: jetstream",
            token: "unused",
            faults: [.drop, .close, .repeated, .reorder, .garbage, .unknownType, .serverError, .truncated],
            place: "stream"
        )
        try await trial.run { SimulatorServer(simulator, port: 0, logger: $0, now: Trial.now, onRunning: $1) }
    }

    @Test("X's filtered stream: every post once, none missed, none invented", .timeLimit(.minutes(20)))
    func x() async throws {
        let simulator = XSimulator(seed: 3, now: Trial.now(), pace: Trial.pace, generosity: 100_000)
        let trial = Trial(
            simulator,
            settings:
                "connector: x, kind: stream, bearer_token: \"${env:TOKEN}\", rules: { all: \"lang:en\" }, history: 1h",
            token: XSimulator.token,
            faults: [.drop, .close, .repeated, .reorder, .garbage, .unknownType, .unknownFields, "new-spelling"],
            place: "lang:en"
        )
        try await trial.run { SimulatorServer(simulator, port: 0, logger: $0, now: Trial.now, onRunning: $1) }
    }

    /// One platform, one hub, and what is done to both.
    private struct Trial {
        let simulator: any PlatformSimulator
        let settings: String
        let token: String
        let faults: [Fault.Kind]
        /// Where in the ledger what the source sees shows.
        let place: String

        /// Milliseconds between two things that happen by themselves, so that there is always more to come for who waits.
        static let pace: Int64 = 40
        static let now: @Sendable () -> Int64 = { SystemClock().now.milliseconds }

        init(
            _ simulator: any PlatformSimulator,
            settings: String,
            token: String,
            faults: [Fault.Kind],
            place: String
        ) {
            self.simulator = simulator
            self.settings = settings
            self.token = token
            self.faults = faults
            self.place = place
        }

        func run(_ serve: (Logger, @escaping @Sendable (Int) async -> Void) -> any Service) async throws {
            let folder = try TestFolder()
            let listening = AsyncStream.makeStream(of: Int.self, bufferingPolicy: .bufferingNewest(1))
            let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            let service = serve(quiet) { listening.continuation.yield($0) }
            let group = ServiceGroup(services: [service], logger: quiet)
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await group.run() }
                var ports = listening.stream.makeAsyncIterator()
                let port = try #require(await ports.next())
                let data = folder.url.path + "/data"
                let file = try folder.write(
                    "hub.yaml",
                    """
                    data: \(data)
                    listen: 127.0.0.1:0
                    log: { level: critical }
                    sources:
                      chaos: { \(settings), base_url: "http://127.0.0.1:\(port)", allow_private_network: true, every: 200ms..1s }
                    """
                )
                try await offThread { try self.live(file) }
                await group.triggerGracefulShutdown()
                try await tasks.waitForAll()
                compare(try await storedEvents(data))
            }
        }

        // MARK: Living and dying

        /// Lets the platform live and the hub die.
        private func live(_ file: String) throws {
            var dice = Dice(seed: 17)
            var first: Int?
            var done = 0
            let burst = max(2, PlatformCrashTests.happenings / 60)
            for life in 1...PlatformCrashTests.kills {
                let roost = try start(file)
                // A stream without a past begins with what is said once it is open.
                while first == nil {
                    let before = simulator.ledger.count
                    simulator.publish(1)
                    if try sees(roost) { first = before }
                }
                while done < PlatformCrashTests.happenings * life / PlatformCrashTests.kills {
                    if dice.roll(60) < PlatformCrashTests.faultsPerPlatform {
                        simulator.faults.add(Fault(dice.pick(faults), after: dice.roll(3)))
                    }
                    let count = 1 + dice.roll(2 * burst)
                    simulator.publish(count)
                    done += count
                    // Some of it arrives, then more happens.
                    for _ in 0..<dice.roll(10) { _ = roost.readLine() }
                }
                roost.send(SIGKILL)
                #expect(roost.wait() == -SIGKILL)
            }
            simulator.faults.clear()
            simulator.publish(5)
            try catchUp(file, from: first ?? 0)
        }

        private func start(_ file: String) throws -> RoostProcess {
            try RoostProcess(["run", "--config", file, "--follow"], environment: ["TOKEN": token])
        }

        /// Reads what the hub prints until a post of the platform comes; false when other news comes first.
        private func sees(_ roost: RoostProcess) throws -> Bool {
            let line = try #require(roost.readLine(), "the hub ended by itself")
            return line.contains("post.created")
        }

        /// Lets a hub live until its log holds all that stands on the platform.
        private func catchUp(_ file: String, from first: Int) throws {
            let roost = try RoostProcess(["run", "--config", file], environment: ["TOKEN": token])
            let line = try #require(roost.waitForError("listening on http://"))
            let base = "http://" + line.split(separator: "http://")[1]
            let tail = try RoostProcess(["tail", "--json", "--after", "earliest", "--url", base])
            var missing = standing(from: first)
            var lookAgain = ContinuousClock.now
            // There is always a next line, since the platform lives on.
            let patience = ContinuousClock.now + .seconds(90)
            while !missing.isEmpty, ContinuousClock.now < patience, let line = tail.readLine() {
                guard let id = line.firstMatch(of: /"id":"([^"]+)"/).map({ String($0.1) }) else { continue }
                missing.remove(id)
                // What is withdrawn meanwhile is erased before anybody reads it, or was gone before the hub came to see it.
                guard ContinuousClock.now > lookAgain else { continue }
                missing.formIntersection(standing(from: first))
                lookAgain = .now + .seconds(1)
            }
            #expect(missing.isEmpty, "\(missing.count) are missing, such as \(missing.sorted().prefix(3))")
            tail.send(SIGTERM)
            tail.wait()
            roost.send(SIGTERM)
            #expect(roost.wait() == 0)
        }

        // MARK: Comparing

        private var platform: String { String(settings.split(separator: ",")[0].split(separator: " ")[1]) }

        private func event(_ entry: Ledger.Entry) -> String? {
            switch entry.verb {
            case "created", "reposted": "\(namespace(entry)):\(entry.object)/created"
            case "updated": "\(namespace(entry)):\(entry.object)/updated/\(entry.revision)"
            case "deleted", "unreposted": "\(namespace(entry)):\(entry.object)/deleted"
            default: nil
            }
        }

        private func namespace(_ entry: Ledger.Entry) -> String {
            entry.object.contains("/app.bsky.feed.repost/") ? "bluesky:repost" : "\(platform):post"
        }

        /// The events of what stands on the platform in its first form.
        private func standing(from first: Int) -> Set<String> {
            var events: Set<String> = []
            var isGone: Set<String> = []
            let entries = simulator.ledger.entries
            // What was edited while nobody listened is told in its last form alone.
            for entry in entries where ["updated", "deleted", "unreposted", "protected"].contains(entry.verb) {
                isGone.insert(entry.object)
            }
            for entry in entries.dropFirst(first) where ["created", "reposted"].contains(entry.verb) {
                guard entry.places.contains(place), !isGone.contains(entry.object), !isGone.contains(entry.actor) else {
                    continue
                }
                if let id = event(entry) { events.insert(id) }
            }
            return events
        }

        /// No event twice, and none that never happened.
        private func compare(_ events: [Event]) {
            let told = events.filter { $0.type != .unrecognised }.map(\.id.text)
            #expect(Set(told).count == told.count, "an event was stored twice")
            let happened = Set(simulator.ledger.entries.compactMap { event($0) })
            let invented = told.filter { $0.contains(":post:") || $0.contains(":repost:") }.filter {
                !happened.contains($0)
            }
            #expect(invented.isEmpty, "\(invented.count) were invented, such as \(invented.prefix(3))")
            #expect(told.count > PlatformCrashTests.happenings / 10, "there was no load")
        }
    }
}
