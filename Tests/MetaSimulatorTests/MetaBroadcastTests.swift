import HTTPTypes
import Synchronization
import Testing

@testable import PlatformSimulators

/// Sending on the simulated WhatsApp, and what becomes of what was sent.
struct MetaBroadcastTests {
    private static let path = "/v23.0/\(MetaAccount.phone)/messages"

    private static func send(_ scene: MetaScene, _ body: String) async -> GraphValue {
        await scene.ask(.post, path, token: MetaSimulator.systemToken, body: body).value
    }

    private static func template(_ name: String, to: String, tracker: String? = nil) -> String {
        let tracker = tracker.map { ",\"biz_opaque_callback_data\":\"\($0)\"" } ?? ""
        return """
            {"messaging_product":"whatsapp","to":"\(to)","type":"template","template":{"name":"\(name)",\
            "language":{"code":"en_US"}}\(tracker)}
            """
    }

    @Test("A broadcast goes to several, each with a fate of its own, and every status is told")
    func broadcasts() {
        let scene = MetaScene([.whatsapp])
        scene.pass(1)
        for _ in 0..<40 {
            scene.simulator.broadcast()
            scene.pass(1000)
        }
        scene.settle()
        let entries = scene.simulator.ledger.entries
        let campaigns = entries.filter { $0.verb == "broadcast" }
        #expect(campaigns.count == 40)
        for campaign in campaigns {
            let place = "broadcast:\(campaign.object)"
            let sent = entries.filter { $0.verb == "queued" && $0.places.contains(place) }
            #expect(sent.count >= 2)
            let statuses = entries.filter { $0.places.first == "status" && $0.places.contains(place) }
            // Everything ends: failed, or at least sent.
            #expect(Set(statuses.map(\.object)) == Set(sent.map(\.object)))
        }
        let verbs = Set(entries.filter { $0.places.first == "status" }.map(\.verb))
        #expect(verbs == ["sent", "delivered", "read", "failed"])
        #expect(Set(scene.told) == Set(scene.toTell))
        // Told in another order than they happened, and more than once.
        #expect(scene.told.count > scene.toTell.count)
        let order = ["sent": 0, "delivered": 1, "read": 2]
        var latest: [String: Int] = [:]
        var isBackwards = false
        var known: Set<String> = []
        // By when each was told first.
        for fact in scene.told where known.insert(fact).inserted {
            let parts = fact.split(separator: " ").map(String.init)
            guard let rank = order[parts[0]] else { continue }
            if rank < latest[parts[1]] ?? 0 { isBackwards = true }
            latest[parts[1]] = max(rank, latest[parts[1]] ?? 0)
        }
        #expect(isBackwards)
    }

