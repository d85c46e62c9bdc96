import JSON
import SocialEvents

/// What a source remembers of one list that begins with its newest element: what it has told, so that it sees what is new, edited or gone.
///
/// A round reads pages from the newest down to what a complete round had told before. What an unfinished round told does not end the next one, so that
/// nothing between is lost.
package struct InstagramList: Sendable, Hashable {
    /// What is known of an element.
    struct Marks: OptionSet, Sendable, Hashable {
        let rawValue: Int
        /// Told in a round that is not complete.
        static let fresh = Marks(rawValue: 1)
        /// Seen in this round.
        static let seen = Marks(rawValue: 2)
        /// Missing from the list, and there all the same.
        static let elsewhere = Marks(rawValue: 4)
        /// Its counts at its end were told.
        static let counted = Marks(rawValue: 8)
        /// An answer to a comment, which stands with it and not by its time.
        static let isReply = Marks(rawValue: 16)
        /// Told by a webhook, and not seen in the list yet.
        static let heard = Marks(rawValue: 32)
    }

    struct Item: Sendable, Hashable {
        var id: String
        /// Of its words.
        var digest: Int
        /// Edits seen.
        var revision = 0
        /// Seconds since 1970.
        var time: Int64
        var marks: Marks
    }

    /// The pages of one round that are still to come.
    struct Round: Sendable, Hashable {
        var begun: Timestamp
        /// Where the next page begins; such cursors are good for the round alone.
        var after: String?
        var pages = 0
        /// The time of the oldest element read, in seconds.
        var oldest: Int64?
        /// How often it began anew because the platform had forgotten its place.
        var restarts = 0
        /// Whether its last page was read; what is left is to ask after what was missing.
        var isRead = false
    }

    /// What an element of a page is.
    enum Verdict: Equatable {
        case new
        case edited(revision: Int)
        case known
        /// Known from a round that was not completed.
        case knownSince
        /// From before the source was first started.
        case old
    }

    /// The hashtag, the media whose comments these are, or nothing.
    package var name: String
    /// The platform's id of what is listed, once it was looked up.
    var node: String?
    /// Nothing from before this moment is told.
    var from: Timestamp
    var items: [Item] = []
    /// Ids that should be in the list and are not: asked after one by one.
    var missing: [String] = []
    var round: Round?
    /// The hashtag is left out, because the account has used up its 30.
    var isRefused = false

    /// More are not kept: the oldest give way.
    static let most = 1000
    /// So many missing elements are asked after in one round; the others in the next.
    private static let mostMissing = 50

    init(name: String = "", from: Timestamp) {
        self.name = name
        self.from = from
    }

    /// Takes in an element of a page.
    ///
    /// - Parameters:
    ///   - id: its id.
    ///   - digest: of its words; `nil` where edits cannot be told.
    ///   - time: when it was made, in seconds.
    ///   - isReply: whether it stands with another one.
    /// - Returns: what it is.
    mutating func note(_ id: String, digest: Int?, time: Int64, isReply: Bool = false) -> Verdict {
        if let index = items.firstIndex(where: { $0.id == id }) {
            items[index].marks.insert(.seen)
            items[index].marks.remove(.elsewhere)
            let isHeard = items[index].marks.remove(.heard) != nil
            if let digest, items[index].digest != digest {
                items[index].digest = digest
                items[index].revision += 1
                return .edited(revision: items[index].revision)
            }
            // Told once more, lest it was never stored; the hub knows it by its id.
            if isHeard { return .new }
            return items[index].marks.contains(.fresh) ? .knownSince : .known
        }
        guard time * 1000 >= from.milliseconds else { return .old }
        var marks: Marks = [.fresh, .seen]
        if isReply { marks.insert(.isReply) }
        items.append(Item(id: id, digest: digest ?? 0, time: time, marks: marks))
        return .new
    }

    /// Takes in comments that webhooks told of.
    mutating func hear(_ comments: [InstagramHeard.Comment]) {
        var known = Set(items.map(\.id))
        for comment in comments where known.insert(comment.id).inserted {
            var marks: Marks = [.fresh, .heard]
            if comment.isReply { marks.insert(.isReply) }
            items.append(Item(id: comment.id, digest: comment.digest, time: comment.time, marks: marks))
        }
    }

    /// Begins a round, or begins one anew whose places the platform has forgotten.
    mutating func begin(_ now: Timestamp) {
        for index in items.indices { items[index].marks.remove(.seen) }
        round = Round(begun: now)
    }

    /// Notes how far back a round has come, in seconds.
    mutating func reach(_ time: Int64) {
        let oldest = round?.oldest ?? time
        round?.oldest = min(oldest, time)
    }

    /// Ends the reading of a round's pages.
    ///
    /// - Parameters:
    ///   - isWhole: whether the list was read to its end.
    ///   - after: what is missing and newer is asked after, in seconds; `nil` for nothing.
    mutating func endReading(isWhole: Bool, askingAfter after: Int64?) {
        missing = after.map { Array(unseen(isWhole: isWhole, after: $0).prefix(Self.mostMissing)) } ?? []
        round?.after = nil
        round?.isRead = true
    }

    /// Forgets an element that is gone.
    mutating func forget(_ id: String) { items.removeAll { $0.id == id } }

    /// Changes what is known of an element.
    mutating func mark(_ id: String, _ marks: Marks) {
        guard let index = items.firstIndex(where: { $0.id == id }) else { return }
        items[index].marks.insert(marks)
    }

    /// Finds what a round should have seen and has not.
    ///
    /// - Parameters:
    ///   - isWhole: whether the list was read to its end; otherwise only what is newer than the oldest element read counts.
    ///   - after: what is older leaves the list by itself, in seconds.
    /// - Returns: the ids, the newest first.
    func unseen(isWhole: Bool, after: Int64 = .min) -> [String] {
        items.filter { item in
            guard item.marks.isDisjoint(with: [.seen, .elsewhere]), item.time > after else { return false }
            if isWhole { return true }
            guard let oldest = round?.oldest, !item.marks.contains(.isReply) else { return false }
            return item.time > oldest
        }.sorted { $0.time > $1.time }.map(\.id)
    }

    /// Ends a round: what it told counts from now on.
    mutating func complete(most: Int = InstagramList.most) {
        round = nil
        for index in items.indices { items[index].marks.subtract([.fresh, .seen]) }
        trim(to: most)
    }

    /// Forgets the oldest beyond a number.
    mutating func trim(to most: Int) {
        guard items.count > most else { return }
        items.sort { $0.time < $1.time }
        items.removeFirst(items.count - most)
    }
}

