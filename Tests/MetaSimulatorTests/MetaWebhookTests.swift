import HTTPTypes
import Testing

@testable import PlatformSimulators

/// What the simulator of Meta's platforms tells by webhooks, held against its ledger.
struct MetaWebhookTests {
    @Test(
        "Webhooks tell everything that the ledger says they tell, and nothing else",
        arguments: [MetaProduct.instagram, .whatsapp, .facebook],
        InstagramLogin.allCases
    )
    func all(product: MetaProduct, login: InstagramLogin) {
        let scene = MetaScene([product], login: login)
        scene.live(1500)
        scene.settle()
        // A day and more, so that stories end.
        scene.pass(26 * 3_600_000)
        scene.settle()
        let (told, toTell) = (Set(scene.told), scene.toTell)
        #expect(toTell.count > 700)
        #expect(Set(toTell).count == toTell.count, "the ledger says each fact once")
        #expect(Set(toTell).subtracting(told).sorted().prefix(5) == [])
        #expect(told.subtracting(toTell).sorted().prefix(5) == [])
        #expect(scene.simulator.isDelivered)
        // And of each the ledger says that it was told.
        let entries = scene.simulator.ledger.entries
        #expect(entries.count { $0.verb == "told" } >= toTell.count)
        #expect(entries.allSatisfy { $0.verb != "told" || $0.places.contains("webhook") })
    }

    @Test("Nothing is delivered before the callback has answered the question, and everything after it")
    func question() {
        let scene = MetaScene([.instagram])
        scene.isAnsweringQuestions = false
        scene.live(200)
        #expect(scene.came.isEmpty)
        // Asked again, later and later.
        #expect((3...10).contains(scene.questions.count))
        scene.isAnsweringQuestions = true
        scene.pass(3_600_000)
        scene.settle()
        #expect(Set(scene.told) == Set(scene.toTell))
        #expect(!scene.told.isEmpty)
    }

    @Test("A callback that echoes something else is not called")
    func wrongEcho() {
        let scene = MetaScene([.facebook])
        scene.simulator.publish(3)
        let calls = scene.simulator.takeCalls()
        #expect(calls.map(\.method) == [.get])
        scene.simulator.answered(calls[0], status: 200, body: Array("hello".utf8))
        #expect(scene.simulator.takeCalls().isEmpty)
    }

    @Test("Who has not subscribed is told nothing, and the ledger says so")
    func nobody() {
        let scene = MetaScene(isListening: false)
        scene.live(100)
        #expect(scene.toTell.isEmpty)
        #expect(scene.simulator.takeCalls().isEmpty)
    }

    @Test("A delivery is tried again, later and later, until it is taken, and given up after a day and a half")
    func again() {
        let scene = MetaScene([.instagram])
        scene.pass(1)
        scene.status = 500
        while scene.toTell.isEmpty { scene.simulator.publish(1) }
        var moments: [Int64] = []
        for _ in 0..<40_000 where scene.came.count < 6 {
            let before = scene.came.count
            scene.pass(100)
            if scene.came.count > before { moments.append(scene.now) }
        }
        let pauses = zip(moments.dropFirst(), moments).map { $0 - $1 }
        #expect(pauses == [1000, 2000, 4000, 8000, 16_000])
        #expect(Set(scene.came.map(\.call.body)).count == 1)
        for _ in 0..<40 { scene.pass(3_600_000) }
        #expect(scene.simulator.isDelivered)
        #expect(scene.simulator.ledger.entries.contains { $0.verb == "given-up" })
        #expect(!scene.simulator.ledger.entries.contains { $0.verb == "told" })
    }

    @Test("No answer is as bad as a bad one")
    func silence() {
        let scene = MetaScene([.facebook])
        scene.pass(1)
        scene.status = nil
        scene.live(20)
        #expect(!scene.came.isEmpty)
        scene.status = 200
        scene.settle()
        #expect(Set(scene.told) == Set(scene.toTell))
        #expect(scene.simulator.isDelivered)
    }

    @Test("Bodies are ASCII, with everything else and the slash escaped")
    func escaping() throws {
        let scene = MetaScene()
        scene.live(300)
        let bodies = scene.came.map { String(decoding: $0.call.body, as: UTF8.self) }
        #expect(bodies.allSatisfy { $0.utf8.allSatisfy { $0 < 0x80 } })
        #expect(bodies.contains { $0.contains("\\u00e9") } && bodies.contains { $0.contains("\\ud83d\\ude") })
        #expect(bodies.contains { $0.contains("https:\\/\\/") })
        #expect(GraphValue.string("é/😀\"\\\n").bytes == Array("\"\\u00e9\\/\\ud83d\\ude00\\\"\\\\\\n\"".utf8))
    }

