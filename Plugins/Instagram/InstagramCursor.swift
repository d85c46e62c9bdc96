package import ConnectorKit
import JSON
import SocialEvents

/// Where a source stopped reading: what it remembers of each of its lists.
package struct InstagramCursor: Sendable, Hashable {
    /// What is read, by ``InstagramConfiguration/scope``.
    package var scope: String
    /// The id of the account that a token of Instagram Login stands for, once it was looked up.
    var user: String?
    /// The lists: one, or one for each hashtag, or one for each media whose comments are watched.
    var lists: [InstagramList] = []
    /// Which list is being read.
    var turn = 0
    /// For `comments`: the round over the media.
    var round: InstagramList.Round?
    /// For `comments`: whether every media of the round was listed.
    var isListed = false
    /// For `comments`: up to where what webhooks told was taken in.
    var heard: String?
    /// Mentions that were read, to be taken off the account's list now that this cursor is durable.
    var done: [String] = []

    /// More is not remembered: about 10,000 comments, well below a cursor's greatest size.
    private static let mostBytes = 600_000

    /// Nothing was read yet.
    package init(scope: String) {
        self.scope = scope
    }

    /// Reads a cursor; `nil` is the beginning, and so is a cursor of something else than what is read now.
    ///
    /// - Throws: ``ConnectorError`` `rejected` for one that a newer connector wrote, or that is none.
    package init(_ cursor: Cursor?, scope: String) throws {
        self.scope = scope
        guard let cursor else { return }
        let read = try cursor.json { json in
            var read = InstagramCursor(scope: try json.optionalString("scope") ?? "")
            read.user = try json.optionalString("user")
            read.turn = max(0, try json.optionalInt("turn") ?? 0)
            read.heard = try json.optionalString("heard")
            read.isListed = try json.optionalBool("listed") ?? false
            if let round = try json.optionalObject("round") {
                read.round = InstagramList.Round(begun: Timestamp(milliseconds: Int64(try round.requiredInt("begun"))))
                read.round?.after = try round.optionalString("after")
                read.round?.pages = try round.optionalInt("pages") ?? 0
                read.round?.restarts = try round.optionalInt("restarts") ?? 0
            }
            if let done = try json.optionalArray("done") {
                for key in done { read.done.append(try key.expectString()) }
            }
            for list in try json.requiredArray("lists") { read.lists.append(try InstagramList(list.expectObject())) }
            return read
        }
        if read.scope == scope { self = read }
    }

    /// The cursor as the hub keeps it.
    package func encoded() -> Cursor {
        Cursor.json { writer in
            writer.member("scope", scope)
            writer.member("user", user)
            if turn > 0 { writer.member("turn", turn) }
            writer.member("heard", heard)
            if isListed { writer.member("listed", true) }
            if let round {
                writer.key("round")
                writer.beginObject()
                writer.member("begun", round.begun.milliseconds)
                writer.member("after", round.after)
                writer.member("pages", round.pages)
                if round.restarts > 0 { writer.member("restarts", round.restarts) }
                writer.endObject()
            }
            if !done.isEmpty {
                writer.key("done")
                writer.beginArray()
                for key in done { writer.string(key) }
                writer.endArray()
            }
            writer.key("lists")
            writer.beginArray()
            for list in lists { list.write(into: &writer) }
            writer.endArray()
        }
    }

    /// Keeps the cursor within its bounds: of the longest lists the oldest elements are forgotten.
    mutating func bound() {
        func size(_ list: InstagramList) -> Int { list.items.reduce(0) { $0 + $1.id.utf8.count + 40 } }
        var sizes = lists.map(size)
        while sizes.reduce(0, +) > Self.mostBytes, let index = sizes.indices.max(by: { sizes[$0] < sizes[$1] }) {
            lists[index].trim(to: lists[index].items.count / 2)
            sizes[index] = size(lists[index])
        }
    }
}
