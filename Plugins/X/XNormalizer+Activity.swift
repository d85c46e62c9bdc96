import JSON
import SocialEvents

// The envelopes of the X Activity API: `{"event_uuid", "event_type", "filter", "tag", "payload", "includes"}`.

extension XNormalizer {
    /// The facts of an envelope, or of several.
    mutating func readActivity(_ data: JSONValue, into events: inout [Event]) {
        guard data.kind == .array else { return readEnvelope(data, into: &events) }
        for envelope in data.elements { readEnvelope(envelope, into: &events) }
    }

    private mutating func readEnvelope(_ envelope: JSONValue, into events: inout [Event]) {
        guard let type = envelope["event_type"]?.string, let payload = envelope["payload"] else {
            return events.append(unrecognised(envelope))
        }
        let before = events.count
        let includes = XIncludes(envelope["includes"])
        switch type {
        case "post.create", "post.mention.create", "post.reply.create", "post.quote.create", "post.repost.create":
            append(payload, includes, [], to: &events)
        case "post.delete": attempt(payload, into: &events) { try $0.deletion($1, includes) }
        case "like.create": attempt(payload, into: &events) { try $0.like($1, envelope, includes) }
        case "follow.follow", "follow.unfollow":
            attempt(payload, into: &events) { normalizer, payload in
                try normalizer.follow(
                    payload,
                    isEnd: type == "follow.unfollow",
                    uuid: envelope["event_uuid"]?.string,
                    at: nil
                )
            }
        case "dm.received", "dm.sent", "dm.read", "dm.indicate_typing":
            readMessages(payload, people: payload["users"], into: &events)
        case "broadcast.chat": attempt(payload, into: &events) { try $0.broadcastChat($1) }
        case "oauth.revoke":
            attempt(payload, into: &events) { normalizer, payload in
                try normalizer.revocation(of: payload["user_id"], at: XValue.time(payload["date_time"]))
            }
        case let name where name.hasPrefix("profile.update."):
            attempt(payload, into: &events) { normalizer, payload in
                try normalizer.profile(payload, envelope, field: String(name.dropFirst("profile.update.".count)))
            }
        default: break
        }
        // What was not understood is kept with its envelope, which says what it was.
        guard events.count > before, events[before].type != .unrecognised else {
            events.removeSubrange(before...)
            return events.append(unrecognised(envelope))
        }
        guard let tag = XValue.phrase(envelope["tag"]) else { return }
        for index in events.indices[before...] { events[index].data.matched = [Match(name: type, tags: [tag])] }
    }

    /// Messages, receipts and signs of typing, in the form that v1.1 had for them.
    func readMessages(_ value: JSONValue, people: JSONValue?, into events: inout [Event]) {
        for (key, list) in value.members where list.kind == .array {
            for item in list.elements {
                switch key {
                case "direct_message_events":
                    attempt(item, into: &events) { normalizer, item in
                        try normalizer.legacyMessage(item, people: people)
                    }
                case "direct_message_mark_read_events":
                    attempt(item, into: &events) { normalizer, item in
                        try normalizer.readReceipt(item)
                    }
                case "direct_message_indicate_typing_events": events.append(unrecognised(value))
                default: break
                }
            }
        }
    }

    // MARK: - Facts

    private func deletion(_ payload: JSONValue, _ includes: XIncludes) throws(JSONError) -> Event? {
        guard let id = payload["id"] else { return nil }
        var event = event(try Self.postID(id), .postDeleted, at: nil)
        if let author = payload["author_id"] { event.data.actor = try actor(author, includes.user(author)) }
        return event
    }

    /// A like by the person who is watched, or of a post of theirs.
    private func like(_ payload: JSONValue, _ envelope: JSONValue, _ includes: XIncludes) throws(JSONError) -> Event? {
        guard let post = payload["liked_tweet_id"] ?? payload["liked_post_id"] else { return nil }
        let watched = envelope["filter"]?["user_id"]
        let author = payload["liked_tweet_author_id"] ?? payload["liked_post_author_id"]
        let isOutbound = envelope["filter"]?["direction"]?.isString("outbound") == true
        let time = XValue.milliseconds(payload["timestamp_ms"]) ?? XValue.time(payload["created_at"])
        let liker = payload["user_id"] ?? payload["liker_id"] ?? (isOutbound ? watched : nil)
        guard let event = try like(of: post, by: liker, author: author, like: payload["id"], at: time) else {
            return nil
        }
        guard let liker, let user = includes.user(liker) else { return event }
        var whole = event
        whole.data.actor = try actor(liker, user)
        return whole
    }

