import JSON
import MetaGraph
import SocialEvents

// Messages, whoever wrote them: words and media, edits, withdrawals, reactions.

/// Who wrote a message, to whom, and where.
struct WhatsAppSides {
    /// Who wrote it.
    var sender: Actor?
    /// The same, as ids have them.
    var senderName: String?
    /// The business.
    var business: ObjectID?
    /// To whom.
    var target: ObjectID?
    /// The conversation.
    var conversation: ObjectID?
    /// The group, or the business's number.
    var channel: Channel?
    /// Other names of the person.
    var others: [Loss] = []
}

extension WhatsAppNormalizer {
    /// A message, or what happened to an earlier one; `false` for kinds that events do not know.
    mutating func message(
        _ item: JSONValue,
        _ side: WhatsAppSide,
        _ change: WhatsAppChange,
        into intake: inout MetaIntake
    ) throws(JSONError) -> Bool {
        let id = try WhatsAppValue.id("message", item, "id")
        let type = try item.requiredString("type")
        let moment = moment(of: item, change)
        switch type {
        case "system": return try system(item, change, moment, into: &intake)
        case "reaction":
            intake.events.append(try reaction(item, sides(of: item, side, change), moment))
            return true
        case "revoke":
            intake.events.append(try revocation(item, sides(of: item, side, change), moment))
            return true
        case "edit":
            guard let event = try edit(item, sides(of: item, side, change), change, moment) else { return false }
            intake.events.append(event)
            return true
        default: break
        }
        let sides = sides(of: item, side, change)
        let kind: EventType = side.isSecond ? .messageUpdated : .messageCreated
        append(EventID(id, kind.verb), kind, id, moment, to: &intake)
        // In its place: copying an event costs more than reading the message.
        guard try fill(&intake.events[intake.events.count - 1].data, item, id, type, sides, change, moment) else {
            intake.events.removeLast()
            return false
        }
        if side.isOwn, type == "template" { sentTemplate(item, id, sides, change, moment, into: &intake) }
        return true
    }

    /// Says what a message says; `false` for types that events do not know.
    private func fill(
        _ data: inout EventData,
        _ item: JSONValue,
        _ id: ObjectID,
        _ type: String,
        _ sides: WhatsAppSides,
        _ change: WhatsAppChange,
        _ moment: WhatsAppMoment
    ) throws(JSONError) -> Bool {
        var object = SocialObject(id: id, kind: .message)
        var loss: [Loss] = []
        guard try content(item, type, moment, &object, &loss) else { return false }
        if moment.isTold { object.createdAt = moment.time }
        object.audience = .direct
        data.object = object
        setSides(sides, &data)
        setContext(item, sides, change, &data)
        noteErrors(item["errors"], &data)
        noteErrors(change.errors, &data)
        if !loss.isEmpty { data.loss += loss }
        return true
    }

    // MARK: - What happens to a message

    /// A new form of an earlier message.
    private func edit(
        _ item: JSONValue,
        _ sides: WhatsAppSides,
        _ change: WhatsAppChange,
        _ moment: WhatsAppMoment
    ) throws(JSONError) -> Event? {
        let edit = try item.requiredObject("edit")
        let id = try WhatsAppValue.id("message", edit, "original_message_id")
        let message = try edit.requiredObject("message")
        var object = SocialObject(id: id, kind: .message)
        var loss: [Loss] = []
        guard try content(message, message.requiredString("type"), moment, &object, &loss) else { return nil }
        if moment.isTold { object.editedAt = moment.time }
        object.revision = max(1, Self.revision(moment, item["id"]))
        object.audience = .direct
        var event = event(EventID(id, .updated, revision: object.revision), .messageUpdated, id, moment)
        setSides(sides, &event.data)
        setContext(message, sides, change, &event.data)
        if !loss.isEmpty { event.data.loss += loss }
        event.data.object = object
        return event
    }

    /// A message withdrawn by who wrote it.
    private func revocation(
        _ item: JSONValue,
        _ sides: WhatsAppSides,
        _ moment: WhatsAppMoment
    ) throws(JSONError) -> Event {
        let id = try WhatsAppValue.id("message", try item.requiredObject("revoke"), "original_message_id")
        var event = event(EventID(id, .deleted), .messageDeleted, id, moment)
        setSides(sides, &event.data)
        return event
    }

