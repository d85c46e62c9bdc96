import ConnectorKit
import JSON
import MetaGraph
import SocialEvents

// Comments and mentions, as webhooks tell of them and as the Graph API answers.

extension InstagramNormalizer {
    /// A comment of a webhook: `{id | comment_id, from, text, media, parent_id}`.
    ///
    /// Webhooks say when they were sent, not when the comment was written.
    func webhookComment(_ notice: MetaNotice, into events: inout [Event]) throws(JSONError) {
        let value = notice.value
        // Real webhooks have `id`; the documentation of Facebook Login has `comment_id`.
        guard let id = value["id"] ?? value["comment_id"] else { throw value.mismatch("a comment with an id") }
        let object = try InstagramValue.id("comment", id)
        var said = SocialObject(id: object, kind: .comment)
        var actor: Actor?
        var media: ObjectID?
        var advertised: JSONValue?
        var parent: ObjectID?
        var written: Timestamp?
        var loss: [Loss] = []
        for (key, member) in value.members where !member.isNull {
            switch key {
            case "id", "comment_id": break
            case "from": actor = try self.actor(member)
            case "text": setWords(member, "text", of: &said, &loss)
            case "parent_id": parent = try InstagramValue.id("comment", member)
            case "timestamp", "created_time": written = MetaTime.read(member)
            case "media": (media, advertised) = try commentedMedia(member, &loss)
            default: drop(key, in: "value.", &loss)
            }
        }
        said.createdAt = written
        said.audience = .public
        let time = written ?? notice.entryTime
        if written == nil { loss.append(Loss("timestamp", .inferred, "the time of the webhook")) }
        let place = try place(of: media, below: parent, owner: notice.entry?["id"])
        // Filled where it will stay: an event is large.
        events.append(
            Event(
                id: EventID(object, .created),
                type: .postCreated,
                platform: Self.platform,
                subject: object,
                time: time ?? now
            )
        )
        fill(&events[events.count - 1]) { event in
            event.data.object = said
            event.data.actor = actor
            event.data.inReplyTo = place
            event.data.conversation = media
            if let advertised = MetaValue.phrase(advertised) {
                event.data.matched = [Match(name: "ad", tags: [advertised])]
            } else if notice.isChange(of: "live_comments") {
                event.data.matched = [Match(name: "live_comments")]
            }
            event.data.loss = loss
        }
    }

    /// What a comment stands below: the media, which an advertisement names by its original, and the advertisement.
    private func commentedMedia(
        _ value: JSONValue,
        _ loss: inout [Loss]
    ) throws(JSONError) -> (ObjectID?, advertisement: JSONValue?) {
        var id: JSONValue?
        var original: JSONValue?
        var advertisement: JSONValue?
        for (key, member) in value.members where !member.isNull {
            switch key {
            case "id": id = member
            case "original_media_id": original = member
            case "ad_id": advertisement = member
            case "media_product_type": break
            default: drop(key, in: "value.media.", &loss)
            }
        }
        guard let named = original ?? id else { return (nil, advertisement) }
        return (try InstagramValue.id("media", named), advertisement)
    }

    /// What a comment answers: another comment, or the media, whose author is known where it is the account's own.
    private func place(of media: ObjectID?, below parent: ObjectID?, owner: JSONValue?) throws(JSONError) -> Reference?
    {
        if let parent { return Reference(id: parent) }
        guard let media else { return nil }
        // The dashboard's tests name an account 0.
        guard let owner, !owner.isString("0") else { return Reference(id: media) }
        return Reference(id: media, actor: try InstagramValue.id("actor", owner))
    }

    // MARK: - Mentions

    /// A mention of a webhook: the ids alone, which come only once.
    ///
    /// Kept with the notice as it came; the words are read later.
    func mention(_ notice: MetaNotice, _ mentions: inout [InstagramMention]) throws(JSONError) -> Event {
        let value = notice.value
        let media = try value["media_id"].map { value throws(JSONError) in try InstagramValue.id("media", value) }
        let comment = try value["comment_id"].map { value throws(JSONError) in try InstagramValue.id("comment", value) }
        guard let object = comment ?? media else { throw value.mismatch("a mention with media_id or comment_id") }
        var event = event(object, .postCreated, at: notice.entryTime)
        var said = SocialObject(id: object, kind: comment == nil ? .post : .comment)
        said.audience = .public
        event.data.object = said
        if let media, comment != nil {
            event.data.inReplyTo = Reference(id: media)
            event.data.conversation = media
        }
        if let account = notice.entry?["id"], !account.isString("0") {
            event.data.target = Reference(id: try InstagramValue.id("actor", account))
        }
        event.data.matched = [Match(name: "mentions")]
        event.data.loss.append(Loss("text", .dropped, "the webhook has ids alone; an update follows once it is read"))
        if notice.entryTime != nil {
            event.data.loss.append(Loss("timestamp", .inferred, "the time of the webhook"))
        }
        event.data.raw = RawPayload(
            contentType: "application/json",
            bytes: Array(notice.payload.prefix(EventLimits.raw))
        )
        mentions.append(
            InstagramMention(
                media: InstagramValue.native(value["media_id"]),
                comment: InstagramValue.native(value["comment_id"]),
                account: InstagramValue.native(notice.entry?["id"])
            )
        )
        return event
    }

    /// What a mention said, read by its id: `{"mentioned_media": {...}}` or `{"mentioned_comment": {...}}`.
    func mentioned(_ value: JSONValue, into events: inout [Event]) throws(JSONError) {
        if let media = value["mentioned_media"] {
            events.append(mention(completedBy: try self.media(media)))
        }
        if let comment = value["mentioned_comment"] {
            events.append(mention(completedBy: try commentAlone(comment)))
        }
    }

