import JSON
import MetaGraph
import SocialEvents

// The fields `feed`, `mention` and `ratings`: posts, comments, reactions and reviews. Events are large: one is made and filled in place.

extension FacebookNormalizer {
    /// Something of a feed, something that mentions the Page, or a review with what is said of it.
    ///
    /// Throws for what lacks its id, with an unfinished event behind: ``MetaIntake`` takes that away.
    func readFeed(_ change: FacebookChange, into events: inout [Event]) throws(JSONError) {
        events.append(
            Event(id: EventID(text: ""), type: .postCreated, platform: Self.platform, time: change.time ?? now)
        )
        // In its place: copying it costs more than reading the change.
        guard try finish(&events[events.count - 1], change) else {
            events.removeLast()
            return
        }
    }

    private func finish(_ event: inout Event, _ change: FacebookChange) throws(JSONError) -> Bool {
        guard try fill(&event, change) else { return false }
        if change.time == nil { event.data.loss.append(Loss("created_time", .inferred, "the time of reading")) }
        if !change.losses.isEmpty { event.data.loss += change.losses }
        if change.field == .mention {
            event.data.matched = [Match(name: "mention")]
            // It was said at somebody else's.
            let owner = MetaValue.id(change.post)?.split(separator: "_").first.map(String.init)
            event.data.channel = owner.map { Channel(id: Self.actorID($0)) }
        } else {
            event.data.channel = MetaValue.objectID(Self.platform, "actor", change.page).map { Channel(id: $0) }
        }
        return true
    }

    /// Whether the change is a fact that events know.
    private func fill(_ event: inout Event, _ change: FacebookChange) throws(JSONError) -> Bool {
        guard let item = change.item else { return false }
        event.data.actor = actor(change)
        if item.isString("comment") { return try fillComment(&event, change, item) }
        if item.isString("reaction") || item.isString("like") { return fillReaction(&event, change) }
        if change.field == .ratings { return item.isString("rating") ? try fillReview(&event, change, item) : false }
        if let id = MetaValue.objectID(Self.platform, "post", change.post) {
            return fillUtterance(&event, change, id, .post, native: change.post)
        }
        if item.isString("album"), let id = MetaValue.objectID(Self.platform, "album", change.album) {
            return fillUtterance(&event, change, id, .post, native: nil)
        }
        return item.isString("video") ? fillRights(&event, change) : false
    }

    /// Names the event.
    private func name(
        _ event: inout Event,
        _ object: ObjectID,
        _ type: EventType,
        revision: Int = 0,
        subject: ObjectID? = nil
    ) {
        event.id = EventID(object, type.verb, revision: revision)
        event.type = type
        event.subject = subject ?? object
    }

    /// Who did it: `from`, or the older `sender_id` and `sender_name`, or a review's author; `nil` where the payload does not say.
    private func actor(_ change: FacebookChange) -> Actor? {
        if let from = change.from, let id = MetaValue.objectID(Self.platform, "actor", from["id"]) {
            return Actor(id: id, name: MetaValue.phrase(from["name"]))
        }
        let name = MetaValue.phrase(change.from?["name"] ?? change.senderName)
        if let id = MetaValue.objectID(Self.platform, "actor", change.sender) { return Actor(id: id, name: name) }
        return name.map { Actor(name: $0) }
    }

    // MARK: - Posts, comments, reviews

    /// What happened to a post, comment or review: made, edited, withdrawn, hidden or shown again.
    private func fillUtterance(
        _ event: inout Event,
        _ change: FacebookChange,
        _ id: ObjectID,
        _ kind: ObjectKind,
        native: JSONValue?
    ) -> Bool {
        var revision = 0
        switch change.verb {
        case .other: return false
        case .removed:
            name(&event, id, .postDeleted)
            return true
        case .added: name(&event, id, .postCreated)
        case .edited:
            revision = change.revision
            name(&event, id, .postUpdated, revision: revision)
        case .hidden, .shown:
            let fact = ObjectID(Self.platform, "visibility", MetaValue.id(native) ?? id.text)
            name(&event, fact, .postUpdated, revision: change.revision, subject: id)
        }
        event.data.object = SocialObject(id: id, kind: kind)
        if change.verb == .added {
            event.data.object?.createdAt = change.created
        } else if change.verb == .edited {
            event.data.object?.editedAt = change.time
            event.data.object?.revision = revision
        }
        let link = kind == .comment ? nil : MetaValue.address(change.about?["permalink_url"])
        event.data.object?.url = link ?? MetaValue.id(native).flatMap(Self.address)
        fillWords(&event.data, change)
        fillMedia(&event.data, change)
        event.data.object?.audience = audience(change, &event.data.loss)
        return true
    }

    private func fillWords(_ data: inout EventData, _ change: FacebookChange) {
        var text = MetaValue.words(change.message, "message", &data.loss)
        if text == nil, change.story != nil {
            text = MetaValue.words(change.story, "story", &data.loss)
            data.loss.append(Loss("story", .inferred, "Facebook's words, not the author's"))
        }
        guard let text else { return }
        data.object?.entities = Self.entities(of: text, tags: change.tags, &data.loss)
        data.object?.text = text
    }

