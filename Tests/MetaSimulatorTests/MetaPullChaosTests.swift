import ConnectorKit
import ConnectorTesting
import FacebookConnector
import InstagramConnector
import Logging
import PlatformSimulators
import SimulatorTesting
import SocialEvents
import Testing

/// The connectors of Meta's platforms asking an API that throttles, forgets cursors, loses tokens and answers nonsense, from a host that starts
/// anew all the time: what the log has in the end is held against the platform's ledger.
struct MetaPullChaosTests {
    private static let faults: [Fault.Kind] = [
        "throttle-4", "throttle-17", "throttle-32", "throttle-613", "throttle-80002", .throttle, "transient",
        "unknown-error", .expireToken, "empty-page", .rejectCursor, .unknownFields, .serverError, .unavailable,
        .truncated, .notJSON, .gzipBomb, .hang,
    ]

    /// A list, and whose entries of the ledger it has: by place, with the kind of their ids.
    struct List: CustomTestStringConvertible {
        var kind: String
        var place: String
        var name: String
        var tellsDeletions: Bool
        var testDescription: String { kind }
    }

    @Test(
        "Instagram's lists: what stands is told once, what is told was there",
        .timeLimit(.minutes(5)),
        arguments: [
            List(kind: "media", place: "media", name: "media", tellsDeletions: true),
            List(kind: "comments", place: "comment", name: "comment", tellsDeletions: true),
            List(kind: "tags", place: "tag", name: "media", tellsDeletions: false),
            List(kind: "stories", place: "story", name: "media", tellsDeletions: false),
        ]
    )
    func instagram(list: List) async throws {
        let settings: [SettingNode.Member] = [
            .plain("kind", list.kind), .plain("login", "facebook"), .plain("user", MetaAccount.instagram),
            .secret("access_token", MetaSimulator.pageToken),
        ]
        let trial = Trial(InstagramConnector.self, .instagram, settings)
        try await trial.run(rounds: 150, perRound: list.kind == "comments" ? 4 : 12)
        try await trial.check("instagram", list)
    }

    @Test("A Page's posts and comments: what stands is told once, what is told was there", .timeLimit(.minutes(5)))
    func facebook() async throws {
        let settings: [SettingNode.Member] = [
            .plain("page", MetaAccount.page), .secret("access_token", MetaSimulator.pageToken),
        ]
        let trial = Trial(FacebookConnector.self, .facebook, settings)
        try await trial.run(rounds: 120, perRound: 3)
        try await trial.check("facebook", List(kind: "feed", place: "post", name: "post", tellsDeletions: false))
    }

    /// A platform, a host, and what goes wrong between them.
    private final class Trial {
        let simulator: MetaSimulator
        let clock = ManualClock(now: Timestamp(seconds: 1_780_000_000))
        let host: TinyHost

        init<Source: PullSource>(_ type: Source.Type, _ product: MetaProduct, _ settings: [SettingNode.Member]) {
            let simulator = MetaSimulator(
                [product],
                seed: 11,
                now: 1_780_000_000_000,
                history: 0,
                allowance: 10_000_000
            )
            self.simulator = simulator
            let http = SimulatedHTTPClient(simulator, base: MetaListener.base)
            let account = EphemeralAccount(name: "chaos")
            let all = Settings(settings + [.plain("base_url", MetaListener.base)])
            let clock = clock
            host = TinyHost {
                clock.advance(by: .seconds(5))
                simulator.advance(to: clock.now.milliseconds)
                // Somebody looks after the tokens.
                simulator.renewTokens()
            } make: {
                try Source(
                    settings: all,
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

        func run(rounds: Int, perRound: Int) async throws {
            var dice = Dice(seed: 12)
            for round in 0..<rounds {
                if round % 3 == 0 {
                    let kind = MetaPullChaosTests.faults[round / 3 % MetaPullChaosTests.faults.count]
                    simulator.faults.add(Fault(kind, after: dice.roll(2)))
                }
                for _ in 0..<perRound {
                    simulator.publish(1)
                    clock.advance(by: .seconds(7))
                    simulator.advance(to: clock.now.milliseconds)
                }
                // A new connector value each time, as after a death.
                try await host.settle(1)
            }
            #expect(simulator.faults.waiting.count < 4, "\(simulator.faults.waiting.map(\.kind))")
            simulator.faults.clear()
            simulator.renewTokens()
            clock.advance(by: .seconds(60))
            simulator.advance(to: clock.now.milliseconds)
            try await host.settle(2)
        }

        func check(_ platform: String, _ list: List) async throws {
            let log = await host.log
            for event in log { #expect(event.validate().isEmpty, "\(event.id): \(event.validate())") }
            let entries = simulator.ledger.entries.filter { $0.places.contains(list.place) }
            let created = entries.filter { $0.verb == "created" }
            let deleted = Set(entries.filter { $0.verb == "deleted" }.map(\.object))
            let told = Set(log.map(\.id.text))
            func ids(_ verb: String) -> Set<String> {
                Set(log.compactMap { $0.subject?.text }.filter { told.contains("\($0)/\(verb)") })
            }
            let name = "\(platform):\(list.name):"
            let tellings = ids("created").filter { $0.hasPrefix(name) }
            let everything = Set(created.map { name + $0.object })
            let standing = Set(created.map(\.object)).subtracting(deleted).map { name + $0 }
            #expect(standing.filter { !tellings.contains($0) }.sorted().prefix(3) == [])
            #expect(tellings.subtracting(everything).sorted().prefix(3) == [])
            #expect(standing.count > 15, "\(standing.count)")
            // Nothing that stands is said to be gone.
            #expect(ids("deleted").intersection(standing).isEmpty)
            if list.tellsDeletions {
                // What goes with the media it stands under goes without a word.
                let alone = entries.filter { $0.verb == "deleted" && !$0.places.contains { $0.hasPrefix("with:") } }
                let gone = tellings.intersection(alone.map { name + $0.object })
                #expect(gone.subtracting(ids("deleted")).sorted().prefix(3) == [])
                #expect(!gone.isEmpty)
            }
            let failures = await host.failures
            #expect(failures[.rateLimited] ?? 0 > 3 && failures[.unauthorized] ?? 0 > 0, "\(failures)")
            #expect(failures[.unavailable] ?? 0 > 3, "\(failures)")
        }
    }
}
