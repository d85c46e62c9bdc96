import JSON
import MetaGraph
import SocialEvents

// Messenger: messages and their edits, echoes, reactions, postbacks, receipts, opt-ins.

/// Who talks to whom in an item of a conversation.
struct FacebookTalk {
    let value: JSONValue
    /// The Page.
    let page: String?
    /// Who sends it.
    let sender: String?
    let recipient: String?
    /// The one who is not the Page.
    let person: String?
    let time: Timestamp?

    init(_ notice: MetaNotice) {
        value = notice.value
        page = notice.entryID
        sender = MetaValue.id(value["sender"]?["id"])
        recipient = MetaValue.id(value["recipient"]?["id"])
        if let sender, sender == page {
            person = recipient
        } else if value["message"]?["is_echo"]?.bool == true, let recipient, recipient != page {
            person = recipient
        } else {
            person = sender ?? MetaValue.id(value["sender"]?["user_ref"])
        }
        time = value["timestamp"].flatMap(MetaTime.read) ?? notice.entryTime
    }

    /// The conversation of the Page with the person.
    var conversation: ObjectID? {
        guard let person else { return nil }
        return ObjectID(FacebookNormalizer.platform, "conversation", "\(page ?? "page").\(person)")
    }
}

extension FacebookNormalizer {
    /// An item of `messaging` or `standby`.
    func readMessaging(_ notice: MetaNotice, into events: inout [Event]) throws(JSONError) {
        guard notice.value.kind == .object else { return }
        let before = events.count
        let talk = FacebookTalk(notice)
        for (key, part) in notice.value.members where part.kind == .object {
            switch key {
            case "message": try readMessage(part, talk, into: &events)
            case "message_edit": try readEdit(part, talk, into: &events)
            case "postback": readPostback(part, talk, into: &events)
            case "reaction": try readReaction(part, talk, into: &events)
            case "delivery": readReceipt(part, .delivered, talk, into: &events)
            case "read": readReceipt(part, .read, talk, into: &events)
            case "optin": readOptIn(part, talk, into: &events)
            case "policy-enforcement", "policy_enforcement": readPolicy(part, talk, into: &events)
            default: break
            }
        }
        guard notice.kind == .standby else { return }
        for index in events.indices[before...] { events[index].data.matched = [Match(name: "standby")] }
    }

    private static func messageID(_ native: String) -> ObjectID { ObjectID(platform, .message, native) }

    private static func mid(_ part: JSONValue) throws(JSONError) -> String {
        guard let mid = MetaValue.id(part["mid"]) else { throw part.mismatch("a message with a mid") }
        return mid
    }

    /// Actor, conversation and Page.
    private func complete(_ event: inout Event, _ talk: FacebookTalk) {
        if let sender = talk.sender {
            event.data.actor = Actor(id: Self.actorID(sender))
        } else if let guest = MetaValue.id(talk.value["sender"]?["user_ref"]) {
            event.data.actor = Actor(id: ObjectID(Self.platform, "user_ref", guest))
        }
        event.data.conversation = talk.conversation
        event.data.channel = Self.channel(talk.page)
    }

    // MARK: - Messages

    private func readMessage(_ part: JSONValue, _ talk: FacebookTalk, into events: inout [Event]) throws(JSONError) {
        let id = Self.messageID(try Self.mid(part))
        if part["is_deleted"]?.bool == true {
            var event = event(id, .messageDeleted, at: talk.time)
            complete(&event, talk)
            return events.append(event)
        }
        var event = event(id, .messageCreated, at: talk.time)
        complete(&event, talk)
        var object = SocialObject(id: id, kind: .message)
        object.createdAt = talk.time
        object.audience = .direct
        object.text = MetaValue.words(part["text"], "text", &event.data.loss)
        if let attachments = part["attachments"] {
            for attachment in attachments.elements.prefix(100) { read(attachment, into: &object, &event.data) }
        }
        if let text = object.text { object.entities = Self.entities(of: text, tags: nil, &event.data.loss) }
        if let answered = part["reply_to"] {
            if let mid = MetaValue.id(answered["mid"]) {
                event.data.inReplyTo = Reference(id: Self.messageID(mid))
            } else if let story = answered["story"] {
                event.data.inReplyTo = Reference(
                    id: MetaValue.id(story["id"]).map { ObjectID(Self.platform, .story, $0) },
                    url: MetaValue.address(story["url"])
                )
            }
        }
        if part["is_unsupported"]?.bool == true {
            event.data.loss.append(Loss("message", .dropped, "a kind of message that the platform does not pass on"))
        }
        for (key, member) in part.members where !member.isNull {
            switch key {
            case "mid", "text", "attachments", "reply_to", "is_echo", "is_deleted", "is_unsupported", "seq", "app_id",
                "sticker_id":
                continue
            default: Self.note(key, &event.data.loss)
            }
        }
        event.data.object = object
        events.append(event)
    }

