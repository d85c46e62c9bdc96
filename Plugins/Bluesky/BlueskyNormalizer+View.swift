import ConnectorKit
package import JSON
package import SocialEvents

/// What one entry of a page is for the walk over pages.
package struct BlueskyEntry: Sendable, Hashable {
    /// Where it stands among the others, newest first: the earlier of `createdAt` and `indexedAt` of the post, or `indexedAt` of the repost that
    /// brought it up; nil for what stands on top whatever its time.
    package var time: Timestamp?
    /// The post's address, to ask again whether it still stands.
    package var post: String?
    /// A digest of the post's counts.
    package var counts: UInt64 = 0
}

extension BlueskyNormalizer {
    /// Reads a `postView`, as searches and `getPosts` bring it.
    ///
    /// - Returns: nil when it could not be read, which is then a dead letter.
    package mutating func postView(_ view: JSONValue, match: Match? = nil) -> BlueskyEntry? {
        guard let uri = RecordURI(view["uri"]), let record = view["record"], record.kind == .object else {
            deadLetter("a post without uri or record", view)
            return nil
        }
        let seen = Self.moment(view["indexedAt"]) ?? now
        let actor = Self.actor(profile: view["author"]) ?? Self.actor(uri.authority)
        post(
            record,
            RecordSighting(uri: uri, seen: seen, actor: actor),
            view: view,
            match: match
        )
        return BlueskyEntry(
            time: Self.time(record, seen: seen).event,
            post: uri.text(after: "at://"),
            counts: Self.counts(view)
        )
    }

    /// Reads a `feedViewPost`, as the feeds of authors, lists and generators bring it.
    ///
    /// A repost is told as such, and before it the post it brings up, which then has an event of its own like any other.
    package mutating func feedEntry(_ item: JSONValue) -> BlueskyEntry? {
        guard let view = item["post"] else {
            deadLetter("an entry of a feed without a post", item)
            return nil
        }
        for end in [item["reply"]?["root"], item["reply"]?["parent"]] {
            if let end, end["notFound"]?.bool == true { notFound(end) }
        }
        guard var entry = postView(view) else { return nil }
        guard let reason = item["reason"] else { return entry }
        if reason["$type"]?.isString("app.bsky.feed.defs#reasonPin") == true {
            entry.time = nil
            return entry
        }
        guard let by = reason["by"], let did = Self.did(by["did"]), let subject = RecordURI(view["uri"]) else {
            return entry
        }
        let time = Self.moment(reason["indexedAt"]) ?? now
        entry.time = time
        repost(reason, subject, by: did, Self.actor(profile: by) ?? Self.actor(did), time: time)
        return entry
    }

    private mutating func repost(
        _ reason: JSONValue,
        _ subject: RecordURI,
        by did: Bytes,
        _ actor: Actor,
        time: Timestamp
    ) {
        let id: ObjectID
        var event: Event
        if let uri = RecordURI(reason["uri"]) {
            id = BlueskyID.record(uri)
            event = Event(
                id: EventID(id, .created),
                type: .repostCreated,
                platform: BlueskyID.platform,
                subject: id,
                time: time
            )
        } else {
            // Older servers do not say which record the repost is.
            id = ObjectID(
                BlueskyID.platform,
                "repost",
                String(joining: "", did, "~", subject.authority, "/", subject.rkey)
            )
            event = Event(
                id: EventID(id, .created),
                type: .repostCreated,
                platform: BlueskyID.platform,
                subject: id,
                time: time
            )
            event.data.loss.append(Loss("reason.uri", .inferred, "the repost is named after who reposted what"))
        }
        event.data.actor = actor
        event.data.repostOf = BlueskyID.reference(subject)
        event.data.channel = channel
        events.append(event)
    }

