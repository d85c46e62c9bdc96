import JSON
import MetaGraph
import SocialEvents

// What people change about themselves: their number, their ids, and whether they want marketing messages.

extension WhatsAppNormalizer {
    /// Somebody has a new number, new ids, or a new device; `false` for changes that are not known.
    ///
    /// The subject is who they were, the actor who they are.
    func system(
        _ item: JSONValue,
        _ change: WhatsAppChange,
        _ moment: WhatsAppMoment,
        into intake: inout MetaIntake
    ) throws(JSONError) -> Bool {
        let system = try item.requiredObject("system")
        let type = system["type"] ?? item["system"]?["event"]
        let isIdentity =
            type?.isString("customer_identity_changed") == true || type?.isString("user_identity_changed") == true
        let isNumber =
            type?.isString("user_changed_number") == true || type?.isString("customer_changed_number") == true
            || type?.isString("user_changed_user_id") == true
        guard isIdentity || isNumber, let type else { return false }
        let contact = change.contact(of: item["from"], or: item["from_user_id"])
        let before = WhatsAppPerson(
            item["from"] ?? system["customer"],
            item["from_user_id"],
            contact: isIdentity ? contact : nil
        )
        let after =
            isIdentity
            ? before
            : WhatsAppPerson(system["wa_id"] ?? system["new_wa_id"], system["user_id"], system["parent_user_id"])
        guard let person = after ?? before else { throw item.mismatch("a message with a sender") }
        let name = WhatsAppValue.native(item["id"]) ?? ""
        let id = EventID(ObjectID(Self.platform, "profile", name), .updated)
        var event = event(id, .profileUpdated, (before ?? person).actor.id, moment)
        event.data.actor = person.actor
        event.data.actor?.name = person.actor.name ?? WhatsAppValue.phrase(contact?["profile"]?["name"])
        event.data.channel = change.channel
        event.data.conversation = Self.conversation(change, (before ?? person).native)
        event.data.loss.append(Loss("system.type", .dropped, WhatsAppValue.phrase(type)))
        if let body = WhatsAppValue.phrase(system["body"]) {
            event.data.loss.append(Loss("system.body", .dropped, body))
        }
        intake.events.append(event)
        return true
    }

    /// Somebody's business-scoped id changed: `{user_id: {previous, current}, parent_user_id, wa_id}`.
    func identity(
        _ item: JSONValue,
        _ change: WhatsAppChange,
        into intake: inout MetaIntake
    ) throws(JSONError) -> Bool {
        let userID = try item.requiredObject("user_id")
        let previous = try userID.requiredString("previous")
        let current = try userID.requiredString("current")
        guard !previous.isEmpty, !current.isEmpty else { return false }
        let moment = moment(of: item, change)
        let contact = change.contact(of: item["wa_id"], or: userID["current"])
        guard
            let person = WhatsAppPerson(
                item["wa_id"],
                userID["current"],
                item["parent_user_id"]?["current"],
                contact: contact
            )
        else { return false }
        let id = EventID(ObjectID(Self.platform, "profile", Self.name(previous, current)), .updated)
        var event = event(id, .profileUpdated, ObjectID(Self.platform, "actor", previous), moment)
        event.data.actor = person.actor
        event.data.channel = change.channel
        if let detail = WhatsAppValue.phrase(item["detail"]) {
            event.data.loss.append(Loss("detail", .dropped, detail))
        }
        intake.events.append(event)
        return true
    }

    /// Somebody stops marketing messages, or wants them again; `false` for choices that are not known.
    func preference(
        _ item: JSONValue,
        _ change: WhatsAppChange,
        into intake: inout MetaIntake
    ) throws(JSONError) -> Bool {
        let type: EventType
        switch try item.requiredString("value") {
        case "stop": type = .followDeleted
        case "resume", "signup": type = .followCreated
        default: return false
        }
        let contact = change.contact(of: item["wa_id"], or: item["user_id"])
        guard let person = WhatsAppPerson(item["wa_id"], item["user_id"], item["parent_user_id"], contact: contact)
        else {
            throw item.mismatch("somebody's choice")
        }
        let moment = moment(of: item, change)
        let category = WhatsAppValue.phrase(item["category"], most: EventLimits.name) ?? "marketing_messages"
        let name = Self.name(person.native, change.number ?? change.business ?? "", category)
        let follow = ObjectID(Self.platform, "follow", name)
        var event = event(EventID(follow, type.verb, revision: moment.second), type, follow, moment)
        event.data.actor = person.actor
        if let business = change.businessID { event.data.target = Reference(id: business) }
        event.data.channel = change.channel
        event.data.conversation = Self.conversation(change, person.native)
        event.data.loss.append(Loss("category", .dropped, category))
        if let detail = WhatsAppValue.phrase(item["detail"]) {
            event.data.loss.append(Loss("detail", .dropped, detail))
        }
        if let signup = WhatsAppValue.phrase(item["signup_id"]) {
            event.data.loss.append(Loss("signup_id", .dropped, signup))
        }
        intake.events.append(event)
        return true
    }
}
