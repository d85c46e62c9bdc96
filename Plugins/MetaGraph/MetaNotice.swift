import ConnectorKit
package import JSON
package import SocialEvents

/// One thing that a delivery of Meta tells: a change of a field, or something of a conversation.
///
/// It is valid as long as the document it was read from.
package struct MetaNotice {
    /// The places of an envelope where things are told.
    package enum Kind: Sendable, Hashable {
        /// `entry[].changes[]`, or an entry that is itself a change (`entry[].field`, `entry[].value`), as Instagram Login sends.
        case change
        /// `entry[].messaging[]`.
        case messaging
        /// `entry[].standby[]`: a conversation that another app leads.
        case standby
        /// None of these: an entry of another form, or a document that is no envelope. ``value`` is all of it.
        case other
    }

    /// Where it stood.
    package let kind: Kind
    /// The envelope's `object`: `page`, `instagram`, `whatsapp_business_account`, `user`, `permissions`.
    package let object: JSONValue?
    /// The entry it stood in.
    package let entry: JSONValue?
    /// The name of what changed, such as `feed` or `comments`; for changes only.
    package let field: JSONValue?
    /// The change's value, or the item of `messaging` or `standby`.
    package let value: JSONValue
    /// The element of `changes` that it is, with members beside field and value, such as the `verb` of permissions.
    package let change: JSONValue?
    /// The whole delivery.
    let root: JSONValue
    /// Its bytes, where they are known.
    let body: [UInt8]?

    init(
        _ kind: Kind,
        object: JSONValue?,
        entry: JSONValue?,
        field: JSONValue? = nil,
        value: JSONValue,
        change: JSONValue? = nil,
        root: JSONValue,
        body: [UInt8]?
    ) {
        self.root = root
        self.change = change
        self.kind = kind
        self.object = object
        self.entry = entry
        self.field = field
        self.value = value
        self.body = body
    }

    /// The id of the entry: the Page, the professional account, the WhatsApp business account.
    ///
    /// The dashboard's test events have `0`.
    package var entryID: String? {
        guard let id = entry?["id"] else { return nil }
        return MetaValue.id(id) ?? (id.int == 0 || id.isString("0") ? "0" : nil)
    }

    /// The entry's time, whether it is written in seconds, as with changes, or in milliseconds, as with messages.
    package var entryTime: Timestamp? { entry?["time"].flatMap(MetaTime.read) }

    /// Whether it is a change of that field.
    package func isChange(of field: StaticString) -> Bool { kind == .change && self.field?.isString(field) == true }
}

// MARK: - Bytes

extension MetaNotice {
    /// The notice as a delivery of its own: the delivery's bytes where it tells nothing else, otherwise an envelope written anew with this notice alone.
    package var payload: [UInt8] {
        guard let body, MetaEnvelope.isSingle(root) else { return rewritten }
        return body
    }

    /// A delivery with one element alone of a list that the notice's value has, such as one of a change's `messages`.
    ///
    /// - Parameters:
    ///   - element: the element.
    ///   - list: the list's name.
    ///   - others: names of other members of the value to leave out, lists with elements of their own.
    /// - Returns: an envelope written anew.
    package func payload(only element: JSONValue, of list: StaticString, leavingOut others: [StaticString] = [])
        -> [UInt8]
    {
        envelope { writer in
            writer.beginObject()
            for (key, value) in self.value.members where !others.contains(where: { key == $0 }) {
                writer.key(key.string)
                if key == list {
                    writer.beginArray()
                    element.write(into: &writer)
                    writer.endArray()
                } else {
                    value.write(into: &writer)
                }
            }
            writer.endObject()
        }
    }

    /// The notice as an event that keeps it as it came.
    ///
    /// The same notice has the same id, whatever it was sent together with.
    ///
    /// - Parameters:
    ///   - platform: whose events the connector makes.
    ///   - now: the time of reading, for entries without a time.
    /// - Returns: the event.
    package func unrecognised(_ platform: Platform, now: Timestamp) -> Event {
        let id = ObjectID(platform, "payload", PayloadDigest.name(rewritten))
        let time = entryTime
        var event = Event.unrecognised(payload, platform: platform, time: time ?? now, id: id)
        if time == nil { event.data.loss.append(Loss("time", .inferred, "the time of reading")) }
        return event
    }

    private var rewritten: [UInt8] { envelope { value.write(into: &$0) } }

    /// An envelope around a value, with the members of the entry that are not its lists.
    private func envelope(_ write: (inout JSONWriter) -> Void) -> [UInt8] {
        var writer = JSONWriter(reserving: 2048)
        guard let entry else {
            guard let field else {
                write(&writer)
                return writer.bytes
            }
            writer.beginObject()
            writer.key("field")
            field.write(into: &writer)
            writer.key("value")
            write(&writer)
            writer.endObject()
            return writer.bytes
        }
        writer.beginObject()
        if let object {
            writer.key("object")
            object.write(into: &writer)
        }
        writer.key("entry")
        writer.beginArray()
        if kind == .other {
            write(&writer)
        } else {
            writer.beginObject()
            members(of: entry, write, into: &writer)
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
        return writer.bytes
    }

    private func members(of entry: JSONValue, _ write: (inout JSONWriter) -> Void, into writer: inout JSONWriter) {
        for (key, value) in entry.members where !Self.lists.contains(where: { key == $0 }) {
            writer.key(key.string)
            value.write(into: &writer)
        }
        guard kind == .change, change != nil else {
            writer.key(kind == .messaging ? "messaging" : kind == .standby ? "standby" : "value")
            if kind != .change { writer.beginArray() }
            write(&writer)
            if kind != .change { writer.endArray() }
            return
        }
        writer.key("changes")
        writer.beginArray()
        writer.beginObject()
        for (key, value) in change?.members ?? value.members where key != "value" {
            writer.key(key.string)
            value.write(into: &writer)
        }
        // A change without a value is its own, and all of it is written.
        if change?["value"] != nil {
            writer.key("value")
            write(&writer)
        }
        writer.endObject()
        writer.endArray()
    }

    /// The members of an entry that tell things.
    private static let lists: [StaticString] = ["changes", "messaging", "standby", "value"]
}
