// Life of a number on WhatsApp's Business Cloud API: what people write to it. What it sends is in MetaWorld+Broadcasts.

extension MetaWorld {
    /// Somebody the number talks with.
    struct Chat {
        var person: Int
        /// The number they have now; changes now and then.
        var number: String
        /// The id that WhatsApp gives them for this business.
        var userID: String
        /// Whether they have a user name and do not show their number.
        var isNumberHidden: Bool
        /// What they wrote, newest last; the last twenty.
        var received: [Received] = []
        /// Whether they want no marketing.
        var isStopped = false

        /// The id by which they are called.
        var id: String { isNumberHidden ? userID : number }
    }

    /// A message of theirs.
    struct Received {
        var id: String
        var type: String
        var text: String
        var at: Int64
        var edits = 0
    }

    mutating func settleWhatsApp() {
        chats = people.indices.map { index in
            Chat(
                person: index,
                number: String(15_550_101_000 + index),
                userID: "US.134912086553027\(41_000 + index)",
                isNumberHidden: index % 7 == 3
            )
        }
        templates = Template.initial
    }

    mutating func liveOnWhatsApp() {
        switch dice.roll(100) {
        case 0..<3: broadcast()
        case 3..<6: liveOfTemplates()
        case 6: accountChanges()
        case 7: changeNumber()
        case 8..<11: changePreferences()
        case 11..<17: echo()
        case 17..<22: editReceived()
        case 22..<25: revokeReceived()
        case 25..<33: reactOnWhatsApp()
        default: receive()
        }
    }

    // MARK: - Parts of webhooks

    func contact(_ chat: Int) -> GraphValue {
        let chat = chats[chat]
        let person = people[chat.person]
        return [
            "profile": [
                "name": .string(person.name),
                "username": chat.isNumberHidden ? .string(person.handle) : .absent,
            ],
            "wa_id": chat.isNumberHidden ? .absent : .string(chat.number), "user_id": .string(chat.userID),
        ]
    }

    /// What every message of theirs begins with.
    private func head(_ chat: Int, _ id: String) -> [GraphValue.Member] {
        let from: GraphValue = chats[chat].isNumberHidden ? .absent : .string(chats[chat].number)
        return [
            .init(name: "from", value: from), .init(name: "from_user_id", value: .string(chats[chat].userID)),
            .init(name: "id", value: .string(id)), .init(name: "timestamp", value: "\(now / 1000)"),
        ]
    }

    private mutating func tell(_ fact: Ledger.Entry, _ chat: Int, _ message: GraphValue) {
        let shape = MetaNews.Shape.part(field: "messages", list: "messages", item: message, contact: contact(chat))
        tell(fact, .whatsapp, MetaAccount.whatsapp, shape, after: dice.oneIn(20) ? 3000 : 0)
    }

    mutating func nextWAMID() -> String { "wamid.HBgLMTU1NTAxMDEwMDAVAgASGBQ\(nextSerial())AA==" }

    // MARK: - What people write

    private mutating func receive() {
        let index = dice.roll(chats.count)
        let id = nextWAMID()
        var message = GraphValue.object(head(index, id))
        var text = words().text
        var type = "text"
        let media = nextID(1_200_000_000_000_000)
        func file(_ mime: String) -> GraphValue {
            ["mime_type": .string(mime), "sha256": "U2ltdWxhdGVk\(media)", "id": .string(media)]
        }
        switch dice.roll(24) {
        case 0:
            type = "image"
            message = message.adding("image", file("image/jpeg").adding("caption", .string(text)))
        case 1:
            type = "audio"
            message = message.adding("audio", file("audio/ogg; codecs=opus").adding("voice", true))
            text = ""
        case 2:
            type = "document"
            let value = file("application/pdf").adding("filename", "Fahrplan \(media).pdf")
            message = message.adding("document", value.adding("caption", .string(text)))
        case 3:
            type = "sticker"
            message = message.adding("sticker", file("image/webp").adding("animated", false))
            text = ""
        case 4:
            type = "location"
            let value: GraphValue = [
                "latitude": .decimal(54.3), "longitude": .decimal(10.25), "name": "The Harbour Café",
                "address": "Quay 1",
            ]
            message = message.adding("location", value)
            text = ""
        case 5:
            type = "contacts"
            let person = people[dice.roll(people.count)]
            let name: GraphValue = ["formatted_name": .string(person.name), "first_name": .string(person.name)]
            let value: GraphValue = [["name": name, "phones": [["phone": "+1 555-010-1000", "type": "CELL"]]]]
            message = message.adding("contacts", value)
            text = ""
        case 6:
            type = "unsupported"
            let error: GraphValue = [
                "code": 131_051, "title": "Message type unknown", "message": "Message type unknown",
                "error_data": ["details": "Message type is currently not supported."],
            ]
            message = message.adding("errors", [error])
            text = ""
        case 7...11:
            // An answer to what the number sent, if it sent them something.
            message = message.adding("text", ["body": .string(text)])
            if let sending = recent(sendings, { $0.chat == index }) {
                let context: GraphValue = [
                    "from": .string(MetaAccount.number), "id": .string(sendings[sending].id),
                ]
                message = message.adding("context", context)
            }
        case 12:
            guard let sending = recent(sendings, { $0.chat == index && $0.template != nil }) else { fallthrough }
            type = "button"
            text = "Tell me more"
            let context: GraphValue = ["from": .string(MetaAccount.number), "id": .string(sendings[sending].id)]
            message = message.adding("context", context)
            message = message.adding("button", ["payload": "MORE", "text": .string(text)])
        default:
            message = message.adding("text", ["body": .string(text)])
        }
        message = message.adding("type", .string(type))
        remember(Received(id: id, type: type, text: text, at: now), index)
        let fact = record("created", id, actor: chats[index].id, ["message", "webhook"], text: text)
        tell(fact, index, message)
    }

