public import ConnectorKit
import JSON
import MetaGraph
import SocialEvents

/// Reads what the WhatsApp Business Platform (Cloud API) tells by webhook: messages, how far sent ones have come, opt-outs, and what changes about
/// the business account, its numbers, templates and groups.
public struct WhatsAppConnector: WebhookSource, DeadLetterReader {
    /// What it is and which settings it takes.
    public static let descriptor = ConnectorDescriptor(
        name: "whatsapp",
        summary:
            "Reads WhatsApp Business: messages, deliveries, broadcasts, opt-outs, and the state of numbers and templates.",
        settings: WhatsAppConfiguration.settings,
        capabilities: [.edits, .deletes]
    )

    private let configuration: WhatsAppConfiguration

    /// Checks the settings of one source.
    public init(settings: Settings, context: ConnectorContext) throws {
        configuration = try WhatsAppConfiguration(settings)
    }

    /// Answers Meta's challenge, and takes deliveries that the app's secret signed.
    public func receive(_ delivery: WebhookDelivery) async throws -> WebhookOutcome {
        var normalizer = WhatsAppNormalizer(now: delivery.receivedAt, campaigns: configuration.campaigns)
        return configuration.webhook.outcome(of: delivery) { notice, intake in
            try normalizer.read(notice, into: &intake)
        }
    }

    /// Reads a delivery, or a part of one, that was set aside.
    ///
    /// - Throws: ``ConnectorError`` `malformed` where it is no JSON.
    public func reread(_ request: RereadRequest) async throws -> Rereading {
        var intake = MetaIntake()
        do {
            try JSONParser().parse(request.letter.payload) { root in
                var normalizer = WhatsAppNormalizer(now: request.receivedAt, campaigns: configuration.campaigns)
                normalizer.read(root, body: request.letter.payload, into: &intake)
            }
        } catch {
            let reason = (error as? JSONError)?.description ?? "it cannot be read"
            throw ConnectorError(.malformed, "the delivery: \(reason)")
        }
        return Rereading(events: intake.events, deadLetters: intake.deadLetters)
    }
}
