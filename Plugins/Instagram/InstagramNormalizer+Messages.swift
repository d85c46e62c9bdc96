import ConnectorKit
import JSON
import MetaGraph
import SocialEvents

// What `messaging` and `standby` tell: messages, unsending, reactions, edits, that something was seen, and how somebody came.

extension InstagramNormalizer {
    /// The two of a conversation, and when something happened in it.
    struct Sides {
        var sender: ObjectID?
        var recipient: ObjectID?
        /// The native ids, for ids of facts that have none.
        var senderName: JSONValue?
        var recipientName: JSONValue?
        var time: Timestamp?
    }

    /// Reads one item; nothing comes of one of an unknown kind.
    func messaging(_ item: JSONValue, _ notice: MetaNotice, into events: inout [Event]) throws(JSONError) {
        var sides = Sides()
        var content: (key: JSONKey, value: JSONValue)?
        for (key, member) in item.members where !member.isNull {
            switch key {
            case "sender": sides.senderName = member["id"]
            case "recipient": sides.recipientName = member["id"]
            case "timestamp": sides.time = MetaTime.read(member)
            case "message", "reaction", "read", "message_edit", "postback", "referral", "optin":
                content = content ?? (key, member)
            default: break
            }
        }
        guard let content, content.value.kind == .object else { return }
        if let name = sides.senderName { sides.sender = try InstagramValue.id("actor", name) }
        if let name = sides.recipientName { sides.recipient = try InstagramValue.id("actor", name) }
        sides.time = sides.time ?? notice.entryTime
        switch content.key {
        case "message": try message(content.value, sides, into: &events)
        case "message_edit": events.append(try edit(content.value, sides))
        case "reaction": events.append(try reaction(content.value, sides))
        case "read": events.append(try seen(content.value, sides))
        case "postback": events.append(try postback(content.value, sides))
        case "referral": if let event = try referral(content.value, sides) { events.append(event) }
        case "optin": if let event = try optIn(content.value, sides) { events.append(event) }
        default: break
        }
    }

    // MARK: - Messages

    private func message(_ value: JSONValue, _ sides: Sides, into events: inout [Event]) throws(JSONError) {
        guard let mid = value["mid"] else { throw value.mismatch("a message with a mid") }
        let object = try InstagramValue.id("message", mid)
        var said = SocialObject(id: object, kind: .message)
        var isEcho = false
        var isDeleted = false
        var inReplyTo: Reference?
        var quoteOf: Reference?
        var matched: [Match] = []
        var loss: [Loss] = []
        for (key, member) in value.members where !member.isNull {
            switch key {
            case "text": setWords(member, "message.text", of: &said, &loss)
            case "is_deleted": isDeleted = member.bool == true
            case "is_echo": isEcho = member.bool == true
            case "is_unsupported":
                if member.bool == true {
                    loss.append(Loss("message", .dropped, "Instagram does not give messages of this kind"))
                }
            case "attachments":
                for attachment in InstagramValue.list(member, "message.attachments", &loss) {
                    try attach(attachment, to: &said, &quoteOf, &matched, &loss)
                }
            case "reply_to": inReplyTo = try answered(member, &matched)
            case "referral":
                matched.append(match(referral: member))
                if member["ads_context_data"] != nil {
                    loss.append(Loss("message.referral.ads_context_data", .dropped))
                }
            case "mid", "is_self", "app_id": break
            default: drop(key, in: "message.", &loss)
            }
        }
        if isDeleted {
            var event = event(object, .messageDeleted, at: sides.time)
            setSides(sides, isEcho: isEcho, of: &event)
            return events.append(event)
        }
        said.createdAt = sides.time
        said.audience = .direct
        // Filled where it will stay: an event is large.
        events.append(event(object, .messageCreated, at: sides.time))
        fill(&events[events.count - 1]) { event in
            event.data.object = said
            event.data.inReplyTo = inReplyTo
            event.data.quoteOf = quoteOf
            event.data.matched = matched
            setSides(sides, isEcho: isEcho, of: &event)
            if !loss.isEmpty { event.data.loss += loss }
        }
    }

