import ConnectorKit
import ConnectorTesting
import FoundationEssentials
import HTTPTypes
import JSON
import Logging
import PlatformSimulators
import SimulatorTesting
import SocialEvents
import Testing
import XConnector

/// The connector against a platform that misbehaves: what the log has in the end is held against the platform's ledger.
///
/// `ROOST_CHAOS=100000` sets how many things happen.
struct XChaosTests {
    private static let base = "http://127.0.0.1:9311"
    private static let things = ProcessInfo.processInfo.environment["ROOST_CHAOS"].flatMap { Int($0) } ?? 2000

    @Test(
        "Whatever the platform does, a stream loses, doubles and invents nothing",
        .timeLimit(.minutes(30)),
        arguments: [3, 4] as [UInt64]
    )
    func stream(seed: UInt64) async throws {
        let rules: KeyValuePairs<String, String> = ["english": "lang:en", "german": "lang:de", "quay": "#quay2026"]
        let trial = try Trial(seed: seed, settings: [.plain("kind", "stream"), .rules(rules), .plain("history", "2h")])
        try await trial.run(things: Self.things)
        try await trial.check(places: ["lang:en", "lang:de", "#quay2026"])
        #expect(await trial.host.connections > 3)
        // Every rule that stands is ours, once.
        #expect(
            trial.simulator.standingRules.sorted() == [
                "roost/chaos/english: lang:en", "roost/chaos/german: lang:de", "roost/chaos/quay: #quay2026",
            ]
        )
    }

    @Test("The same holds for searches and timelines", .timeLimit(.minutes(10)))
    func pulled() async throws {
        let kinds: [([SettingNode.Member], String)] = [
            ([.plain("kind", "search"), .plain("query", "lang:ja")], "lang:ja"),
            ([.plain("kind", "mentions"), .plain("user", "nora_lind")], "mention:nora_lind"),
            ([.plain("kind", "user"), .plain("user", "sakura")], "user:sakura"),
        ]
        for (settings, place) in kinds {
            let trial = try Trial(seed: 9, settings: settings + [.plain("history", "2h")])
            try await trial.run(things: Self.things / 4)
            try await trial.check(places: [place])
        }
    }

    @Test("Users' tokens that expire and rotate stop nothing", .timeLimit(.minutes(5)))
    func tokens() async throws {
        let settings: [SettingNode.Member] = [
            .plain("kind", "search"), .plain("query", "lang:en"), .plain("history", "2h"), .plain("client_id", "app"),
            .secret("refresh_token", XSimulator.refreshToken),
        ]
        let trial = try Trial(seed: 2, settings: settings, bearer: false)
        try await trial.run(things: 900, faults: [.expireToken, .serverError, .unavailable])
        try await trial.check(places: ["lang:en"])
        #expect(await trial.host.failures[.unauthorized] == nil)
    }

    @Test("Every deletion is told, whatever the platform does, once who listens has begun to", .timeLimit(.minutes(10)))
    func deletions() async throws {
        let trial = try Trial(
            seed: 6,
            settings: [.plain("kind", "compliance"), .plain("backfill_minutes", "5")],
            as: StreamAlone.self
        )
        let began = try await trial.begin()
        try await trial.run(things: Self.things, faults: Trial.streamFaults)
        try await trial.hear()
        let log = await trial.host.log
        for event in log.prefix(2000) { #expect(event.validate().isEmpty, "\(event.id)") }
        let told = Set(log.filter { $0.type != .unrecognised }.map(\.id.text))
        let entries = trial.simulator.ledger.entries
        let deleted = entries.filter { $0.verb == "deleted" }
        let missing = deleted.filter { $0.at >= began && !told.contains("x:post:\($0.object)/deleted") }
        #expect(missing.isEmpty, "\(missing.count) of \(deleted.count) missing: \(missing.prefix(3))")
        // Later versions are told of by ids of their own, which the ledger does not know.
        let standing = Set(entries.map(\.object)).subtracting(deleted.map(\.object))
        let invented = standing.filter { told.contains("x:post:\($0)/deleted") }
        #expect(invented.isEmpty, "\(invented.count) invented: \(invented.prefix(3))")
        #expect(deleted.count > 10)
        #expect(await trial.host.connections > 3)
    }

    @Test("A connection that the platform still counts is ended, once and alone", .timeLimit(.minutes(1)))
    func zombie() async throws {
        let trial = try Trial(
            seed: 1,
            settings: [.plain("kind", "stream"), .rules(["all": "lang:en"]), .plain("history", "1h")]
        )
        trial.simulator.faults.add(Fault("zombie"))
        let life = trial.start()
        defer { life.cancel() }
        // Once it reads it has remembered which connection is its own.
        try await Trial.wait { trial.simulator.isHeard }
        trial.simulator.faults.add(Fault(.drop))
        try await Trial.wait {
            trial.simulator.publish(1)
            await trial.pass()
            return await trial.host.connections >= 2
        }
        #expect(trial.simulator.countedConnections == 1)
        life.cancel()
        _ = await life.result
    }

    @Test("What a timeline leaves out counts towards its bound", .timeLimit(.minutes(2)))
    func bounds() async throws {
        let now: Int64 = 1_780_000_000_000
        let simulator = XSimulator(seed: 4, now: now, history: 40_000, generosity: 100)
        let all = try await Self.timeline(simulator, "")
        let withoutReplies = try await Self.timeline(simulator, "&exclude=replies")
        #expect(all.count > 850)
        #expect(withoutReplies.count > 100 && Set(withoutReplies).isSubset(of: all.prefix(800)))
        let withoutReposts = try await Self.timeline(simulator, "&exclude=retweets")
        #expect(withoutReposts.last.map { (all.firstIndex(of: $0) ?? 0) > 800 } == true)
    }

    /// The ids of all pages of an account's posts.
    private static func timeline(_ simulator: XSimulator, _ more: String) async throws -> [String] {
        var ids: [String] = []
        var token: String?
        repeat {
            let page = token.map { "&pagination_token=\($0)" } ?? ""
            let answer = await simulator.answer(
                SimulatedRequest(
                    .get,
                    "/2/users/2244994900/tweets?max_results=100\(more)\(page)",
                    headers: [.authorization: "Bearer \(XSimulator.token)"],
                    body: [],
                    base: base
                )
            )
            guard case .bytes(let body) = answer.body else { break }
            token = try JSONParser().parse(body) { root in
                ids += root["data"]?.elements.compactMap { $0["id"]?.string } ?? []
                return root["meta"]?["next_token"]?.string
            }
        } while token != nil
        return ids
    }

    /// The stream without the rest, for what cannot be asked.
    private struct StreamAlone: StreamSource {
        static var descriptor: ConnectorDescriptor { XConnector.descriptor }
        private let connector: XConnector

        init(settings: Settings, context: ConnectorContext) throws {
            connector = try XConnector(settings: settings, context: context)
        }

        func stream(after cursor: Cursor?, into sink: any EventSink) async throws {
            try await connector.stream(after: cursor, into: sink)
        }
    }

    /// A platform, a host, and what goes wrong between them.
    private final class Trial: Sendable {
        let simulator: XSimulator
        let host: TinyHost
        let clock: ManualClock
        let seed: UInt64

        init(
            seed: UInt64,
            settings: [SettingNode.Member],
            bearer: Bool = true,
            as type: any Connector.Type = XConnector.self
        ) throws {
            let clock = ManualClock(now: Timestamp(seconds: 1_780_000_000))
            let simulator = XSimulator(seed: seed, now: clock.now.milliseconds, generosity: 100_000)
            let http = SimulatedHTTPClient(simulator, base: XChaosTests.base)
            let account = EphemeralAccount(name: "chaos")
            let members =
                settings + [.plain("base_url", XChaosTests.base)]
                + (bearer ? [.secret("bearer_token", XSimulator.token)] : [])
            self.clock = clock
            self.simulator = simulator
            self.seed = seed
            host = TinyHost {
                clock.advance(by: .seconds(2))
                simulator.advance(to: clock.now.milliseconds)
                await Task.yield()
            } make: {
                try type.init(
                    settings: Settings(members),
                    context: ConnectorContext(
                        source: SourceName("chaos"),
                        http: http,
                        clock: clock,
                        logger: Logger(label: "chaos") { _ in SwiftLogNoOpLogHandler() },
                        account: account
                    )
                )
            }
        }

        static let faults: [Fault.Kind] = [
            .serverError, .unavailable, .truncated, .notJSON, .gzipBomb, .hang, .throttle, "usage-cap", .drop, .close,
            .stall, .repeated, .reorder, .endlessLine, .garbage, .unknownType, .unknownFields, "new-spelling",
            "operational-disconnect", "zombie", .drop, .rejectCursor, "forget-token",
        ]

        /// What goes wrong with a stream that cannot be asked.
        static let streamFaults: [Fault.Kind] = [
            .serverError, .unavailable, .truncated, .notJSON, .hang, .throttle, "usage-cap", .drop, .close, .stall,
            .endlessLine, "operational-disconnect", .drop,
        ]

        /// Lets half a second pass.
        func pass() async {
            clock.advance(by: .milliseconds(500))
            simulator.advance(to: clock.now.milliseconds)
            await Task.yield()
        }

        /// Waits for a state of the simulator or the host; throws at the test's time limit.
        static func wait(until isReached: () async -> Bool) async throws {
            while await !isReached() {
                try Task.checkCancellation()
                await Task.yield()
            }
        }

        /// Lets the host live until it has heard something; tells from when on it misses nothing.
        func begin() async throws -> Int64 {
            let life = start()
            defer { life.cancel() }
            try await Self.wait {
                simulator.publish(1)
                await pass()
                return await host.cursor != nil
            }
            life.cancel()
            _ = await life.result
            return clock.now.milliseconds
        }

        /// A last life, until all that was said is heard.
        func hear() async throws {
            let life = start()
            defer { life.cancel() }
            try await Self.wait { simulator.isHeard }
            life.cancel()
            _ = await life.result
        }

        /// Lets the host have its turns, until it hears all or has made a few steps.
        private func listen() async throws {
            let enough = await host.steps + 3
            try await Self.wait {
                if simulator.isHeard { return true }
                return await host.steps >= enough
            }
        }

        /// Faults one after the other, and five deaths, spread over what happens.
        func run(things: Int, faults: [Fault.Kind] = Trial.faults) async throws {
            var dice = Dice(seed: seed)
            var life = start()
            defer { life.cancel() }
            var happened = 0
            let burst = max(1, min(60, things / 100))
            var round = 0
            while happened < things {
                round += 1
                if round % 5 == 0 {
                    simulator.faults.add(Fault(faults[round / 5 % faults.count], after: dice.roll(3)))
                }
                let count = 1 + dice.roll(burst)
                simulator.publish(count)
                happened += count
                await pass()
                if !dice.oneIn(4) { try await listen() }
                // What a client's deadline would do to a connection that has gone mute.
                if round % 31 == 0 { simulator.breakStreams() }
                if happened * 6 / things > (happened - count) * 6 / things {
                    life.cancel()
                    _ = await life.result
                    life = start()
                }
            }
            simulator.faults.clear()
            simulator.breakStreams()
            life.cancel()
            _ = await life.result
            // The last posts enter the platform's index.
            for _ in 0..<80 { await pass() }
            try await host.settle()
        }

        /// A life of the host; whoever starts it cancels and awaits it.
        func start() -> Task<Void, any Error> {
            Task { [host] in try await host.live() }
        }

        func check(places: Set<String>) async throws {
            let log = await host.log
            for event in log.prefix(2000) { #expect(event.validate().isEmpty, "\(event.id)") }
            let told = Set(log.filter { $0.type != .unrecognised }.map(\.id.text))
            var known: Set<String> = []
            var happened: Set<String> = []
            var latest: [String: String] = [:]
            var texts: [String: String] = [:]
            var said: [String: Int64] = [:]
            var hidden: [String: [Int64]] = [:]
            for entry in simulator.ledger.entries {
                let object = "x:post:\(entry.object)"
                switch entry.verb {
                case "protected": hidden[entry.actor, default: []].append(entry.at)
                case "deleted": latest[object] = nil
                case "created", "reposted", "updated":
                    let event = entry.verb == "updated" ? "\(object)/updated/\(entry.revision)" : "\(object)/created"
                    // Said while nobody could see it, it may be seen later.
                    if entry.places == ["protected"] { known.insert(event) }
                    texts[event] = entry.text
                    happened.insert(event)
                    guard !places.isDisjoint(with: entry.places) else { continue }
                    known.insert(event)
                    latest[object] = event
                    said[object] = entry.at
                default: break
                }
            }
            // What somebody said shortly before they were protected may have been seen or not.
            let authors = Dictionary(
                simulator.ledger.entries.map { ("x:post:\($0.object)", $0.actor) },
                uniquingKeysWith: { first, _ in first }
            )
            let wanted = latest.filter { object, _ in
                let at = said[object] ?? 0
                return hidden[authors[object] ?? ""]?.contains { $0 >= at && $0 < at + 300_000 } != true
            }.values
            let missing = wanted.filter { !told.contains($0) }
            // What is passed on is told wherever it was said.
            let passedOn = Set(log.filter { $0.type == .repostCreated }.compactMap(\.data.repostOf?.id))
            for event in log where event.subject.map(passedOn.contains) == true && happened.contains(event.id.text) {
                known.insert(event.id.text)
            }
            let invented = told.subtracting(known)
            #expect(missing.isEmpty, "\(missing.count) of \(wanted.count) missing: \(missing.prefix(3))")
            #expect(invented.isEmpty, "\(invented.count) invented: \(invented.prefix(3))")
            #expect(wanted.count > 10)
            #expect(log.allSatisfy { $0.type != .repostCreated || $0.data.object?.text == nil })
            for event in log where event.type == .postCreated || event.type == .postUpdated {
                guard event.data.object?.text != texts[event.id.text] else { continue }
                Issue.record(
                    "\(event.id) says \(event.data.object?.text ?? "nothing"), not \(texts[event.id.text] ?? "nothing")"
                )
                return
            }
        }
    }
}
