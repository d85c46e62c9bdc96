// What is said in private on Instagram and Messenger, whose webhooks have the same items in `messaging`.

extension MetaWorld {
    /// A message between the account and one person.
    struct Message {
        var mid: String
        /// The other side.
        var person: Int
        var isOurs: Bool
        var text: String
        var at: Int64
        var edits = 0
        var isDeleted = false
        /// How the other side reacted, if they did.
        var reaction: String?
    }

    private static let emoji = [("love", "❤️"), ("haha", "😆"), ("wow", "😮"), ("sad", "😢")]

    mutating func converse(on product: MetaProduct) {
        let messages = messages[product] ?? []
        switch dice.roll(20) {
        case 0, 1: if let index = recent(messages, { !$0.isOurs && !$0.isDeleted }) { edit(index, product) }
        case 2: if let index = recent(messages, { !$0.isOurs && !$0.isDeleted }) { unsend(index, product) }
        case 3...5: if let index = recent(messages, { !$0.isDeleted }) { react(index, product) }
        case 6: if let index = recent(messages, \.isOurs) { read(index, product) }
        case 7...9: answer(on: product)
        default: write(on: product)
        }
    }

    private func id(of person: Int, _ product: MetaProduct) -> String {
        product == .instagram ? Self.instagramID(person) : Self.facebookID(person)
    }

    private func account(_ product: MetaProduct) -> String {
        product == .instagram ? MetaAccount.instagram : MetaAccount.page
    }

    private mutating func nextMessageID(_ product: MetaProduct) -> String {
        product == .instagram ? "aWdfZAG1faXRlbToxOklHTWVzc2FnZAUlE\(nextSerial())ZDZD" : "m_\(nextSerial())-simulated"
    }

    /// An item of `messaging`: who, to whom, when, and what.
    private mutating func tell(
        _ fact: Ledger.Entry,
        _ product: MetaProduct,
        _ person: Int,
        isOurs: Bool,
        _ name: String,
        _ value: GraphValue
    ) {
        let (us, them) = (account(product), id(of: person, product))
        let item: GraphValue = [
            "sender": ["id": .string(isOurs ? us : them)], "recipient": ["id": .string(isOurs ? them : us)],
            "timestamp": .integer(now),
        ]
        tell(fact, product, us, .messaging(item.adding(name, value)))
    }

    private mutating func write(on product: MetaProduct) {
        let person = dice.roll(people.count)
        let mid = nextMessageID(product)
        var text = words().text
        var message: GraphValue = ["mid": .string(mid)]
        var kind = "message"
        switch dice.roll(12) {
        case 0:
            let type = dice.pick(["image", "video", "audio"])
            message = message.adding("attachments", Self.attachments(type, mid))
            text = ""
        case 1 where product == .instagram:
            // A story that names the account comes as a message.
            message = message.adding("attachments", Self.attachments("story_mention", mid))
            text = ""
            kind = "story_mention"
        case 2 where product == .instagram:
            message = message.adding("text", .string(text))
            if let story = recent(media, \.isStory) {
                let reference: GraphValue = ["url": .string(Self.lookaside(mid)), "id": .string(media[story].id)]
                message = message.adding("reply_to", ["story": reference])
            }
        case 3:
            message = message.adding("text", .string(text))
            if let index = recent(messages[product] ?? [], { $0.person == person && !$0.isDeleted }) {
                let other = (messages[product] ?? [])[index].mid
                message = message.adding("reply_to", ["mid": .string(other)])
            }
        case 4:
            message = message.adding("text", .string(text)).adding("quick_reply", ["payload": "YES"])
        case 5 where product == .instagram && dice.oneIn(3):
            message = message.adding("is_unsupported", true)
            text = ""
        default:
            message = message.adding("text", .string(text))
        }
        remember(Message(mid: mid, person: person, isOurs: false, text: text, at: now), product)
        let fact = record("created", mid, actor: id(of: person, product), [kind, "webhook"], text: text)
        tell(fact, product, person, isOurs: false, "message", message)
    }

