import ConnectorKit
import HTTPTypes
import JSON
import SocialEvents

/// Judges what is sent to a webhook of X.
struct XWebhook {
    /// The app's API key secret.
    let secret: Secret

    private static let form = Signature.xSHA256

    /// What to make of a call.
    ///
    /// Nothing of a body is parsed before its signature is found genuine. Tells beside it the versions of edited posts that it names.
    func outcome(of delivery: WebhookDelivery) -> (WebhookOutcome, edits: [XEdit]) {
        switch delivery.method {
        case .get: (challenge(delivery), [])
        case .post: facts(delivery)
        default: (.rejected(status: 405, reason: "neither a challenge nor a delivery"), [])
        }
    }

    /// X asks, when a webhook is made and from time to time, that the secret be shown to be known.
    private func challenge(_ delivery: WebhookDelivery) -> WebhookOutcome {
        guard let token = delivery.query.first(where: { $0.name == "crc_token" })?.value, !token.isEmpty,
            token.utf8.count <= 1024
        else { return .rejected(status: 400, reason: "no crc_token") }
        let reply = XAPI.json { $0.member("response_token", Self.form.make(Array(token.utf8), key: secret)) }
        return .challenge(reply: reply, contentType: "application/json")
    }

    private func facts(_ delivery: WebhookDelivery) -> (WebhookOutcome, edits: [XEdit]) {
        guard let signature = delivery.headers.value("x-twitter-webhooks-signature"),
            Self.form.verify(signature, of: delivery.body, key: secret)
        else { return (.rejected(status: 403, reason: "the signature is missing or not genuine"), []) }
        var events: [Event] = []
        var edits: [XEdit] = []
        do {
            try JSONParser().parse(delivery.body) { root in
                var normalizer = XNormalizer(now: delivery.receivedAt)
                normalizer.read(root, into: &events)
                edits = normalizer.edits
            }
        } catch {
            let reason = "the delivery: \((error as? JSONError)?.description ?? "it cannot be read")"
            let letter = DeadLetter(reason: reason, contentType: "application/json", payload: delivery.body)
            return (.accepted([], deadLetters: [letter]), [])
        }
        return (.accepted(events), edits)
    }
}
