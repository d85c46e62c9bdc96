import JSON
import SocialEvents

extension XNormalizer {
    /// Appends the event that a post of the API v2 is: that it was made, edited or, for a repost, passed on.
    ///
    /// A repost carries no words: they are another's, who may withdraw them, and stand in an event of their own before it, where the payload includes them.
    /// Filled where it lies in the array: an event is large, and returning it would copy it twice.
    mutating func post(
        _ value: JSONValue,
        _ includes: XIncludes,
        matched: [Match],
        isPassedOn: Bool,
        into events: inout [Event]
    ) throws(JSONError) {
        var loss: [Loss] = []
        let post = XPost(value) { key, _ in note(Self.lossField(key), .dropped, in: &loss) }
        guard let id = post.id else { throw value.mismatch("a post with an id") }
        let (object, revision) = try chain(id, post.history)
        if let history = post.history, history.count > 1 { edits += XEdit.all(history) }
        let references = try references(post, includes, &loss)
        let isRepost = references.repostOf != nil
        if let original = references.original {
            // What is passed on passes nothing on itself; a payload in which it does leads no further.
            if !isPassedOn { tell(original, includes, matched, into: &events) }
        } else if isRepost {
            note(
                "text",
                .dropped,
                "what is reposted is not included: \(references.failure ?? "no reason given")",
                in: &loss
            )
        }
        let created = XValue.time(post.createdAt) ?? inferredTime(id, &loss)
        let user = post.author.flatMap { includes.user($0) }
        let actor = try post.author.map { author throws(JSONError) in try self.actor(author, user) }

        var said = SocialObject(id: object, kind: references.kind)
        said.url = XAddress.post(id, by: actor?.handle)
        if revision > 0 {
            said.revision = revision
            said.editedAt = created
            said.createdAt = original(of: post, includes, &loss)
        } else {
            said.createdAt = created
        }
        said.audience = isForFollowers(post, user) ? .followers : .public
        if !isRepost {
            said.language = XValue.language(post.language)
            said.isSensitive = post.isSensitive?.bool ?? false
            try setWords(post, &said, &loss)
            setAttachments(post, includes, &said, &loss)
        }
        let conversation = try post.conversation.map { id throws(JSONError) in try Self.id("conversation", id) }
        let community = try post.community.map { id throws(JSONError) in try Self.id("community", id) }
        if isRepost, post.metrics != nil {
            note("public_metrics", .dropped, "they count the post that is passed on", in: &loss)
        }
        if let withheld = post.withheld { note("withheld", .dropped, withholding(withheld), in: &loss) }

        let isEdit = revision > 0 && !isRepost
        events.append(
            Event(
                id: EventID(object, isEdit ? .updated : .created, revision: isEdit ? revision : 0),
                type: isRepost ? .repostCreated : isEdit ? .postUpdated : .postCreated,
                platform: Self.platform,
                // What is deleted takes its reposts along; a repost that is taken back is found by its own id.
                subject: references.repostOf?.id ?? object,
                time: created ?? now
            )
        )
        modify(&events[events.count - 1].data) { data in
            data.object = said
            data.actor = actor
            data.inReplyTo = references.inReplyTo
            data.quoteOf = references.quoteOf
            data.repostOf = references.repostOf
            data.conversation = conversation
            data.channel = community.map { Channel(id: $0) }
            if !isRepost { data.metrics = post.metrics.map(metrics) }
            data.matched = matched
            data.loss = loss
        }
    }

    /// Appends what a repost passes on, once however many of a payload do.
    private mutating func tell(
        _ original: JSONValue,
        _ includes: XIncludes,
        _ matched: [Match],
        into events: inout [Event]
    ) {
        let before = events.count
        append(original, includes, matched, isPassedOn: true, to: &events)
        guard let id = events.last?.id, events[..<before].contains(where: { $0.id == id }) else { return }
        events.removeLast()
    }

    @inline(__always)
    private func modify(_ data: inout EventData, _ body: (inout EventData) -> Void) { body(&data) }

