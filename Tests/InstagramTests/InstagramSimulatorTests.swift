import ConnectorKit
import ConnectorTesting
import HTTPTypes
import Logging
import PlatformSimulators
import SimulatorTesting
import SocialEvents
import Testing

@testable import InstagramConnector

/// A professional account on a simulated Instagram, whose life is followed by webhook and by asking.
struct InstagramSimulatorTests {
    /// The platform, a source of each kind with one account, and a log that takes each event once.
    private final class Scene {
        static let start: Int64 = 1_790_001_000_000
        let simulator: MetaSimulator
        private let clock: ManualClock
        private let told: InstagramConnector
        private let sources: [InstagramConnector]
        private var cursors: [Cursor?]
        private(set) var log: [Event] = []
        private(set) var deadLetters = 0
        private(set) var refused = 0
        private(set) var failures: [ConnectorError.Code: Int] = [:]
        private var known: Set<EventID> = []
        private var now = Scene.start

        init(seed: UInt64, login: InstagramLogin) throws {
            simulator = MetaSimulator(
                [.instagram],
                login: login,
                seed: seed,
                now: now,
                history: 0,
                subscriptions: [MetaSubscription(.instagram, url: "http://127.0.0.1:8081/instagram")]
            )
            clock = ManualClock(now: Timestamp(milliseconds: now))
            let account = EphemeralAccount(name: "test")
            let context = ConnectorContext(
                source: SourceName("test"),
                http: SimulatedHTTPClient(simulator, base: "https://graph.\(login.rawValue).com"),
                clock: clock,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
                account: account
            )
            let isFacebook = login == .facebook
            let kinds =
                ["comments", "media", "stories", "messages"] + (isFacebook ? ["mentions", "tags", "hashtag"] : [])
            sources = try kinds.map { kind in
                let token = isFacebook ? MetaSimulator.pageToken : MetaSimulator.instagramToken
                var members: [SettingNode.Member] = [
                    .plain("kind", kind), .plain("login", login.rawValue), .secret("access_token", token),
                    .secret("app_secret", MetaSimulator.appSecret),
                    .secret("verify_token", MetaSimulator.verifyToken),
                ]
                if isFacebook { members.append(.plain("user", MetaAccount.instagram)) }
                if kind == "hashtag" { members.append(.list("hashtags", ["harbourdays", "quay2026"])) }
                return try InstagramConnector(settings: Settings(members), context: context)
            }
            told = sources[0]
            cursors = sources.map { _ in nil }
        }

        func pass(_ milliseconds: Int64) async throws {
            now += milliseconds
            clock.setWallTime(to: Timestamp(milliseconds: now))
            simulator.advance(to: now)
            refused += try await simulator.call(told, at: Timestamp(milliseconds: now)) { events, letters in
                take(events)
                deadLetters += letters.count
            }
        }

        /// Every source asks until nothing waits, or until the platform fails it.
        func pull() async throws {
            for index in sources.indices {
                for _ in 0..<500 {
                    do {
                        let page = try await sources[index].pull(PullRequest(cursor: cursors[index]))
                        take(page.events)
                        deadLetters += page.deadLetters.count
                        cursors[index] = page.cursor ?? cursors[index]
                        if !page.hasMore { break }
                    } catch let error as ConnectorError {
                        failures[error.code, default: 0] += 1
                        break
                    }
                }
            }
        }

        private func take(_ events: [Event]) {
            for event in events {
                #expect(event.validate().isEmpty)
                if known.insert(event.id).inserted { log.append(event) }
            }
        }

        /// The objects of facts.
        func facts(_ verb: String, _ places: String...) -> Set<String> {
            let facts = simulator.ledger.entries.filter { fact in
                fact.verb == verb && places.contains { fact.places.first == $0 }
            }
            return Set(facts.map(\.object))
        }

        /// The native ids of what events of a type are about.
        func subjects(_ type: EventType, _ namespace: String) -> Set<String> {
            let prefix = "instagram:\(namespace):"
            let events = log.filter { $0.type == type && $0.subject?.text.hasPrefix(prefix) == true }
            return Set(events.compactMap { $0.subject.map { String($0.text.dropFirst(prefix.count)) } })
        }
    }

    /// Lives through a while, with what may go wrong on the way.
    private static func life(seed: UInt64, login: InstagramLogin = .facebook) async throws -> Scene {
        let scene = try Scene(seed: seed, login: login)
        try await scene.pass(1)
        for kind: Fault.Kind in [
            .repeated, .reorder, "lost-answer", "forged", "unsigned", .garbage, "malformed-item", .unknownType,
            .unknownFields, "silent", "transient", "empty-page", "throttle", .rejectCursor, .notJSON, .truncated,
        ] {
            scene.simulator.faults.add(Fault(kind, count: 6, after: 5))
        }
        for round in 0..<250 {
            scene.simulator.publish(1)
            try await scene.pass(40_000)
            if round.isMultiple(of: 10) { try await scene.pull() }
        }
        // A throttled account waits for an hour.
        for _ in 0..<8 {
            for _ in 0..<60 { try await scene.pass(30_000) }
            try await scene.pull()
        }
        return scene
    }

