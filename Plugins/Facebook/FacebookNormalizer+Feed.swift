import JSON
import MetaGraph
import SocialEvents

// The fields `feed`, `mention` and `ratings`: posts, comments, reactions and reviews.

/// What happened to something of a feed.
enum FacebookVerb {
    case added, edited, removed, hidden, shown, other

    /// Reads a verb; both `edit` and `edited` occur, and mentions come without any.
    init(_ value: JSONValue?) {
        guard let value else {
            self = .added
            return
        }
        if value.isString("add") || value.isString("added") {
            self = .added
        } else if value.isString("edited") || value.isString("edit") || value.isString("update") {
            self = .edited
        } else if value.isString("remove") || value.isString("removed") || value.isString("delete") {
            self = .removed
        } else if value.isString("hide") {
            self = .hidden
        } else if value.isString("unhide") {
            self = .shown
        } else {
            self = .other
        }
    }
}

/// One change of a feed, as far as all kinds of items have the same.
struct FacebookChange {
    let value: JSONValue
    let verb: FacebookVerb
    /// The Page.
    let page: String?
    /// When it was made, as the payload says.
    let created: Timestamp?
    /// When it happened: of what is added when it was made, of the rest when the entry was.
    let time: Timestamp?
    /// Whether it is about a review of the Page.
    let isOfReview: Bool

    init(_ notice: MetaNotice, isOfReview: Bool = false) {
        value = notice.value
        verb = FacebookVerb(value["verb"])
        page = notice.entryID
        created = value["created_time"].flatMap(MetaTime.read)
        let told = notice.entryTime
        time = verb == .added ? created ?? told : told ?? created
        self.isOfReview = isOfReview
    }
}

extension FacebookNormalizer {
    /// Something of a feed, or something that mentions the Page.
    func readFeed(_ notice: MetaNotice, matched: String? = nil, into events: inout [Event]) throws(JSONError) {
        let change = FacebookChange(notice)
        guard let item = change.value["item"] else { return }
        let event: Event?
        if item.isString("comment") {
            event = try comment(change)
        } else if item.isString("reaction") || item.isString("like") {
            event = try reaction(change, isLike: item.isString("like"))
        } else {
            event = try post(change, item)
        }
        guard var event else { return }
        if let matched {
            event.data.matched = [Match(name: matched)]
            // It was said at somebody else's.
            let owner = MetaValue.id(change.value["post_id"])?.split(separator: "_").first.map(String.init)
            event.data.channel = Self.channel(owner)
        }
        Self.noteLosses(change.value, &event.data.loss)
        events.append(event)
    }

    /// A review of the Page, or a comment on one or a reaction to it.
    func readRating(_ notice: MetaNotice, into events: inout [Event]) throws(JSONError) {
        let change = FacebookChange(notice, isOfReview: true)
        guard let item = change.value["item"] else { return }
        let event: Event?
        if item.isString("rating") {
            event = try review(change)
        } else if item.isString("comment") {
            event = try comment(change)
        } else if item.isString("reaction") || item.isString("like") {
            event = try reaction(change, isLike: item.isString("like"))
        } else {
            return
        }
        guard var event else { return }
        Self.noteLosses(change.value, &event.data.loss)
        events.append(event)
    }

    /// Notes what has no place in an event.
    private static func noteLosses(_ value: JSONValue, _ loss: inout [Loss]) {
        for (key, member) in value.members where !member.isNull {
            switch key {
            case "item", "verb", "from", "message", "post_id", "comment_id", "parent_id", "created_time", "post",
                "photo", "photos", "video", "link", "published", "reaction_type", "sender_id", "sender_name", "story",
                "is_hidden", "message_tags", "photo_id", "video_id", "share_id", "album_id", "photo_ids", "user_id",
                "recipient_id", "open_graph_story_id", "reviewer_id", "reviewer_name", "review_text", "rating",
                "recommendation_type":
                continue
            default: note(key, &loss)
            }
        }
    }

    /// Notes a member that has no place in an event, a few of them.
    static func note(_ key: JSONKey, _ loss: inout [Loss]) {
        guard loss.count < 50 else { return }
        loss.append(Loss(String(key.string.prefix(100)), .dropped))
    }

    // MARK: - Posts

