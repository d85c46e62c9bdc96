import ConnectorKit
import JSON
import SocialEvents

// The words of a post, what is marked in them, and what is attached to it.

extension XNormalizer {
    /// Sets text and entities: those of the long form where there is one.
    func setWords(_ post: XPost, _ object: inout SocialObject, _ loss: inout [Loss]) throws(JSONError) {
        let long = post.note?["text"]
        guard let source = long ?? post.text else { return }
        guard let words = XText(source) else { throw source.mismatch("a text") }
        object.text = words.text
        if words.isCut { note("text", .truncated, "longer than \(EventLimits.text) bytes", in: &loss) }
        if let article = post.article { object.title = XValue.phrase(article["title"]) }
        if long == nil {
            if let marked = post.entities { object.entities = try entities(marked, words, &loss) }
        } else if let marked = post.note?["entities"] {
            object.entities = try entities(marked, words, &loss)
        } else if post.entities != nil {
            // The head's entities say nothing of the rest, and may name places that the head alone has.
            object.entities = TextEntities.extract(from: words.text)
            note("note_tweet.entities", .inferred, "found in the text", in: &loss)
        }
    }

    // MARK: - Entities

    private func entities(_ marked: JSONValue, _ words: XText, _ loss: inout [Loss]) throws(JSONError) -> [Entity] {
        var entities: [Entity] = []
        var count = 0
        for (_, list) in marked.members { count += list.count }
        entities.reserveCapacity(min(count, EventLimits.entities))
        for (key, list) in marked.members {
            switch key {
            case "hashtags": try append(list, .hashtag, .hash, words, &entities, &loss)
            case "mentions": try append(list, .mention, .at, words, &entities, &loss)
            case "urls": try append(list, .link, .link, words, &entities, &loss)
            case "cashtags": try append(list, .cashtag, .dollar, words, &entities, &loss)
            default: if list.count > 0 { note(Self.entityField(key), .dropped, in: &loss) }
            }
        }
        return entities
    }

    private static func entityField(_ key: JSONKey) -> String {
        key == "annotations" ? "entities.annotations" : "entities." + key.string.prefix(100)
    }

    private func append(
        _ list: JSONValue,
        _ kind: Entity.Kind,
        _ sign: XText.Sign,
        _ words: XText,
        _ entities: inout [Entity],
        _ loss: inout [Loss]
    ) throws(JSONError) {
        for mark in list.elements {
            guard entities.count < EventLimits.entities else {
                return note("entities", .truncated, "more than \(EventLimits.entities)", in: &loss)
            }
            var entity = Entity(kind, start: 0, end: 0)
            var start = -1
            var end = -1
            var short: JSONValue?
            for (key, value) in mark.members {
                switch key {
                case "start": start = value.int ?? -1
                case "end": end = value.int ?? -1
                case "tag", "username": entity.value = XValue.phrase(value)
                case "id": if kind == .mention { entity.actor = try? Self.actorID(value) }
                case "expanded_url": entity.url = XValue.address(value)
                case "display_url": entity.value = XValue.phrase(value)
                case "url": short = value
                default: break
                }
            }
            if kind == .link {
                // A post with several pictures marks the one link to them once for each.
                if let last = entities.last, last.kind == .link, last.start == start, last.end == end { continue }
                if entity.url == nil { entity.url = XValue.address(short) }
            }
            if let range = words.range(from: start, to: end, sign) {
                entity.start = range.lowerBound
                entity.end = range.upperBound
            } else if let range = repair(entity, short, words) {
                entity.start = range.lowerBound
                entity.end = range.upperBound
                note("entities", .repaired, "an offset beyond the text", in: &loss)
            } else {
                note("entities", .dropped, "an offset beyond the text", in: &loss)
                continue
            }
            entities.append(entity)
        }
    }

    /// Where an entity stands whose offsets lead nowhere.
    private func repair(_ entity: Entity, _ short: JSONValue?, _ words: XText) -> Range<Int>? {
        switch entity.kind {
        case .hashtag: entity.value.flatMap { words.find("#" + $0) ?? words.find("＃" + $0) }
        case .mention: entity.value.flatMap { words.find("@" + $0) ?? words.find("＠" + $0) }
        case .cashtag: entity.value.flatMap { words.find("$" + $0) }
        case .link: short?.string.flatMap(words.find)
        case .emoji: nil
        }
    }

    // MARK: - Attachments

    /// Sets media and poll, where the payload includes them.
    func setAttachments(_ post: XPost, _ includes: XIncludes, _ object: inout SocialObject, _ loss: inout [Loss]) {
        guard let attachments = post.attachments else { return }
        if let keys = attachments["media_keys"], keys.count > 0 {
            var missing = 0
            object.media.reserveCapacity(min(keys.count, EventLimits.elements))
            for key in keys.elements.prefix(EventLimits.elements) {
                if let included = includes.media(key) {
                    object.media.append(media(included, described: post.mediaMetadata))
                } else {
                    missing += 1
                }
            }
            if missing > 0 { note("attachments.media_keys", .dropped, "\(missing) are not included", in: &loss) }
        }
        guard let id = attachments["poll_ids"]?[0] else { return }
        object.poll = includes.poll(id).flatMap(poll)
        if object.poll == nil { note("attachments.poll_ids", .dropped, "the poll is not included", in: &loss) }
    }

    private func media(_ value: JSONValue, described descriptions: JSONValue?) -> Media {
        let type = value["type"]
        let kind: Media.Kind =
            if type?.isString("photo") == true {
                .image
            } else if type?.isString("video") == true {
                .video
            } else if type?.isString("animated_gif") == true {
                .animation
            } else {
                .file
            }
        var media = Media(kind, url: XValue.address(value["url"]))
        media.previewURL = XValue.address(value["preview_image_url"])
        media.alt = XValue.phrase(value["alt_text"])
        media.width = XValue.count(value["width"])
        media.height = XValue.count(value["height"])
        media.durationMilliseconds = XValue.count(value["duration_ms"])
        if let variants = value["variants"] { setVariant(variants, &media) }
        if media.alt == nil, let descriptions, let key = value["media_key"] {
            for description in descriptions.elements where description["media_key"]?.isSameString(as: key) == true {
                media.alt = XValue.phrase(description["alt_text"])
            }
        }
        return media
    }

    /// Takes the best film of those in one file; playlists are left to those who have no other.
    func setVariant(_ variants: JSONValue, _ media: inout Media) {
        var best = -1
        for variant in variants.elements {
            guard let url = XValue.address(variant["url"]) else { continue }
            // v1.1 spells it without the line.
            let rate = XValue.count(variant["bit_rate"] ?? variant["bitrate"])
            let rank = rate.map { $0 + 1 } ?? 0
            guard rank > best else { continue }
            best = rank
            media.url = url
            media.contentType = variant["content_type"]?.string.flatMap { $0.utf8.count < 100 ? $0 : nil }
        }
    }

    private func poll(_ value: JSONValue) -> Poll? {
        guard let options = value["options"] else { return nil }
        var found: [(position: Int, option: Poll.Option)] = []
        for option in options.elements.prefix(EventLimits.elements) {
            guard let label = XValue.phrase(option["label"]) else { continue }
            let votes = XValue.count(option["votes"])
            found.append((option["position"]?.int ?? found.count, Poll.Option(title: label, votes: votes)))
        }
        guard !found.isEmpty else { return nil }
        var poll = Poll(options: found.sorted { $0.position < $1.position }.map(\.option))
        poll.endsAt = XValue.time(value["end_datetime"])
        return poll
    }
}
