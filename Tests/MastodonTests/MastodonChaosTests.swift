import ConnectorKit
import ConnectorTesting
import FoundationEssentials
import Logging
import MastodonConnector
import PlatformSimulators
import SimulatorTesting
import SocialEvents
import Testing

/// The connector against a server that misbehaves: what the log has in the end is held against the server's ledger.
///
/// `ROOST_CHAOS=100000` sets how many posts there are.
struct MastodonChaosTests {
    private static let base = "http://127.0.0.1:9310"
    private static let posts = ProcessInfo.processInfo.environment["ROOST_CHAOS"].flatMap { Int($0) } ?? 200

    @Test(
        "Whatever a server does, every post comes once, none is missed and none is invented",
        .timeLimit(.minutes(30)),
        arguments: MastodonFlavour.allCases
    )
    func timeline(flavour: MastodonFlavour) async throws {
        var trial = try Trial(seed: 7, flavour: flavour, settings: ["kind": "home"])
        try await trial.run(posts: flavour == .mastodon ? Self.posts : Self.posts / 3)
        try await trial.check(place: "home")
    }

    @Test("With the settings that nobody changed no post is missed and none is invented", .timeLimit(.minutes(10)))
    func defaults() async throws {
        var trial = try Trial(seed: 3, flavour: .mastodon, settings: ["kind": "home"], looksFar: false)
        try await trial.run(posts: Self.posts)
        try await trial.check(place: "home")
    }

    @Test("The same holds for a public timeline and for a hashtag", .timeLimit(.minutes(10)))
    func others() async throws {
        for (settings, place) in [
            (["kind": "public"], "public"), (["kind": "hashtag", "hashtag": "Fähre"], "tag:fähre"),
        ] {
            var trial = try Trial(seed: 11, flavour: .mastodon, settings: settings)
            try await trial.run(posts: Self.posts)
            try await trial.check(place: place)
        }
    }

    @Test("Every notification comes once", .timeLimit(.minutes(10)), arguments: [MastodonFlavour.mastodon, .pixelfed])
    func notifications(flavour: MastodonFlavour) async throws {
        var trial = try Trial(seed: 5, flavour: flavour, settings: ["kind": "notifications"])
        try await trial.run(posts: Self.posts / 2)
        try await trial.checkNotifications()
    }

    /// A server, a host, and what goes wrong between them.
    private struct Trial {
        let simulator: MastodonSimulator
        let host: TinyHost
        let clock: ManualClock
        /// Whether it looks at more posts again than are ever edited or withdrawn; else what befalls older ones is not noticed.
        let looksFar: Bool
        /// What was told and not in a durable cursor when the host was killed.
        var exposed: Set<String> = []
        var dice: Dice

        init(seed: UInt64, flavour: MastodonFlavour, settings: [String: String], looksFar: Bool = true) throws {
            let clock = ManualClock(now: Timestamp(seconds: 1_780_000_000))
            let simulator = MastodonSimulator(
                seed: seed,
                flavour: flavour,
                now: clock.now.milliseconds,
                requests: 1_000_000
            )
            let http = SimulatedHTTPClient(simulator, base: MastodonChaosTests.base)
            var all = ["base_url": MastodonChaosTests.base, "backfill": "400"]
            if looksFar { all["recheck"] = flavour == .mastodon ? "200" : "80" }
            all.merge(settings) { _, new in new }
            var members = MastodonScript.members(all).filter { $0.key != "access_token" }
            let token = SettingNode(.secret(Secret(MastodonSimulator.token)))
            members.append(SettingNode.Member(key: "access_token", position: SettingPosition(), value: token))
            let allMembers = members
            self.clock = clock
            self.looksFar = looksFar
            self.simulator = simulator
            dice = Dice(seed: seed)
            host = TinyHost {
                clock.advance(by: .milliseconds(250))
                simulator.advance(to: clock.now.milliseconds)
                await Task.yield()
            } make: {
                try MastodonConnector(
                    settings: Settings(allMembers),
                    context: ConnectorContext(
                        source: SourceName("chaos"),
                        http: http,
                        clock: clock,
                        logger: Logger(label: "chaos") { _ in SwiftLogNoOpLogHandler() }
                    )
                )
            }
        }

        private static let faults: [Fault.Kind] = [
            .serverError, .unavailable, .truncated, .notJSON, .gzipBomb, .hang, .throttle, .expireToken, .drop, .close,
            .stall, .repeated, .reorder, .endlessLine, .garbage, .unknownType, .unknownFields, .oldestPage,
            .clampCursor,
            .rejectCursor,
        ]

        /// Thirty faults and more, and five deaths, spread over the posts.
        mutating func run(posts: Int) async throws {
            var dice = dice
            var life = start()
            var said = 0
            let burst = max(1, min(30, posts / 40))
            var round = 0
            while said < posts {
                round += 1
                if round % 2 == 0 {
                    simulator.faults.add(Fault(Self.faults[round / 2 % Self.faults.count], after: dice.roll(3)))
                }
                let count = 1 + dice.roll(burst)
                simulator.publish(count)
                said += count
                clock.advance(by: .milliseconds(500))
                simulator.advance(to: clock.now.milliseconds)
                if !dice.oneIn(4) { await listen() }
                // What a client's deadline would do to a connection that has gone mute.
                if round % 9 == 0 { simulator.breakStreams() }
                if said * 6 / posts > (said - count) * 6 / posts {
                    life.cancel()
                    _ = await life.result
                    await noteExposed()
                    life = start()
                }
            }
            simulator.faults.clear()
            simulator.breakStreams()
            life.cancel()
            _ = await life.result
            await noteExposed()
            try await host.settle()
        }

