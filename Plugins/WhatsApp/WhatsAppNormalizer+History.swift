import JSON
import MetaGraph
import SocialEvents

// What was said before the number was connected: `history[].threads[]{id, messages[]}`, the messages with their last known stage.

extension WhatsAppNormalizer {
    /// The messages of chunks of history; one without any says how far it has come, or why there is none.
    mutating func readHistory(_ history: JSONValue, _ change: WhatsAppChange, into intake: inout MetaIntake) {
        for chunk in history.elements {
            guard let threads = chunk["threads"] else { continue }
            for thread in threads.elements {
                guard let messages = thread["messages"] else { continue }
                for item in messages.elements {
                    let isOwn = change.isBusiness(item["from"]) || item["to"] != nil
                    let side = WhatsAppSide(isOwn: isOwn, thread: thread["id"])
                    readItem(item, change, &intake, payload: { Self.payload(of: item, in: thread, change) }) {
                        normalizer,
                        item,
                        intake in
                        guard try normalizer.message(item, side, change, into: &intake) else { return false }
                        try normalizer.pastStage(item, side, change, into: &intake)
                        return true
                    }
                }
            }
        }
    }

    /// How far an own message of the past had come.
    private mutating func pastStage(
        _ item: JSONValue,
        _ side: WhatsAppSide,
        _ change: WhatsAppChange,
        into intake: inout MetaIntake
    ) throws(JSONError) {
        guard side.isOwn, let word = item["history_context"]?["status"]?.string?.lowercased() else { return }
        let stage: Delivery.Status? = word == "error" ? .failed : word == "pending" ? .queued : Self.stage(word)
        guard let stage else { return }
        let sides = sides(of: item, side, change)
        let message = try WhatsAppValue.id("message", item, "id")
        var event = delivery(stage, of: item, message, moment(of: item, change))
        event.data.delivery?.recipient = sides.target
        event.data.conversation = sides.conversation
        event.data.channel = sides.channel
        event.data.loss.append(Loss("timestamp", .inferred, "the time of the message"))
        intake.events.append(event)
    }

    /// One message of a thread as a change of its own.
    private static func payload(of item: JSONValue, in thread: JSONValue, _ change: WhatsAppChange) -> [UInt8] {
        var writer = JSONWriter(reserving: 2048)
        writer.beginObject()
        writer.key("field")
        writer.string("history")
        writer.key("value")
        writer.beginObject()
        if let metadata = change.notice.value["metadata"] { writer.member("metadata", metadata) }
        writer.key("history")
        writer.beginArray()
        writer.beginObject()
        writer.key("threads")
        writer.beginArray()
        writer.beginObject()
        if let id = thread["id"] { writer.member("id", id) }
        writer.key("messages")
        writer.beginArray()
        item.write(into: &writer)
        writer.endArray()
        writer.endObject()
        writer.endArray()
        writer.endObject()
        writer.endArray()
        writer.endObject()
        writer.endObject()
        return writer.bytes
    }
}
