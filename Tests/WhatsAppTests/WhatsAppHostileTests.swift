import ConnectorTesting
import JSON
import MetaGraph
import SocialEvents
import Testing

@testable import WhatsAppConnector

/// Payloads that nobody should send: whatever comes becomes events that the log takes, or dead letters.
struct WhatsAppHostileTests {
    private static func check(_ payload: [UInt8]) {
        guard let intake = try? WhatsAppScript.intake(payload) else { return }
        #expect(!intake.events.isEmpty || !intake.deadLetters.isEmpty)
        for event in intake.events {
            let problems = event.validate()
            #expect(problems.isEmpty, "\(event.id): \(problems)")
        }
    }

    @Test("Any value of a payload may be anything", arguments: try WhatsAppFixtureTests.fixtures.names(suffix: ".json"))
    func anyValue(name: String) throws {
        try HostilePayloads.forEach(of: WhatsAppFixtureTests.fixtures.bytes(name), part: 5, Self.check)
    }

    @Test("Very long words, lists and names are cut or kept within what an event may hold")
    func large() {
        let word = String(repeating: "é", count: 600_000)
        let products = (0..<3000).map { "{\"product_retailer_id\":\"\(word.prefix(400))\($0)\",\"quantity\":1}" }
            .joined(separator: ",")
        let links = (0..<12_000).map { "http://a.b/\($0)" }.joined(separator: " ")
        for members in [
            "\"type\":\"text\",\"text\":{\"body\":\"\(word)\"}", "\"type\":\"text\",\"text\":{\"body\":\"\(links)\"}",
            "\"type\":\"text\",\"text\":{\"body\":\"http://a.b/\(word)\"}",
            "\"type\":\"order\",\"order\":{\"product_items\":[\(products)],\"text\":\"\(word)\"}",
            "\"type\":\"button\",\"button\":{\"text\":\"\(word)\",\"payload\":\"\(word)\"}",
            "\"type\":\"image\",\"image\":{\"id\":\"\(word)\",\"mime_type\":\"\(word)\",\"filename\":\"\(word)\"}",
            "\"type\":\"reaction\",\"reaction\":{\"message_id\":\"\(word)\",\"emoji\":\"\(word)\"}",
            "\"type\":\"text\",\"text\":{\"body\":\"a\"},\"referral\":{\"headline\":\"\(word)\",\"body\":\"\(word)\"}",
            "\"type\":\"system\",\"system\":{\"type\":\"user_changed_number\",\"wa_id\":\"\(word)\",\"body\":\"\(word)\"}",
        ] {
            Self.check(Array(WhatsAppScript.message(members).utf8))
        }
        let failed = """
            "statuses":[{"id":"\(word)","status":"failed","biz_opaque_callback_data":"\(word)","recipient_id":"\(word)",\
            "errors":[{"code":1,"title":"\(word)","error_data":{"details":"\(word)"}}]}]
            """
        Self.check(Array(WhatsAppScript.change("messages", failed).utf8))
        Self.check(Array(WhatsAppScript.change("account_update", "\"event\":\"\(word)\",\"\(word)\":1").utf8))
        let contacts = (0..<3000).map { "{\"wa_id\":\"\($0)\",\"profile\":{\"name\":\"\($0)\"}}" }.joined(
            separator: ","
        )
        let messages = (0..<50).map {
            "{\"from\":\"\($0)\",\"id\":\"\($0)\",\"type\":\"text\",\"text\":{\"body\":\"a\"}}"
        }
        Self.check(
            Array(
                WhatsAppScript.change(
                    "messages",
                    "\"contacts\":[\(contacts)],\"messages\":[\(messages.joined(separator: ","))]"
                ).utf8
            )
        )
    }

    @Test("What is written as text grows no further than an event may hold, however often a long path is repeated")
    func paths() throws {
        let deep = String(repeating: "{\"aaaaaaaaaa\":", count: 400) + "1" + String(repeating: "}", count: 400)
        Self.check(Array(WhatsAppScript.change("account_update", "\"event\":\(deep)").utf8))
        let name = String(repeating: "a", count: 900)
        let many = Array("{\"\(name)\":[\((0..<5000).map { String($0) }.joined(separator: ","))]}".utf8)
        let length = try JSONParser().parse(many) { WhatsAppLines.uncut($0).utf8.count }
        #expect(length > EventLimits.phrase)
        #expect(length < 2 * EventLimits.phrase)
    }
}