    @Test("Statuses carry what the sender called the campaign, who it was for, and why it failed")
    func statuses() {
        let scene = MetaScene([.whatsapp])
        scene.pass(1)
        for _ in 0..<30 {
            scene.simulator.broadcast()
            scene.pass(1000)
        }
        scene.settle()
        let values = scene.came.compactMap(\.root).flatMap { $0["entry"].elements }.flatMap { $0["changes"].elements }
            .map { $0["value"] }
        let statuses = values.flatMap { $0["statuses"].elements }
        #expect(statuses.allSatisfy { $0["biz_opaque_callback_data"].text?.hasPrefix("campaign-") == true })
        #expect(statuses.allSatisfy { ($0["status"] == "failed") == !$0["errors"].elements.isEmpty })
        #expect(
            statuses.contains { $0["recipient_id"] == .absent } && statuses.contains { $0["recipient_id"] != .absent }
        )
        #expect(statuses.allSatisfy { $0["recipient_user_id"].text?.hasPrefix("US.") == true })
        #expect(values.contains { $0["statuses"].elements.count > 1 })
    }

    @Test("What the API sends is accepted, and fails or arrives later")
    func sending() async {
        let scene = MetaScene([.whatsapp])
        scene.pass(1)
        var made: [String] = []
        for index in 0..<20 where index % 7 != 3 {
            let answer = await Self.send(
                scene,
                Self.template("harbour_news", to: "+\(15_550_101_000 + index)", tracker: "mine")
            )
            #expect(answer["messages"].elements.first?["message_status"] == "accepted")
            made.append(answer["messages"].elements.first?["id"].text ?? "?")
        }
        // Nobody wrote within the last day, so words of one's own go nowhere.
        let words = #"{"messaging_product":"whatsapp","to":"15550101000","text":{"body":"hello"}}"#
        let free = await Self.send(scene, words)["messages"].elements.first?["id"].text ?? "?"
        scene.settle()
        let told = Set(scene.told)
        #expect(made.allSatisfy { told.contains("sent \($0)") || told.contains("failed \($0)") })
        #expect(told.contains("failed \(free)") && !told.contains("sent \(free)"))
        #expect(scene.simulator.ledger.entries.contains { $0.object == free && $0.revision == "131047" })
    }

    @Test("Who stopped marketing gets none, and messages that cannot be are refused at once")
    func refused() async {
        let scene = MetaScene([.whatsapp])
        scene.live(500)
        var stopped: Set<String> = []
        for entry in scene.simulator.ledger.entries where entry.places.first == "preference" && entry.verb != "told" {
            if entry.verb == "unfollowed" { stopped.insert(entry.actor) } else { stopped.remove(entry.actor) }
        }
        // By the id or number that they have.
        let known = scene.simulator.state.withLock { $0.world.chats.filter(\.isStopped).map(\.id) }
        #expect(!known.isEmpty)
        scene.simulator.state.withLock { state in state.world.templates[0].category = "MARKETING" }
        let id =
            await Self.send(scene, Self.template("harbour_news", to: known[0]))["messages"].elements.first?["id"].text
            ?? "?"
        scene.settle()
        #expect(scene.simulator.ledger.entries.contains { $0.object == id && $0.revision == "131050" })
        #expect(await Self.send(scene, Self.template("unheard_of", to: known[0]))["error"]["code"] == 132_001)
        #expect(
            await Self.send(scene, Self.template("harbour_news", to: MetaAccount.number))["error"]["code"] == 131_021
        )
        #expect(await Self.send(scene, Self.template("harbour_news", to: "4915100000000"))["error"]["code"] == 131_026)
        scene.simulator.state.withLock { state in state.world.templates[1].status = "PAUSED" }
        #expect(await Self.send(scene, Self.template("faehre_verspaetet", to: known[0]))["error"]["code"] == 132_015)
    }

    @Test("Templates, the number and files can be looked at")
    func reading() async {
        let scene = MetaScene([.whatsapp])
        let token = MetaSimulator.systemToken
        let templates = await scene.list("/v23.0/\(MetaAccount.whatsapp)/message_templates?limit=1", token: token)
        #expect(
            Set(templates.items.compactMap { $0["name"].text }) == ["harbour_news", "faehre_verspaetet", "table_ready"]
        )
        #expect(templates.pages == 3)
        let number = await scene.ask(.get, "/\(MetaAccount.phone)?fields=quality_rating", token: token).value
        #expect(number["quality_rating"] == "GREEN")
        let numbers = await scene.ask(.get, "/\(MetaAccount.whatsapp)/phone_numbers", token: token).value
        #expect(numbers["data"].elements.first?["id"].text == MetaAccount.phone)
        #expect(await scene.ask(.get, "/1200000000000007", token: token).value["url"].text != nil)
        #expect(await scene.ask(.get, "/77", token: token).value["error"]["error_subcode"] == 33)
    }

    @Test("Every kind of change of templates and of the account is told")
    func changes() {
        let scene = MetaScene([.whatsapp])
        scene.live(2500)
        let fields = Set(scene.told.filter { $0.hasPrefix("changed ") }.map { $0.dropFirst(8).prefix { $0 != "/" } })
        #expect(
            fields == [
                "message_template_status_update", "message_template_quality_update", "template_category_update",
                "phone_number_quality_update", "account_update", "business_capability_update",
            ]
        )
        #expect(scene.told.contains { $0.hasPrefix("moved ") })
    }
}