    /// The object that a version of a post belongs to, which is named by the first version, and which version this is.
    func chain(_ id: JSONValue, _ history: JSONValue?) throws(JSONError) -> (ObjectID, revision: Int) {
        guard let history, let first = history[0], !first.isSameString(as: id) else { return (try Self.postID(id), 0) }
        var revision = 0
        for version in history.elements {
            if version.isSameString(as: id) { return (try Self.postID(first), revision) }
            revision += 1
        }
        // A history without the post itself is none.
        return (try Self.postID(id), 0)
    }

    // MARK: - References

    /// What a post refers to.
    struct References {
        var inReplyTo: Reference?
        var quoteOf: Reference?
        var repostOf: Reference?
        /// The post that is passed on, where the payload includes it.
        var original: JSONValue?
        /// Why it is not included.
        var failure: String?

        var kind: ObjectKind {
            if repostOf != nil { return .repost }
            if inReplyTo != nil { return .reply }
            return quoteOf != nil ? .quote : .post
        }
    }

    private func references(
        _ post: XPost,
        _ includes: XIncludes,
        _ loss: inout [Loss]
    ) throws(JSONError) -> References {
        var references = References()
        if let list = post.references {
            for entry in list.elements {
                guard let type = entry["type"], let id = entry["id"] else { continue }
                let included = includes.post(id)
                var reference = Reference(id: try chain(id, included.flatMap(Self.history)).0)
                if let author = included?["author_id"] { reference.actor = try Self.actorID(author) }
                if type.isString("replied_to") {
                    references.inReplyTo = reference
                } else if type.isString("quoted") {
                    references.quoteOf = reference
                    if included == nil, let failure = includes.failure(id) {
                        note("includes.tweets", .dropped, "what is quoted is not included: \(failure)", in: &loss)
                    }
                } else if type.isString("retweeted") || type.isString("reposted") {
                    references.repostOf = reference
                    references.original = included
                    references.failure = includes.failure(id)
                } else {
                    note("referenced_tweets", .dropped, "a reference of another type", in: &loss)
                }
            }
        }
        if let user = post.repliedUser, references.repostOf == nil {
            // A reply to a post that is gone still says whom it answers.
            if references.inReplyTo == nil { references.inReplyTo = Reference() }
            if references.inReplyTo?.actor == nil { references.inReplyTo?.actor = try Self.actorID(user) }
        }
        return references
    }

    private static func history(_ post: JSONValue) -> JSONValue? {
        post["edit_history_tweet_ids"] ?? post["edit_history_post_ids"]
    }

    // MARK: - Parts

    private func inferredTime(_ id: JSONValue, _ loss: inout [Loss]) -> Timestamp? {
        let time = XValue.time(ofID: id)
        note("created_at", .inferred, time == nil ? "the time of reading" : "told by the id", in: &loss)
        return time
    }

    /// When the first version of an edited post was made.
    private func original(of post: XPost, _ includes: XIncludes, _ loss: inout [Loss]) -> Timestamp? {
        guard let first = post.history?[0] else { return nil }
        if let time = XValue.time(includes.post(first)?["created_at"]) { return time }
        note("created_at", .inferred, "told by the id of the first version", in: &loss)
        return XValue.time(ofID: first)
    }

    private func isForFollowers(_ post: XPost, _ user: JSONValue?) -> Bool {
        post.scopes?["followers"]?.bool ?? user?["protected"]?.bool ?? false
    }

    private func withholding(_ withheld: JSONValue) -> String {
        var text = withheld["scope"]?.isString("user") == true ? "the account is withheld" : "withheld"
        let countries = withheld["country_codes"]?.elements.prefix(300).compactMap { $0.string?.prefix(8) } ?? []
        if !countries.isEmpty { text += " in " + countries.joined(separator: ", ") }
        if withheld["copyright"]?.bool == true { text += " for copyright" }
        return text
    }

    private func metrics(_ counts: JSONValue) -> Metrics {
        var metrics = Metrics(observedAt: now)
        for (key, value) in counts.members {
            switch key {
            case "like_count": metrics.likes = XValue.count(value)
            case "retweet_count", "repost_count": metrics.reposts = XValue.count(value)
            case "reply_count": metrics.replies = XValue.count(value)
            case "quote_count": metrics.quotes = XValue.count(value)
            case "bookmark_count": metrics.bookmarks = XValue.count(value)
            case "impression_count": metrics.views = XValue.count(value)
            default: break
            }
        }
        return metrics
    }

