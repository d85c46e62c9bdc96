import ConnectorKit
import JSON
import SocialEvents

/// Reads dead letters again, by the normaliser alone: what the cursor knows of the server has nothing to do with them.
struct MastodonRereading {
    let kind: MastodonConfiguration.Kind
    let normalizer: MastodonNormalizer

    /// The media type of a message of the stream, with the message's name, which says whether a status is new or changed.
    static func contentType(of message: String) -> String { "application/json; form=\(message)" }

    /// What is in a page, an element of one, or a message of the stream; throws `malformed` where it cannot be read.
    func read(_ letter: DeadLetter) throws -> Rereading {
        do {
            return try JSONParser(maximumSize: MastodonAPI.longestAnswer).parse(letter.payload) { root in
                if root.kind == .array { return try page(root) }
                var events: [Event] = []
                if kind == .notifications {
                    _ = try normalizer.notification(root, into: &events)
                } else {
                    let isChange = letter.parameter("form") == "status.update"
                    _ = try normalizer.status(root, on: isChange ? .change : .appearance, into: &events)
                }
                return Rereading(events: events)
            }
        } catch {
            throw ConnectorError(
                .malformed,
                "the payload: \((error as? JSONError)?.description ?? "it cannot be read")"
            )
        }
    }

    private func page(_ root: JSONValue) throws(JSONError) -> Rereading {
        var page = MastodonPage(MastodonCursor(), kind, normalizer)
        let elements = try page.elements(of: root)
        page.read(elements)
        return Rereading(events: page.events, deadLetters: page.deadLetters)
    }
}