// MARK: - The form in a cursor

extension InstagramList {
    init(_ json: JSONValue) throws(JSONError) {
        name = try json.requiredString("name")
        from = Timestamp(milliseconds: Int64(try json.requiredInt("from")))
        node = try json.optionalString("node")
        isRefused = try json.optionalBool("refused") ?? false
        if let ids = try json.optionalArray("missing") {
            for id in ids { missing.append(try id.expectString()) }
        }
        if let value = try json.optionalObject("round") {
            var round = Round(begun: Timestamp(milliseconds: Int64(try value.requiredInt("begun"))))
            round.after = try value.optionalString("after")
            round.pages = try value.optionalInt("pages") ?? 0
            round.oldest = try value.optionalInt("oldest").map { Int64($0) }
            round.isRead = try value.optionalBool("read") ?? false
            round.restarts = try value.optionalInt("restarts") ?? 0
            self.round = round
        }
        for row in try json.requiredArray("items") {
            var values = try row.expectArray().makeIterator()
            guard let id = values.next(), let digest = values.next(), let revision = values.next(),
                let time = values.next(), let marks = values.next()
            else { throw row.mismatch("five values of an element") }
            items.append(
                Item(
                    id: try id.expectString(),
                    digest: try digest.expectInt(),
                    revision: try revision.expectInt(),
                    time: Int64(try time.expectInt()),
                    marks: Marks(rawValue: try marks.expectInt())
                )
            )
        }
    }

    func write(into writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("name", name)
        writer.member("from", from.milliseconds)
        writer.member("node", node)
        if isRefused { writer.member("refused", true) }
        if !missing.isEmpty {
            writer.key("missing")
            writer.beginArray()
            for id in missing { writer.string(id) }
            writer.endArray()
        }
        if let round {
            writer.key("round")
            writer.beginObject()
            writer.member("begun", round.begun.milliseconds)
            writer.member("after", round.after)
            writer.member("pages", round.pages)
            writer.member("oldest", round.oldest)
            if round.restarts > 0 { writer.member("restarts", round.restarts) }
            if round.isRead { writer.member("read", true) }
            writer.endObject()
        }
        writer.key("items")
        writer.beginArray()
        for item in items {
            writer.beginArray()
            writer.string(item.id)
            writer.integer(item.digest)
            writer.integer(item.revision)
            writer.integer(item.time)
            writer.integer(item.marks.rawValue)
            writer.endArray()
        }
        writer.endArray()
        writer.endObject()
    }
}