    /// Somebody, as far as the payload includes them.
    func actor(_ id: JSONValue, _ user: JSONValue?) throws(JSONError) -> Actor {
        var actor = Actor(id: try Self.actorID(id))
        if let user { fill(&actor, from: user) }
        return actor
    }

    /// Somebody whom the payload gives whole.
    func actor(_ user: JSONValue) throws(JSONError) -> Actor {
        guard let id = user["id"] else { throw user.mismatch("a user with an id") }
        return try actor(id, user)
    }

    private func fill(_ actor: inout Actor, from user: JSONValue) {
        for (key, value) in user.members {
            switch key {
            case "username": actor.handle = XValue.phrase(value)
            case "name": actor.name = XValue.phrase(value)
            case "profile_image_url": actor.avatarURL = XValue.address(value)
            case "verified": actor.isVerified = value.bool
            case "public_metrics": actor.followerCount = XValue.count(value["followers_count"])
            default: break
            }
        }
        if let handle = actor.handle { actor.url = XAddress.profile(handle) }
    }

    // MARK: - Losses

    /// Notes a loss; the first makes room for the few that there usually are.
    func note(_ field: String, _ reason: Loss.Reason, _ detail: String? = nil, in loss: inout [Loss]) {
        if loss.isEmpty { loss.reserveCapacity(4) }
        guard loss.count < EventLimits.elements else { return }
        loss.append(Loss(field, reason, detail))
    }

    /// The name of a member that events have no place for; the usual ones cost nothing.
    private static func lossField(_ key: JSONKey) -> String {
        switch key {
        case "geo": "geo"
        case "context_annotations": "context_annotations"
        case "source": "source"
        default: String(key.string.prefix(100))
        }
    }
}

/// Addresses of pages at X.
enum XAddress {
    /// A post's page; it opens with `i` in place of an unknown name too.
    static func post(_ id: JSONValue, by handle: String?) -> String? {
        id.withUTF8 { id in
            var name = "i"
            if let handle, isPlain(handle) { name = handle }
            return name.withUTF8 { join("https://x.com/", $0, "/status/", id) }
        } ?? nil
    }

    /// A person's page.
    static func profile(_ handle: String) -> String? {
        guard isPlain(handle) else { return nil }
        var handle = handle
        return handle.withUTF8 { join("https://x.com/", $0, "", UnsafeBufferPointer(start: nil, count: 0)) }
    }

    /// Whether a name may stand in a path.
    private static func isPlain(_ handle: String) -> Bool {
        guard !handle.isEmpty, handle.utf8.count <= 64 else { return false }
        return handle.utf8.withContiguousStorageIfAvailable { bytes in
            // Without a way out of the loop it is compiled to vector instructions.
            var strange: UInt8 = 0
            for byte in bytes {
                let isLetter = (byte | 0x20) &- UInt8(ascii: "a") < 26
                strange |= isLetter || byte &- UInt8(ascii: "0") < 10 || byte == UInt8(ascii: "_") ? 0 : 1
            }
            return strange == 0
        } ?? false
    }

    /// Four pieces in one allocation.
    private static func join(
        _ first: StaticString,
        _ second: UnsafeBufferPointer<UInt8>,
        _ third: StaticString,
        _ fourth: UnsafeBufferPointer<UInt8>
    ) -> String? {
        guard fourth.count <= 64, fourth.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
        let count = first.utf8CodeUnitCount + second.count + third.utf8CodeUnitCount + fourth.count
        return String(unsafeUninitializedCapacity: count) { buffer in
            var end = 0
            func append(_ piece: UnsafePointer<UInt8>?, _ count: Int) {
                guard let piece, let target = buffer.baseAddress else { return }
                (target + end).initialize(from: piece, count: count)
                end += count
            }
            append(first.utf8Start, first.utf8CodeUnitCount)
            append(second.baseAddress, second.count)
            append(third.utf8Start, third.utf8CodeUnitCount)
            append(fourth.baseAddress, fourth.count)
            return end
        }
    }
}
