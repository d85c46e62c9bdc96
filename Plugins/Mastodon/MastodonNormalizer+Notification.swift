package import JSON
package import SocialEvents

extension MastodonNormalizer {
    /// What was read of a notification, for the cursor.
    package struct NotificationReading: Sendable {
        /// The server's id.
        package var id: String
        /// When it was made.
        package var createdAt: Timestamp
        /// The status it is about.
        var status: MastodonNotified.Status?
    }

    /// Appends the events of a notification.
    ///
    /// - Parameters:
    ///   - value: a Notification of the first version of that API, which does not merge several into one.
    ///   - events: takes the events, oldest first.
    /// - Returns: what was read.
    /// - Throws: `JSONError` when it is no notification.
    @discardableResult
    package func notification(_ value: JSONValue, into events: inout [Event]) throws(JSONError) -> NotificationReading {
        let value = try value.expectObject()
        guard let id = value["id"]?.nativeID else { throw value.mismatch("a notification with an id") }
        guard let type = value["type"], type.kind == .string else { throw value.mismatch("a notification with a type") }
        var data = EventData()
        let createdAt = moment(value["created_at"], "created_at", &data)
        let status = value["status"].flatMap { $0.kind == .object ? $0 : nil }
        let account = value["account"].map { MastodonAccountFields($0) }
        if let account = value["account"] { data.actor = actor(account) }
        let notice = Notice(id: id, value: value, createdAt: createdAt, data: data, status: status, account: account)
        if try !tell(notice, type, into: &events) {
            events.append(unknown(notice))
        }
        var reading = NotificationReading(id: id, createdAt: createdAt)
        if let native = status?["id"]?.nativeID, let known = index.known(native) {
            reading.status = MastodonNotified.Status(id: native, object: known.object, form: known.form)
        }
        return reading
    }

    /// A notification taken apart.
    private struct Notice {
        var id: String
        var value: JSONValue
        var createdAt: Timestamp
        var data: EventData
        var status: JSONValue?
        var account: MastodonAccountFields?
    }

    /// Appends what a notification of a known type says; whether there was anything.
    private func tell(_ notice: Notice, _ type: JSONValue, into events: inout [Event]) throws(JSONError) -> Bool {
        if type.isString("follow") {
            guard notice.account != nil else { return false }
            events.append(follow(notice))
            return true
        }
        guard let status = notice.status else { return false }
        if type.isString("mention") || type.isString("status") || type.isString("quote") {
            try self.status(status, on: .appearance, into: &events)
        } else if type.isString("update") {
            try self.status(status, on: .change, into: &events)
        } else if type.isString("quoted_update") {
            return try quotedUpdate(status, into: &events)
        } else if type.isString("favourite") {
            events.append(try reaction(notice, status, "favourite", emoji: nil))
        } else if type.isString("pleroma:emoji_reaction") || type.isString("emoji_reaction")
            || type.isString("reaction")
        {
            let emoji = notice.value["emoji"]?.words ?? notice.value["reaction"]?["name"]?.words
            events.append(try reaction(notice, status, "reaction", emoji: emoji ?? "?"))
        } else if type.isString("reblog") {
            events.append(try boost(notice, status))
        } else if type.isString("poll") {
            events.append(try pollEnd(notice, status))
        } else {
            return false
        }
        return true
    }

    private func follow(_ notice: Notice) -> Event {
        Event(
            id: EventID(ObjectID(Self.platform, "follow", localName(notice.id)), .created),
            type: .followCreated,
            platform: Self.platform,
            time: notice.createdAt,
            data: notice.data
        )
    }

    /// Who did it and to what, for things that have no id of their own: the same deed has one id, however often it is told.
    private func deed(_ notice: Notice, _ object: ObjectID, _ namespace: String, _ what: String = "") -> ObjectID {
        let who =
            notice.account.map { String(actorID($0).text.dropFirst("mastodon:actor:".utf8.count)) }
            ?? localName(notice.id)
        let native = object.text.dropFirst("mastodon:post:".utf8.count)
        return ObjectID(Self.platform, namespace, what.isEmpty ? "\(who)>\(native)" : "\(who)>\(native)>\(what)")
    }

    private func reaction(
        _ notice: Notice,
        _ status: JSONValue,
        _ namespace: String,
        emoji: String?
    ) throws(JSONError) -> Event {
        var data = notice.data
        let (object, _) = try target(status, &data)
        data.reaction = emoji.map { String($0.prefix(200)) } ?? "favourite"
        return Event(
            id: EventID(deed(notice, object, namespace, emoji ?? ""), .created),
            type: .reactionCreated,
            platform: Self.platform,
            subject: object,
            time: notice.createdAt,
            data: data
        )
    }

    /// A boost as it is notified: the status is the one boosted, and the wrapper's id is not told.
    private func boost(_ notice: Notice, _ status: JSONValue) throws(JSONError) -> Event {
        var data = notice.data
        let (object, reference) = try target(status, &data)
        data.repostOf = reference
        return Event(
            id: EventID(deed(notice, object, "repost"), .created),
            type: .repostCreated,
            platform: Self.platform,
            subject: object,
            time: notice.createdAt,
            data: data
        )
    }

    /// The end of a poll: its counts at that time.
    private func pollEnd(_ notice: Notice, _ status: JSONValue) throws(JSONError) -> Event {
        var told: [Event] = []
        let reading = try self.status(status, on: .appearance, into: &told)
        var event = observation(of: reading.object, at: notice.createdAt, told.last?.data ?? notice.data)
        event.data.loss.append(contentsOf: notice.data.loss)
        return event
    }

    /// A post that the account quoted was edited; the edit is told where the status or the one it quotes shows it.
    private func quotedUpdate(_ status: JSONValue, into events: inout [Event]) throws(JSONError) -> Bool {
        let edited = [status["quote"]?["quoted_status"], status].lazy.compactMap { $0 }.first {
            $0["edited_at"]?.moment != nil
        }
        guard let edited else { return false }
        try self.status(edited, on: .change, into: &events)
        return true
    }

    /// The status that something was done to.
    private func target(_ status: JSONValue, _ data: inout EventData) throws(JSONError) -> (ObjectID, Reference) {
        let fields = MastodonStatusFields(status)
        guard let id = fields.id?.nativeID else { throw status.mismatch("a status with an id") }
        let object = statusID(fields, id: id, &data)
        index.learn(id, object, fields.visibility?.isString("direct") == true ? .message : .post)
        let actor = fields.account.map { actorID(MastodonAccountFields($0)) }
        return (object, Reference(id: object, url: fields.url?.webAddress, actor: actor))
    }

    private func unknown(_ notice: Notice) -> Event {
        var event = unrecognised(notice.value, "notification", localName(notice.id))
        event.time = notice.createdAt
        event.data.actor = notice.data.actor
        event.data.loss += notice.data.loss
        return event
    }

    /// The event of a part of a payload that is not understood, written anew.
    package func unrecognised(_ value: JSONValue, _ namespace: String = "payload", _ native: String? = nil) -> Event {
        unrecognised(Self.bytes(of: value), contentType: "application/json", namespace, native)
    }

    /// A part of a payload, written anew without white space.
    static func bytes(of value: JSONValue) -> [UInt8] {
        var writer = JSONWriter()
        value.write(into: &writer)
        return writer.bytes
    }
}
