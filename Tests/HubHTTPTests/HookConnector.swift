import ConnectorKit
import HTTPTypes
import SocialEvents

/// A source that is called: bodies are posts, one name a line, signed as many platforms do.
///
/// A body that begins with `!` makes it behave oddly: `!malformed` cannot be read, `!broken` fails, `!wait` waits until its test lets it go.
struct HookConnector: WebhookSource {
    static let secret = Secret("hook-secret")
    static let script = Setting.text("gate", summary: "Which gate holds what waits.")
    static let descriptor = ConnectorDescriptor(name: "hook", summary: "Is called.", settings: [script])

    private let gate: HookGate?

    init(settings: Settings, context: ConnectorContext) throws {
        gate = try settings.value(Self.script).flatMap { HookGate.named($0) }
    }

    func receive(_ delivery: WebhookDelivery) async throws -> WebhookOutcome {
        if delivery.method == .get {
            let token = delivery.query.first { $0.name == "challenge" }?.value
            guard let token else { return .rejected(status: 400, reason: "no challenge") }
            return .challenge(reply: Array(token.utf8), contentType: "text/plain")
        }
        guard let signature = delivery.headers.value("x-hub-signature-256"),
            Signature.hubSHA256.verify(signature, of: delivery.body, key: Self.secret)
        else { return .rejected(status: 403, reason: "the signature is not genuine") }
        let text = String(decoding: delivery.body, as: UTF8.self)
        switch text {
        case "!malformed":
            let letter = DeadLetter(reason: "no names", contentType: "text/plain", payload: delivery.body)
            throw ConnectorError(.malformed, "no names", deadLetter: letter)
        case "!broken": throw ConnectorError(.unavailable, "a database is down")
        case "!wait": await gate?.wait()
        default: break
        }
        let names = text.split(separator: "\n").filter { !$0.hasPrefix("!") }
        return .accepted(names.compactMap { Int($0) }.map { RunningHub.event($0) })
    }
}
