import BlueskyConnector
import ConnectorKit
import JSON
import SocialEvents

/// Payloads of Bluesky: messages of Jetstream, pages of the API, and bare records.
struct BlueskyPayload {
    private let parser = JSONParser()

    func read(_ payload: [UInt8]) -> Reading? {
        var normalizer = BlueskyNormalizer(now: Reader.now)
        var wrapped: [UInt8]?
        let isJSON: Void? = try? parser.parse(payload) { root in
            if let list = root["posts"] {
                for view in list.elements { _ = normalizer.postView(view) }
            } else if let list = root["feed"] {
                for item in list.elements { _ = normalizer.feedEntry(item) }
            } else if let list = root["notifications"] {
                for item in list.elements { _ = normalizer.notification(item) }
            } else if root["kind"] == nil {
                let type = root["$type"]?.string ?? (root["text"] == nil ? nil : "app.bsky.feed.post")
                if let type, type != "message", type != "error" { wrapped = commit(root, type) }
            }
        }
        guard isJSON != nil else { return nil }
        if normalizer.events.isEmpty, normalizer.deadLetters.isEmpty {
            _ = normalizer.jetstream(wrapped ?? payload, with: parser)
        }
        if normalizer.events.isEmpty {
            normalizer.removeAll()
            normalizer.keep(payload)
        }
        return Reading(events: normalizer.events, deadLetters: normalizer.deadLetters.map(\.reason))
    }

    /// Wraps a bare record as its author's server would send it.
    private func commit(_ record: JSONValue, _ type: String) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("did", "did:web:sample.example")
        writer.member("time_us", 1_783_175_888_000_000)
        writer.member("kind", "commit")
        writer.key("commit")
        writer.beginObject()
        writer.member("rev", "3mptbypkxkx2g")
        writer.member("operation", "create")
        writer.member("collection", type)
        writer.member("rkey", "3mptbypkpqx2g")
        writer.member("record", record)
        writer.endObject()
        writer.endObject()
        return writer.bytes
    }
}
