import ConnectorKit
import JSON
import SocialEvents

// Posts and people in the form of v1.1, as the Account Activity API and older streams send them.

extension XNormalizer {
    /// Appends the event that a post of v1.1 is, and before a repost that of the post that is passed on.
    mutating func readLegacyPost(_ value: JSONValue, into events: inout [Event]) {
        if let original = value["retweeted_status"], Self.legacyID(original, "id", "id_str") != nil {
            appendLegacyPost(original, to: &events)
        }
        appendLegacyPost(value, to: &events)
    }

    private mutating func appendLegacyPost(_ value: JSONValue, to events: inout [Event]) {
        if let history = value["edit_history"]?["edit_tweet_ids"], history.count > 1 { edits += XEdit.all(history) }
        attempt(value, into: &events) { try $0.legacyPost($1) }
    }

    /// The event that a post of v1.1 is.
    func legacyPost(_ value: JSONValue) throws(JSONError) -> Event? {
        guard let id = Self.legacyID(value, "id", "id_str") else { return nil }
        var loss: [Loss] = []
        let (object, revision) = try chain(id, value["edit_history"]?["edit_tweet_ids"])
        let time = XValue.legacyTime(value["created_at"], now: now) ?? XValue.time(ofID: id)
        let isRepost = Self.legacyID(value["retweeted_status"], "id", "id_str") != nil

        let type: EventType = isRepost ? .repostCreated : revision > 0 ? .postUpdated : .postCreated
        var event = event(object, type, revision: isRepost ? 0 : revision, at: time)
        if let user = value["user"], let person = Self.legacyID(user, "id", "id_str") {
            event.data.actor = try legacyActor(person, user)
        }
        var said = SocialObject(id: object, kind: .post)
        said.url = XAddress.post(id, by: event.data.actor?.handle)
        said.audience = value["user"]?["protected"]?.bool == true ? .followers : .public
        said.createdAt = revision > 0 ? XValue.time(ofID: value["edit_history"]?["initial_tweet_id"]) : time
        if revision > 0 {
            said.revision = revision
            said.editedAt = time
        }
        try setLegacyReferences(value, &event.data)
        said.kind =
            isRepost ? .repost : event.data.inReplyTo != nil ? .reply : event.data.quoteOf != nil ? .quote : .post
        if isRepost {
            event.subject = event.data.repostOf?.id
        } else {
            said.language = XValue.language(value["lang"])
            said.isSensitive = value["possibly_sensitive"]?.bool ?? false
            let long = value["extended_tweet"] ?? value
            try setLegacyWords(long, &said, &loss)
            if long["full_text"] == nil, value["truncated"]?.bool == true {
                note("text", .truncated, "the payload has the head alone", in: &loss)
            }
            setLegacyMedia(long, &said)
            event.data.metrics = legacyMetrics(value)
        }
        for name: StaticString in ["geo", "coordinates", "place"] where value[name] != nil {
            note("\(name)", .dropped, in: &loss)
        }
        if let countries = value["withheld_in_countries"], countries.count > 0 {
            let names = countries.elements.prefix(300).compactMap { $0.string?.prefix(8) }.joined(separator: ", ")
            note("withheld_in_countries", .dropped, "withheld in \(names)", in: &loss)
        }
        event.data.object = said
        event.data.loss += loss
        return event
    }

    private func setLegacyReferences(_ value: JSONValue, _ data: inout EventData) throws(JSONError) {
        if let original = value["retweeted_status"], let id = Self.legacyID(original, "id", "id_str") {
            data.repostOf = Reference(id: try chain(id, original["edit_history"]?["edit_tweet_ids"]).0)
            if let author = Self.legacyID(original["user"], "id", "id_str") {
                data.repostOf?.actor = try Self.actorID(author)
            }
            return
        }
        let answered = Self.legacyID(value, "in_reply_to_status_id", "in_reply_to_status_id_str")
        let person = Self.legacyID(value, "in_reply_to_user_id", "in_reply_to_user_id_str")
        if answered != nil || person != nil {
            var reference = Reference()
            if let answered { reference.id = try Self.postID(answered) }
            if let person { reference.actor = try Self.actorID(person) }
            data.inReplyTo = reference
        }
        let quoted = value["quoted_status"]
        let inner = Self.legacyID(quoted, "id", "id_str")
        if let id = inner ?? Self.legacyID(value, "quoted_status_id", "quoted_status_id_str") {
            data.quoteOf = Reference(id: try chain(id, quoted?["edit_history"]?["edit_tweet_ids"]).0)
            if let author = Self.legacyID(quoted?["user"], "id", "id_str") {
                data.quoteOf?.actor = try Self.actorID(author)
            }
        }
    }