    /// A like as an object of its own, named by who likes what, so that taking it back names the same.
    ///
    /// Who takes a like back may like again, so the moment, in seconds since not all payloads know more, tells one time from another.
    func like(
        of post: JSONValue,
        by liker: JSONValue?,
        author: JSONValue?,
        like: JSONValue?,
        isEnd: Bool = false,
        at time: Timestamp?
    ) throws(JSONError) -> Event? {
        let name: String
        if let liker, let person = text(liker), let target = text(post) {
            name = "\(person).\(target)"
        } else if let own = like.flatMap(text) {
            name = own
        } else {
            return nil
        }
        var event = event(
            ObjectID(Self.platform, "like", name),
            isEnd ? .reactionDeleted : .reactionCreated,
            revision: Int(max(0, time?.milliseconds ?? 0) / 1000),
            at: time
        )
        event.data.reaction = "like"
        event.data.target = Reference(id: try Self.postID(post))
        if let author { event.data.target?.actor = try Self.actorID(author) }
        if let liker {
            event.data.actor = try actor(liker, nil)
        } else {
            event.data.loss.append(Loss("user", .dropped, "the payload does not say who likes"))
        }
        return event
    }

    /// A follow or its end.
    ///
    /// The same person may follow, stop and follow again, so the platform's name for the fact tells them apart, or its time.
    func follow(_ payload: JSONValue, isEnd: Bool, uuid: String?, at time: Timestamp?) throws(JSONError) -> Event? {
        guard let source = payload["source"], let target = payload["target"] else { return nil }
        let follower = source["data"] ?? source
        let followed = target["data"] ?? target
        guard let one = Self.legacyID(follower, "id", "id_str"), let other = Self.legacyID(followed, "id", "id_str"),
            let from = text(one), let to = text(other)
        else { return nil }
        let object = ObjectID(Self.platform, "follow", "\(from).\(to)" + (uuid.map { ".\($0)" } ?? ""))
        var event = event(
            object,
            isEnd ? .followDeleted : .followCreated,
            revision: uuid == nil ? Int(time?.milliseconds ?? 0) : 0,
            at: time
        )
        event.data.actor = follower["screen_name"] == nil ? try actor(one, follower) : try legacyActor(one, follower)
        event.data.target = Reference(id: try Self.actorID(other))
        return event
    }

    private func broadcastChat(_ payload: JSONValue) throws(JSONError) -> Event? {
        guard let id = payload["message_id"], let words = payload["message"].flatMap(XText.init) else { return nil }
        let object = try Self.id("broadcast_message", id)
        var event = event(object, .postCreated, at: XValue.time(ofID: id))
        var said = SocialObject(id: object, kind: .comment)
        said.text = words.text
        said.audience = .public
        event.data.object = said
        if let author = payload["author"] { event.data.actor = try actor(author["data"] ?? author) }
        if let broadcast = payload["broadcast_id"] {
            event.data.channel = Channel(id: try Self.id("broadcast", broadcast))
        }
        return event
    }

    /// A change of a profile: what events have a place for is told, of the rest that it changed.
    private func profile(_ payload: JSONValue, _ envelope: JSONValue, field: String) throws(JSONError) -> Event? {
        guard let user = envelope["filter"]?["user_id"], let person = text(user) else { return nil }
        let after = payload["after"]
        let fact =
            envelope["event_uuid"].flatMap(text).map { "\(person).\($0)" } ?? "\(person).\(field).\(now.milliseconds)"
        var event = event(
            ObjectID(Self.platform, "profile", fact),
            .profileUpdated,
            subject: try Self.actorID(user),
            at: nil
        )
        var actor = Actor(id: try Self.actorID(user))
        switch field {
        case "screenname", "name": actor.name = XValue.phrase(after)
        case "handle", "username":
            actor.handle = XValue.phrase(after)
            actor.url = actor.handle.flatMap(XAddress.profile)
        case "profile_picture": actor.avatarURL = XValue.address(after)
        default: event.data.loss.append(Loss("payload.after", .dropped, "the new \(field.prefix(60))"))
        }
        event.data.actor = actor
        return event
    }

    /// That somebody took the app's access back.
    func revocation(of user: JSONValue?, at time: Timestamp?) throws(JSONError) -> Event? {
        guard let user, let person = text(user) else { return nil }
        var event = event(
            ObjectID(Self.platform, "access", person),
            .accountUpdated,
            revision: Int(max(0, time?.milliseconds ?? 0)),
            subject: try Self.actorID(user),
            at: time
        )
        event.data.actor = Actor(id: try Self.actorID(user))
        event.data.loss.append(Loss("event_type", .dropped, "the person took back the app's access"))
        return event
    }

    /// An id as text, whether it is written as a string or as a number; an empty one is none.
    func text(_ id: JSONValue) -> String? {
        let text = id.string ?? id.int.map { String($0) }
        return text?.isEmpty == true ? nil : text
    }
}
