import ConnectorKit
import ConnectorTesting
import FacebookConnector
import FoundationEssentials
import InstagramConnector
import PlatformSimulators
import SocialEvents
import Testing
import WhatsAppConnector

/// The connectors of Meta's platforms told by webhooks that come twice, late, in any order, wrongly signed and mixed with nonsense, by a host that
/// dies at any moment: what the log has in the end is held against the platform's ledger.
///
/// `ROOST_CHAOS=100000` sets how many things happen.
struct MetaChaosTests {
    private static let things = ProcessInfo.processInfo.environment["ROOST_CHAOS"].flatMap { Int($0) } ?? 2000

    private static let faults: [Fault.Kind] = [
        .repeated, .reorder, "lost-answer", "test-event", "forged", "unsigned", .garbage, "malformed-item",
        .unknownType,
        .unknownFields, .repeated, .reorder,
    ]

    @Test(
        "Instagram by either login: everything once, nothing missed, nothing invented",
        .timeLimit(.minutes(10)),
        arguments: InstagramLogin.allCases,
        [3, 4] as [UInt64]
    )
    func instagram(login: InstagramLogin, seed: UInt64) async throws {
        let listener = MetaListener(
            InstagramConnector.self,
            .instagram,
            login: login,
            seed: seed,
            settings: [.plain("kind", "comments")]
        )
        try await Self.run(listener, seed: seed)
        // Stories end after a day, and are summed up an hour later.
        for _ in 0..<28 { try await listener.pass(3_600_000) }
        try await listener.settle()
        try Self.check(listener) { entry in
            switch entry.places[0] {
            case "story_insights": "instagram:media:\(entry.object)/observed/\(entry.at / 1000)"
            case "mention" where !entry.places.contains("comment"): "instagram:media:\(entry.object)/created"
            case "comment", "live_comment", "mention": "instagram:comment:\(entry.object)/created"
            case "reaction":
                "instagram:reaction:\(entry.actor).\(entry.object)/\(entry.verb == "reacted" ? "created" : "deleted")/\(entry.revision)"
            case "seen": "instagram:delivery:\(entry.object).\(entry.actor).read/updated"
            default: Self.message("instagram", entry)
            }
        }
    }