    /// A picture, file, place, template or shared link.
    private func read(_ attachment: JSONValue, into object: inout SocialObject, _ data: inout EventData) {
        let payload = attachment["payload"]
        let type = attachment["type"]
        let url = payload?["url"] ?? attachment["url"]
        if let kind = Self.mediaKind(type) {
            if let media = Self.media(kind, url) {
                object.media.append(media)
            } else {
                object.media.append(Media(kind))
                data.loss.append(Loss("attachments.url", .dropped, "no web address"))
            }
        } else if let place = payload?["coordinates"], let lat = place["lat"]?.double, let long = place["long"]?.double
        {
            // RFC 5870.
            let text = "geo:\(lat),\(long)"
            object.text = object.text.map { "\($0)\n\(text)" } ?? text
            data.loss.append(Loss("attachments.coordinates", .inferred, "written into the text as a geo URI"))
        } else {
            let shown =
                MetaValue.phrase(attachment["title"]) ?? MetaValue.phrase(payload?["title"])
                ?? MetaValue.phrase(payload?["text"])
            if object.title == nil { object.title = shown }
            if data.quoteOf == nil { data.quoteOf = MetaValue.address(url).map { Reference(url: $0) } }
            let name = type.flatMap { MetaValue.phrase($0) } ?? "?"
            data.loss.append(
                Loss("attachments", .dropped, "an attachment of type \(name.prefix(40)), but for title and link")
            )
        }
    }

    private static func mediaKind(_ type: JSONValue?) -> Media.Kind? {
        guard let type else { return nil }
        if type.isString("image") { return .image }
        if type.isString("video") || type.isString("reel") { return .video }
        if type.isString("audio") { return .audio }
        return type.isString("file") ? .file : nil
    }

    private func readEdit(_ part: JSONValue, _ talk: FacebookTalk, into events: inout [Event]) throws(JSONError) {
        let id = Self.messageID(try Self.mid(part))
        let count = part["num_edit"]?.int ?? part["num_edit"]?.string.flatMap { Int($0) }
        let revision = max(0, count ?? Self.milliseconds(talk.time))
        var event = event(id, .messageUpdated, revision: revision, at: talk.time)
        complete(&event, talk)
        var object = SocialObject(id: id, kind: .message)
        object.editedAt = talk.time
        object.revision = revision
        object.audience = .direct
        object.text = MetaValue.words(part["text"], "text", &event.data.loss)
        if let text = object.text { object.entities = Self.entities(of: text, tags: nil, &event.data.loss) }
        event.data.object = object
        events.append(event)
    }

    /// A button pressed counts as a message of its words.
    private func readPostback(_ part: JSONValue, _ talk: FacebookTalk, into events: inout [Event]) {
        let native =
            MetaValue.id(part["mid"])
            ?? "postback.\(talk.person ?? "somebody").\(max(0, talk.time?.milliseconds ?? now.milliseconds))"
        let id = Self.messageID(native)
        var event = event(id, .messageCreated, at: talk.time)
        complete(&event, talk)
        var object = SocialObject(id: id, kind: .message)
        object.createdAt = talk.time
        object.audience = .direct
        object.text = MetaValue.words(part["title"], "title", &event.data.loss)
        if object.text == nil {
            object.text = MetaValue.words(part["payload"], "payload", &event.data.loss)
            event.data.loss.append(Loss("payload", .inferred, "the button's payload, since its title is not told"))
        } else if part["payload"] != nil {
            event.data.loss.append(Loss("payload", .dropped))
        }
        if part["referral"] != nil { event.data.loss.append(Loss("referral", .dropped)) }
        event.data.object = object
        events.append(event)
    }

    // MARK: - Reactions and receipts

