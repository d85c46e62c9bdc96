import ConnectorKit
import ConnectorTesting
import HTTPTypes
import JSON
import Logging
import MetaGraph
import SocialEvents

@testable import WhatsAppConnector

/// A WhatsApp source, and payloads for it.
enum WhatsAppScript {
    static let start = Timestamp(seconds: 1_790_001_000)
    static let secret = Secret("app secret")

    static let settings: [SettingNode.Member] = [.secret("app_secret", "app secret"), .secret("verify_token", "token")]

    static func source(_ settings: [SettingNode.Member] = settings) throws -> WhatsAppConnector {
        let context = ConnectorContext(
            source: SourceName("test"),
            http: ScriptedHTTPClient(),
            clock: ManualClock(now: start),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        return try WhatsAppConnector(settings: Settings(settings), context: context)
    }

    /// What becomes of a payload.
    static func intake(_ payload: [UInt8], _ campaigns: WhatsAppCampaigns = WhatsAppCampaigns()) throws -> MetaIntake {
        var intake = MetaIntake()
        try JSONParser().parse(payload) { root in
            var normalizer = WhatsAppNormalizer(now: start, campaigns: campaigns)
            normalizer.read(root, body: payload, into: &intake)
        }
        return intake
    }

    static func events(_ payload: String, _ campaigns: WhatsAppCampaigns = WhatsAppCampaigns()) throws -> [Event] {
        try intake(Array(payload.utf8), campaigns).events
    }

    /// A delivery with one change.
    static func change(_ field: String = "messages", _ members: String) -> String {
        """
        {"object":"whatsapp_business_account","entry":[{"id":"7001","changes":[{"field":"\(field)","value":{\
        "messaging_product":"whatsapp","metadata":{"display_phone_number":"15550100200","phone_number_id":"9001"},\
        \(members)}}]}]}
        """
    }

    static func message(_ members: String, id: String = "wamid.1", at second: Int = 1_790_000_000) -> String {
        change("messages", "\"messages\":[{\"from\":\"4915\",\"id\":\"\(id)\",\"timestamp\":\"\(second)\",\(members)}]")
    }

    /// A call of the webhook.
    static func delivery(
        _ body: String,
        key: Secret = secret,
        signatures: [String]? = nil,
        method: HTTPRequest.Method = .post
    ) -> WebhookDelivery {
        let bytes = Array(body.utf8)
        var headers = HTTPFields()
        if let name = HTTPField.Name("X-Hub-Signature-256") {
            for value in signatures ?? [Signature.hubSHA256.make(bytes, key: key)] {
                headers.append(HTTPField(name: name, value: value))
            }
        }
        return WebhookDelivery(method: method, headers: headers, body: bytes, receivedAt: start)
    }
}

extension SettingNode.Member {
    static func plain(_ key: String, _ value: String) -> Self {
        Self(key: key, position: SettingPosition(), value: SettingNode(.scalar(value, isQuoted: false)))
    }

    static func secret(_ key: String, _ value: String) -> Self {
        Self(key: key, position: SettingPosition(), value: SettingNode(.secret(Secret(value))))
    }

    static func list(_ key: String, _ values: [String]) -> Self {
        let nodes = values.map { SettingNode(.scalar($0, isQuoted: false)) }
        return Self(key: key, position: SettingPosition(), value: SettingNode(.list(nodes)))
    }
}

/// Chance that is the same in every run (SplitMix64).
struct Chance: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