    private func post(_ change: FacebookChange, _ item: JSONValue) throws(JSONError) -> Event? {
        let value = change.value
        guard let native = MetaValue.id(value["post_id"]) else {
            if item.isString("album"), let album = MetaValue.id(value["album_id"]) {
                return utterance(change, ObjectID(Self.platform, "album", album), native: nil, kind: .post)
            }
            return item.isString("video") ? rights(change) : nil
        }
        return utterance(change, Self.postID(native), native: native, kind: .post)
    }

    /// What happened to a post, comment or review: made, edited, withdrawn, hidden or shown again.
    private func utterance(_ change: FacebookChange, _ id: ObjectID, native: String?, kind: ObjectKind) -> Event? {
        var event: Event
        switch change.verb {
        case .other: return nil
        case .removed:
            event = self.event(id, .postDeleted, at: change.time)
            event.data.actor = actor(change.value)
            event.data.channel = Self.channel(change.page)
            return event
        case .added: event = self.event(id, .postCreated, at: change.time)
        case .edited: event = self.event(id, .postUpdated, revision: Self.seconds(change.time), at: change.time)
        case .hidden, .shown:
            event = self.event(
                ObjectID(Self.platform, "visibility", native ?? id.text),
                .postUpdated,
                revision: Self.seconds(change.time),
                subject: id,
                at: change.time
            )
        }
        var object = SocialObject(id: id, kind: kind)
        switch change.verb {
        case .added: object.createdAt = change.created
        case .edited:
            object.editedAt = change.time
            object.revision = Self.seconds(change.time)
        case .hidden, .shown, .removed, .other: break
        }
        object.url = MetaValue.address(change.value["post"]?["permalink_url"])
        if object.url == nil || kind == .comment { object.url = native.flatMap(Self.address) }
        read(change.value, into: &object, &event.data)
        object.audience = audience(change, &event.data.loss)
        event.data.object = object
        event.data.actor = actor(change.value)
        event.data.channel = Self.channel(change.page)
        return event
    }

    /// Words, media and what is shared.
    private func read(_ value: JSONValue, into object: inout SocialObject, _ data: inout EventData) {
        object.text = MetaValue.words(value["message"] ?? value["review_text"], "message", &data.loss)
        if object.text == nil, let story = MetaValue.words(value["story"], "story", &data.loss) {
            object.text = story
            data.loss.append(Loss("story", .inferred, "Facebook's words, not the author's"))
        }
        if let text = object.text {
            object.entities = Self.entities(of: text, tags: value["message_tags"], &data.loss)
        }
        let item = value["item"]
        if let photos = value["photos"] {
            object.media = photos.elements.prefix(EventLimits.elements).compactMap { Self.media(.image, $0) }
        }
        if let photo = Self.media(.image, value["photo"]) { object.media.append(photo) }
        if let video = Self.media(.video, value["video"]) { object.media.append(video) }
        if object.media.count > EventLimits.elements {
            object.media.removeLast(object.media.count - EventLimits.elements)
        }
        if let link = MetaValue.address(value["link"]) {
            if item?.isString("photo") == true {
                if object.media.isEmpty { object.media = [Media(.image, url: link)] }
            } else if item?.isString("video") == true {
                if object.media.isEmpty { object.media = [Media(.video, url: link)] }
            } else {
                data.quoteOf = Reference(url: link)
            }
        }
        if value["photo_ids"] != nil, object.media.isEmpty {
            data.loss.append(Loss("photo_ids", .dropped, "pictures without addresses"))
        }
    }

    private func audience(_ change: FacebookChange, _ loss: inout [Loss]) -> Audience? {
        if change.verb == .hidden || change.value["is_hidden"]?.bool == true {
            loss.append(Loss("verb", .inferred, "hidden by the Page: its author and their friends see it"))
            return .unlisted
        }
        if change.value["published"]?.int == 0 || change.value["post"]?["is_published"]?.bool == false {
            loss.append(Loss("published", .dropped, "not published, or as an advertisement alone"))
            return nil
        }
        return .public
    }

    /// The platform holds a video of the Page back, or gives it free: `block`, `unblock`, `mute`.
    private func rights(_ change: FacebookChange) -> Event? {
        guard let video = MetaValue.id(change.value["video_id"]), let verb = MetaValue.phrase(change.value["verb"])
        else {
            return nil
        }
        var event = event(
            ObjectID(Self.platform, "video", video),
            .accountUpdated,
            revision: Self.seconds(change.time),
            at: change.time
        )
        event.data.channel = Self.channel(change.page)
        event.data.loss.append(Loss("verb", .dropped, "the platform's decision on a video: \(verb.prefix(40))"))
        return event
    }

