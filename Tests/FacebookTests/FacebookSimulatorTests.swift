import ConnectorKit
import ConnectorTesting
import HTTPTypes
import Logging
import PlatformSimulators
import SimulatorTesting
import SocialEvents
import Testing

@testable import FacebookConnector

/// A Page on a simulated Facebook, whose life a source follows by webhook, by asking, or both, while much goes wrong.
struct FacebookSimulatorTests {
    private static let base = "http://127.0.0.1:9340"

    /// The platform, a source, and a log that takes each event once.
    private final class Scene {
        static let start: Int64 = 1_790_001_000_000

        let simulator: MetaSimulator
        let source: FacebookConnector
        let clock = ManualClock(now: Timestamp(milliseconds: Scene.start))
        private(set) var log: [Event] = []
        private(set) var deadLetters: [DeadLetter] = []
        private(set) var refused = 0
        private(set) var repeated = 0
        private(set) var failures: [ConnectorError.Code: Int] = [:]
        private var known: Set<EventID> = []
        private var cursor: Cursor?

        init(seed: UInt64, isCalled: Bool = true) throws {
            let called = MetaSubscription(.facebook, url: "http://127.0.0.1:8081/facebook")
            simulator = MetaSimulator(
                [.facebook],
                seed: seed,
                now: Scene.start,
                history: 0,
                allowance: 1_000_000,
                subscriptions: isCalled ? [called] : []
            )
            let context = ConnectorContext(
                source: SourceName("scene"),
                http: SimulatedHTTPClient(simulator, base: FacebookSimulatorTests.base),
                clock: clock,
                logger: Logger(label: "scene") { _ in SwiftLogNoOpLogHandler() }
            )
            let members: [SettingNode.Member] = [
                .plain("page", MetaAccount.page), .plain("base_url", FacebookSimulatorTests.base),
                .secret("access_token", MetaSimulator.pageToken), .secret("app_secret", MetaSimulator.appSecret),
                .secret("verify_token", MetaSimulator.verifyToken),
            ]
            source = try FacebookConnector(settings: Settings(members), context: context)
        }

        func pass(_ milliseconds: Int64) async throws {
            clock.advance(by: .milliseconds(milliseconds))
            simulator.advance(to: clock.now.milliseconds)
            refused += try await simulator.call(source, at: clock.now) { events, letters in
                take(events)
                deadLetters += letters
            }
        }

        private func take(_ events: [Event]) {
            for event in events {
                #expect(event.validate().isEmpty)
                if known.insert(event.id).inserted { log.append(event) } else { repeated += 1 }
            }
        }

        /// Asks until nothing waits any more; a failed step is waited out as a host would.
        func ask() async throws {
            for _ in 0..<2000 {
                do {
                    let page = try await source.pull(PullRequest(cursor: cursor, limit: 7))
                    take(page.events)
                    deadLetters += page.deadLetters
                    cursor = page.cursor ?? cursor
                    if !page.hasMore { return }
                } catch let error as ConnectorError {
                    failures[error.code, default: 0] += 1
                    if error.code == .unauthorized { simulator.renewTokens() }
                    try await pass(
                        error.retryAt.map { max(1, clock.now.duration(to: $0).wholeMilliseconds) } ?? 300_000
                    )
                }
            }
            Issue.record("it asks without an end")
        }

        /// What happened to things of a kind; of that a webhook had to tell, unless told otherwise.
        func facts(_ verbs: String..., of place: String, isAll: Bool = false) -> [Ledger.Entry] {
            simulator.ledger.entries.filter {
                verbs.contains($0.verb) && $0.places.first == place && (isAll || $0.places.contains("webhook"))
            }
        }

        func events(_ types: EventType..., kind: String = "") -> [Event] {
            log.filter { types.contains($0.type) && ($0.subject?.text.hasPrefix("facebook:\(kind)") ?? false) }
        }
    }

    private static func subject(_ fact: Ledger.Entry) -> String {
        "facebook:\(fact.places.contains("echo") || fact.places.contains("message") ? "message" : fact.places[0]):\(fact.object)"
    }

