import ConnectorKit
import JSON
import MastodonConnector
import SocialEvents

/// Payloads of Mastodon and its relatives: answers, arrays of them, exchanges `{"request", "response": {"body"}}`, and messages of the WebSocket
/// `{"stream", "event", "payload"}`.
struct MastodonPayload {
    private let normalizer = MastodonNormalizer(host: "corpus.example", now: Reader.now)

    func read(_ payload: [UInt8]) -> Reading? {
        (try? JSONParser().parse(payload) { events(of: $0) }).map { Reading(events: $0) }
    }

    private func events(of value: JSONValue) -> [Event] {
        if value.kind == .array {
            return value.elements.isEmpty
                ? [normalizer.unrecognised(value)] : value.elements.flatMap { self.events(of: $0) }
        }
        if value["request"] != nil, let response = value["response"] {
            return response["body"].map { self.events(of: $0) } ?? [normalizer.unrecognised(value)]
        }
        if value["stream"] != nil, let name = value["event"]?.string {
            return stream(Array("event: \(name)\ndata: \(value["payload"]?.string ?? "undefined")\n\n".utf8))
        }
        var events: [Event] = []
        do throws(JSONError) {
            if value["type"] != nil, value["created_at"] != nil, value["id"] != nil, value["account"] != nil {
                try normalizer.notification(value, into: &events)
            } else if value["id"] != nil, value["account"] != nil, value["content"] != nil || value["reblog"] != nil {
                try normalizer.status(value, on: .appearance, into: &events)
            } else {
                for name in ["last_status", "ancestors", "descendants", "statuses", "status"] {
                    guard let part = value[named: name], part.kind != .string, part.count > 0 else { continue }
                    events += self.events(of: part)
                }
            }
        } catch {
            events = []
        }
        return events.isEmpty ? [normalizer.unrecognised(value)] : events
    }

    private func stream(_ bytes: [UInt8]) -> [Event] {
        // Timelines and notifications are read by different sources.
        [MastodonConfiguration.Kind.home, .notifications].flatMap { kind -> [Event] in
            var reader = MastodonStreamReader(MastodonCursor(), kind, normalizer)
            let batch = try? reader.read(bytes, now: normalizer.now)
            return batch?.events ?? []
        }
    }
}
