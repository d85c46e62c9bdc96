public import ConnectorKit
import JSON
import SocialEvents

extension BlueskyConnector: DeadLetterReader {
    /// Reads a kept message of the stream, page or item of a page again.
    ///
    /// - Throws: ``ConnectorError`` `malformed` where it is no JSON.
    public func reread(_ request: RereadRequest) async throws -> Rereading {
        var normalizer = BlueskyNormalizer(now: request.receivedAt, channel: configuration.channel)
        if configuration.kind == .jetstream {
            let parser = JSONParser(maximumDepth: 64, maximumSize: configuration.maximumMessageSize + 1024)
            _ = normalizer.jetstream(request.letter.payload, with: parser)
        } else {
            do {
                try JSONParser().parse(request.letter.payload) { root in
                    if let items = try? configuration.items(of: root) {
                        for item in items { _ = configuration.read(item, &normalizer) }
                    } else {
                        _ = configuration.read(root, &normalizer)
                    }
                }
            } catch {
                let reason = (error as? JSONError)?.description ?? "it cannot be read"
                throw ConnectorError(.malformed, "the payload: \(reason)")
            }
        }
        let letters = normalizer.deadLetters.map {
            DeadLetter(reason: $0.reason, contentType: "application/json", payload: $0.payload)
        }
        return Rereading(events: normalizer.events, deadLetters: letters)
    }
}

extension BlueskyConfiguration {
    /// Where the posts of a list or a feed are said to be.
    var channel: Channel? {
        switch kind {
        case .list: Channel(id: ObjectID(BlueskyID.platform, "list", address))
        case .feed: Channel(id: ObjectID(BlueskyID.platform, "feed", address))
        case .search, .author, .notifications, .jetstream: nil
        }
    }

    /// What a page holds.
    func items(of page: JSONValue) throws -> JSONElements {
        switch kind {
        case .search: try page.requiredArray("posts")
        case .notifications: try page.requiredArray("notifications")
        case .author, .list, .feed, .jetstream: try page.requiredArray("feed")
        }
    }

    /// Reads one item of a page; `nil` for one that cannot be read.
    func read(_ item: JSONValue, _ normalizer: inout BlueskyNormalizer) -> BlueskyEntry? {
        switch kind {
        case .search: normalizer.postView(item)
        case .notifications: normalizer.notification(item)
        case .author, .list, .feed, .jetstream: normalizer.feedEntry(item)
        }
    }
}
