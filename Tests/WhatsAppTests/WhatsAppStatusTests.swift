import JSON
import MetaGraph
import SocialEvents
import Testing

@testable import WhatsAppConnector

/// How far messages have come, and what belongs to a broadcast.
struct WhatsAppStatusTests {
    /// One status as the platform sends it.
    private struct Status {
        var message: Int
        var word: String
        var participant: Int?

        var json: String {
            let time = 1_790_000_000 + message
            let to =
                participant.map {
                    "\"recipient_id\":\"g\(message)@g.us\",\"recipient_type\":\"group\",\"recipient_participant_id\":\"49\($0)\""
                } ?? "\"recipient_id\":\"49\(message)\""
            let errors = word == "failed" ? #","errors":[{"code":131026,"title":"Message undeliverable"}]"# : ""
            return """
                {"id":"wamid.\(message)","status":"\(word)","timestamp":"\(time)",\(to),\
                "biz_opaque_callback_data":"campaign-\(message % 3)"\(errors)}
                """
        }
    }

    private struct Key: Hashable {
        var message: ObjectID?
        var recipient: ObjectID?
    }

    /// The furthest stage of every message and recipient.
    private static func reduced(_ events: [Event]) -> [Key: Delivery] {
        var state: [Key: Delivery] = [:]
        for event in events {
            guard let delivery = event.data.delivery else { continue }
            let key = Key(message: event.subject, recipient: delivery.recipient)
            if let known = state[key], known.status >= delivery.status { continue }
            state[key] = delivery
        }
        return state
    }

    /// What a number of messages go through, in the order in which it happens.
    private static func lives(_ chance: inout Chance) -> [Status] {
        let lives = [
            ["sent"], ["sent", "delivered"], ["sent", "delivered", "read"], ["sent", "delivered", "read", "played"],
            ["read"],
            ["sent", "failed"], ["failed"], ["accepted", "sent"],
        ]
        return (0..<20).flatMap { message in
            let participants: [Int?] = message % 4 == 0 ? [nil] : message % 4 == 1 ? [1, 2, 3] : [nil]
            return participants.flatMap { participant in
                (lives.randomElement(using: &chance) ?? []).map {
                    Status(message: message, word: $0, participant: participant)
                }
            }
        }
    }

    @Test("Any order and repetition of the statuses of messages ends in the same state", arguments: UInt64(1)...40)
    func anyOrder(seed: UInt64) throws {
        var chance = Chance(state: seed)
        let statuses = Self.lives(&chance)
        let all = statuses.map(\.json).joined(separator: ",")
        let inOrder = try WhatsAppScript.events(WhatsAppScript.change("messages", "\"statuses\":[\(all)]"))
        let expected = Self.reduced(inOrder)

        var shuffled = (statuses + statuses.filter { _ in Bool.random(using: &chance) }).shuffled(using: &chance)
        var events: [Event] = []
        while !shuffled.isEmpty {
            let count = Int.random(in: 1...min(5, shuffled.count), using: &chance)
            let part = shuffled.prefix(count).map(\.json).joined(separator: ",")
            shuffled.removeFirst(count)
            events += try WhatsAppScript.events(WhatsAppScript.change("messages", "\"statuses\":[\(part)]"))
        }
        #expect(Self.reduced(events) == expected)
        #expect(Set(events.map(\.id)) == Set(inOrder.map(\.id)), "a repeated status is no new fact")
        // Each stage of each recipient has an id of its own.
        let deliveries = events.filter { $0.data.delivery != nil }
        let stages = Set(
            deliveries.map { [$0.subject?.text, $0.data.delivery?.recipient?.text, $0.data.delivery?.status.rawValue] }
        )
        #expect(Set(deliveries.map(\.id)).count == stages.count)
    }

    @Test("Whoever has played a voice message has read it, and that is one stage")
    func played() throws {
        let ids = try ["read", "played"].map { word in
            let events = try WhatsAppScript.events(
                WhatsAppScript.change("messages", "\"statuses\":[\(Status(message: 1, word: word).json)]")
            )
            #expect(events.last?.data.delivery?.status == .read)
            return events.last?.id
        }
        #expect(ids[0] == ids[1])
    }

