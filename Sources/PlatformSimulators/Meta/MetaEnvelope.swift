// How webhooks are wrapped: `{object, entry: [...]}`, alone or in an array.

/// Several notices in one body, gathered as the platforms gather them.
struct MetaEnvelope {
    private enum Change {
        case plain(field: String, value: GraphValue)
        case parts(field: String, contacts: [GraphValue], lists: [(name: String, items: [GraphValue])])
    }

    private struct Entry {
        var id: String
        var at: Int64
        var changes: [Change] = []
        var messaging: [GraphValue] = []
        var flat: (field: String, value: GraphValue)?

        /// Whether it is of WhatsApp's messages, whose entries tell no time.
        var isOfParts: Bool { if case .parts? = changes.first { true } else { false } }
    }

    private let product: MetaProduct
    private let isFlat: Bool
    private let isStrange: Bool
    private var entries: [Entry] = []

    /// An envelope.
    ///
    /// - Parameters:
    ///   - product: what it is about.
    ///   - login: how an Instagram account was connected.
    ///   - isStrange: whether fields are added that no documentation knows.
    init(_ product: MetaProduct, _ login: InstagramLogin, isStrange: Bool = false) {
        self.product = product
        self.isStrange = isStrange
        isFlat = product == .instagram && login == .instagram
    }

    /// Adds a notice: beside the one before where that is possible and the dice like it, else in an entry of its own.
    mutating func add(_ news: MetaNews, _ dice: inout Dice) {
        let last = entries.indices.last.flatMap { entries[$0].id == news.entry && entries[$0].flat == nil ? $0 : nil }
        switch news.shape {
        case .change(let field, let value):
            if isFlat {
                entries.append(Entry(id: news.entry, at: news.at, flat: (field, value)))
            } else if let last, !entries[last].isOfParts, entries[last].at / 1000 == news.at / 1000, dice.oneIn(2) {
                // The entry's time is that of all of its changes.
                entries[last].changes.append(.plain(field: field, value: value))
            } else {
                entries.append(Entry(id: news.entry, at: news.at, changes: [.plain(field: field, value: value)]))
            }
        case .messaging(let item):
            // Now and then beside changes, in the same entry.
            if let last, !entries[last].messaging.isEmpty || dice.oneIn(4), dice.oneIn(2) {
                entries[last].messaging.append(item)
            } else {
                entries.append(Entry(id: news.entry, at: news.at, messaging: [item]))
            }
        case .part(let field, let list, let item, let contact):
            guard let last, entries[last].isOfParts else {
                let change = Change.parts(field: field, contacts: [contact], lists: [(list, [item])])
                entries.append(Entry(id: news.entry, at: news.at, changes: [change]))
                return
            }
            if dice.oneIn(2), let index = entries[last].changes.indices.last,
                case .parts(field, var contacts, var lists) = entries[last].changes[index]
            {
                if !contacts.contains(contact) { contacts.append(contact) }
                if let position = lists.firstIndex(where: { $0.name == list }) {
                    lists[position].items.append(item)
                } else {
                    lists.append((list, [item]))
                }
                entries[last].changes[index] = .parts(field: field, contacts: contacts, lists: lists)
            } else {
                entries[last].changes.append(.parts(field: field, contacts: [contact], lists: [(list, [item])]))
            }
        }
    }

    /// The whole, in an array where `isArray`.
    func value(isArray: Bool) -> GraphValue {
        let root: GraphValue = [
            "object": .string(product.object), "entry": .array(entries.map(entry)),
            "simulated_novelty": isStrange ? ["tide": "high"] : .absent,
        ]
        return isArray ? [root] : root
    }

    private func entry(_ entry: Entry) -> GraphValue {
        // Seconds for changes, milliseconds where there are messages.
        let time = entry.messaging.isEmpty ? entry.at / 1000 : entry.at
        return [
            "id": .string(entry.id), "time": entry.isOfParts ? .absent : .integer(time),
            "changes": entry.changes.isEmpty ? .absent : .array(entry.changes.map(change)),
            "messaging": entry.messaging.isEmpty ? .absent : .array(entry.messaging.map(strange)),
            "field": .optional(entry.flat?.field), "value": entry.flat.map { strange($0.value) } ?? .absent,
        ]
    }

    private func change(_ change: Change) -> GraphValue {
        switch change {
        case .plain(let field, let value): return ["value": strange(value), "field": .string(field)]
        case .parts(let field, let contacts, let lists):
            var value: GraphValue = [
                "messaging_product": "whatsapp",
                "metadata": [
                    "display_phone_number": .string(MetaAccount.number), "phone_number_id": .string(MetaAccount.phone),
                ],
                "contacts": .array(contacts),
            ]
            for list in lists { value = value.adding(list.name, .array(list.items.map(strange))) }
            return ["value": value, "field": .string(field)]
        }
    }

    private func strange(_ value: GraphValue) -> GraphValue {
        isStrange ? value.adding("simulated_novelty", [1, "two", ["three": 3]]) : value
    }

    // MARK: - What is not from the world

    /// What the dashboard sends when somebody presses *Test*.
    static func test(_ product: MetaProduct, at now: Int64) -> GraphValue {
        let change: GraphValue
        switch product {
        case .instagram:
            let value: GraphValue = [
                "from": ["id": "232323232", "username": "test"],
                "media": ["id": "123123123", "media_product_type": "FEED"],
                "id": "17865799348089039", "text": "This is an example.",
            ]
            change = ["field": "comments", "value": value]
        case .whatsapp:
            let message: GraphValue = [
                "from": "16315551181", "id": "ABGGFlA5Fpa", "timestamp": "1504902988", "type": "text",
                "text": ["body": "this is a text message"],
            ]
            let value: GraphValue = [
                "messaging_product": "whatsapp",
                "metadata": ["display_phone_number": "16505551111", "phone_number_id": "123456123"],
                "contacts": [["profile": ["name": "test user name"], "wa_id": "16315551181"]], "messages": [message],
            ]
            change = ["field": "messages", "value": value]
        case .facebook:
            let value: GraphValue = [
                "item": "status", "post_id": "44444444_444444444", "verb": "add", "published": 1,
                "created_time": 1_527_459_824, "message": "Example post content.",
                "from": ["name": "Test Page", "id": "1067280970047460"],
            ]
            change = ["field": "feed", "value": value]
        }
        return [
            "entry": [["id": "0", "time": .integer(now / 1000), "changes": [change]]],
            "object": .string(product.object),
        ]
    }
}