    /// Who wrote to whom, and the conversation of the two, which is the same whoever writes.
    private func setSides(_ sides: Sides, isEcho: Bool = false, of event: inout Event) {
        event.data.actor = sides.sender.map { Actor(id: $0) }
        event.data.target = sides.recipient.map { Reference(id: $0) }
        event.data.conversation = Self.conversation(
            account: isEcho ? sides.senderName : sides.recipientName,
            person: isEcho ? sides.recipientName : sides.senderName
        )
    }

    /// The conversation of an account with a person.
    static func conversation(account: JSONValue?, person: JSONValue?) -> ObjectID? {
        InstagramValue.pair(account, person).map { ObjectID(platform, "conversation", $0) }
    }

    /// What a message answers: another one, or a story.
    private func answered(_ value: JSONValue, _ matched: inout [Match]) throws(JSONError) -> Reference? {
        if let story = value["story"] {
            matched.append(Match(name: "story_reply"))
            var reference = Reference(url: MetaValue.address(story["url"]))
            if let id = story["id"] { reference.id = try InstagramValue.id("media", id) }
            return reference.id == nil && reference.url == nil ? nil : reference
        }
        return try value["mid"].map { mid throws(JSONError) in Reference(id: try InstagramValue.id("message", mid)) }
    }

    /// A file, or something of Instagram that is passed on.
    private func attach(
        _ attachment: JSONValue,
        to said: inout SocialObject,
        _ quoteOf: inout Reference?,
        _ matched: inout [Match],
        _ loss: inout [Loss]
    ) throws(JSONError) {
        guard let type = attachment["type"]?.string else { return }
        let payload = attachment["payload"]
        let kind: Media.Kind
        switch type {
        case "image", "like_heart", "animated_image_share": kind = .image
        case "video", "ig_reel", "reel": kind = .video
        case "audio": kind = .audio
        case "file": kind = .file
        case "story_mention":
            // Whether it is a picture or a film is not said.
            matched.append(Match(name: "story_mention"))
            kind = .file
        case "ig_post", "ig_story", "share", "media_share", "post": kind = .file
        default:
            matched.append(Match(name: "attachment", tags: [String(type.prefix(100))]))
            loss.append(Loss("message.attachments", .dropped, "a kind that events do not have"))
            kind = .file
        }
        if payload?["url"] != nil {
            let media = media(kind, at: payload?["url"], "message.attachments.payload.url", &loss)
            if media.url != nil { said.media.append(media) }
        }
        guard let shared = Self.sharedID(in: payload, type) else { return }
        quoteOf = Reference(id: try InstagramValue.id("media", shared))
        if let title = payload?["title"], said.title == nil { said.title = MetaValue.phrase(title) }
    }

    /// The id of the media that is passed on, which only some kinds have.
    private static func sharedID(in payload: JSONValue?, _ type: String) -> JSONValue? {
        switch type {
        case "ig_post", "post": payload?["ig_post_media_id"]
        case "ig_reel", "reel": payload?["reel_video_id"] ?? payload?["ig_reel_media_id"]
        case "ig_story": payload?["story_media_id"] ?? payload?["id"]
        case "share", "media_share": payload?["id"]
        default: nil
        }
    }

    private func edit(_ value: JSONValue, _ sides: Sides) throws(JSONError) -> Event {
        guard let mid = value["mid"] else { throw value.mismatch("an edit with a mid") }
        let object = try InstagramValue.id("message", mid)
        // Documented as a string.
        let number = value["num_edit"].flatMap { $0.int ?? $0.string.flatMap { Int($0) } } ?? 1
        let revision = max(1, number)
        var event = event(object, .messageUpdated, revision: revision, at: sides.time)
        var said = SocialObject(id: object, kind: .message)
        said.revision = revision
        said.editedAt = sides.time
        said.audience = .direct
        if let text = value["text"] { setWords(text, "message_edit.text", of: &said, &event.data.loss) }
        event.data.object = said
        setSides(sides, of: &event)
        return event
    }

