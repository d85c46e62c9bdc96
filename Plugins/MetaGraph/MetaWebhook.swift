package import ConnectorKit
import HTTPTypes
import JSON
import SocialEvents

/// Judges what is sent to a webhook of Meta, whichever product sends it.
///
/// Meta asks once with `GET` that the verify token be known, and signs every delivery with the app's secret over the bytes as it sends them:
/// words beyond ASCII come as `\uXXXX` and are signed in that form.
package struct MetaWebhook: Sendable {
    /// The app's secrets that count: one, or two while it is being changed.
    package var appSecrets: [Secret]
    /// What the operator wrote at Meta's dashboard as "verify token"; without it no challenge is answered.
    package var verifyToken: Secret?

    private static let form = Signature.hubSHA256
    private static let field = "x-hub-signature-256"

    /// A judge.
    package init(appSecrets: [Secret], verifyToken: Secret?) {
        self.appSecrets = appSecrets
        self.verifyToken = verifyToken
    }

    /// What to make of a call.
    ///
    /// Nothing of a body is parsed before its signature is found genuine. A genuine body that is no JSON is a dead letter.
    ///
    /// - Parameters:
    ///   - delivery: the call.
    ///   - read: reads one notice of the delivery into the intake. A `JSONError` that it throws makes a dead letter of the notice, and the
    ///     others go on; a notice of which it makes nothing at all is for it to keep as ``MetaNotice/unrecognised(_:now:)``.
    /// - Returns: the outcome for the host.
    package func outcome(
        of delivery: WebhookDelivery,
        read: (MetaNotice, inout MetaIntake) throws -> Void
    ) -> WebhookOutcome {
        if let answer = answer(to: delivery) { return answer }
        var intake = MetaIntake()
        do {
            try JSONParser().parse(delivery.body) { intake.read($0, body: delivery.body, read) }
        } catch {
            let reason = "the delivery: \((error as? JSONError)?.description ?? "it cannot be read")"
            let letter = DeadLetter(reason: reason, contentType: "application/json", payload: delivery.body)
            return .accepted([], deadLetters: [letter])
        }
        return .accepted(intake.events, deadLetters: intake.deadLetters)
    }

    /// The answer to a call that is no genuine delivery: a challenge's reply or a refusal; `nil` for a genuine delivery, whose body may be read.
    package func answer(to delivery: WebhookDelivery) -> WebhookOutcome? {
        switch delivery.method {
        case .get: challenge(delivery)
        case .post: isGenuine(delivery) ? nil : Self.notGenuine
        default: .rejected(status: 405, reason: "neither a challenge nor a delivery")
        }
    }

    private static let notGenuine = WebhookOutcome.rejected(
        status: 403,
        reason: "the signature is missing, doubled or not genuine"
    )

    /// Exactly one signature: of two, who knows which one somebody else looked at.
    private func isGenuine(_ delivery: WebhookDelivery) -> Bool {
        let signatures = delivery.headers.values(Self.field)
        guard signatures.count == 1 else { return false }
        return Self.form.verify(signatures[0], of: delivery.body, anyOf: appSecrets)
    }

    private func challenge(_ delivery: WebhookDelivery) -> WebhookOutcome {
        guard Self.item("hub.mode", delivery) == "subscribe", let challenge = Self.item("hub.challenge", delivery),
            let token = Self.item("hub.verify_token", delivery)
        else { return .rejected(status: 400, reason: "no challenge of Meta") }
        // It is sent back, so it may be nothing but plain characters.
        guard (1...1024).contains(challenge.utf8.count), challenge.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            return .rejected(status: 400, reason: "the challenge is not plain text")
        }
        guard let verifyToken, Signature.isEqual(token, verifyToken) else {
            return .rejected(status: 403, reason: "the verify token is not the configured one")
        }
        return .challenge(reply: Array(challenge.utf8), contentType: "text/plain; charset=utf-8")
    }

    /// A query item that is there once.
    private static func item(_ name: String, _ delivery: WebhookDelivery) -> String? {
        let items = delivery.query.filter { $0.name == name }
        return items.count == 1 ? items[0].value : nil
    }
}
