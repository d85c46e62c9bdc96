package import ConnectorKit
import JSON
import SocialEvents

/// Where a source that is pulled stands.
///
/// The servers give the newest first and know no "since" for most methods: a pass walks from the newest page back to what was read before, and only
/// at its end the watermark moves, to the newest entry of its first page. What lies within the overlap is known by digests, so that it is told once.
package struct BlueskyCursor: Sendable, Hashable {
    /// An event that was told and may be met again.
    struct Seen: Sendable, Hashable {
        var digest: UInt64
        var time: Timestamp
    }

    /// A walk that is not at its end yet.
    struct Pass: Sendable, Hashable {
        /// The server's cursor for the next page; nil for the first page, or the first one before `until`.
        var page: String?
        /// The time before which the next page lies, where a search has to be begun anew from there.
        var until: Timestamp?
        /// The newest entry of the first page.
        var top: Timestamp?
        /// How far back the walk goes; nil for feeds that are in no order.
        var floor: Timestamp?
        /// The oldest entry met.
        var oldest: Timestamp?
        /// How many pages and entries were read, since the search began anew.
        var pages = 0
        var entries = 0
        /// Whether entries that are new came with the last page.
        var hadNews = true
        /// What the last page told beyond the overlap: pages shift while they are read.
        var recent: [UInt64] = []
    }

    /// A post that is asked after.
    struct Watched: Sendable, Hashable {
        var post: String
        var counts: UInt64
        /// How often in a row it was not shown.
        var misses = 0
    }

    /// Which list this is a place in; ``BlueskyConfiguration/scope``.
    var scope: String?
    /// The earliest time that is ever told: the source began there.
    var earliest: Timestamp?
    /// The newest entry of the last whole pass.
    var watermark: Timestamp?
    var seen: [Seen] = []
    var pass: Pass?
    /// Newest last.
    var watched: [Watched] = []
    /// When the posts were last asked after, and which of them comes next while that goes on.
    var checkedAt: Timestamp?
    var nextCheck: Int?
    /// The server refuses cursors without credentials: searches are begun anew instead.
    var refusesPages = false
    /// How often in a row a pass had to begin anew because the server no longer took its own cursor.
    var restarts = 0
    /// Whose posts were read, by DID, for sources that read an account.
    var person: String?
    /// Since when the server has known no such account, and whether it was told that it is gone.
    var missingSince: Timestamp?
    var isGone = false

    /// Most digests kept; beyond it the log drops what comes twice.
    static let mostSeen = 2000

    /// A source that has read nothing yet.
    package init() {}

    /// Reads what the host kept, if it is a place in the list that the configuration names; else nothing was read yet.
    init(_ cursor: Cursor?, _ configuration: BlueskyConfiguration) throws {
        try self.init(cursor)
        if let scope, scope != configuration.scope { self = BlueskyCursor() }
        scope = configuration.scope
    }

    /// Reads what the host kept.
    package init(_ cursor: Cursor?) throws {
        guard let cursor else { return }
        self = try cursor.json { root in
            var result = BlueskyCursor()
            func moment(_ key: StaticString) throws -> Timestamp? {
                try root.optionalInt(key).map { Timestamp(milliseconds: Int64($0)) }
            }
            result.scope = try root.optionalString("scope")
            result.earliest = try moment("earliest")
            result.watermark = try moment("watermark")
            result.seen = Self.seen(root["seen"])
            result.restarts = try root.optionalInt("restarts") ?? 0
            result.person = try root.optionalString("person")
            result.missingSince = try moment("missing_since")
            result.isGone = try root.optionalBool("gone") ?? false
            result.refusesPages = try root.optionalBool("refuses_pages") ?? false
            result.checkedAt = try moment("checked_at")
            result.nextCheck = try root.optionalInt("next_check")
            if let posts = root["watched"] {
                for post in posts.elements {
                    guard let address = post[0]?.string, let counts = post[1]?.string.flatMap({ UInt64($0, radix: 16) })
                    else { continue }
                    let misses = Int(post[2]?.int ?? 0)
                    result.watched.append(Watched(post: address, counts: counts, misses: misses))
                }
            }
            if let pass = try root.optionalObject("pass") { result.pass = try Self.pass(pass) }
            return result
        }
    }

    private static func pass(_ value: JSONValue) throws -> Pass {
        func moment(_ key: StaticString) throws -> Timestamp? {
            try value.optionalInt(key).map { Timestamp(milliseconds: Int64($0)) }
        }
        var pass = Pass()
        pass.page = try value.optionalString("page")
        pass.until = try moment("until")
        pass.top = try moment("top")
        pass.floor = try moment("floor")
        pass.oldest = try moment("oldest")
        pass.pages = try value.optionalInt("pages") ?? 0
        pass.entries = try value.optionalInt("entries") ?? 0
        pass.hadNews = try value.optionalBool("had_news") ?? true
        pass.recent = seen(value["recent"]).map(\.digest)
        return pass
    }

    /// Digests stand in one string, 16 hexadecimal digits each, followed by the time in 11.
    private static let width = 27

    private static func seen(_ value: JSONValue?) -> [Seen] {
        value?.withUTF8 { bytes in
            stride(from: 0, through: bytes.count - width, by: width).compactMap { start in
                let digest = UInt64(String(decoding: bytes[start..<start + 16], as: UTF8.self), radix: 16)
                let time = Int64(String(decoding: bytes[start + 16..<start + width], as: UTF8.self), radix: 16)
                guard let digest, let time else { return nil }
                return Seen(digest: digest, time: Timestamp(milliseconds: time))
            }
        } ?? []
    }

    private static func text(_ seen: some Swift.Sequence<Seen>) -> String {
        var text = ""
        for entry in seen {
            let digest = String(entry.digest, radix: 16)
            let time = String(min(max(entry.time.milliseconds, 0), 0xFFF_FFFF_FFFF), radix: 16)
            text += String(repeating: "0", count: 16 - digest.utf8.count) + digest
            text += String(repeating: "0", count: 11 - time.utf8.count) + time
        }
        return text
    }

    /// For the host to keep.
    package func encoded() -> Cursor {
        Cursor.json { writer in
            writer.member("scope", scope)
            writer.member("earliest", earliest?.milliseconds)
            writer.member("watermark", watermark?.milliseconds)
            if !seen.isEmpty { writer.member("seen", Self.text(seen)) }
            if refusesPages { writer.member("refuses_pages", true) }
            if restarts > 0 { writer.member("restarts", restarts) }
            writer.member("person", person)
            writer.member("missing_since", missingSince?.milliseconds)
            if isGone { writer.member("gone", true) }
            writer.member("checked_at", checkedAt?.milliseconds)
            writer.member("next_check", nextCheck)
            if !watched.isEmpty {
                writer.key("watched")
                writer.beginArray()
                for post in watched {
                    writer.beginArray()
                    writer.string(post.post)
                    writer.string(String(post.counts, radix: 16))
                    if post.misses > 0 { writer.integer(Int64(post.misses)) }
                    writer.endArray()
                }
                writer.endArray()
            }
            guard let pass else { return }
            writer.key("pass")
            writer.beginObject()
            writer.member("page", pass.page)
            writer.member("until", pass.until?.milliseconds)
            writer.member("top", pass.top?.milliseconds)
            writer.member("floor", pass.floor?.milliseconds)
            writer.member("oldest", pass.oldest?.milliseconds)
            writer.member("pages", pass.pages)
            writer.member("entries", pass.entries)
            writer.member("had_news", pass.hadNews)
            if !pass.recent.isEmpty {
                let zero = Timestamp(milliseconds: 0)
                writer.member("recent", Self.text(pass.recent.map { Seen(digest: $0, time: zero) }))
            }
            writer.endObject()
        }
    }
}

/// Where a source that holds a stream of Jetstream's stands.
package struct JetstreamCursor: Sendable, Hashable {
    /// The newest event's time at its instance, in microseconds.
    package var microseconds: Int
    /// The newest event's number at its instance.
    package var sequence: Int?
    /// The instance, since numbers mean something only there.
    package var server: String

    /// A place in a stream.
    package init(microseconds: Int, sequence: Int? = nil, server: String) {
        self.microseconds = microseconds
        self.sequence = sequence
        self.server = server
    }

    /// Reads what the host kept.
    package init(_ cursor: Cursor) throws {
        self = try cursor.json { root in
            JetstreamCursor(
                microseconds: try root.requiredInt("time_us"),
                sequence: try root.optionalInt("seq"),
                server: try root.requiredString("server")
            )
        }
    }

    /// For the host to keep.
    package func encoded() -> Cursor {
        Cursor.json { writer in
            writer.member("time_us", microseconds)
            writer.member("seq", sequence)
            writer.member("server", server)
        }
    }
}