    @Test("Entries are flat for one login and have changes for the other; messages and changes mix; arrays occur")
    func envelopes() {
        let flat = MetaScene([.instagram], login: .instagram)
        flat.live(600)
        let flatRoots = flat.came.compactMap(\.root)
        #expect(flatRoots.contains { if case .array = $0 { true } else { false } })
        #expect(flatRoots.contains { $0["object"] == "instagram" })
        let flatEntries = flatRoots.flatMap {
            ($0.elements.isEmpty ? [$0] : $0.elements).flatMap { $0["entry"].elements }
        }
        #expect(
            flatEntries.contains { $0["field"] == "comments" } && flatEntries.allSatisfy { $0["changes"] == .absent }
        )

        let wrapped = MetaScene([.instagram], login: .facebook)
        wrapped.live(600)
        for _ in 0..<30 {
            wrapped.simulator.publish(30)
            wrapped.pass(500)
        }
        let entries = wrapped.came.compactMap(\.root).map { $0["entry"].elements }
        #expect(entries.joined().allSatisfy { $0["field"] == .absent })
        #expect(
            entries.contains { $0.contains { $0["messaging"] != .absent } && $0.contains { $0["changes"] != .absent } }
        )
        #expect(entries.joined().contains { $0["messaging"] != .absent && $0["changes"] != .absent })
        #expect(entries.contains { $0.count > 3 })
        // Seconds for changes, milliseconds for messages.
        for entry in entries.joined() {
            #expect(((entry["time"].number ?? 0) > 1_000_000_000_000) == (entry["messaging"] != .absent))
        }
    }

    @Test("Faults of deliveries do what they say and lose nothing")
    func faults() throws {
        let scene = MetaScene([.instagram, .facebook])
        scene.live(30)
        let kinds: [Fault.Kind] = [
            .repeated, .reorder, "lost-answer", .unknownFields, .unknownType, "malformed-item", .garbage,
        ]
        for kind in kinds {
            let before = scene.came.count
            scene.simulator.faults.add(Fault(kind, count: 2))
            scene.live(40)
            #expect(!scene.simulator.faults.waiting.contains { $0.kind == kind }, "\(kind) happened")
            let came = scene.came[before...]
            let bodies = came.map { String(decoding: $0.call.body, as: UTF8.self) }
            switch kind {
            case .repeated, "lost-answer": #expect(Set(bodies).count < bodies.count, "\(kind)")
            case .unknownFields: #expect(bodies.contains { $0.contains("simulated_novelty") })
            case .unknownType: #expect(bodies.contains { $0.contains("\"tides\"") })
            case "malformed-item": #expect(bodies.contains { $0.contains("\"noon\"") })
            case .garbage: #expect(came.contains { $0.root == nil && $0.isSigned })
            default: break
            }
        }
        scene.settle()
        let strange = ["changed tides", "created ?", "?"]
        let told = Set(scene.told).filter { fact in !strange.contains { fact.hasPrefix($0) } }
        #expect(told == Set(scene.toTell))
    }

    @Test("A delivery that is held back comes after its successor")
    func reorder() {
        let scene = MetaScene([.facebook])
        scene.live(20)
        let order = scene.toTell
        scene.simulator.faults.add(Fault(.reorder))
        scene.live(20)
        scene.settle()
        #expect(Set(scene.told) == Set(scene.toTell))
        #expect(scene.told.prefix(order.count) == order[...])
        #expect(scene.told != scene.toTell)
    }

    @Test("Forged and unsigned deliveries are no deliveries, and who takes one is found out")
    func forged() {
        let scene = MetaScene([.whatsapp])
        scene.live(5)
        scene.simulator.faults.add(Fault("forged"))
        scene.simulator.faults.add(Fault("unsigned"))
        scene.live(5)
        #expect(scene.came.count { !$0.isSigned } == 2)
        #expect(scene.simulator.forgeriesTaken == 0)
        scene.simulator.faults.add(Fault("forged"))
        scene.simulator.publish(1)
        for call in scene.simulator.takeCalls() { scene.simulator.answered(call, status: 200, body: []) }
        #expect(scene.simulator.forgeriesTaken == 1)
    }

    @Test("The dashboard's test events have the entry id 0", arguments: MetaProduct.allCases)
    func tests(product: MetaProduct) {
        let scene = MetaScene([product])
        scene.live(3)
        scene.simulator.faults.add(Fault("test-event"))
        scene.live(3)
        #expect(scene.told.count { $0 == "test" } == 1)
    }

    @Test("What is silenced is never told, and the ledger says what that was")
    func silent() {
        let scene = MetaScene([.instagram])
        scene.live(20)
        scene.simulator.faults.add(Fault("silent", count: 3))
        scene.live(40)
        scene.settle()
        let silenced = scene.simulator.ledger.entries.filter { $0.verb == "silenced" }
        #expect(silenced.count == 3)
        #expect(Set(scene.toTell).subtracting(scene.told).count == 3)
    }

    @Test("The same seed tells the same story")
    func seeds() {
        let scenes = [MetaScene(seed: 9), MetaScene(seed: 9), MetaScene(seed: 10)]
        for scene in scenes { scene.live(200) }
        #expect(scenes[0].told == scenes[1].told)
        #expect(scenes[0].came.map(\.call.body) == scenes[1].came.map(\.call.body))
        #expect(scenes[0].told != scenes[2].told)
    }
}
