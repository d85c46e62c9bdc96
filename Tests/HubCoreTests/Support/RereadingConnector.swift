import ConnectorKit
import SocialEvents

/// A source that is only called, and reads dead letters again as their payloads say: a word, and names of posts.
struct RereadingConnector: WebhookSource, DeadLetterReader {
    static let descriptor = ConnectorDescriptor(
        name: "rereading",
        summary: "Reads again.",
        settings: [ScriptedConnector.script]
    )

    private let script: Script

    init(settings: Settings, context: ConnectorContext) throws {
        let key = try settings.required(ScriptedConnector.script)
        guard let script = Scripts[key] else { throw settings.error("script", "there is none") }
        self.script = script
    }

    func receive(_ delivery: WebhookDelivery) async throws -> WebhookOutcome { .accepted([]) }

    func reread(_ request: RereadRequest) async throws -> Rereading {
        var words = String(decoding: request.letter.payload, as: UTF8.self).split(separator: " ").map(String.init)[...]
        script.state.update { $0.requests["reread", default: []].append(PullRequest()) }
        let verb = words.popFirst()
        let posts = words.map(post)
        switch verb {
        case "posts": return Rereading(events: posts)
        case "part":
            let rest = DeadLetter(reason: "the second half", contentType: "text/plain", payload: Array("bad".utf8))
            return Rereading(events: posts, deadLetters: [rest])
        case "many": return Rereading(events: (0..<(Int(words.first ?? "") ?? 0)).map { post(String($0)) })
        case "invalid":
            return Rereading(
                events: posts.map { post in
                    var post = post
                    post.platform = .hub
                    return post
                }
            )
        case "gone":
            let person = ObjectID("demo", "actor", words.first ?? "")
            var event = Event(
                id: EventID(person, .deleted),
                type: .postDeleted,
                platform: "demo",
                subject: person,
                time: request.receivedAt
            )
            event.data.actor = Actor(id: person)
            return Rereading(events: [event])
        case "delivered":
            var event = post(words.first ?? "")
            event.type = .deliveryUpdated
            event.id = EventID(event.subject ?? ObjectID("demo", .message, ""), .updated)
            event.data = EventData()
            event.data.delivery = Delivery(.read)
            return Rereading(events: [event])
        case "down": throw ConnectorError(.unavailable, "the platform is down")
        case "hang":
            // Longer than any test; ended by its cancellation.
            try await Task.sleep(for: .seconds(86_400))
            return Rereading()
        case "deaf":
            await script.hold()
            return Rereading(events: posts)
        default: throw ConnectorError(.malformed, "line 7: still no verb")
        }
    }
}
