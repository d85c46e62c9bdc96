import JSON
import MetaGraph
import SocialEvents

/// One change of a delivery: whose number it is about, who the people in it are, and the lists of what happened.
struct WhatsAppChange {
    /// Where it stood.
    let notice: MetaNotice
    /// The native id of the business's number (`phone_number_id`).
    private(set) var number: String?
    /// The business, by its number.
    private(set) var business: String?
    /// The number as the place where things are said.
    private(set) var channel: Channel?

    private(set) var contacts: JSONValue?
    private(set) var errors: JSONValue?
    private(set) var messages: JSONValue?
    private(set) var echoes: JSONValue?
    private(set) var statuses: JSONValue?
    private(set) var calls: JSONValue?
    private(set) var groups: JSONValue?
    private(set) var history: JSONValue?
    private(set) var preferences: JSONValue?
    private(set) var identities: JSONValue?

    /// The names of the lists.
    static let lists: [StaticString] = [
        "messages", "message_echoes", "statuses", "calls", "groups", "history", "user_preferences", "user_id_update",
    ]

    /// Reads a change as far as all of its items have it in common.
    init(_ notice: MetaNotice) {
        self.notice = notice
        var metadata: JSONValue?
        for (key, value) in notice.value.members {
            switch key {
            case "metadata": metadata = value
            case "contacts": contacts = value
            case "statuses": statuses = value
            case "messages": messages = value
            case "errors": errors = value
            case "message_echoes": echoes = value
            case "calls": calls = value
            case "groups": groups = value
            case "history": history = value
            case "user_preferences": preferences = value
            case "user_id_update": identities = value
            default: break
            }
        }
        guard let metadata else { return }
        number = WhatsAppValue.native(metadata["phone_number_id"])
        let display = metadata["display_phone_number"]
        business = WhatsAppValue.number(display) ?? number
        if let number {
            channel = Channel(
                id: ObjectID(WhatsAppNormalizer.platform, "number", number),
                name: WhatsAppValue.phrase(display)
            )
        }
    }

    /// The business as an actor.
    var businessID: ObjectID? { business.map { ObjectID(WhatsAppNormalizer.platform, "actor", $0) } }

    /// The business account.
    var accountID: ObjectID? {
        notice.entryID.flatMap { $0.isEmpty ? nil : ObjectID(WhatsAppNormalizer.platform, "account", $0) }
    }

    /// Whether this is the business's own number, by its digits or by its id.
    func isBusiness(_ number: JSONValue?) -> Bool {
        guard let number = WhatsAppValue.number(number) else { return false }
        return number == business || number == self.number
    }

    /// What `contacts` says of somebody.
    ///
    /// Where a change tells one thing of one contact, this is believed to be meant even if its number differs: some countries' numbers are written
    /// in two ways.
    func contact(of number: JSONValue?, or userID: JSONValue?) -> JSONValue? {
        guard let contacts, contacts.kind == .array else { return nil }
        var count = 0
        var last: JSONValue?
        for contact in contacts.elements {
            if let number, contact["wa_id"]?.isSameString(as: number) == true { return contact }
            if let userID, contact["user_id"]?.isSameString(as: userID) == true { return contact }
            count += 1
            last = contact
        }
        return count == 1 && isAlone ? last : nil
    }

    /// Whether the change has one item.
    private var isAlone: Bool {
        var count = 0
        for list in [messages, echoes, statuses, calls, groups, preferences, identities] { count += list?.count ?? 0 }
        return count == 1
    }

    /// A delivery with one item of a list alone.
    func payload(only item: JSONValue, of list: StaticString) -> [UInt8] {
        let others = Self.lists.filter { $0.description != list.description }
        return notice.payload(only: item, of: list, leavingOut: others)
    }
}

/// Somebody on WhatsApp, by as many of their names as the payload has.
struct WhatsAppPerson {
    /// What their id is made of.
    var native: String
    /// Who they are.
    var actor: Actor
    /// Names of theirs beside their id, for events that they are not the actor of.
    var others: [Loss] = []

    /// Somebody by their number, or else by their business-scoped id.
    ///
    /// The number comes first since it is the one name that is there in all kinds of payloads; it is left out only for people who have a user
    /// name and keep their number to themselves.
    ///
    /// - Parameters:
    ///   - number: their `wa_id`.
    ///   - userID: their business-scoped id.
    ///   - parentID: the same for a group of businesses.
    ///   - contact: what `contacts` says of them.
    init?(_ number: JSONValue?, _ userID: JSONValue?, _ parentID: JSONValue? = nil, contact: JSONValue? = nil) {
        let contactNumber = contact?["wa_id"]
        let phone = WhatsAppValue.number(number ?? contactNumber)
        let user = WhatsAppValue.native(userID ?? contact?["user_id"])
        let parent = WhatsAppValue.native(parentID ?? contact?["parent_user_id"])
        guard let native = phone ?? user ?? parent else { return nil }
        self.native = native
        actor = Actor(id: ObjectID(WhatsAppNormalizer.platform, "actor", native))
        if let profile = contact?["profile"] {
            actor.name = WhatsAppValue.phrase(profile["name"])
            if let handle = WhatsAppValue.phrase(profile["username"]) {
                actor.handle = handle.hasPrefix("@") ? String(handle.dropFirst()) : handle
            }
        }
        if phone != nil, let user { note("user_id", user) }
        if let parent, user ?? phone != nil { note("parent_user_id", parent) }
        if let number, let contactNumber, !contactNumber.isSameString(as: number),
            let other = WhatsAppValue.number(contactNumber), other != phone
        {
            note("contacts.wa_id", other)
        }
    }

    private mutating func note(_ field: String, _ name: String) {
        actor.aliases.append(ObjectID(WhatsAppNormalizer.platform, "actor", name))
        others.append(Loss(field, .dropped, WhatsAppValue.bounded(name, most: EventLimits.identifier)))
    }
}