    @Test(
        "WhatsApp: every message and every stage once, and broadcasts with all of theirs",
        .timeLimit(.minutes(10)),
        arguments: [5, 6] as [UInt64]
    )
    func whatsApp(seed: UInt64) async throws {
        let listener = MetaListener(WhatsAppConnector.self, .whatsapp, seed: seed)
        try await Self.run(listener, seed: seed)
        try await listener.settle()
        try Self.check(listener) { entry in
            switch entry.places[0] {
            case "status": "whatsapp:delivery:\(entry.object).\(entry.verb)/updated"
            case "profile": "whatsapp:profile:\(entry.object)/updated"
            // Named by what they say, which the ledger does not.
            case "template", "account": nil
            case "preference":
                "whatsapp:follow:\(entry.actor).\(MetaAccount.phone).marketing_messages/\(entry.verb == "followed" ? "created" : "deleted")/\(entry.revision)"
            // Edits and reactions are counted by the second of their notice and a hash of its id.
            case "reaction": nil
            default: entry.verb == "updated" ? nil : Self.message("whatsapp", entry)
            }
        }
        // Those without a name of the ledger's, by number.
        let log = listener.log
        let toTell = listener.toTell
        #expect(
            log.count { $0.type == .accountUpdated } == toTell.count { ["template", "account"].contains($0.places[0]) }
        )
        #expect(log.count { $0.type == .reactionCreated } == toTell.count { $0.verb == "reacted" })
        #expect(log.count { $0.type == .reactionDeleted } == toTell.count { $0.verb == "unreacted" })
        #expect(log.count { $0.type == .messageUpdated } == toTell.count { $0.verb == "updated" })
        try Self.checkBroadcasts(listener)
    }

    @Test(
        "Facebook: posts, comments, reactions and messages once each",
        .timeLimit(.minutes(10)),
        arguments: [7, 8] as [UInt64]
    )
    func facebook(seed: UInt64) async throws {
        let listener = MetaListener(FacebookConnector.self, .facebook, seed: seed)
        try await Self.run(listener, seed: seed)
        try await listener.settle()
        // Changes in the same second are told apart by three digits more, which the ledger does not know.
        let isCounted = { (event: Event) in event.type == .postUpdated }
        try Self.check(listener, inSeconds: isCounted) { entry in
            switch (entry.places[0], entry.verb) {
            case ("post", "hidden"), ("post", "shown"): "facebook:visibility:\(entry.object)/updated/\(entry.revision)"
            case ("post", _), ("comment", _): Self.message("facebook", entry, kind: entry.places[0])
            case ("reaction", let verb) where entry.object.hasPrefix(MetaAccount.page):
                "facebook:reaction:\(entry.actor).\(entry.object)/\(verb == "reacted" ? "created" : "deleted")/\(entry.revision)"
            // Those on messages and receipts are counted below.
            case ("reaction", _), ("seen", _): nil
            default: Self.message("facebook", entry)
            }
        }
        let changes = listener.toTell.count {
            ["updated", "hidden", "shown"].contains($0.verb) && $0.places[0] != "message"
        }
        #expect(listener.log.count(where: isCounted) == changes)
        let onMessages = listener.toTell.filter { $0.places[0] == "reaction" && !$0.object.hasPrefix(MetaAccount.page) }
        let reactions = listener.log.filter { $0.type == .reactionCreated || $0.type == .reactionDeleted }
        #expect(reactions.count { $0.data.target?.id?.text.contains(":message:") == true } == onMessages.count)
    }

    /// The id of what was said, changed or withdrawn.
    private static func message(_ platform: String, _ entry: Ledger.Entry, kind: String = "message") -> String {
        "\(platform):\(kind):\(entry.object)/\(entry.verb)" + (entry.revision.isEmpty ? "" : "/\(entry.revision)")
    }

    // MARK: - Running

    private static func run(_ listener: MetaListener, seed: UInt64) async throws {
        var dice = Dice(seed: seed ^ 0xC4A0)
        var happened = 0
        var round = 0
        while happened < things {
            round += 1
            if round % 5 == 0 {
                listener.simulator.faults.add(Fault(faults[round / 5 % faults.count], after: dice.roll(2)))
            }
            let count = 1 + dice.roll(max(1, min(20, things / 200)))
            listener.simulator.publish(count)
            happened += count
            try await listener.pass()
        }
        #expect(round / 5 > faults.count, "every fault has its turn")
    }

    private static func check(
        _ listener: MetaListener,
        inSeconds: (Event) -> Bool = { _ in false },
        _ id: (Ledger.Entry) -> String?
    ) throws {
        let log = listener.log
        for event in log.prefix(2000) { #expect(event.validate().isEmpty, "\(event.id): \(event.validate())") }
        let told = Set(log.map { inSeconds($0) ? String($0.id.text.dropLast(3)) : $0.id.text })
        let entries = listener.toTell
        let expected = entries.compactMap { entry in id(entry).map { ($0, entry) } }
        let known = Set(expected.map(\.0))
        let missing = known.subtracting(told).sorted()
        #expect(missing.isEmpty, "\(missing.count) of \(known.count) missing: \(missing.prefix(3))")
        #expect(known.count > things / 3)
        // Nothing is invented but the dashboard's tests and what is not understood; kinds that have no such ids are counted elsewhere.
        let kinds = Set(expected.map { $0.0.split(separator: "/")[1] + $0.0.split(separator: ":")[1] })
        let invented = told.subtracting(known).filter { text in
            let parts = text.split(separator: "/")
            let isCounted = kinds.contains(parts[1] + text.split(separator: ":")[1])
            return isCounted && !isOfTests(text) && !(text.contains(":reaction:") && text.contains(".m_"))
        }
        #expect(invented.isEmpty, "\(invented.count) invented: \(invented.sorted().prefix(3))")
        // Who forges gets nothing, and everything genuine is answered in the end.
        #expect(listener.simulator.forgeriesTaken == 0 && listener.rejections > 0)
        #expect(listener.simulator.isDelivered && listener.deaths > 10 && listener.repetitions > 10)
        #expect(!listener.deadLetters.isEmpty)
        // And it says what was said.
        let texts = Dictionary(expected.map { ($0.0, $0.1.text) }, uniquingKeysWith: { $1 })
        let wrong = log.first { event in
            guard let text = texts[event.id.text], !text.isEmpty, let said = event.data.object?.text else {
                return false
            }
            return said != text
        }
        #expect(wrong == nil, "\(wrong?.id.text ?? "") says \(wrong?.data.object?.text ?? "")")
    }

    /// Whether an event is of the dashboard's test.
    private static func isOfTests(_ id: String) -> Bool {
        ["17865799348089039", "44444444_444444444", "ABGGFlA5Fpa"].contains { id.contains($0) }
    }

    /// Each message of a broadcast says so, and who reads all of its stages in any order knows the last.
    private static func checkBroadcasts(_ listener: MetaListener) throws {
        let entries = listener.simulator.ledger.entries
        let rank: [String: Int] = ["sent": 1, "delivered": 2, "read": 3, "failed": 4]
        let campaigns = entries.filter { $0.verb == "broadcast" }
        #expect(campaigns.count > 5)
        #expect(listener.log.count { $0.type == .broadcastCreated } == campaigns.count)
        for campaign in campaigns {
            let place = "broadcast:\(campaign.object)"
            var expected: [String: Int] = [:]
            for entry in entries where entry.places[0] == "status" && entry.places.contains(place) {
                expected["whatsapp:message:\(entry.object)"] = max(
                    expected["whatsapp:message:\(entry.object)"] ?? 0,
                    rank[entry.verb] ?? 0
                )
            }
            let broadcast = "whatsapp:broadcast:\(MetaAccount.phone).\(campaign.object)"
            var seen: [String: Int] = [:]
            for event in listener.log where event.data.delivery?.broadcast?.text == broadcast {
                let subject = event.subject?.text ?? ""
                seen[subject] = max(seen[subject] ?? 0, rank[event.data.delivery?.status.rawValue ?? ""] ?? 0)
            }
            #expect(seen == expected, "\(campaign.object)")
        }
    }
}