    @Test("What happens on a Page is told once each, nothing missed and nothing invented", arguments: UInt64(1)...3)
    func webhooks(seed: UInt64) async throws {
        let scene = try Scene(seed: seed)
        try await scene.pass(1)
        for kind: Fault.Kind in [
            .repeated, .reorder, "lost-answer", "forged", "unsigned", .garbage, "malformed-item", .unknownType,
            .unknownFields,
        ] {
            scene.simulator.faults.add(Fault(kind, count: 8, after: 5))
        }
        for _ in 0..<600 {
            scene.simulator.publish(1)
            try await scene.pass(500)
        }
        for _ in 0..<200 { try await scene.pass(30_000) }
        #expect(scene.simulator.isDelivered && scene.simulator.forgeriesTaken == 0)
        #expect(scene.refused > 0 && scene.repeated > 0 && !scene.deadLetters.isEmpty)

        for (place, created, updated, deleted) in [
            ("post", EventType.postCreated, EventType.postUpdated, EventType.postDeleted),
            ("comment", .postCreated, .postUpdated, .postDeleted),
            ("message", .messageCreated, .messageUpdated, .messageDeleted),
        ] {
            let said = scene.facts("created", of: place)
            #expect(said.count > 20)
            let told = scene.events(created, kind: place)
            #expect(told.compactMap(\.subject?.text).sorted() == said.map(Self.subject).sorted())
            let texts = Dictionary(
                told.map { ($0.subject?.text ?? "", $0.data.object?.text) },
                uniquingKeysWith: { a, _ in a }
            )
            for fact in said where !fact.text.isEmpty { #expect(texts[Self.subject(fact)] == fact.text) }
            let edits = scene.events(updated, kind: place).filter { !$0.id.text.hasPrefix("facebook:visibility") }
            #expect(
                edits.compactMap(\.subject?.text).sorted()
                    == scene.facts("updated", of: place).map(Self.subject).sorted()
            )
            #expect(
                scene.events(deleted, kind: place).compactMap(\.subject?.text).sorted()
                    == scene.facts("deleted", of: place).map(Self.subject).sorted()
            )
        }
        #expect(
            scene.events(.postUpdated).count { $0.id.text.hasPrefix("facebook:visibility") }
                == scene.facts("hidden", "shown", of: "post").count
        )
        #expect(scene.events(.reactionCreated).count == scene.facts("reacted", of: "reaction").count)
        #expect(scene.events(.reactionDeleted).count == scene.facts("unreacted", of: "reaction").count)
    }

    @Test(
        "Asking alone brings every post and comment that is there in the end, however Meta misbehaves",
        arguments: UInt64(4)...6
    )
    func asking(seed: UInt64) async throws {
        let scene = try Scene(seed: seed, isCalled: false)
        let faults: [Fault.Kind] = [
            .serverError, .unavailable, .truncated, .notJSON, .hang, .throttle, .expireToken, .rejectCursor,
            "empty-page",
        ]
        for round in 0..<60 {
            scene.simulator.faults.add(Fault(faults[round % faults.count]))
            scene.simulator.publish(6)
            try await scene.pass(20_000)
            try await scene.ask()
        }
        scene.simulator.faults.clear()
        try await scene.pass(120_000)
        try await scene.ask()
        #expect(!scene.failures.isEmpty)

        let gone = Set(scene.simulator.ledger.entries.filter { $0.verb == "deleted" }.map(Self.subject))
        let posts = scene.facts("created", of: "post", isAll: true).map(Self.subject)
        let told = Set(scene.events(.postCreated).compactMap(\.subject?.text))
        #expect(posts.count > 20 && posts.filter { !gone.contains($0) && !told.contains($0) } == [])
        // Of comments those under the newest posts are asked for.
        let newest = posts.filter { !gone.contains($0) }.suffix(FacebookCursor.mostPosts - 5)
        let comments = scene.facts("created", of: "comment", isAll: true).filter { fact in
            newest.contains { $0.hasSuffix("_\(fact.object.prefix { $0 != "_" })") }
        }
        let missed = comments.map(Self.subject).filter { !gone.contains($0) && !told.contains($0) }
        #expect(comments.count > 5 && missed == [])
        let all = Set(scene.simulator.ledger.entries.filter { $0.verb == "created" }.map(Self.subject))
        #expect(told.subtracting(all) == [])
        #expect(Set(scene.events(.postDeleted).compactMap(\.subject?.text)).subtracting(gone) == [])
        #expect(scene.log.allSatisfy { $0.type == .postCreated || $0.type == .postDeleted })
    }

    @Test("What both ways bring is there once, and what no webhook told is asked for")
    func bothWays() async throws {
        let scene = try Scene(seed: 7)
        try await scene.pass(1)
        scene.simulator.faults.add(Fault("silent", count: 40, after: 10))
        for _ in 0..<80 {
            scene.simulator.publish(4)
            try await scene.pass(20_000)
            try await scene.ask()
        }
        for _ in 0..<50 { try await scene.pass(30_000) }
        try await scene.ask()
        let silenced = scene.simulator.ledger.entries.filter { $0.verb == "silenced" }
        #expect(silenced.count == 40 && scene.repeated > 40)
        let gone = Set(scene.simulator.ledger.entries.filter { $0.verb == "deleted" }.map(Self.subject))
        let told = Set(scene.events(.postCreated).compactMap(\.subject?.text))
        let said = (scene.facts("created", of: "post") + scene.facts("created", of: "comment")).map(Self.subject)
        #expect(said.filter { !gone.contains($0) && !told.contains($0) } == [])
    }
}
