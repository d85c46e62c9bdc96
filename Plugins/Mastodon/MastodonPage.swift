import ConnectorKit
import JSON
import SocialEvents

/// Turns pages of a list into events and moves the cursor with them.
///
/// Pure: it is given pages and says what came of them.
struct MastodonPage {
    /// How a page answers the request that it answers.
    enum Verdict: Equatable {
        /// It holds what follows the given id.
        case good
        /// It does not begin behind the given id: the server did not understand the id, or does not know `min_id`.
        case foreign
    }

    /// An element with what paging has to know of it.
    struct Element {
        var id: String
        var createdAt: Timestamp?
        var value: JSONValue
    }

    var cursor: MastodonCursor
    private(set) var events: [Event] = []
    private(set) var deadLetters: [DeadLetter] = []
    private let kind: MastodonConfiguration.Kind
    private let normalizer: MastodonNormalizer

    init(_ cursor: MastodonCursor, _ kind: MastodonConfiguration.Kind, _ normalizer: MastodonNormalizer) {
        self.cursor = cursor
        self.kind = kind
        self.normalizer = normalizer
    }

    // MARK: - Looking at a page

    /// The elements of a page, oldest first, without those that have no id: they become dead letters.
    mutating func elements(of root: JSONValue) throws(JSONError) -> [Element] {
        var elements: [Element] = []
        for value in try root.expectArray() {
            if let id = value["id"]?.nativeID {
                elements.append(Element(id: id, createdAt: value["created_at"]?.moment, value: value))
            } else {
                setAside(value, value.mismatch("an object with an id"))
            }
        }
        elements.reverse()
        return elements
    }

    /// Judges a page that was asked for with `min_id`.
    ///
    /// - Parameters:
    ///   - elements: the page, oldest first.
    ///   - start: the item it should begin behind.
    ///   - isFull: whether it has as many elements as were asked for.
    ///   - known: the items behind `start` that were read before and should stand on the page.
    /// - Returns: the verdict.
    static func verdict(
        _ elements: [Element],
        after start: MastodonCursor.Item,
        isFull: Bool,
        known: ArraySlice<MastodonCursor.Item>
    ) -> Verdict {
        for element in elements where element.id != start.id {
            // Both, since ids of some servers do not sort within a second, and posts from elsewhere may arrive late.
            if let createdAt = element.createdAt, createdAt < start.createdAt,
                MastodonCursor.precedes(element.id, start.id)
            {
                return .foreign
            }
        }
        // A server that does not know `min_id` gives the newest page: full, and beyond all that is known.
        let ids = Set(elements.map(\.id))
        if isFull, !known.isEmpty, !known.contains(where: { ids.contains($0.id) }) { return .foreign }
        return .good
    }

    /// The items of the cursor that should stand on the page and do not.
    func missing(from elements: [Element], after start: MastodonCursor.Item, isFull: Bool) -> [MastodonCursor.Item] {
        guard kind != .notifications else { return [] }
        let ids = Set(elements.map(\.id))
        return cursor.items.filter { item in
            guard item.object != nil, !item.isElsewhere, MastodonCursor.precedes(start.id, item.id) else {
                return false
            }
            guard !ids.contains(item.id) else { return false }
            guard isFull, let newest = elements.last else { return !isFull }
            return !MastodonCursor.precedes(newest.id, item.id)
        }
    }

    // MARK: - Reading it

    /// Reads elements, oldest first; what the cursor has seen gives nothing again but its edits.
    mutating func read(_ elements: [Element]) {
        for element in elements {
            do throws(JSONError) {
                if kind == .notifications {
                    try readNotification(element)
                } else {
                    try readStatus(element)
                }
            } catch {
                // Once is enough: it will stand on the next pages too.
                if cursor.item(element.id) == nil { setAside(element.value, error) }
                cursor.note(item(element))
            }
        }
    }

    /// Takes elements into the cursor without telling of them.
    mutating func skip(_ elements: [Element]) {
        for element in elements {
            var untold: [Event] = []
            let reading =
                kind == .notifications ? nil : try? normalizer.status(element.value, on: .appearance, into: &untold)
            cursor.note(reading.map { MastodonCursor.Item($0) } ?? item(element))
        }
    }

    private func item(_ element: Element) -> MastodonCursor.Item {
        MastodonCursor.Item(id: element.id, createdAt: element.createdAt ?? normalizer.now)
    }

    private mutating func readNotification(_ element: Element) throws(JSONError) {
        guard cursor.item(element.id) == nil else { return }
        try normalizer.notification(element.value, into: &events)
        cursor.note(item(element))
    }

    private mutating func readStatus(_ element: Element) throws(JSONError) {
        let known = cursor.item(element.id).flatMap { $0.object == nil ? nil : $0 }
        if let known {
            let editedAt = element.value["edited_at"]?.moment
            // Most of what is looked at again is as it was.
            guard known.isElsewhere || editedAt.map(MastodonNormalizer.revision) ?? 0 > known.revision else { return }
        }
        let count = events.count
        let reading = try normalizer.status(element.value, on: .appearance, into: &events)
        if let known {
            // Its making was told before; of its editing only what is new.
            events.remove(at: count)
            if known.revision >= reading.revision { events.removeLast(events.count - count) }
        }
        cursor.note(MastodonCursor.Item(reading))
    }

    private mutating func setAside(_ value: JSONValue, _ error: JSONError) {
        deadLetters.append(
            DeadLetter(
                reason: "an element of the page: \(error.description)",
                contentType: "application/json",
                payload: MastodonNormalizer.bytes(of: value)
            )
        )
    }

    // MARK: - Deletions

    /// Tells of an item that is gone from the server.
    mutating func withdraw(_ item: MastodonCursor.Item) {
        guard let object = item.object else { return }
        events.append(normalizer.deletion(of: object, item.form))
        cursor.forget(item.id)
    }

    /// Remembers that an item is missing here and is there all the same.
    mutating func keep(_ item: MastodonCursor.Item) {
        var item = item
        item.isElsewhere = true
        cursor.note(item)
    }
}

extension MastodonCursor.Item {
    /// What was read of a status.
    init(_ reading: MastodonNormalizer.Reading) {
        self.init(
            id: reading.id,
            object: reading.object,
            form: reading.form,
            revision: reading.revision,
            createdAt: reading.createdAt
        )
    }
}
