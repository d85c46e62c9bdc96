import JSON
import SocialEvents

// Direct messages, in the form of the API v2 and in that of v1.1.

extension XNormalizer {
    /// A direct message event of the API v2.
    func readDirectMessage(_ value: JSONValue, _ includes: XIncludes, into events: inout [Event]) {
        attempt(value, into: &events) { normalizer, value in
            guard value["event_type"]?.isString("MessageCreate") == true, let id = value["id"] else { return nil }
            var event = normalizer.event(
                try Self.id("message", id),
                .messageCreated,
                at: XValue.time(value["created_at"]) ?? XValue.time(ofID: id)
            )
            var object = SocialObject(id: try Self.id("message", id), kind: .message)
            object.createdAt = XValue.time(value["created_at"])
            object.audience = .direct
            var loss = event.data.loss
            try normalizer.setWords(XPost(value) { _, _ in }, &object, &loss)
            if value["attachments"] != nil { normalizer.note("attachments", .dropped, in: &loss) }
            event.data.loss = loss
            event.data.object = object
            if let sender = value["sender_id"] {
                event.data.actor = try normalizer.actor(sender, includes.user(sender))
            }
            if let conversation = value["dm_conversation_id"] {
                event.data.conversation = try Self.id("dm_conversation", conversation)
            }
            return event
        }
    }

    /// A message as v1.1 tells of it, `{"type": "message_create", "message_create": {...}}`, with the people by their ids.
    func legacyMessage(_ value: JSONValue, people: JSONValue?) throws(JSONError) -> Event? {
        guard let id = value["id"], let message = value["message_create"], let sender = message["sender_id"] else {
            return nil
        }
        let data = try message.requiredObject("message_data")
        let object = try Self.id("message", id)
        let time = XValue.milliseconds(value["created_timestamp"])
        var event = event(object, .messageCreated, at: time)
        var said = SocialObject(id: object, kind: .message)
        said.createdAt = time
        said.audience = .direct
        var loss = event.data.loss
        try setLegacyWords(data, &said, &loss)
        if data["attachment"] != nil { note("attachment", .dropped, in: &loss) }
        event.data.loss = loss
        event.data.object = said
        event.data.actor = try person(sender, people)
        if let recipient = message["target"]?["recipient_id"] {
            event.data.conversation = Self.conversation(try Self.actorID(sender), try Self.actorID(recipient))
            event.data.target = Reference(id: try Self.actorID(recipient))
        }
        return event
    }

    /// That messages up to one were read.
    func readReceipt(_ value: JSONValue) throws(JSONError) -> Event? {
        guard let last = value["last_read_event_id"], let reader = value["sender_id"] else { return nil }
        let message = try Self.id("message", last)
        let who = try Self.actorID(reader)
        // One for each reader and message, so that a repeated notice is the same fact.
        let fact = ObjectID(Self.platform, "read", "\(reader.string ?? "").\(last.string ?? "")")
        var event = event(fact, .deliveryUpdated, subject: message, at: XValue.milliseconds(value["created_timestamp"]))
        event.data.delivery = Delivery(.read, recipient: who)
        return event
    }

    /// Somebody of a map from ids to people, which some payloads wrap into `data`.
    func person(_ id: JSONValue, _ people: JSONValue?) throws(JSONError) -> Actor {
        guard let key = id.string, let found = people?[named: key] else { return try actor(id, nil) }
        let person = found["data"] ?? found
        return person["screen_name"] == nil ? try actor(id, person) : try legacyActor(id, person)
    }

    /// The conversation of two people, the same whoever writes.
    private static func conversation(_ one: ObjectID, _ other: ObjectID) -> ObjectID {
        func native(_ id: ObjectID) -> Substring { id.text.split(separator: ":", maxSplits: 2).last ?? "" }
        let names = [native(one), native(other)].sorted { ($0.utf8.count, $0) < ($1.utf8.count, $1) }
        return ObjectID(platform, "dm_conversation", names.joined(separator: "-"))
    }
}
