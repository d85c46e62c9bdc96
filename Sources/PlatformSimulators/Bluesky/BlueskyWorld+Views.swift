import JSON

extension BlueskyWorld {
    /// Somebody as the AppView shows them.
    func writeProfile(_ person: Int, _ writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("did", did(person))
        writer.member("handle", handle(person))
        writer.member("displayName", people[person].name)
        writer.key("labels")
        writer.beginArray()
        if people[person].isBot {
            writer.beginObject()
            writer.member("src", did(person))
            writer.member("uri", Self.address(did(person), "app.bsky.actor.profile", "self"))
            writer.member("val", "bot")
            writer.member("cts", "2026-01-01T00:00:00.000Z")
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
    }

    /// A post as the AppView shows it.
    func writePost(_ address: String, _ record: Record, withUnknownFields: Bool, _ writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("uri", address)
        writer.member("cid", Self.cid(address, Int(record.at)))
        writer.key("author")
        writeProfile(record.author, &writer)
        writer.key("record")
        writer.raw(record.json)
        writer.member("replyCount", record.replies)
        writer.member("repostCount", record.reposts)
        writer.member("likeCount", record.likes)
        writer.member("quoteCount", record.quotes)
        writer.member("indexedAt", FeedDates.rfc3339(record.at))
        if withUnknownFields { writer.member("sentimentOfTheDay", "calm") }
        writer.endObject()
    }

    /// A post or repost as a feed shows it.
    func writeFeedEntry(_ address: String, _ record: Record, withUnknownFields: Bool, _ writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("post")
        if record.collection == "app.bsky.feed.repost", let post = record.subjects.first, let original = records[post] {
            writePost(post, original, withUnknownFields: withUnknownFields, &writer)
            writer.key("reason")
            writer.beginObject()
            writer.member("$type", "app.bsky.feed.defs#reasonRepost")
            writer.key("by")
            writeProfile(record.author, &writer)
            writer.member("uri", address)
            writer.member("indexedAt", FeedDates.rfc3339(record.at))
            writer.endObject()
        } else {
            writePost(address, record, withUnknownFields: withUnknownFields, &writer)
        }
        writer.endObject()
    }

    /// Something that happened to the reader.
    func writeNotification(
        _ address: String,
        _ record: Record,
        _ reason: String,
        _ subject: String?,
        _ writer: inout JSONWriter
    ) {
        writer.beginObject()
        writer.member("uri", address)
        writer.member("cid", Self.cid(address, Int(record.at)))
        writer.key("author")
        writeProfile(record.author, &writer)
        writer.member("reason", reason)
        writer.member("reasonSubject", subject)
        writer.key("record")
        writer.raw(record.json)
        writer.member("isRead", false)
        writer.member("indexedAt", FeedDates.rfc3339(record.at))
        writer.endObject()
    }

    /// The records that are still there, newest first.
    func standing(_ isWanted: (Record) -> Bool) -> [(address: String, record: Record)] {
        order.reversed().compactMap { address in
            records[address].flatMap { isWanted($0) ? (address, $0) : nil }
        }
    }
}