    /// Reads an entry of `listNotifications`.
    package mutating func notification(_ item: JSONValue) -> BlueskyEntry? {
        guard let uri = RecordURI(item["uri"]), let reason = item["reason"]?.withUTF8({ $0 }) else {
            deadLetter("a notification without uri or reason", item)
            return nil
        }
        let seen = Self.moment(item["indexedAt"]) ?? now
        let actor = Self.actor(profile: item["author"]) ?? Self.actor(uri.authority)
        let sighting = RecordSighting(uri: uri, seen: seen, actor: actor)
        let word = reason.count <= 64 ? String(decoding: reason, as: UTF8.self) : "unknown"
        let match = Match(name: "notification", tags: [word])
        var entry = BlueskyEntry(time: seen)
        if let record = item["record"], record.kind == .object {
            switch uri.kind {
            case .post:
                post(record, sighting, match: match)
                entry.post = uri.text(after: "at://")
                return entry
            case .repost, .like, .follow:
                if deed(record, sighting, via: match) { return entry }
            case .profile, .generator, .list, .starterPack, .other: break
            }
        }
        var writer = JSONWriter()
        item.write(into: &writer)
        unrecognised(
            ObjectID(BlueskyID.platform, "notification", "\(word):\(uri.text(after: "at://"))"),
            revision: 0,
            time: seen,
            raw: writer.bytes,
            actor: actor
        )
        return entry
    }

    /// Tells a post's counts, seen again.
    package mutating func counts(of view: JSONValue) {
        guard let uri = RecordURI(view["uri"]), let metrics = Self.metrics(view, at: now) else { return }
        let id = BlueskyID.record(uri)
        var event = Event(
            id: EventID(id, .observed, revision: Int(max(now.milliseconds, 1))),
            type: .metricsObserved,
            platform: BlueskyID.platform,
            subject: id,
            time: now
        )
        event.data.metrics = metrics
        event.data.actor = Self.actor(profile: view["author"])
        events.append(event)
    }

    /// Tells that an account which was there is not there any more.
    package mutating func missing(account did: String) {
        var did = did
        did.withUTF8 { bytes in
            guard bytes.isDID else { return }
            withdrawn(
                Self.actor(bytes),
                revision: Int(max(now.milliseconds, 1)) * 1000,
                time: now,
                loss: Loss(
                    "getAuthorFeed",
                    .inferred,
                    "the server says that the account is gone; the event bears the time of asking"
                )
            )
        }
    }

    /// Tells that a post which was there is not there any more.
    package mutating func missing(_ address: String) {
        var address = address
        address.withUTF8 { bytes in
            guard let uri = RecordURI(bytes) else { return }
            deleted(
                uri,
                time: now,
                actor: uri.hasDID ? Self.actor(uri.authority) : nil,
                loss: Loss(
                    "getPosts",
                    .inferred,
                    "the server does not show it any more; the event bears the time of asking"
                )
            )
        }
    }

    // MARK: - People

    /// Somebody as the AppView shows them; nil when it does not say who.
    static func actor(profile: JSONValue?) -> Actor? {
        guard let profile, let did = did(profile["did"]) else { return nil }
        var actor = actor(did)
        actor.handle = handle(profile["handle"])
        actor.name = PostReader.phrase(profile["displayName"])
        actor.avatarURL = PostReader.url(profile["avatar"])
        if let verification = profile["verification"] {
            actor.isVerified =
                verification["verifiedStatus"]?.isString("valid") == true
                || verification["trustedVerifierStatus"]?.isString("valid") == true
        }
        if let labels = profile["labels"] {
            for label in labels.elements.prefix(50)
            where label["val"]?.isString("bot") == true && label["neg"]?.bool != true {
                actor.isBot = true
            }
        }
        return actor
    }

    static func moment(_ value: JSONValue?) -> Timestamp? {
        value?.withUTF8 { Timestamp(rfc3339: $0) } ?? nil
    }

    /// A digest of a post's counts, to see whether they changed.
    package static func counts(_ view: JSONValue) -> UInt64 {
        let keys: [StaticString] = ["likeCount", "repostCount", "replyCount", "quoteCount", "bookmarkCount"]
        return keys.map { String(view[$0]?.int ?? -1) }.joined(separator: ",").digest
    }
}

extension String {
    /// 64 bits of the text's SHA-256, to know again what was seen; nobody can make another text to be taken for this one.
    var digest: UInt64 {
        UInt64(PayloadDigest.name(Array(utf8)).prefix(16), radix: 16) ?? 0
    }
}