    private static func attachments(_ type: String, _ mid: String) -> GraphValue {
        [["type": .string(type), "payload": ["url": .string(lookaside(mid))]]]
    }

    private static func lookaside(_ mid: String) -> String {
        "https://lookaside.fbsbx.com/ig_messaging_cdn/?asset_id=\(mid.utf8.reduce(0) { $0 &* 31 &+ Int($1) } & 0xFFFF_FFFF)&signature=Simulated"
    }

    private mutating func remember(_ message: Message, _ product: MetaProduct) {
        messages[product, default: []].append(message)
    }

    /// The account's own answer, from its app: an echo.
    private mutating func answer(on product: MetaProduct) {
        guard let index = recent(messages[product] ?? [], { !$0.isOurs }) else { return }
        say(words().text, to: (messages[product] ?? [])[index].person, on: product)
    }

    /// Lets the account say something; returns the message's id.
    @discardableResult
    mutating func say(_ text: String, to person: Int, on product: MetaProduct) -> String {
        let mid = nextMessageID(product)
        remember(Message(mid: mid, person: person, isOurs: true, text: text, at: now), product)
        let fact = record("created", mid, actor: account(product), ["message", "echo", "webhook"], text: text)
        let message: GraphValue = ["mid": .string(mid), "text": .string(text), "is_echo": true]
        tell(fact, product, person, isOurs: true, "message", message)
        return mid
    }

    private mutating func edit(_ index: Int, _ product: MetaProduct) {
        guard var message = messages[product]?[index], !message.text.isEmpty, message.edits < 5 else { return }
        message.edits += 1
        message.text += " [edit \(message.edits)]"
        messages[product]?[index] = message
        let fact = record(
            "updated",
            message.mid,
            revision: String(message.edits),
            actor: id(of: message.person, product),
            ["message", "webhook"],
            text: message.text
        )
        let value: GraphValue = [
            "mid": .string(message.mid), "text": .string(message.text), "num_edit": "\(message.edits)",
        ]
        tell(fact, product, message.person, isOurs: false, "message_edit", value)
    }

    private mutating func unsend(_ index: Int, _ product: MetaProduct) {
        guard let message = messages[product]?[index] else { return }
        messages[product]?[index].isDeleted = true
        let actor = id(of: message.person, product)
        let fact = record("deleted", message.mid, actor: actor, ["message", "webhook"])
        let value: GraphValue = ["mid": .string(message.mid), "is_deleted": true]
        tell(fact, product, message.person, isOurs: false, "message", value)
    }

    private mutating func react(_ index: Int, _ product: MetaProduct) {
        guard let message = messages[product]?[index] else { return }
        let actor = id(of: message.person, product)
        if message.reaction != nil {
            messages[product]?[index].reaction = nil
            let fact = record("unreacted", message.mid, revision: String(now), actor: actor, ["reaction", "webhook"])
            let value: GraphValue = ["mid": .string(message.mid), "action": "unreact"]
            tell(fact, product, message.person, isOurs: false, "reaction", value)
        } else {
            let (name, emoji) = dice.pick(Self.emoji)
            messages[product]?[index].reaction = emoji
            let fact = record(
                "reacted",
                message.mid,
                revision: String(now),
                actor: actor,
                ["reaction", "webhook"],
                text: emoji
            )
            let value: GraphValue = [
                "mid": .string(message.mid), "action": "react", "reaction": .string(name), "emoji": .string(emoji),
            ]
            tell(fact, product, message.person, isOurs: false, "reaction", value)
        }
    }

    /// They have seen what the account said: by message on Instagram, up to a moment on Messenger.
    private mutating func read(_ index: Int, _ product: MetaProduct) {
        guard let message = messages[product]?[index] else { return }
        let fact = record(
            "read",
            message.mid,
            revision: String(now),
            actor: id(of: message.person, product),
            ["seen", "webhook"]
        )
        let value: GraphValue =
            product == .instagram ? ["mid": .string(message.mid)] : ["watermark": .integer(message.at)]
        tell(fact, product, message.person, isOurs: false, "read", value)
    }
}
