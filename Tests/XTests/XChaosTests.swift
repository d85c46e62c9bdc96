import ConnectorKit
import ConnectorTesting
import FoundationEssentials
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

    @Test("A connection that the platform still counts is ended, once and alone")
    func zombie() async throws {
        let trial = try Trial(
            seed: 1,
            settings: [.plain("kind", "stream"), .rules(["all": "lang:en"]), .plain("history", "1h")]
        )
        trial.simulator.faults.add(Fault("zombie"))
        let life = Task { try await trial.host.live() }
        while await trial.host.connections == 0 { await Task.yield() }
        for _ in 0..<200 { await Task.yield() }
        trial.simulator.faults.add(Fault(.drop))
        while await trial.host.connections < 2 {
            trial.simulator.publish(1)
            await trial.pass()
        }
        #expect(trial.simulator.countedConnections == 1)
        life.cancel()
        _ = await life.result
    }

    /// A platform, a host, and what goes wrong between them.
    private final class Trial: Sendable {
        let simulator: XSimulator
        let host: TinyHost
        let clock: ManualClock
        let seed: UInt64

        init(seed: UInt64, settings: [SettingNode.Member], bearer: Bool = true) throws {
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
                try XConnector(
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

        /// Lets half a second pass, and whoever waits go on.
        func pass(_ turns: Int = 20) async {
            clock.advance(by: .milliseconds(500))
            simulator.advance(to: clock.now.milliseconds)
            for _ in 0..<turns { await Task.yield() }
        }

        /// Faults one after the other, and five deaths, spread over what happens.
        func run(things: Int, faults: [Fault.Kind] = Trial.faults) async throws {
            var dice = Dice(seed: seed)
            var life = start()
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
                let answered = simulator.answered
                await pass()
                // The host goes on by its own steps: a few of them for each of ours, unless it has all there is.
                for _ in 0..<20_000 where simulator.answered < answered + 3 && simulator.openStreams == 0 {
                    await Task.yield()
                }
                for _ in 0..<dice.roll(200) { await Task.yield() }
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
            for _ in 0..<80 { await pass(1) }
            try await host.settle()
        }

        /// A life of the host; whoever starts it cancels and awaits it.
        private func start() -> Task<Void, any Error> {
            Task { [host] in try await host.live() }
        }

        func check(places: Set<String>) async throws {
            let log = await host.log
            for event in log.prefix(2000) { #expect(event.validate().isEmpty, "\(event.id)") }
            let told = Set(log.filter { $0.type != .unrecognised }.map(\.id.text))
            var known: Set<String> = []
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
            let invented = told.subtracting(known)
            #expect(missing.isEmpty, "\(missing.count) of \(wanted.count) missing: \(missing.prefix(3))")
            #expect(invented.isEmpty, "\(invented.count) invented: \(invented.prefix(3))")
            #expect(wanted.count > 10)
            // A repost of what is gone has its words in part.
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
