import ConnectorKit
import JSON
import MetaGraph
import SocialEvents

/// An element of a list that was asked for: what it is, which it does not say itself.
enum FacebookElement: Equatable {
    /// A post of a Page.
    case post(page: String)
    /// A comment under a post.
    case comment(post: String, page: String)

    /// What a dead letter's media type says it is; `nil` for letters of webhooks.
    init?(_ letter: DeadLetter) {
        guard let page = letter.parameter("page") else { return nil }
        switch (letter.parameter("form"), letter.parameter("post")) {
        case ("post", _): self = .post(page: page)
        case ("comment", let post?): self = .comment(post: post, page: page)
        default: return nil
        }
    }

    private var contentType: String {
        switch self {
        case .post(let page): "application/json; form=post; page=\(page)"
        case .comment(let post, let page): "application/json; form=comment; post=\(post.percentEncoded); page=\(page)"
        }
    }

    /// The element's event; one that cannot be read becomes a dead letter.
    func read(_ value: JSONValue, _ normalizer: FacebookNormalizer, _ letters: inout [DeadLetter]) -> Event? {
        do throws(JSONError) {
            return try event(value, normalizer)
        } catch {
            // Expanded edges have addresses of next pages, with the token in them.
            let payload = GraphAnswer.withoutTokens(FacebookNormalizer.bytes(of: value))
            letters.append(DeadLetter(reason: error.description, contentType: contentType, payload: payload))
            return nil
        }
    }

    /// Reads a dead letter again.
    func reread(_ letter: DeadLetter, _ normalizer: FacebookNormalizer) throws -> Rereading {
        do {
            return Rereading(events: [try JSONParser().parse(letter.payload) { try event($0, normalizer) }])
        } catch let error as JSONError {
            throw ConnectorError.malformed(error, payload: letter.payload, what: "the dead letter")
        }
    }

    private func event(_ value: JSONValue, _ normalizer: FacebookNormalizer) throws(JSONError) -> Event {
        switch self {
        case .post(let page): try normalizer.post(value, page: page)
        case .comment(let post, let page): try normalizer.comment(value, post: post, page: page)
        }
    }
}