    private mutating func remember(_ received: Received, _ chat: Int) {
        chats[chat].received.append(received)
        if chats[chat].received.count > 20 { chats[chat].received.removeFirst() }
    }

    private mutating func someReceived() -> (chat: Int, message: Int)? {
        let found = chats.indices.filter { !chats[$0].received.isEmpty }
        guard !found.isEmpty else { return nil }
        let chat = dice.pick(found)
        return (chat, dice.roll(chats[chat].received.count))
    }

    private mutating func editReceived() {
        guard let (chat, index) = someReceived(), chats[chat].received[index].type == "text" else { return }
        chats[chat].received[index].edits += 1
        let original = chats[chat].received[index]
        let text = "\(original.text) [edit \(original.edits)]"
        let id = nextWAMID()
        let fact = record(
            "updated",
            original.id,
            revision: id,
            actor: chats[chat].id,
            ["message", "webhook"],
            text: text
        )
        let edit: GraphValue = [
            "original_message_id": .string(original.id),
            "message": ["type": "text", "text": ["body": .string(text)]],
        ]
        tell(fact, chat, GraphValue.object(head(chat, id)).adding("type", "edit").adding("edit", edit))
    }

    private mutating func revokeReceived() {
        guard let (chat, index) = someReceived() else { return }
        let original = chats[chat].received.remove(at: index)
        let fact = record("deleted", original.id, actor: chats[chat].id, ["message", "webhook"])
        let revoke: GraphValue = ["original_message_id": .string(original.id)]
        let message = GraphValue.object(head(chat, nextWAMID()))
        tell(fact, chat, message.adding("type", "revoke").adding("revoke", revoke))
    }

    private mutating func reactOnWhatsApp() {
        guard let index = recent(sendings, { !$0.isFailed }) else { return }
        let sending = sendings[index]
        let id = nextWAMID()
        let emoji = sending.hasReaction ? "" : dice.pick(["👍", "❤️", "😮", "🙏🏽"])
        sendings[index].hasReaction.toggle()
        let fact = record(
            emoji.isEmpty ? "unreacted" : "reacted",
            sending.id,
            revision: id,
            actor: chats[sending.chat].id,
            ["reaction", "webhook"],
            text: emoji
        )
        // Taken back: an empty emoji, or none.
        let shown: GraphValue = emoji.isEmpty && dice.oneIn(2) ? .absent : .string(emoji)
        let message = GraphValue.object(head(sending.chat, id)).adding("type", "reaction")
        tell(fact, sending.chat, message.adding("reaction", ["message_id": .string(sending.id), "emoji": shown]))
    }

    // MARK: - What else changes

    private mutating func changeNumber() {
        let index = dice.roll(chats.count)
        guard !chats[index].isNumberHidden else { return }
        let old = chats[index].number
        let new = String((Int64(old) ?? 15_550_101_000) + 1000)
        let id = nextWAMID()
        let fact = record("moved", id, actor: old, ["profile", "webhook"], text: new)
        let system: GraphValue = [
            "body": .string("\(people[chats[index].person].name) changed from \(old) to \(new)"), "wa_id": .string(new),
            "type": "user_changed_number",
        ]
        let message = GraphValue.object(head(index, id)).adding("type", "system").adding("system", system)
        tell(fact, index, message)
        chats[index].number = new
    }

    private mutating func changePreferences() {
        let index = dice.roll(chats.count)
        let isStopped = !chats[index].isStopped
        chats[index].isStopped = isStopped
        let value = isStopped ? "stop" : "resume"
        let fact = record(
            isStopped ? "unfollowed" : "followed",
            chats[index].id,
            revision: String(now / 1000),
            actor: chats[index].id,
            ["preference", "webhook"]
        )
        let item: GraphValue = [
            "wa_id": chats[index].isNumberHidden ? .absent : .string(chats[index].number),
            "user_id": .string(chats[index].userID), "detail": "User requested to \(value) marketing messages",
            "category": "marketing_messages", "value": .string(value), "timestamp": .integer(now / 1000),
        ]
        let shape = MetaNews.Shape.part(
            field: "user_preferences",
            list: "user_preferences",
            item: item,
            contact: contact(index)
        )
        tell(fact, .whatsapp, MetaAccount.whatsapp, shape)
    }

    /// The business writes from the app on its phone.
    private mutating func echo() {
        let index = dice.roll(chats.count)
        let id = nextWAMID()
        let text = words().text
        let fact = record("created", id, actor: MetaAccount.number, ["message", "echo", "webhook"], text: text)
        let item: GraphValue = [
            "from": .string(MetaAccount.number),
            "to": chats[index].isNumberHidden ? .absent : .string(chats[index].number),
            "to_user_id": .string(chats[index].userID), "id": .string(id), "timestamp": "\(now / 1000)", "type": "text",
            "text": ["body": .string(text)],
        ]
        let shape = MetaNews.Shape.part(
            field: "smb_message_echoes",
            list: "message_echoes",
            item: item,
            contact: contact(index)
        )
        tell(fact, .whatsapp, MetaAccount.whatsapp, shape)
    }
}