    private func readReaction(_ part: JSONValue, _ talk: FacebookTalk, into events: inout [Event]) throws(JSONError) {
        let mid = try Self.mid(part)
        let isEnd = part["action"]?.isString("unreact") == true
        var event = event(
            ObjectID(Self.platform, "reaction", "\(talk.sender ?? "somebody").\(mid)"),
            isEnd ? .reactionDeleted : .reactionCreated,
            revision: Self.milliseconds(talk.time),
            at: talk.time
        )
        complete(&event, talk)
        event.data.reaction = MetaValue.phrase(part["emoji"]) ?? MetaValue.phrase(part["reaction"])
        event.data.target = Reference(id: Self.messageID(mid))
        events.append(event)
    }

    /// That messages have arrived or were read: each that is named, or all up to a moment.
    private func readReceipt(
        _ part: JSONValue,
        _ status: Delivery.Status,
        _ talk: FacebookTalk,
        into events: inout [Event]
    ) {
        let person = talk.person ?? "somebody"
        var named: [String] = []
        if let mids = part["mids"] {
            for mid in mids.elements.prefix(EventLimits.elements) { named += MetaValue.id(mid).map { [$0] } ?? [] }
        }
        if let mid = MetaValue.id(part["mid"]) { named.append(mid) }
        let watermark = part["watermark"].flatMap(MetaTime.read)
        let time = talk.value["timestamp"].flatMap(MetaTime.read) ?? watermark ?? talk.time
        for mid in named {
            events.append(receipt("\(mid).\(person).\(status.rawValue)", Self.messageID(mid), status, talk, time))
        }
        guard named.isEmpty, let watermark else { return }
        let mark = "\(talk.page ?? "page").\(person).\(watermark.milliseconds)"
        var event = receipt(
            "\(mark).\(status.rawValue)",
            ObjectID(Self.platform, "watermark", mark),
            status,
            talk,
            time
        )
        event.data.loss.append(
            Loss("watermark", .inferred, "counts for every message to the person up to \(watermark)")
        )
        events.append(event)
    }

    private func receipt(
        _ name: String,
        _ subject: ObjectID,
        _ status: Delivery.Status,
        _ talk: FacebookTalk,
        _ time: Timestamp?
    ) -> Event {
        var event = event(ObjectID(Self.platform, "delivery", name), .deliveryUpdated, subject: subject, at: time)
        event.data.delivery = Delivery(status, recipient: talk.person.map(Self.actorID))
        event.data.conversation = talk.conversation
        event.data.channel = Self.channel(talk.page)
        return event
    }

    // MARK: - Consent

    /// Somebody allows the Page to write to them, or stops it.
    private func readOptIn(_ part: JSONValue, _ talk: FacebookTalk, into events: inout [Event]) {
        let status = part["notification_messages_status"]
        let isEnd = status?.isString("STOP_NOTIFICATIONS") == true || status?.isString("STOP NOTIFICATIONS") == true
        guard let person = talk.person else { return }
        let topic = MetaValue.id(part["notification_messages_token"]).map { _ in "notifications" } ?? "messages"
        var event = event(
            ObjectID(Self.platform, "optin", "\(person).\(talk.page ?? "page").\(topic)"),
            isEnd ? .followDeleted : .followCreated,
            revision: Self.milliseconds(talk.time),
            at: talk.time
        )
        complete(&event, talk)
        if event.data.actor == nil { event.data.actor = Actor(id: Self.actorID(person)) }
        event.data.target = talk.page.map { Reference(id: Self.actorID($0)) }
        event.data.loss.append(Loss("optin", .dropped, "what the opt-in is for"))
        events.append(event)
    }

    /// The platform blocks the Page from Messenger, or gives it free.
    private func readPolicy(_ part: JSONValue, _ talk: FacebookTalk, into events: inout [Event]) {
        guard let page = talk.page ?? talk.recipient, let action = MetaValue.phrase(part["action"]) else { return }
        var event = event(
            ObjectID(Self.platform, "policy", page),
            .accountUpdated,
            revision: Self.milliseconds(talk.time),
            subject: Self.actorID(page),
            at: talk.time
        )
        event.data.actor = Actor(id: Self.actorID(page))
        event.data.loss.append(Loss("policy-enforcement", .dropped, "the platform's decision: \(action.prefix(40))"))
        events.append(event)
    }
}
