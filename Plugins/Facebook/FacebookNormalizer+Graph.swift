import JSON
import MetaGraph
import SocialEvents

// Objects of the Graph API: posts of `/{page}/feed` and comments of `/{post}/comments`. Their events have the ids of the webhooks' for the same.

extension FacebookNormalizer {
    /// A post of a Page's feed.
    func post(_ value: JSONValue, page: String? = nil) throws(JSONError) -> Event {
        guard let native = MetaValue.id(value["id"]) else { throw value.mismatch("a post with an id") }
        let created = value["created_time"].flatMap(MetaTime.read)
        let id = Self.postID(native)
        var event = event(id, .postCreated, at: created)
        var object = SocialObject(id: id, kind: .post)
        object.createdAt = created
        object.url = MetaValue.address(value["permalink_url"]) ?? Self.address(of: native)
        object.text = MetaValue.words(value["message"], "message", &event.data.loss)
        if object.text == nil, let story = MetaValue.words(value["story"], "story", &event.data.loss) {
            object.text = story
            event.data.loss.append(Loss("story", .inferred, "Facebook's words, not the author's"))
        }
        if let text = object.text {
            object.entities = Self.entities(of: text, tags: value["message_tags"], &event.data.loss)
        }
        if let attachments = value["attachments"]?["data"] {
            for attachment in attachments.elements.prefix(100) { read(attachment, into: &object, &event.data) }
        }
        object.audience = value["is_published"]?.bool == false ? nil : .public
        if value["is_hidden"]?.bool == true { object.audience = .unlisted }
        event.data.object = object
        event.data.actor = author(value)
        let owner = native.split(separator: "_").first.map(String.init)
        event.data.channel = Self.channel(page ?? (native.contains("_") ? owner : nil))
        var metrics = Metrics(observedAt: now)
        metrics.likes = MetaValue.count((value["reactions"] ?? value["likes"])?["summary"]?["total_count"])
        metrics.replies = MetaValue.count(value["comments"]?["summary"]?["total_count"])
        metrics.reposts = MetaValue.count(value["shares"]?["count"])
        if metrics.likes != nil || metrics.replies != nil || metrics.reposts != nil { event.data.metrics = metrics }
        return event
    }

    /// A comment under a post, or under another comment.
    func comment(_ value: JSONValue, post: String, page: String? = nil) throws(JSONError) -> Event {
        guard let native = MetaValue.id(value["id"]) else { throw value.mismatch("a comment with an id") }
        let created = value["created_time"].flatMap(MetaTime.read)
        let id = Self.commentID(native)
        var event = event(id, .postCreated, at: created)
        var object = SocialObject(id: id, kind: .comment)
        object.createdAt = created
        object.url = MetaValue.address(value["permalink_url"]) ?? Self.address(of: native)
        object.text = MetaValue.words(value["message"], "message", &event.data.loss)
        if let text = object.text {
            object.entities = Self.entities(of: text, tags: value["message_tags"], &event.data.loss)
        }
        if let attachment = value["attachment"] { read(attachment, into: &object, &event.data) }
        object.audience = value["is_hidden"]?.bool == true ? .unlisted : .public
        event.data.object = object
        event.data.actor = author(value)
        event.data.channel = Self.channel(page)
        event.data.conversation = ObjectID(Self.platform, "conversation", post)
        let parent = MetaValue.id(value["parent"]?["id"])
        event.data.inReplyTo = Reference(id: parent.map(Self.commentID) ?? Self.postID(post))
        var metrics = Metrics(observedAt: now)
        metrics.likes = MetaValue.count(value["like_count"])
        metrics.replies = MetaValue.count(value["comment_count"])
        if metrics.likes != nil || metrics.replies != nil { event.data.metrics = metrics }
        return event
    }

    /// An attachment and those inside it, such as the pictures of an album.
    private func read(_ attachment: JSONValue, into object: inout SocialObject, _ data: inout EventData) {
        if let inner = attachment["subattachments"]?["data"], inner.kind == .array, inner.count > 0 {
            for part in inner.elements.prefix(100) { readOne(part, into: &object, &data) }
        } else {
            readOne(attachment, into: &object, &data)
        }
    }

    private func readOne(_ attachment: JSONValue, into object: inout SocialObject, _ data: inout EventData) {
        let media = attachment["media"]
        let image = media?["image"]
        let type = MetaValue.phrase(attachment["media_type"] ?? attachment["type"]) ?? ""
        let film = MetaValue.address(media?["source"])
        let picture = MetaValue.address(image?["src"])
        if type.contains("video"), film != nil || picture != nil {
            var piece = Media(.video, url: film)
            piece.previewURL = picture
            object.media.append(piece)
        } else if let picture {
            var piece = Media(.image, url: picture)
            piece.width = MetaValue.count(image?["width"])
            piece.height = MetaValue.count(image?["height"])
            piece.alt = MetaValue.phrase(attachment["description"])
            object.media.append(piece)
        }
        let isOwn = type.contains("photo") || type.contains("video") || type.contains("album") || type == "sticker"
        guard !isOwn else { return }
        if object.title == nil { object.title = MetaValue.phrase(attachment["title"]) }
        if data.quoteOf == nil {
            let link = attachment["unshimmed_url"] ?? attachment["url"]
            data.quoteOf = MetaValue.address(link).map { Reference(url: $0) }
        }
    }
}
