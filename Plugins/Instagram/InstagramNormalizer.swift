import ConnectorKit
package import JSON
package import MetaGraph
package import SocialEvents

/// Makes events of what Instagram sends and answers: webhooks of both logins, media, comments, messages.
///
/// Pure; it knows nothing but when a payload is read.
package struct InstagramNormalizer: Sendable {
    static let platform: Platform = "instagram"

    /// When the payload is read: the time of counts, and of facts that say no time.
    package var now: Timestamp

    /// A normaliser for what is read now.
    package init(now: Timestamp) {
        self.now = now
    }

    /// Reads one notice of a webhook; one that tells nothing known is kept as `social.unrecognised`.
    ///
    /// - Parameters:
    ///   - notice: the notice.
    ///   - intake: takes the events.
    ///   - mentions: takes the mentions, of which a webhook tells no more than the ids.
    /// - Throws: `JSONError` for a notice of a known kind that lacks what it cannot be without.
    package func read(
        _ notice: MetaNotice,
        into intake: inout MetaIntake,
        mentions: inout [InstagramMention]
    ) throws(JSONError) {
        let before = intake.events.count
        if notice.object == nil || notice.object?.isString("instagram") == true {
            switch notice.kind {
            case .change: try change(notice, into: &intake.events, &mentions)
            case .messaging, .standby: try messaging(notice.value, notice, into: &intake.events)
            case .other: if notice.entry == nil { try object(notice.value, into: &intake.events) }
            }
        }
        if intake.events.count == before { intake.events.append(notice.unrecognised(Self.platform, now: now)) }
    }

    private func change(
        _ notice: MetaNotice,
        into events: inout [Event],
        _ mentions: inout [InstagramMention]
    ) throws(JSONError) {
        guard let field = notice.field else { return }
        if field.isString("comments") || field.isString("live_comments") {
            try webhookComment(notice, into: &events)
        } else if field.isString("mentions") {
            events.append(try mention(notice, &mentions))
        } else if field.isString("story_insights") {
            events.append(try storyInsights(notice))
        } else if Self.messagingFields.contains(where: { field.isString($0) }) {
            // The dashboard sends its tests of messages as changes.
            try messaging(notice.value, notice, into: &events)
        }
    }

    private static let messagingFields: [StaticString] = [
        "messages", "message_reactions", "message_edit", "messaging_seen", "messaging_postbacks",
        "messaging_referral", "messaging_optins", "standby",
    ]

    // MARK: - Anything

    /// The facts of a document of whatever kind, webhook or answer; what is none becomes `social.unrecognised`.
    ///
    /// - Parameters:
    ///   - root: the document.
    ///   - body: its bytes.
    /// - Returns: the events, at least one unless a part is set aside as a dead letter.
    package func read(_ root: JSONValue, body: [UInt8]? = nil) -> MetaIntake {
        var intake = MetaIntake()
        var mentions: [InstagramMention] = []
        intake.read(root, body: body) { notice, intake in try read(notice, into: &intake, mentions: &mentions) }
        return intake
    }

    /// An object of the Graph API, or a page of them, told apart by what they have.
    private func object(_ value: JSONValue, into events: inout [Event]) throws(JSONError) {
        if let page = value["data"], page.kind == .array {
            for element in page.elements { try object(element, into: &events) }
        } else if value["mentioned_media"] ?? value["mentioned_comment"] != nil {
            try mentioned(value, into: &events)
        } else if value["media_type"] ?? value["media_product_type"] ?? value["shortcode"] != nil {
            events.append(try media(value))
        } else if value["created_time"] != nil, value["from"] != nil {
            events.append(try graphMessage(value, account: nil))
        } else if value["text"] != nil, value["timestamp"] != nil {
            try comment(value, into: &events)
        } else if value["username"] != nil, value["followers_count"] ?? value["media_count"] != nil {
            events.append(try profile(value))
        }
    }

    // MARK: - Parts

    /// An event of which all but its data is known.
    func event(
        _ object: ObjectID,
        _ type: EventType,
        revision: Int = 0,
        subject: ObjectID? = nil,
        at time: Timestamp?
    ) -> Event {
        Event(
            type,
            of: object,
            on: Self.platform,
            revision: revision,
            subject: subject,
            at: time,
            readAt: now,
            saidBy: "time"
        )
    }

    /// Changes an event where it stands.
    func fill(_ event: inout Event, _ change: (inout Event) -> Void) { change(&event) }

    /// Somebody, of `{id, username, name}`; `nil` where neither id nor name is there.
    func actor(_ value: JSONValue?) throws(JSONError) -> Actor? {
        guard let value, value.kind == .object else { return nil }
        var actor = Actor()
        var isKnown = false
        for (key, member) in value.members where !member.isNull {
            switch key {
            case "id":
                actor.id = try InstagramValue.id("actor", member)
                isKnown = true
            case "username":
                setHandle(member, of: &actor)
                isKnown = isKnown || actor.handle != nil
            case "name": actor.name = MetaValue.phrase(member)
            default: break
            }
        }
        return isKnown ? actor : nil
    }

    /// Sets the name that somebody is addressed by, and the page that follows from it.
    func setHandle(_ value: JSONValue?, of actor: inout Actor) {
        guard let handle = MetaValue.phrase(value), !handle.isEmpty else { return }
        actor.handle = handle
        let isPlain = handle.utf8.allSatisfy { byte in
            (byte | 0x20) &- UInt8(ascii: "a") < 26 || byte &- UInt8(ascii: "0") < 10 || byte == UInt8(ascii: ".")
                || byte == UInt8(ascii: "_")
        }
        if isPlain, handle.utf8.count <= 64 { actor.url = "https://www.instagram.com/\(handle)/" }
    }

    /// Sets the words of an object and what is marked in them.
    func setWords(_ value: JSONValue, _ name: String, of object: inout SocialObject, _ loss: inout [Loss]) {
        guard let words = MetaValue.words(value, name, &loss) else {
            if value.kind != .string { loss.append(Loss(name, .dropped, "it is no text")) }
            return
        }
        object.text = words
        object.entities = TextEntities.extract(from: words)
    }

    /// A piece of media at an address, kept as received, with the time until which the address works.
    func media(_ kind: Media.Kind, at value: JSONValue?, _ name: String, _ loss: inout [Loss]) -> Media {
        var media = Media(kind)
        if let address = MetaValue.address(value) {
            media.url = address
            media.expiresAt = InstagramValue.expiry(of: address)
        } else if value != nil {
            loss.append(Loss(name, .dropped, "it is no web address"))
        }
        return media
    }

    /// Notes a member that has no place in the event; members past the first hundred are not told one by one.
    func drop(_ key: JSONKey, in prefix: StaticString, _ loss: inout [Loss]) {
        guard loss.count < 100 else { return }
        loss.append(Loss("\(prefix)\(key.string.prefix(100))", .dropped))
    }

    /// A person who was read on their own.
    private func profile(_ value: JSONValue) throws(JSONError) -> Event {
        guard let id = value["id"] else { throw value.mismatch("a user with an id") }
        let person = try InstagramValue.id("actor", id)
        var event = event(person, .profileUpdated, revision: Int(max(0, now.milliseconds / 1000)), at: nil)
        var actor = Actor(id: person)
        setHandle(value["username"], of: &actor)
        actor.name = MetaValue.phrase(value["name"])
        actor.avatarURL = MetaValue.address(value["profile_picture_url"])
        actor.followerCount = MetaValue.count(value["followers_count"])
        event.data.actor = actor
        return event
    }
}