    @Test(
        "Comments are told whether webhooks tell them or not, and so is what becomes of them",
        arguments: UInt64(1)...2
    )
    func comments(seed: UInt64) async throws {
        let scene = try await Self.life(seed: seed)
        #expect(
            scene.simulator.forgeriesTaken == 0 && scene.refused > 0 && !scene.failures.isEmpty && scene.deadLetters > 0
        )
        let written = scene.facts("created", "comment")
        #expect(written.count > 50)
        let unseen = scene.facts("deleted", "comment").intersection(scene.facts("silenced", "created"))
        #expect(written.subtracting(scene.subjects(.postCreated, "comment")).isSubset(of: unseen))
        // What came and went between two readings, and of which the webhook got lost, nobody ever saw.
        let deleted = scene.facts("deleted", "comment").intersection(scene.subjects(.postCreated, "comment"))
        #expect(!deleted.isEmpty)
        #expect(scene.subjects(.postDeleted, "comment") == deleted)
    }

    @Test(
        "Media, edits of captions and deletions are told, nothing missed and nothing invented",
        arguments: UInt64(4)...5
    )
    func media(seed: UInt64) async throws {
        let scene = try await Self.life(seed: seed)
        let own = scene.facts("created", "media")
        #expect(own.subtracting(scene.subjects(.postCreated, "media")).isSubset(of: scene.facts("deleted", "media")))
        #expect(scene.subjects(.postDeleted, "media").isSubset(of: scene.facts("deleted", "media", "story")))
        let others = scene.facts("created", "tag", "story")
        #expect(others.subtracting(scene.subjects(.postCreated, "media")).isSubset(of: scene.facts("deleted", "story")))
        // Two edits between two readings are seen as one.
        let edited = scene.subjects(.postUpdated, "media").subtracting(scene.facts("mentioned", "mention"))
        #expect(edited.isSubset(of: scene.facts("updated", "media")))
    }

    @Test("Every mention is stored, and its words are read", arguments: UInt64(7)...8)
    func mentions(seed: UInt64) async throws {
        let scene = try await Self.life(seed: seed)
        let silenced = scene.facts("silenced", "mentioned")
        let told = scene.facts("mentioned", "mention").subtracting(silenced)
        #expect(told.count > 10)
        let stored = scene.subjects(.postCreated, "comment").union(scene.subjects(.postCreated, "media"))
        #expect(told.subtracting(stored).isEmpty)
        let read = scene.subjects(.postUpdated, "comment").union(scene.subjects(.postUpdated, "media"))
        #expect(told.subtracting(read).isEmpty)
        let texts = Dictionary(
            scene.simulator.ledger.entries.filter { $0.verb == "mentioned" }.map { ($0.object, $0.text) },
            uniquingKeysWith: { first, _ in first }
        )
        for event in scene.log where event.type == .postUpdated && event.data.matched.first?.name == "mentions" {
            #expect(event.data.object?.text == texts[event.subject?.native ?? ""])
        }
    }

    @Test("What is said in private is told once each, with what becomes of it", arguments: InstagramLogin.allCases)
    func messages(login: InstagramLogin) async throws {
        let scene = try await Self.life(seed: 10, login: login)
        let entries = scene.simulator.ledger.entries
        func told(_ verb: String) -> Int {
            let lost = entries.filter { $0.verb == "silenced" && $0.places.first == verb }
            let silenced = Set(lost.map { $0.object + $0.revision })
            return entries.count { fact in
                fact.verb == verb && fact.places.contains("webhook")
                    && ["message", "reaction"].contains(fact.places.first)
                    && !silenced.contains(fact.object + fact.revision)
            }
        }
        func count(_ type: EventType) -> Int { scene.log.count { $0.type == type } }
        let written = scene.facts("created", "message", "story_mention")
        #expect(written.count > 25)
        // The dashboard's tests are messages too, of nobody.
        let messages = scene.subjects(.messageCreated, "message").filter { $0.hasSuffix("ZDZD") }
        #expect(messages.isSubset(of: written))
        #expect(
            scene.log.count { $0.type == .messageCreated && messages.contains($0.subject?.native ?? "") }
                == messages.count
        )
        // What webhooks do not tell is read, unless it was unsent before.
        #expect(written.subtracting(messages).isSubset(of: scene.facts("deleted", "message")))
        #expect(count(.messageUpdated) == told("updated"))
        #expect(count(.messageDeleted) == told("deleted"))
        #expect(count(.reactionCreated) == told("reacted"))
        #expect(count(.reactionDeleted) == told("unreacted"))
    }
}

extension ObjectID {
    /// The platform's own id.
    fileprivate var native: String { text.split(separator: ":", maxSplits: 2).last.map(String.init) ?? "" }
}
