extension EventCheck {
    mutating func data(_ data: EventData) {
        if let object = data.object { self.object(object) }
        if let actor = data.actor { self.actor(actor) }
        reference(data.inReplyTo, "data.in_reply_to")
        reference(data.quoteOf, "data.quote_of")
        reference(data.repostOf, "data.repost_of")
        reference(data.target, "data.target")
        objectID(data.conversation, "data.conversation")
        if let channel = data.channel {
            objectID(channel.id, "data.channel.id")
            phrase(channel.name, "data.channel.name")
            url(channel.url, "data.channel.url")
        }
        phrase(data.reaction, "data.reaction")
        if let metrics = data.metrics { self.metrics(metrics) }
        if let delivery = data.delivery {
            objectID(delivery.recipient, "data.delivery.recipient")
            length(delivery.errorCode, EventLimits.name, "data.delivery.error_code")
            phrase(delivery.reason, "data.delivery.reason")
            objectID(delivery.group, "data.delivery.group")
            objectID(delivery.broadcast, "data.delivery.broadcast")
        }
        elements(data.matched.count, "data.matched")
        for (position, match) in data.matched.enumerated() {
            phrase(match.name, "data.matched[\(position)].name")
            phrases(match.tags, "data.matched[\(position)].tags")
        }
        elements(data.loss.count, "data.loss")
        for (position, loss) in data.loss.enumerated() {
            phrase(loss.field, "data.loss[\(position)].field")
            phrase(loss.detail, "data.loss[\(position)].detail")
        }
        if let raw = data.raw {
            length(raw.contentType, EventLimits.name, "data.raw.content_type")
            if raw.bytes.count > EventLimits.raw { report("longer than \(EventLimits.raw) bytes", "data.raw") }
        }
        if let state = data.sourceState {
            phrase(state.reason, "data.source_state.reason")
            time(state.until, "data.source_state.until")
            count(state.attempt, "data.source_state.attempt")
        }
        if let gap = data.gap {
            time(gap.after, "data.gap.after")
            time(gap.before, "data.gap.before")
            phrase(gap.reason, "data.gap.reason")
        }
    }

    private mutating func phrases(_ texts: [String], _ field: @autoclosure () -> String) {
        elements(texts.count, field())
        for (position, text) in texts.enumerated() { phrase(text, "\(field())[\(position)]") }
    }

    private mutating func reference(_ reference: Reference?, _ field: @autoclosure () -> String) {
        guard let reference else { return }
        objectID(reference.id, field() + ".id")
        url(reference.url, field() + ".url")
        objectID(reference.actor, field() + ".actor")
    }

    private mutating func actor(_ actor: Actor) {
        objectID(actor.id, "data.actor.id")
        phrase(actor.handle, "data.actor.handle")
        phrase(actor.name, "data.actor.name")
        url(actor.url, "data.actor.url")
        url(actor.avatarURL, "data.actor.avatar")
        count(actor.followerCount, "data.actor.followers")
        elements(actor.aliases.count, "data.actor.aliases")
        for (position, alias) in actor.aliases.enumerated() { objectID(alias, "data.actor.aliases[\(position)]") }
    }

    private mutating func metrics(_ metrics: Metrics) {
        time(metrics.observedAt, "data.metrics.observed_at")
        count(metrics.likes, "data.metrics.likes")
        count(metrics.reposts, "data.metrics.reposts")
        count(metrics.replies, "data.metrics.replies")
        count(metrics.quotes, "data.metrics.quotes")
        count(metrics.bookmarks, "data.metrics.bookmarks")
        count(metrics.views, "data.metrics.views")
        elements(metrics.other.count, most: EventLimits.counts, "data.metrics.other")
        for (position, named) in metrics.other.prefix(EventLimits.counts).enumerated() {
            length(named.name, EventLimits.name, "data.metrics.other[\(position)]")
            if metrics.other[..<position].contains(where: { $0.name == named.name }) {
                report("has a name twice", "data.metrics.other[\(position)]")
            }
        }
    }
}

extension EventCheck {
    private mutating func object(_ object: SocialObject) {
        objectID(object.id, "data.object.id")
        url(object.url, "data.object.url")
        time(object.createdAt, "data.object.created_at")
        time(object.editedAt, "data.object.edited_at")
        count(object.revision, "data.object.revision")
        length(object.language, EventLimits.name, "data.object.language")
        phrase(object.title, "data.object.title")
        length(object.text, EventLimits.text, "data.object.text")
        length(object.html, EventLimits.text, "data.object.html")
        phrase(object.contentWarning, "data.object.content_warning")
        phrases(object.tags, "data.object.tags")
        entities(of: object)
        elements(object.media.count, "data.object.media")
        for (position, media) in object.media.enumerated() {
            self.media(media, "data.object.media[\(position)]")
        }
        if let poll = object.poll { self.poll(poll) }
    }

    private mutating func entities(of object: SocialObject) {
        guard !object.entities.isEmpty else { return }
        elements(object.entities.count, most: EventLimits.entities, "data.object.entities")
        let length = object.text?.scalarCount ?? 0
        for (position, entity) in object.entities.enumerated() {
            if entity.start < 0 || entity.start > entity.end || entity.end > length {
                report("not within the text", "data.object.entities[\(position)]")
            }
            phrase(entity.value, "data.object.entities[\(position)].value")
            url(entity.url, "data.object.entities[\(position)].url")
            objectID(entity.actor, "data.object.entities[\(position)].actor")
        }
    }

    private mutating func media(_ media: Media, _ field: @autoclosure () -> String) {
        url(media.url, field() + ".url")
        length(media.contentType, EventLimits.name, field() + ".content_type")
        phrase(media.alt, field() + ".alt")
        url(media.previewURL, field() + ".preview_url")
        count(media.width, field() + ".width")
        count(media.height, field() + ".height")
        count(media.durationMilliseconds, field() + ".duration_ms")
        count(media.size, field() + ".size")
        time(media.expiresAt, field() + ".expires_at")
    }

    private mutating func poll(_ poll: Poll) {
        if poll.options.isEmpty { report("has no element", "data.object.poll.options") }
        elements(poll.options.count, "data.object.poll.options")
        time(poll.endsAt, "data.object.poll.ends_at")
        for (position, option) in poll.options.enumerated() {
            phrase(option.title, "data.object.poll.options[\(position)].title")
            count(option.votes, "data.object.poll.options[\(position)].votes")
        }
    }
}