    // MARK: - Comments

    private func comment(_ change: FacebookChange) throws(JSONError) -> Event? {
        let value = change.value
        guard let native = MetaValue.id(value["comment_id"]) else {
            throw value.mismatch("a comment with a comment_id")
        }
        guard var event = utterance(change, Self.commentID(native), native: native, kind: .comment) else { return nil }
        let post = MetaValue.id(value["post_id"])
        let parent = MetaValue.id(value["parent_id"])
        if let post { event.data.conversation = ObjectID(Self.platform, "conversation", post) }
        if let parent, parent != post {
            event.data.inReplyTo = Reference(id: Self.commentID(parent))
        } else if let post {
            event.data.inReplyTo = Reference(id: change.isOfReview ? reviewID(change, post) : Self.postID(post))
        }
        return event
    }

    // MARK: - Reactions

    private func reaction(_ change: FacebookChange, isLike: Bool) throws(JSONError) -> Event? {
        let value = change.value
        let isEnd: Bool
        switch change.verb {
        case .added, .edited: isEnd = false
        case .removed: isEnd = true
        case .hidden, .shown, .other: return nil
        }
        let actor = actor(value)
        let comment = MetaValue.id(value["comment_id"])
        guard let native = comment ?? MetaValue.id(value["post_id"]) else {
            return follow(change, by: actor, isEnd: isEnd)
        }
        let target: ObjectID =
            if comment != nil {
                Self.commentID(native)
            } else if change.isOfReview {
                reviewID(change, native)
            } else {
                Self.postID(native)
            }
        let person = MetaValue.id(value["from"]?["id"] ?? value["sender_id"] ?? value["user_id"])
        var event = event(
            ObjectID(Self.platform, "reaction", "\(person ?? "somebody").\(native)"),
            isEnd ? .reactionDeleted : .reactionCreated,
            revision: Self.seconds(change.created ?? change.time),
            at: change.created ?? change.time
        )
        event.data.reaction = MetaValue.phrase(value["reaction_type"]) ?? (isLike ? "like" : nil)
        event.data.target = Reference(id: target)
        event.data.actor = actor
        event.data.channel = Self.channel(change.page)
        if person == nil { event.data.loss.append(Loss("from", .dropped, "the payload does not say who reacts")) }
        return event
    }

    /// Somebody likes the Page itself, or no longer.
    private func follow(_ change: FacebookChange, by actor: Actor?, isEnd: Bool) -> Event? {
        guard let actor, let person = actor.id, let page = change.page else { return nil }
        let native = person.text.split(separator: ":", maxSplits: 2).last.map(String.init) ?? person.text
        var event = event(
            ObjectID(Self.platform, "follow", "\(native).\(page)"),
            isEnd ? .followDeleted : .followCreated,
            revision: Self.seconds(change.time),
            at: change.time
        )
        event.data.actor = actor
        event.data.target = Reference(id: Self.actorID(page))
        return event
    }

    // MARK: - Reviews

    private func review(_ change: FacebookChange) throws(JSONError) -> Event? {
        let value = change.value
        guard let story = MetaValue.id(value["open_graph_story_id"]) else {
            throw value.mismatch("a review with an open_graph_story_id")
        }
        let id = ObjectID(Self.platform, "review", story)
        guard var event = utterance(change, id, native: nil, kind: .post) else { return nil }
        if let recommendation = MetaValue.phrase(value["recommendation_type"]) {
            event.data.object?.tags = [recommendation.lowercased()]
        }
        if event.data.object != nil, let rating = MetaValue.count(value["rating"]) {
            var metrics = Metrics(observedAt: event.time)
            metrics.other = [Metrics.NamedCount(name: "rating", count: rating)]
            event.data.metrics = metrics
        }
        return event
    }

    /// The review that a comment or reaction is about: its story's number stands behind the author's in the post's id.
    private func reviewID(_ change: FacebookChange, _ post: String) -> ObjectID {
        let story = post.utf8.lastIndex(of: UInt8(ascii: "_")).map { String(post[post.utf8.index(after: $0)...]) }
        return ObjectID(Self.platform, "review", story.flatMap { $0.isEmpty ? nil : $0 } ?? post)
    }
}