    private func fillMedia(_ data: inout EventData, _ change: FacebookChange) {
        var media: [Media] = []
        if let photos = change.photos {
            for photo in photos.elements.prefix(EventLimits.elements - 2) {
                if let piece = Self.media(.image, photo) { media.append(piece) }
            }
        }
        if let photo = Self.media(.image, change.photo) { media.append(photo) }
        if let video = Self.media(.video, change.video) { media.append(video) }
        if let link = MetaValue.address(change.link) {
            if change.isItem("photo") {
                if media.isEmpty { media = [Media(.image, url: link)] }
            } else if change.isItem("video") {
                if media.isEmpty { media = [Media(.video, url: link)] }
            } else {
                data.quoteOf = Reference(url: link)
            }
        }
        if change.photoIDs != nil, media.isEmpty {
            data.loss.append(Loss("photo_ids", .dropped, "pictures without addresses"))
        }
        if !media.isEmpty { data.object?.media = media }
    }

    private func audience(_ change: FacebookChange, _ loss: inout [Loss]) -> Audience? {
        if change.verb == .hidden || change.isHidden {
            loss.append(Loss("verb", .inferred, "hidden by the Page: its author and their friends see it"))
            return .unlisted
        }
        if change.isUnpublished || change.about?["is_published"]?.bool == false {
            loss.append(Loss("published", .dropped, "not published, or as an advertisement alone"))
            return nil
        }
        return .public
    }

    private func fillComment(_ event: inout Event, _ change: FacebookChange, _ item: JSONValue) throws(JSONError)
        -> Bool
    {
        guard let id = MetaValue.objectID(Self.platform, "comment", change.comment) else {
            throw item.mismatch("a comment with a comment_id")
        }
        guard fillUtterance(&event, change, id, .comment, native: change.comment) else { return false }
        event.data.conversation = MetaValue.objectID(Self.platform, "conversation", change.post)
        if let parent = change.parent, change.post.map({ !parent.isSameString(as: $0) }) ?? true {
            let answered = MetaValue.objectID(Self.platform, "comment", parent)
            event.data.inReplyTo = answered.map { Reference(id: $0) }
        } else {
            event.data.inReplyTo = target(change).map { Reference(id: $0) }
        }
        return true
    }

    private func fillReview(_ event: inout Event, _ change: FacebookChange, _ item: JSONValue) throws(JSONError) -> Bool
    {
        guard let id = MetaValue.objectID(Self.platform, "review", change.openGraphStory) else {
            throw item.mismatch("a review with an open_graph_story_id")
        }
        guard fillUtterance(&event, change, id, .post, native: nil), event.data.object != nil else {
            return change.verb == .removed
        }
        if let recommendation = MetaValue.phrase(change.recommendation) {
            event.data.object?.tags = [recommendation.lowercased()]
        }
        if let rating = MetaValue.count(change.rating) {
            var metrics = Metrics(observedAt: event.time)
            metrics.other = [Metrics.NamedCount(name: "rating", count: rating)]
            event.data.metrics = metrics
        }
        return true
    }

    /// The post or review that a comment or reaction is about.
    ///
    /// A review's story stands behind its author in the post's id.
    private func target(_ change: FacebookChange) -> ObjectID? {
        guard change.field == .ratings, let post = MetaValue.id(change.post) else {
            return MetaValue.objectID(Self.platform, "post", change.post)
        }
        let story = post.utf8.lastIndex(of: UInt8(ascii: "_")).map { String(post[post.utf8.index(after: $0)...]) }
        return ObjectID(Self.platform, "review", story.flatMap { $0.isEmpty ? nil : $0 } ?? post)
    }

    // MARK: - Reactions

    private func fillReaction(_ event: inout Event, _ change: FacebookChange) -> Bool {
        let isEnd: Bool
        switch change.verb {
        case .added, .edited: isEnd = false
        case .removed: isEnd = true
        case .hidden, .shown, .other: return false
        }
        let comment = MetaValue.id(change.comment)
        guard let native = comment ?? MetaValue.id(change.post) else {
            return fillFollow(&event, change, isEnd: isEnd)
        }
        let person = MetaValue.id(change.from?["id"]) ?? MetaValue.id(change.sender)
        event.time = change.created ?? event.time
        name(
            &event,
            ObjectID(Self.platform, "reaction", "\(person ?? "somebody").\(native)"),
            isEnd ? .reactionDeleted : .reactionCreated,
            revision: Self.seconds(change.created ?? change.time)
        )
        event.data.reaction = MetaValue.phrase(change.reaction) ?? (change.isItem("like") ? "like" : nil)
        event.data.target = Reference(id: comment.map(Self.commentID) ?? target(change))
        if person == nil { event.data.loss.append(Loss("from", .dropped, "the payload does not say who reacts")) }
        return true
    }

    /// Somebody likes the Page itself, or no longer.
    private func fillFollow(_ event: inout Event, _ change: FacebookChange, isEnd: Bool) -> Bool {
        guard let person = MetaValue.id(change.from?["id"]) ?? MetaValue.id(change.sender),
            let page = MetaValue.id(change.page)
        else { return false }
        name(
            &event,
            ObjectID(Self.platform, "follow", "\(person).\(page)"),
            isEnd ? .followDeleted : .followCreated,
            revision: Self.seconds(change.time)
        )
        event.data.target = Reference(id: Self.actorID(page))
        return true
    }

    // MARK: - Decisions of the platform

    /// The platform holds a video of the Page back, or gives it free: `block`, `unblock`, `mute`.
    private func fillRights(_ event: inout Event, _ change: FacebookChange) -> Bool {
        guard let verb = MetaValue.phrase(change.verbName),
            let id = MetaValue.objectID(Self.platform, "video", change.videoID)
        else { return false }
        name(&event, id, .accountUpdated, revision: Self.seconds(change.time))
        event.data.loss.append(Loss("verb", .dropped, "the platform's decision on a video: \(verb.prefix(40))"))
        return true
    }
}