    @Test("A message has one recipient, however a status names them")
    func names() throws {
        let ways = [
            #""recipient_id":"4915""#, #""recipient_user_id":"DE.1""#,
            #""recipient_id":"4915","recipient_user_id":"DE.1""#,
        ]
        let ids = try ways.map { way in
            let status = "{\"id\":\"wamid.1\",\"status\":\"sent\",\"timestamp\":\"1790000000\",\(way)}"
            return try WhatsAppScript.events(WhatsAppScript.change("messages", "\"statuses\":[\(status)]")).map(
                \.id.text
            )
        }
        #expect(Set(ids) == [["whatsapp:delivery:wamid.1.sent/updated"]])
    }

    @Test(
        "A failure says its code and what to do",
        arguments: [
            (131_047, "send a template"), (131_049, "do not send again within a day"), (131_050, "opted out"),
            (131_056, "about one in 6 seconds"), (131_042, "billing"), (132_015, "paused"),
        ]
    )
    func failures(code: Int, advice: String) throws {
        let status = """
            {"id":"wamid.1","status":"failed","timestamp":"1790000000","recipient_id":"49","errors":[{"code":\(code),"title":"T"}]}
            """
        let events = try WhatsAppScript.events(WhatsAppScript.change("messages", "\"statuses\":[\(status)]"))
        let delivery = try #require(events.first?.data.delivery)
        #expect(delivery.errorCode == String(code))
        #expect(delivery.reason?.contains(advice) == true)
    }

    // MARK: - Broadcasts

    private static func broadcast(_ data: String, _ campaigns: WhatsAppCampaigns) throws -> [Event] {
        let status = """
            {"id":"wamid.1","status":"sent","timestamp":"1790000000","recipient_id":"49","biz_opaque_callback_data":"\(data)"}
            """
        return try WhatsAppScript.events(
            WhatsAppScript.change("messages", "\"statuses\":[\(status),\(status)]"),
            campaigns
        )
    }

    @Test("A campaign is one broadcast: told once a delivery, with the same id each time, and named by each status")
    func broadcasts() throws {
        let events = try Self.broadcast("spring", WhatsAppCampaigns())
        #expect(events.map(\.type) == [.broadcastCreated, .deliveryUpdated, .deliveryUpdated])
        let broadcast = ObjectID(text: "whatsapp:broadcast:9001.spring")
        #expect(events[0].subject == broadcast)
        #expect(events[0].data.object?.audience == .broadcast)
        #expect(events[1].data.delivery?.broadcast == broadcast)
    }

    @Test("Where an id of the message follows the campaign's name, the name is what stands before")
    func separator() throws {
        let campaigns = WhatsAppCampaigns(separator: "/")
        let named = try Self.broadcast("spring/0001", campaigns)
        #expect(named.first?.subject == ObjectID(text: "whatsapp:broadcast:9001.spring"))
        for data in ["0001", "/0001"] {
            let events = try Self.broadcast(data, campaigns)
            #expect(events.map(\.type) == [.deliveryUpdated, .deliveryUpdated])
            #expect(events.allSatisfy { $0.data.delivery?.broadcast == nil })
        }
    }

    @Test("Callback data that name no campaigns make no broadcasts")
    func noBroadcasts() throws {
        let events = try Self.broadcast("spring", WhatsAppCampaigns(signs: [.template]))
        #expect(events.allSatisfy { $0.type == .deliveryUpdated && $0.data.delivery?.broadcast == nil })
    }

    @Test("Echoes of one template within one window are one broadcast")
    func templates() throws {
        func broadcast(at second: Int, _ campaigns: WhatsAppCampaigns) throws -> ObjectID? {
            let echo = """
                "message_echoes":[{"from":"15550100200","to":"49","id":"wamid.\(second)","timestamp":"\(second)",\
                "type":"template","template":{"name":"news","language":{"code":"en_US"}}}]
                """
            let events = try WhatsAppScript.events(WhatsAppScript.change("message_echoes", echo), campaigns)
            #expect(events.last?.data.delivery?.broadcast == events.first { $0.type == .broadcastCreated }?.subject)
            return events.last?.data.delivery?.broadcast
        }
        let hour = WhatsAppCampaigns(window: .seconds(3600))
        let first = try #require(try broadcast(at: 1_789_999_200, hour))
        #expect(try broadcast(at: 1_789_999_200 + 3599, hour) == first)
        #expect(try broadcast(at: 1_789_999_200 + 3600, hour) != first)
        #expect(try broadcast(at: 1_789_999_200, WhatsAppCampaigns(signs: [.callbackData])) == nil)
    }
}
