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
    ///   - known: the items behind `start` that were read before, some of which should stand on the page.
    /// - Returns: the verdict.
    static func verdict(
        _ elements: [Element],
        after start: MastodonCursor.Item,
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
        // A server that does not know `min_id` gives the newest page, beyond all that is known. So does one where all that should stand here was withdrawn;
        // then the newest pages show the same.
        let expected = known.filter { !$0.isElsewhere }
        guard !elements.isEmpty, !expected.isEmpty else { return .good }
        let ids = Set(elements.map(\.id))
        return expected.contains { ids.contains($0.id) } ? .good : .foreign
    }

    /// The items of the cursor that should stand on the page and do not.
    ///
    /// - Parameters:
    ///   - elements: the page, oldest first.
    ///   - start: the item it begins behind.
    ///   - isLast: whether nothing comes behind the page, so that whatever is not on it is nowhere.
    /// - Returns: the items.
    func missing(from elements: [Element], after start: MastodonCursor.Item, isLast: Bool) -> [MastodonCursor.Item] {
        guard kind != .notifications else { return [] }
        let ids = Set(elements.map(\.id))
        return cursor.items.filter { item in
            guard item.object != nil, !item.isElsewhere, MastodonCursor.precedes(start.id, item.id) else {
                return false
            }
            guard !ids.contains(item.id) else { return false }
            guard !isLast, let newest = elements.last else { return isLast }
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
            let read =
                kind == .notifications
                ? (try? normalizer.notification(element.value, into: &untold)).map { MastodonCursor.Item($0) }
                : (try? normalizer.status(element.value, on: .appearance, into: &untold)).map {
                    MastodonCursor.Item($0)
                }
            cursor.note(read ?? item(element))
        }
    }

    private func item(_ element: Element) -> MastodonCursor.Item {
        MastodonCursor.Item(id: element.id, createdAt: element.createdAt ?? normalizer.now)
    }

    private mutating func readNotification(_ element: Element) throws(JSONError) {
        guard cursor.item(element.id) == nil else { return }
        cursor.note(MastodonCursor.Item(try normalizer.notification(element.value, into: &events)))
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

    /// Tells of a status that is gone, of which notifications were told.
    mutating func withdraw(_ status: MastodonNotified.Status) {
        events.append(normalizer.deletion(of: status.object, status.form))
        cursor.forgetStatus(status.id)
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

extension MastodonCursor.Item {
    /// What was read of a notification.
    init(_ reading: MastodonNormalizer.NotificationReading) {
        self.init(id: reading.id, createdAt: reading.createdAt)
        guard let status = reading.status else { return }
        self.status = status.id
        object = status.object
        form = status.form
    }
}