    /// An emoji given to a message, or taken back: then it is empty or not there.
    ///
    /// It is named by who reacts to what, so that taking it back names the same; the revision tells one time from another.
    private func reaction(
        _ item: JSONValue,
        _ sides: WhatsAppSides,
        _ moment: WhatsAppMoment
    ) throws(JSONError) -> Event {
        let reaction = try item.requiredObject("reaction")
        let message = try WhatsAppValue.id("message", reaction, "message_id")
        let emoji = WhatsAppValue.phrase(reaction["emoji"], most: EventLimits.name)
        let name = Self.name(sides.senderName ?? "unknown", WhatsAppValue.native(reaction["message_id"]) ?? "")
        let id = ObjectID(Self.platform, "reaction", name)
        let type: EventType = emoji == nil ? .reactionDeleted : .reactionCreated
        var event = event(EventID(id, type.verb, revision: Self.revision(moment, item["id"])), type, id, moment)
        setSides(sides, &event.data)
        event.data.reaction = emoji
        event.data.target = Reference(id: message)
        return event
    }

    // MARK: - Who, where, and in answer to what

    /// Who wrote an item, to whom and where.
    func sides(of item: JSONValue, _ side: WhatsAppSide, _ change: WhatsAppChange) -> WhatsAppSides {
        var sides = WhatsAppSides()
        let number = side.isOwn ? item["to"] ?? side.thread : item["from"] ?? side.thread
        let userID = side.isOwn ? item["to_user_id"] : item["from_user_id"]
        let parentID = side.isOwn ? item["to_parent_user_id"] : item["from_parent_user_id"]
        let contact = change.contact(of: number, or: userID)
        let person = WhatsAppPerson(number, userID, parentID, contact: contact)
        sides.business = change.businessID
        if side.isOwn {
            let own = WhatsAppValue.number(item["from"]) ?? change.business
            sides.senderName = own
            sides.sender = own.map { Actor(id: ObjectID(Self.platform, "actor", $0)) }
            sides.target = person?.actor.id
            sides.others = person?.others ?? []
        } else {
            sides.senderName = person?.native
            sides.sender = person?.actor
            sides.target = sides.business
        }
        if let group = WhatsAppValue.native(item["group_id"]) {
            let id = ObjectID(Self.platform, "group", group)
            sides.channel = Channel(id: id)
            sides.conversation = ObjectID(Self.platform, "conversation", group)
            sides.target = id
        } else {
            sides.channel = change.channel
            sides.conversation = Self.conversation(change, person?.native)
        }
        return sides
    }

    private func setSides(_ sides: WhatsAppSides, _ data: inout EventData) {
        data.actor = sides.sender
        data.conversation = sides.conversation
        data.channel = sides.channel
        if let target = sides.target { data.target = Reference(id: target) }
        if !sides.others.isEmpty { data.loss += sides.others }
    }

    /// What a message answers, and by which advertisement it came.
    private func setContext(
        _ item: JSONValue,
        _ sides: WhatsAppSides,
        _ change: WhatsAppChange,
        _ data: inout EventData
    ) {
        if let context = item["context"] {
            if let id = WhatsAppValue.native(context["id"]) {
                var answered = Reference(id: ObjectID(Self.platform, "message", id))
                if change.isBusiness(context["from"]) {
                    answered.actor = sides.business
                } else if let author = WhatsAppPerson(context["from"], context["from_user_id"]) {
                    answered.actor = author.actor.id
                }
                data.inReplyTo = answered
            }
            if context["frequently_forwarded"]?.bool == true {
                data.loss.append(Loss("context.frequently_forwarded", .dropped, "forwarded many times"))
            } else if context["forwarded"]?.bool == true {
                data.loss.append(Loss("context.forwarded", .dropped, "forwarded"))
            }
            if let product = context["referred_product"] {
                data.loss.append(Loss("context.referred_product", .dropped, WhatsAppLines.text(of: product)))
            }
        }
        if let referral = item["referral"] {
            if let url = MetaValue.address(referral["source_url"]) {
                if data.inReplyTo == nil { data.inReplyTo = Reference() }
                data.inReplyTo?.url = url
            }
            data.loss.append(Loss("referral", .dropped, WhatsAppLines.text(of: referral)))
        }
    }

    private func noteErrors(_ errors: JSONValue?, _ data: inout EventData) {
        guard let errors else { return }
        for error in errors.elements.prefix(10) {
            guard let (code, reason) = WhatsAppValue.failure(error) else { continue }
            data.loss.append(Loss("errors", .dropped, (code.map { "\($0) " } ?? "") + reason))
        }
    }
}