    /// The webhook's event is the creation; this is its first revision.
    private func mention(completedBy event: Event) -> Event {
        var event = event
        guard let subject = event.subject else { return event }
        event.id = EventID(subject, .updated, revision: 1)
        event.type = .postUpdated
        event.data.object?.revision = 1
        event.data.matched = [Match(name: "mentions")]
        return event
    }

    // MARK: - Answers

    /// A comment that the Graph API gave, and the answers to it that came with it.
    func comment(
        _ value: JSONValue,
        media: ObjectID? = nil,
        below parent: ObjectID? = nil,
        into events: inout [Event]
    ) throws(JSONError) {
        let event = try commentAlone(value, media: media, below: parent)
        events.append(event)
        guard let replies = value["replies"]?["data"] else { return }
        for reply in replies.elements {
            try comment(reply, media: event.data.conversation, below: event.subject, into: &events)
        }
    }

    /// A comment without the answers to it.
    func commentAlone(
        _ value: JSONValue,
        media: ObjectID? = nil,
        below parent: ObjectID? = nil
    ) throws(JSONError) -> Event {
        guard let id = value["id"] else { throw value.mismatch("a comment with an id") }
        let object = try InstagramValue.id("comment", id)
        var said = SocialObject(id: object, kind: .comment)
        var from: Actor?
        var user: Actor?
        var name: JSONValue?
        var media = media
        var parent = parent
        var metrics = Metrics(observedAt: now)
        var loss: [Loss] = []
        for (key, member) in value.members where !member.isNull {
            switch key {
            case "text": setWords(member, "text", of: &said, &loss)
            case "timestamp": said.createdAt = MetaTime.read(member)
            case "from": from = try actor(member)
            case "user": user = try actor(member)
            case "username": name = member
            case "like_count": metrics.likes = MetaValue.count(member)
            case "parent_id": parent = try InstagramValue.id("comment", member)
            case "media": if let id = member["id"] { media = try InstagramValue.id("media", id) }
            case "hidden": if member.bool == true { loss.append(Loss("hidden", .dropped, "the account hides it")) }
            case "id", "replies": break
            default: drop(key, in: "", &loss)
            }
        }
        said.audience = .public
        var event = event(object, .postCreated, at: said.createdAt)
        event.data.object = said
        var actor = from ?? user
        if actor?.handle == nil, let name {
            var named = actor ?? Actor()
            setHandle(name, of: &named)
            actor = named
        }
        event.data.actor = actor
        event.data.inReplyTo = (parent ?? media).map { Reference(id: $0) }
        event.data.conversation = media
        if metrics.likes != nil { event.data.metrics = metrics }
        event.data.loss += loss
        return event
    }

    // MARK: - Counts of a story

    /// The counts of a story that has ended, told by webhook an hour after its end.
    func storyInsights(_ notice: MetaNotice) throws(JSONError) -> Event {
        guard let media = notice.value["media_id"] else { throw notice.value.mismatch("insights with a media_id") }
        let story = try InstagramValue.id("media", media)
        let time = notice.entryTime
        var event = event(story, .metricsObserved, revision: Self.seconds(time ?? now), at: time)
        var metrics = Metrics(observedAt: time ?? now)
        for (key, member) in notice.value.members where key != "media_id" && !member.isNull {
            count(key.string, member, into: &metrics, &event.data.loss)
        }
        event.data.metrics = metrics
        return event
    }

    /// The insights of a media, read: `{"data": [{"name", "values": [{"value"}]}]}`.
    func insights(_ root: JSONValue, of story: ObjectID) -> Event? {
        guard let data = root["data"], data.kind == .array, !data.elements.isEmpty else { return nil }
        var event = event(story, .metricsObserved, revision: Self.seconds(now), at: now)
        var metrics = Metrics(observedAt: now)
        for insight in data.elements {
            guard let name = insight["name"]?.string, !name.isEmpty else { continue }
            guard let value = insight["total_value"]?["value"] ?? insight["values"]?[0]?["value"] else { continue }
            count(name, value, into: &metrics, &event.data.loss)
        }
        event.data.metrics = metrics
        return event
    }

    /// That a story's counts are not given.
    func noInsights(of story: String) -> Event {
        let object = ObjectID(Self.platform, "media", story)
        var event = event(object, .metricsObserved, revision: Self.seconds(now), at: now)
        event.data.metrics = Metrics(observedAt: now)
        let why = "Instagram gives none (code 10): fewer than 5 have seen it, or the permission for insights lacks"
        event.data.loss = [Loss("insights", .dropped, why)]
        return event
    }

    /// Seconds since 1970, as the revision of an observation.
    static func seconds(_ time: Timestamp) -> Int { Int(max(0, time.milliseconds / 1000)) }

    /// Takes in a count by Instagram's name for it.
    private func count(_ name: String, _ value: JSONValue, into metrics: inout Metrics, _ loss: inout [Loss]) {
        guard let count = value.int else {
            if loss.count < 100 { loss.append(Loss(String(name.prefix(100)), .dropped)) }
            return
        }
        guard count >= 0 else {
            guard loss.count < 100 else { return }
            return loss.append(Loss(String(name.prefix(100)), .dropped, "fewer than 5: Instagram gives -1"))
        }
        switch name {
        case "views": metrics.views = count
        case "impressions" where metrics.views == nil: metrics.views = count
        case "replies": metrics.replies = count
        case "shares": metrics.reposts = count
        case "likes": metrics.likes = count
        case "saved": metrics.bookmarks = count
        default:
            let isNew = !metrics.other.contains { $0.name == name }
            guard isNew, !name.isEmpty, name.utf8.count <= EventLimits.name, metrics.other.count < EventLimits.counts
            else { return }
            metrics.other.append(Metrics.NamedCount(name: name, count: count))
        }
    }
}