    /// Sets words and entities from `full_text` or `text`.
    func setLegacyWords(_ value: JSONValue, _ object: inout SocialObject, _ loss: inout [Loss]) throws(JSONError) {
        guard let source = value["full_text"] ?? value["text"] else { return }
        guard let words = XText(source) else { throw source.mismatch("a text") }
        object.text = words.text
        if words.isCut { note("text", .truncated, "longer than \(EventLimits.text) bytes", in: &loss) }
        guard let marked = value["entities"] else { return }
        for (key, list) in marked.members {
            switch key {
            case "hashtags": appendLegacy(list, .hashtag, .hash, words, &object, &loss)
            case "user_mentions": appendLegacy(list, .mention, .at, words, &object, &loss)
            case "urls", "media": appendLegacy(list, .link, .link, words, &object, &loss)
            case "symbols": appendLegacy(list, .cashtag, .dollar, words, &object, &loss)
            default: break
            }
        }
    }

    private func appendLegacy(
        _ list: JSONValue,
        _ kind: Entity.Kind,
        _ sign: XText.Sign,
        _ words: XText,
        _ object: inout SocialObject,
        _ loss: inout [Loss]
    ) {
        for mark in list.elements {
            guard object.entities.count < EventLimits.entities else { return }
            let start = mark["indices"]?[0]?.int ?? -1
            let end = mark["indices"]?[1]?.int ?? -1
            guard let range = words.range(from: start, to: end, sign) else {
                note("entities", .dropped, "an offset beyond the text", in: &loss)
                continue
            }
            var entity = Entity(kind, start: range.lowerBound, end: range.upperBound)
            entity.value = XValue.phrase(mark["text"] ?? mark["screen_name"] ?? mark["display_url"])
            if kind == .link { entity.url = XValue.address(mark["expanded_url"]) ?? XValue.address(mark["url"]) }
            if kind == .mention, let person = Self.legacyID(mark, "id", "id_str") {
                entity.actor = try? Self.actorID(person)
            }
            object.entities.append(entity)
        }
    }

    private func setLegacyMedia(_ value: JSONValue, _ object: inout SocialObject) {
        guard let list = value["extended_entities"]?["media"] ?? value["entities"]?["media"] else { return }
        for item in list.elements.prefix(EventLimits.elements) {
            let type = item["type"]
            let isFilm = type?.isString("video") == true
            let isAnimation = type?.isString("animated_gif") == true
            var media = Media(isFilm ? .video : isAnimation ? .animation : .image)
            media.alt = XValue.phrase(item["ext_alt_text"])
            let still = XValue.address(item["media_url_https"]) ?? XValue.address(item["media_url"])
            media.width = XValue.count(item["original_info"]?["width"] ?? item["sizes"]?["large"]?["w"])
            media.height = XValue.count(item["original_info"]?["height"] ?? item["sizes"]?["large"]?["h"])
            media.durationMilliseconds = XValue.count(item["video_info"]?["duration_millis"])
            if let variants = item["video_info"]?["variants"] {
                setVariant(variants, &media)
                media.previewURL = still
            } else {
                media.url = still
            }
            object.media.append(media)
        }
    }

    private func legacyMetrics(_ value: JSONValue) -> Metrics? {
        var metrics = Metrics(observedAt: now)
        metrics.likes = XValue.count(value["favorite_count"])
        metrics.reposts = XValue.count(value["retweet_count"])
        metrics.replies = XValue.count(value["reply_count"])
        metrics.quotes = XValue.count(value["quote_count"])
        return metrics == Metrics(observedAt: now) ? nil : metrics
    }

    /// Somebody in the form of v1.1.
    func legacyActor(_ id: JSONValue, _ user: JSONValue) throws(JSONError) -> Actor {
        var actor = Actor(id: try Self.actorID(id))
        actor.handle = XValue.phrase(user["screen_name"])
        actor.name = XValue.phrase(user["name"])
        actor.url = actor.handle.flatMap(XAddress.profile)
        actor.avatarURL = XValue.address(user["profile_image_url_https"]) ?? XValue.address(user["profile_image_url"])
        actor.isVerified = user["verified"]?.bool
        actor.followerCount = XValue.count(user["followers_count"])
        return actor
    }
}
