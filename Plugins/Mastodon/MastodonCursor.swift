import ConnectorKit
import JSON
import SocialEvents

/// Where a source stands: the newest things it has read, so that the next pull can begin a little before them.
///
/// Ids are the server's own. They are compared as Mastodon orders them, by length and then by bytes, which also fits the ids of its relatives but for
/// those of snac within one second.
package struct MastodonCursor: Sendable, Equatable {
    /// Something that was read: a status of a timeline, or a notification.
    struct Item: Sendable, Equatable {
        /// The server's id.
        var id: String
        /// The server's id of the status that a notification is about; `nil` for what is itself one.
        var status: String?
        /// The status, or the one that a notification is about; `nil` where there is none.
        var object: ObjectID?
        /// What kind of event it made.
        var form = MastodonForm.post
        /// Seconds since 1970 of its last edit, 0 for none.
        var revision = 0
        /// When it was made.
        var createdAt: Timestamp
        /// Whether it was missed on its page and is there all the same, so that there is no use in looking again.
        var isElsewhere = false
    }

    /// In the order of arrival, newest last.
    private(set) var items: [Item] = []
    /// Up to which id a catch-up has come; `nil` when there is none.
    var paging: String?
    /// The server's id of the account that is read, for `account`.
    var accountID: String?
    /// Who that is in events.
    var person: ObjectID?
    /// Whether it was told that the account is gone.
    var isGone = false
    /// Which list this is a position in: see ``MastodonConfiguration/listed``.
    private(set) var scope: String
    /// Whether nothing was ever read of that list.
    private(set) var isNew = true

    /// More items than this are not kept.
    static let longest = 500
    private static let version = 1

    /// Before the first start in a list.
    package init(scope: String = "") {
        self.scope = scope
    }

    /// Where `cursor` says; before the first start where it speaks of another list.
    init(_ cursor: Cursor?, scope: String) throws {
        self.init(scope: scope)
        guard let cursor else { return }
        let read = try cursor.json(upTo: Self.version) { root in
            var read = MastodonCursor(scope: try root.optionalString("scope") ?? "")
            read.isNew = false
            read.paging = try root.optionalString("paging")
            read.accountID = try root.optionalString("account")
            read.person = try root.optionalString("person").map { ObjectID(text: $0) }
            read.isGone = try root.optionalBool("gone") ?? false
            for row in try root.requiredArray("items") {
                var item = Item(
                    id: try row.requiredString("id"),
                    createdAt: Timestamp(milliseconds: Int64(try row.requiredInt("at")))
                )
                item.status = try row.optionalString("status")
                item.object = try row.optionalString("object").map { ObjectID(text: $0) }
                item.form = try row.optionalString("form").flatMap(MastodonForm.init) ?? .post
                item.revision = try row.optionalInt("revision") ?? 0
                item.isElsewhere = try row.optionalBool("elsewhere") ?? false
                read.items.append(item)
            }
            return read
        }
        if read.scope == scope { self = read }
    }

    /// The cursor for the hub.
    var encoded: Cursor {
        Cursor.json(version: Self.version) { writer in
            writer.member("scope", scope)
            writer.member("paging", paging)
            writer.member("account", accountID)
            writer.member("person", person?.text)
            if isGone { writer.member("gone", true) }
            writer.key("items")
            writer.beginArray()
            for item in items {
                writer.beginObject()
                writer.member("id", item.id)
                writer.member("at", item.createdAt.milliseconds)
                writer.member("status", item.status)
                writer.member("object", item.object?.text)
                if item.form != .post { writer.member("form", item.form.rawValue) }
                if item.revision != 0 { writer.member("revision", item.revision) }
                if item.isElsewhere { writer.member("elsewhere", true) }
                writer.endObject()
            }
            writer.endArray()
        }
    }

    /// Items that every page of a catch-up has in common with the one before: by them a page is known to be the next one.
    static let overlap = 2

    /// Where the next page begins, so that some of what is known stands on it too.
    ///
    /// A catch-up begins behind the `count`-th item from the end and goes on a little before where it had come to.
    func start(rechecking count: Int) -> Item? {
        guard !items.isEmpty else { return nil }
        if let place = paging.flatMap({ index(of: $0) }) { return items[max(0, place - Self.overlap)] }
        return items[max(0, items.count - count - 1)]
    }

    /// The items that came behind one, oldest first.
    func items(behind item: Item) -> ArraySlice<Item> {
        index(of: item.id).map { items[($0 + 1)...] } ?? []
    }

    /// The item of an id.
    func item(_ id: String) -> Item? {
        index(of: id).map { items[$0] }
    }

    /// Takes an item in, or what has changed of it.
    mutating func note(_ item: Item) {
        if let index = index(of: item.id) {
            items[index] = item
        } else {
            items.append(item)
            // Not one by one: the array moves each time.
            if items.count > Self.longest + 64 { items.removeFirst(items.count - Self.longest) }
        }
    }

    /// Forgets an item that is gone.
    mutating func forget(_ id: String) {
        if let index = index(of: id) { items.remove(at: index) }
    }

    /// Adds items that are not in it.
    mutating func append(_ new: [Item]) {
        items += new
        if items.count > Self.longest { items.removeFirst(items.count - Self.longest) }
    }

    /// Forgets the status that notifications are about, which is gone, but not that they were read.
    mutating func forgetStatus(_ id: String) {
        for index in items.indices where items[index].status == id {
            items[index].status = nil
            items[index].object = nil
        }
    }

    /// The person is gone and everything of theirs: nothing is known but that.
    mutating func bury() {
        var grave = MastodonCursor(scope: scope)
        grave.person = person
        grave.isGone = true
        self = grave
    }

    /// Looked for from the end: what is asked for is nearly always new.
    private func index(of id: String) -> Int? {
        items.lastIndex { $0.id == id }
    }

    /// Whether one id comes before another in a server's order.
    static func precedes(_ a: String, _ b: String) -> Bool {
        let (left, right) = (a.utf8, b.utf8)
        return left.count != right.count ? left.count < right.count : left.lexicographicallyPrecedes(right)
    }
}

/// What a status is told as.
package enum MastodonForm: String, Sendable, Hashable {
    /// An utterance in the open.
    case post
    /// A boost.
    case repost
    /// An utterance to chosen people.
    case message

    /// The type of the event of its withdrawal.
    var deleted: EventType {
        switch self {
        case .post: .postDeleted
        case .repost: .repostDeleted
        case .message: .messageDeleted
        }
    }
}
