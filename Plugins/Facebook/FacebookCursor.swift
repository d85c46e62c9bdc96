package import ConnectorKit
import JSON
package import SocialEvents

/// Where a source stopped reading a Page: a low-water mark, the walk it is in, and the posts whose comments it asks for.
///
/// Lists begin with the newest. A walk therefore keeps the newest moment of its first page, which becomes the mark once the last page is read.
package struct FacebookCursor: Sendable, Hashable {
    /// Pages that are still to come.
    package struct Walk: Sendable, Hashable {
        /// The next page; `nil` for the first.
        package var place: String?
        /// The newest moment that the walk has read.
        package var top: Timestamp?
        /// How far back it goes.
        package var since: Timestamp
    }

    /// A post whose comments are asked for.
    package struct Post: Sendable, Hashable {
        /// Its native id.
        package var id: String
        /// When it was made.
        package var created: Timestamp
        /// The newest comment up to which all were read.
        package var seen: Timestamp?
        /// The comments of that very second, which others may share.
        package var seenIDs: [String] = []
        /// The next page of comments, while there are more.
        package var place: String?
        /// The newest comment of the pages being read.
        package var top: Timestamp?
        /// The comments of that very second.
        package var topIDs: [String] = []

        /// Ids of one second that are kept, at most.
        private static let mostIDs = 50

        /// Whether a comment was read before.
        func knows(_ id: String, _ time: Timestamp) -> Bool {
            guard let seen else { return false }
            return time < seen || time == seen && seenIDs.contains(id)
        }

        /// Takes up a comment that was read.
        mutating func take(_ id: String, _ time: Timestamp) {
            if let top, time < top { return }
            if top != time { topIDs = [] }
            top = time
            if topIDs.count < Self.mostIDs, !topIDs.contains(id) { topIDs.append(id) }
        }

        /// Ends a walk through the comments: all up to the newest are read.
        mutating func end() {
            place = nil
            guard let top else { return }
            if top == seen {
                seenIDs = Array((seenIDs + topIDs.filter { !seenIDs.contains($0) }).suffix(Self.mostIDs))
            } else if seen.map({ $0 < top }) ?? true {
                seen = top
                seenIDs = topIDs
            }
            forgetWalk()
        }

        /// Begins anew with the newest comment.
        mutating func forgetWalk() {
            place = nil
            top = nil
            topIDs = []
        }
    }

    /// Posts whose comments are asked for, at most: each counts as a call.
    package static let mostPosts = 20

    /// What is read, by ``FacebookConfiguration/scope``.
    package var scope: String
    /// The moment up to which every post was read.
    package var mark: Timestamp?
    /// The walk through the posts that is not finished.
    package var walk: Walk?
    /// The newest posts.
    package var posts: [Post] = []
    /// Whether comments are asked for next.
    package var isAtComments = false
    /// How often in a row a walk had to begin anew because the platform forgot its place.
    package var restarts = 0

    /// Nothing was read yet.
    package init(scope: String) { self.scope = scope }

    /// Reads a cursor; `nil` is the beginning, and so is a cursor of something else than what is read now.
    ///
    /// - Throws: ``ConnectorError`` `rejected` for one that a newer connector wrote, or that is none.
    package init(_ cursor: Cursor?, scope: String) throws {
        self.scope = scope
        guard let cursor else { return }
        try cursor.json { json in
            guard try json.requiredString("scope") == scope else { return }
            mark = try Self.time(json, "mark")
            isAtComments = try json.optionalBool("comments") ?? false
            restarts = max(0, try json.optionalInt("restarts") ?? 0)
            if let value = try json.optionalObject("walk") {
                let since = Timestamp(milliseconds: Int64(try value.requiredInt("since")))
                walk = Walk(place: try value.optionalString("place"), top: try Self.time(value, "top"), since: since)
            }
            guard let list = try json.optionalArray("posts") else { return }
            for value in list.prefix(Self.mostPosts) {
                let created = Timestamp(milliseconds: Int64(try value.requiredInt("created")))
                var post = Post(id: try value.requiredString("id"), created: created)
                post.seen = try Self.time(value, "seen")
                post.place = try value.optionalString("place")
                post.top = try Self.time(value, "top")
                post.seenIDs = try Self.texts(value, "seen_ids")
                post.topIDs = try Self.texts(value, "top_ids")
                posts.append(post)
            }
        }
    }

    private static func time(_ json: JSONValue, _ name: StaticString) throws(JSONError) -> Timestamp? {
        try json.optionalInt(name).map { Timestamp(milliseconds: Int64($0)) }
    }

    private static func texts(_ json: JSONValue, _ name: StaticString) throws(JSONError) -> [String] {
        var texts: [String] = []
        guard let list = try json.optionalArray(name) else { return [] }
        for value in list.prefix(100) { texts.append(try value.expectString()) }
        return texts
    }

    /// The cursor as the hub keeps it.
    package func encoded() -> Cursor {
        Cursor.json { writer in
            writer.member("scope", scope)
            writer.member("mark", mark?.milliseconds)
            if isAtComments { writer.member("comments", true) }
            if restarts > 0 { writer.member("restarts", restarts) }
            if let walk {
                writer.key("walk")
                writer.beginObject()
                writer.member("place", walk.place)
                writer.member("top", walk.top?.milliseconds)
                writer.member("since", walk.since.milliseconds)
                writer.endObject()
            }
            writer.key("posts")
            writer.beginArray()
            for post in posts {
                writer.beginObject()
                writer.member("id", post.id)
                writer.member("created", post.created.milliseconds)
                writer.member("seen", post.seen?.milliseconds)
                writer.member("place", post.place)
                writer.member("top", post.top?.milliseconds)
                Self.write("seen_ids", post.seenIDs, &writer)
                Self.write("top_ids", post.topIDs, &writer)
                writer.endObject()
            }
            writer.endArray()
        }
    }

    private static func write(_ name: StaticString, _ texts: [String], _ writer: inout JSONWriter) {
        guard !texts.isEmpty else { return }
        writer.key(name)
        writer.beginArray()
        for text in texts { writer.string(text) }
        writer.endArray()
    }

    /// Takes up a post of the feed; the newest are kept.
    package mutating func know(_ id: String, created: Timestamp) {
        guard id.utf8.count <= 100, !posts.contains(where: { $0.id == id }) else { return }
        let place = posts.firstIndex { $0.created < created } ?? posts.endIndex
        posts.insert(Post(id: id, created: created), at: place)
        if posts.count > Self.mostPosts { posts.removeLast() }
    }
}