        /// Notes what a kill takes from the host: posts it had told of and whose cursor was not durable.
        ///
        /// If they are withdrawn before they are seen again, no server tells.
        private mutating func noteExposed() async {
            let cursor = await host.cursor.map { String(decoding: $0.bytes, as: UTF8.self) } ?? ""
            // Those before are not withdrawn any more.
            for event in await host.log.suffix(400) where event.type.verb == .created {
                guard let object = event.data.object?.id.text, !cursor.contains("\"\(object)\"") else { continue }
                exposed.insert(object)
            }
        }

        /// Lets the host have its turns, until it hears all or has made a few steps.
        private func listen() async {
            let enough = await host.steps + 3
            while await host.steps < enough, !simulator.isHeard { await Task.yield() }
        }

        /// A life of the host; whoever starts it cancels and awaits it.
        private func start() -> Task<Void, any Error> {
            Task { try await host.live() }
        }

        func check(place: String) async throws {
            let log = await host.log
            try MastodonScript.check(Array(log.prefix(2000)))
            let told = Set(log.map(\.id.text))
            var known: Set<String> = []
            var wrong: [String] = []
            var withdrawn: Set<String> = []
            var edits: [String: String] = [:]
            let entries = simulator.ledger.entries.filter { $0.places.contains(place) }
            for entry in entries {
                let object = "mastodon:post:\(entry.object)"
                switch entry.verb {
                case "deleted":
                    withdrawn.insert(object)
                    known.insert("\(object)/deleted")
                case "updated":
                    edits[object] = "\(object)/updated/\(entry.revision)"
                    known.insert("\(object)/updated/\(entry.revision)")
                default: known.insert("\(object)/created")
                }
            }
            for entry in entries where entry.verb == "created" || entry.verb == "reposted" {
                let object = "mastodon:post:\(entry.object)"
                if withdrawn.contains(object) {
                    // Who was away may never have seen it; who saw it must know that it is gone.
                    if looksFar, told.contains("\(object)/created"), !told.contains("\(object)/deleted"),
                        !exposed.contains(object)
                    {
                        wrong.append("not withdrawn: \(object)")
                    }
                } else {
                    if !told.contains("\(object)/created") { wrong.append("missed: \(object)") }
                    if looksFar, let edit = edits[object], !told.contains(edit) { wrong.append("missed: \(edit)") }
                }
            }
            for event in log where event.type != .unrecognised && !known.contains(event.id.text) {
                wrong.append("invented: \(event.id.text)")
            }
            let summary = await host.summary
            #expect(
                wrong.isEmpty,
                "\(wrong.count) of \(entries.count) facts are wrong, such as \(wrong.prefix(5)); \(summary)"
            )
            #expect(entries.count >= 10 && log.count > entries.count / 2, "\(summary)")
            let texts = Dictionary(grouping: entries.filter { $0.verb == "created" }, by: \.object).mapValues {
                $0[0].text
            }
            for event in log where event.type == .postCreated && event.data.object?.editedAt == nil {
                let uri = event.subject?.text.dropFirst("mastodon:post:".count) ?? ""
                // Plain text has no spaces that do not break.
                let said = texts[String(uri)].map { String($0.map { $0 == "\u{a0}" ? " " : $0 }) }
                if let said { #expect(event.data.object?.text == said) }
            }
            print("chaos \(place) on \(simulator.flavour): \(entries.count) facts, \(summary)")
        }

        func checkNotifications() async throws {
            let log = await host.log
            try MastodonScript.check(log)
            let told = Set(log.map(\.id.text))
            var expected: Set<String> = []
            var withdrawn: Set<String> = []
            for entry in simulator.ledger.entries {
                let object = entry.object
                if entry.verb == "deleted" { withdrawn.insert(object) }
                guard entry.places == ["notifications"] else { continue }
                switch entry.verb {
                case "mention": expected.insert("mastodon:post:\(object)/created")
                case "favourite": expected.insert("mastodon:favourite:\(entry.actor)>\(object)/created")
                case "reblog": expected.insert("mastodon:repost:\(entry.actor)>\(object)/created")
                default: expected.insert("mastodon:follow:127.0.0.1:9310/\(object)/created")
                }
            }
            // Notifications of what was withdrawn go with it; that it was is told where it was asked after.
            expected.formUnion(withdrawn.map { "mastodon:post:\($0)/deleted" })
            let missed = expected.subtracting(told).filter { id in !withdrawn.contains { id.contains($0) } }
            let invented = told.filter {
                !expected.contains($0) && !$0.contains("/unrecognised") && !$0.contains("/updated/")
            }
            let summary = await host.summary
            #expect(
                missed.isEmpty && invented.isEmpty,
                "missed \(missed.prefix(3)), invented \(invented.prefix(3)); \(summary)"
            )
            #expect(expected.count > withdrawn.count + 10)
            print("chaos notifications: \(expected.count) facts, \(summary)")
        }
    }
}

extension TinyHost {
    /// What there is to tell of a run.
    fileprivate var summary: String {
        let failures = failures.map { "\($0.key.rawValue) \($0.value)" }.sorted().joined(separator: ", ")
        let unknown = log.count { $0.type == .unrecognised }
        return
            "\(log.count) events, \(repetitions) again, \(unknown) unrecognised, \(deadLetters) dead letters, \(gaps.count) gaps, \(connections) connections, failures: \(failures)"
    }
}
