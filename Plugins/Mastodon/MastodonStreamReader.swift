package import ConnectorKit
import JSON
package import SocialEvents

/// Turns the bytes of a stream into batches of events, with cursors from which pulling can go on: a state machine without I/O and clock.
package struct MastodonStreamReader {
    /// Most bytes of one event of the stream.
    private static let longestEvent = 4 << 20

    private var parser = ServerSentEventParser(longest: longestEvent)
    /// What is durable and what this connection has brought since.
    private var cursor: MastodonCursor
    /// What it has brought that is not known to be durable.
    private var news: [MastodonCursor.Item] = []
    private var withdrawn: [String] = []
    private let shared: MastodonSharedItems
    private let kind: MastodonConfiguration.Kind
    private let normalizer: MastodonNormalizer
    private let json = JSONParser(maximumSize: longestEvent)

    /// A reader at the start of a connection.
    ///
    /// - Parameters:
    ///   - cursor: where it goes on from.
    ///   - kind: what the source reads.
    ///   - normalizer: makes the events.
    ///   - shared: what pulls beside it find.
    package init(
        _ cursor: MastodonCursor,
        _ kind: MastodonConfiguration.Kind,
        _ normalizer: MastodonNormalizer,
        _ shared: MastodonSharedItems = MastodonSharedItems()
    ) {
        shared.isDurable(cursor)
        self.shared = shared
        self.cursor = shared.cursor
        self.kind = kind
        self.normalizer = normalizer
    }

    /// What `chunk` brings; `nil` when there is nothing to make durable.
    ///
    /// The cursor goes along with every batch: a post that is durable and not in the cursor could vanish from the server during an outage without anybody
    /// looking for it. So it holds what pulls have found meanwhile, too.
    package mutating func read(_ chunk: [UInt8], now: Timestamp) throws(ServerSentEventParser.TooLong) -> EventBatch? {
        normalizer.now = now
        refresh()
        var batch = EventBatch()
        for message in try parser.read(chunk) { take(message, into: &batch) }
        if batch.events.isEmpty, batch.deadLetters.isEmpty { return nil }
        batch.cursor = cursor.encoded
        return batch
    }

    /// Tells of statuses that are gone, of which notifications were told.
    mutating func withdraw(_ statuses: [MastodonNotified.Status], now: Timestamp) -> EventBatch {
        normalizer.now = now
        refresh()
        var batch = EventBatch()
        for status in statuses {
            batch.events.append(normalizer.deletion(of: status.object, status.form))
            cursor.forgetStatus(status.id)
            withdrawn.append(status.id)
        }
        batch.cursor = cursor.encoded
        return batch
    }

    /// The last batch is durable.
    mutating func stored() {
        shared.heard(news, withdrawn: withdrawn)
        news = []
        withdrawn = []
    }

    /// Takes in what pulls have found.
    private mutating func refresh() {
        cursor = shared.cursor
        for item in news { cursor.note(item) }
        for id in withdrawn { forget(id) }
    }

    private mutating func note(_ item: MastodonCursor.Item) {
        cursor.note(item)
        news.append(item)
    }

    private mutating func forget(_ id: String) {
        cursor.forget(id)
        cursor.forgetStatus(id)
    }

    private mutating func take(_ message: ServerSentEventParser.Message, into batch: inout EventBatch) {
        switch message.event {
        case "update" where kind != .notifications:
            status(message, .appearance, into: &batch)
        case "status.update" where kind != .notifications:
            status(message, .change, into: &batch)
        case "notification" where kind == .notifications:
            notification(message, into: &batch)
        case "delete":
            delete(message, into: &batch)
        case "update", "status.update", "notification":
            // Another source reads these.
            break
        default:
            batch.events.append(unrecognised(message))
        }
    }

    private mutating func status(
        _ message: ServerSentEventParser.Message,
        _ occasion: MastodonNormalizer.Occasion,
        into batch: inout EventBatch
    ) {
        let count = batch.events.count
        let read = parse(message, into: &batch) { [normalizer] root, events in
            MastodonCursor.Item(try normalizer.status(root, on: occasion, into: &events))
        }
        guard let item = read else { return }
        let known = cursor.item(item.id)
        if let known, known.revision >= item.revision, item.revision > 0 || occasion == .appearance {
            // Said before.
            batch.events.removeLast(batch.events.count - count)
        } else if known != nil || occasion == .appearance {
            note(item)
        }
    }

    private mutating func notification(_ message: ServerSentEventParser.Message, into batch: inout EventBatch) {
        let count = batch.events.count
        let read = parse(message, into: &batch) { [normalizer] root, events in
            MastodonCursor.Item(try normalizer.notification(root, into: &events))
        }
        guard let item = read else { return }
        if cursor.item(item.id) == nil {
            note(item)
        } else {
            batch.events.removeLast(batch.events.count - count)
        }
    }

    private mutating func delete(_ message: ServerSentEventParser.Message, into batch: inout EventBatch) {
        let text = String(decoding: message.data, as: UTF8.self)
        // Some servers write a JSON string.
        let id = text.trimmingQuotes
        if let event = normalizer.deletion(id) {
            batch.events.append(event)
            forget(id)
            news.removeAll { $0.id == id }
            withdrawn.append(id)
        } else {
            // It was never seen here, or too long ago to know what it was.
            var event = unrecognised(message, "deletion", normalizer.localName(String(id.prefix(200))))
            event.data.loss.append(Loss("data", .dropped, "the server names only its own id, which was not seen here"))
            batch.events.append(event)
        }
    }

    /// Reads the JSON of a message; one that cannot be read becomes a dead letter.
    private func parse(
        _ message: ServerSentEventParser.Message,
        into batch: inout EventBatch,
        _ read: (JSONValue, inout [Event]) throws -> MastodonCursor.Item
    ) -> MastodonCursor.Item? {
        let count = batch.events.count
        do {
            return try json.parse(message.data) { try read($0, &batch.events) }
        } catch {
            batch.events.removeLast(batch.events.count - count)
            batch.deadLetters.append(
                DeadLetter(
                    reason: "\(message.event) in the stream: \((error as? JSONError)?.description ?? "unreadable")",
                    contentType: MastodonRereading.contentType(of: message.event),
                    payload: message.data
                )
            )
            return nil
        }
    }

    private func unrecognised(
        _ message: ServerSentEventParser.Message,
        _ namespace: String = "payload",
        _ native: String? = nil
    ) -> Event {
        let name = String(message.event.prefix(200))
        let bytes = Array("event: \(name)\ndata: ".utf8) + message.data
        return normalizer.unrecognised(bytes, contentType: "text/event-stream", namespace, native)
    }
}

extension String {
    /// The text without quotation marks around it.
    fileprivate var trimmingQuotes: String {
        utf8.count >= 2 && hasPrefix("\"") && hasSuffix("\"") ? String(dropFirst().dropLast()) : self
    }
}
