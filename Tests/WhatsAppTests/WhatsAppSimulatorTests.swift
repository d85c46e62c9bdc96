import ConnectorKit
import HTTPTypes
import JSON
import PlatformSimulators
import SimulatorTesting
import SocialEvents
import Testing

@testable import WhatsAppConnector

/// A number on a simulated WhatsApp, whose life a source follows by webhook alone.
struct WhatsAppSimulatorTests {
    /// The platform, a source, and a log that takes each event once.
    private final class Scene {
        static let start: Int64 = 1_790_001_000_000

        let simulator: MetaSimulator
        let source: WhatsAppConnector
        private(set) var log: [Event] = []
        private(set) var deadLetters: [DeadLetter] = []
        private(set) var refused = 0
        private(set) var repeated = 0
        private var known: Set<EventID> = []
        private var now = Scene.start

        init(seed: UInt64) throws {
            simulator = MetaSimulator(
                [.whatsapp],
                seed: seed,
                now: now,
                history: 0,
                subscriptions: [MetaSubscription(.whatsapp, url: "http://127.0.0.1:8081/whatsapp")]
            )
            source = try WhatsAppScript.source([
                .secret("app_secret", MetaSimulator.appSecret), .secret("verify_token", MetaSimulator.verifyToken),
            ])
        }

        func pass(_ milliseconds: Int64) async throws {
            now += milliseconds
            simulator.advance(to: now)
            refused += try await simulator.call(source, at: Timestamp(milliseconds: now)) { events, letters in
                for event in events {
                    #expect(event.validate().isEmpty)
                    if known.insert(event.id).inserted { log.append(event) } else { repeated += 1 }
                }
                deadLetters += letters
            }
        }

        /// The facts that webhooks had to tell.
        func facts(_ verbs: String...) -> [Ledger.Entry] {
            simulator.ledger.entries.filter { verbs.contains($0.verb) && $0.places.contains("webhook") }
        }

        func events(_ types: EventType...) -> [Event] { log.filter { types.contains($0.type) } }
    }

    private static func message(_ id: String) -> ObjectID { ObjectID(text: "whatsapp:message:\(id)") }

    /// Lives through a while, with what may go wrong on the way.
    private static func life(seed: UInt64) async throws -> Scene {
        let scene = try Scene(seed: seed)
        try await scene.pass(1)
        for kind: Fault.Kind in [
            .repeated, .reorder, "lost-answer", "forged", "unsigned", .garbage, "malformed-item", .unknownType,
            .unknownFields,
        ] {
            scene.simulator.faults.add(Fault(kind, count: 8, after: 5))
        }
        for round in 0..<600 {
            scene.simulator.publish(1)
            if round.isMultiple(of: 40) { scene.simulator.broadcast() }
            try await scene.pass(500)
        }
        for _ in 0..<200 { try await scene.pass(30_000) }
        return scene
    }

    @Test("What happens on WhatsApp is told once each, nothing missed and nothing invented", arguments: UInt64(1)...3)
    func facts(seed: UInt64) async throws {
        let scene = try await Self.life(seed: seed)
        #expect(scene.simulator.isDelivered && scene.simulator.forgeriesTaken == 0)
        #expect(scene.refused > 0 && scene.repeated > 0 && !scene.deadLetters.isEmpty)

        let said = scene.facts("created")
        let told = scene.events(.messageCreated)
        #expect(said.count > 200)
        #expect(Set(told.map(\.subject)) == Set(said.map { Self.message($0.object) }))
        #expect(told.count == said.count)
        let texts = Dictionary(told.map { ($0.subject, $0.data.object?.text) }, uniquingKeysWith: { first, _ in first })
        for fact in said where !fact.text.isEmpty { #expect(texts[Self.message(fact.object)] == fact.text) }

        #expect(
            scene.events(.messageDeleted).map(\.subject).asSet
                == scene.facts("deleted").map { Self.message($0.object) }.asSet
        )
        #expect(scene.events(.messageUpdated).count == scene.facts("updated").count)
        #expect(scene.events(.reactionCreated).count == scene.facts("reacted").count)
        #expect(scene.events(.reactionDeleted).count == scene.facts("unreacted").count)
        #expect(scene.events(.profileUpdated).count == scene.facts("moved").count)
        #expect(scene.events(.accountUpdated).count == scene.facts("changed").count)
        let choices = scene.facts("followed", "unfollowed").map {
            "\($0.verb) whatsapp:actor:\($0.actor) \($0.revision)"
        }
        let preferences = scene.events(.followCreated, .followDeleted).map {
            "\($0.type == .followCreated ? "followed" : "unfollowed") \($0.data.actor?.id?.text ?? "") \($0.time.milliseconds / 1000)"
        }
        #expect(preferences.asSet == choices.asSet)
    }

    @Test(
        "Every message of a broadcast ends where it did, in whatever order its statuses came",
        arguments: UInt64(4)...6
    )
    func broadcasts(seed: UInt64) async throws {
        let scene = try await Self.life(seed: seed)
        let stages = scene.facts("sent", "delivered", "read", "failed").filter { $0.places.first == "status" }
        var expected: [ObjectID: Delivery.Status] = [:]
        var campaigns: [ObjectID: String] = [:]
        for fact in stages {
            guard let stage = Delivery.Status(rawValue: fact.verb) else { continue }
            let message = Self.message(fact.object)
            expected[message] = max(expected[message] ?? .queued, stage)
            let place = fact.places.first { $0.hasPrefix("broadcast:") }
            campaigns[message] = place.map { "whatsapp:broadcast:\(MetaAccount.phone).\($0.dropFirst(10))" }
        }
        var reached: [ObjectID: Delivery.Status] = [:]
        for event in scene.events(.deliveryUpdated) {
            guard let message = event.subject, let delivery = event.data.delivery else { continue }
            reached[message] = max(reached[message] ?? .queued, delivery.status)
            #expect(delivery.broadcast?.text == campaigns[message])
            #expect((delivery.status == .failed) == (delivery.reason != nil))
        }
        #expect(expected.count > 50)
        #expect(reached == expected)
        #expect(scene.events(.broadcastCreated).compactMap(\.subject?.text).asSet == Set(campaigns.values))
        // Who answers says what.
        let answers = scene.events(.messageCreated).compactMap(\.data.inReplyTo?.id)
        #expect(answers.contains { expected[$0] != nil })
    }
}

extension Array where Element: Hashable {
    fileprivate var asSet: Set<Element> { Set(self) }
}