    /// A button that was pressed: a message whose words are the button's.
    private func postback(_ value: JSONValue, _ sides: Sides) throws(JSONError) -> Event {
        guard let mid = value["mid"] else { throw value.mismatch("a postback with a mid") }
        let object = try InstagramValue.id("message", mid)
        var event = event(object, .messageCreated, at: sides.time)
        var said = SocialObject(id: object, kind: .message)
        said.createdAt = sides.time
        said.audience = .direct
        if let title = value["title"] { setWords(title, "postback.title", of: &said, &event.data.loss) }
        event.data.object = said
        let payload = MetaValue.phrase(value["payload"])
        event.data.matched = [Match(name: "postback", tags: payload.map { [$0] } ?? [])]
        if let referral = value["referral"] { event.data.matched.append(match(referral: referral)) }
        setSides(sides, of: &event)
        return event
    }

    // MARK: - About messages

    /// A reaction as an object of its own, named by who reacts to what, so that taking it back names the same.
    ///
    /// Who takes one back may react again, so the moment tells one time from another.
    private func reaction(_ value: JSONValue, _ sides: Sides) throws(JSONError) -> Event {
        guard let mid = value["mid"], let message = InstagramValue.native(mid),
            let person = InstagramValue.native(sides.senderName)
        else { throw value.mismatch("a reaction with a mid and a sender") }
        let isEnd = value["action"]?.isString("unreact") == true
        var event = event(
            ObjectID(Self.platform, "reaction", "\(person).\(message)"),
            isEnd ? .reactionDeleted : .reactionCreated,
            revision: Int(max(0, (sides.time ?? now).milliseconds)),
            at: sides.time
        )
        event.data.reaction = MetaValue.phrase(value["emoji"] ?? value["reaction"])
        setSides(sides, of: &event)
        event.data.target = Reference(id: try InstagramValue.id("message", mid))
        return event
    }

    private func seen(_ value: JSONValue, _ sides: Sides) throws(JSONError) -> Event {
        guard let mid = value["mid"], let message = InstagramValue.native(mid),
            let reader = InstagramValue.native(sides.senderName)
        else { throw value.mismatch("a receipt with a mid and a sender") }
        // One for each reader and message, so that a repeated notice is the same fact.
        var event = event(
            ObjectID(Self.platform, "delivery", "\(message).\(reader).read"),
            .deliveryUpdated,
            subject: try InstagramValue.id("message", mid),
            at: sides.time
        )
        event.data.delivery = Delivery(.read, recipient: sides.sender)
        event.data.conversation = Self.conversation(account: sides.recipientName, person: sides.senderName)
        return event
    }

    // MARK: - How somebody came

    /// A referral by itself: a story mention where it says so; all others, such as links, say nothing that is an utterance.
    private func referral(_ value: JSONValue, _ sides: Sides) throws(JSONError) -> Event? {
        guard value["source"]?.isString("STORY_MENTION") == true, let person = InstagramValue.native(sides.senderName)
        else { return nil }
        let object = ObjectID(
            Self.platform,
            ObjectKind.message,
            "referral.\(person).\((sides.time ?? now).milliseconds)"
        )
        var event = event(object, .messageCreated, at: sides.time)
        var said = SocialObject(id: object, kind: .message)
        said.createdAt = sides.time
        said.audience = .direct
        event.data.object = said
        event.data.matched = [Match(name: "story_mention"), match(referral: value)]
        event.data.loss.append(Loss("referral.mid", .inferred, "the platform names no message"))
        setSides(sides, of: &event)
        return event
    }

    /// How somebody came, as what selected the event.
    private func match(referral: JSONValue) -> Match {
        let parts = [referral["source"], referral["type"], referral["ref"], referral["ad_id"]]
        return Match(name: "referral", tags: parts.compactMap { MetaValue.phrase($0) })
    }

    /// That somebody wants to be written to, or does not any more.
    private func optIn(_ value: JSONValue, _ sides: Sides) throws(JSONError) -> Event? {
        guard let person = InstagramValue.native(sides.senderName),
            let account = InstagramValue.native(sides.recipientName)
        else { return nil }
        let isEnd = value["notification_messages_status"]?.isString("STOP_NOTIFICATIONS") == true
        var event = event(
            ObjectID(Self.platform, "optin", "\(person).\(account)"),
            isEnd ? .followDeleted : .followCreated,
            revision: Int(max(0, (sides.time ?? now).milliseconds)),
            at: sides.time
        )
        if let topic = MetaValue.phrase(value["title"] ?? value["payload"]) {
            event.data.matched = [Match(name: "optin", tags: [topic])]
        }
        setSides(sides, of: &event)
        return event
    }
}
