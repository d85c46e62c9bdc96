import JSON
import SocialEvents

extension MastodonNormalizer {
    // MARK: - Identity

    /// What identifies a status on all servers: its `uri`; else its `url`, else the server's own id.
    func statusID(_ fields: MastodonStatusFields, id: String, _ data: inout EventData) -> ObjectID {
        if let uri = objectID("post", fields.uri) { return uri }
        data.loss.append(Loss("uri", .inferred))
        return objectID("post", fields.url) ?? ObjectID(Self.platform, "post", localName(id))
    }

    /// The id of what a string names, if there are words in it.
    private func objectID(_ namespace: String, _ value: JSONValue?) -> ObjectID? {
        guard let value, value.withUTF8({ !$0.isEmpty }) == true else { return nil }
        return try? ObjectID(Self.platform, namespace, of: value)
    }

    /// A name for what only this server can name.
    func localName(_ id: String) -> String { "\(host)/\(id)" }

    /// The status that the server means by an id; by its local name in a namespace of its own where it was not seen.
    func reference(to id: String, _ field: String, _ data: inout EventData) -> ObjectID {
        if let known = index.known(id) { return known.object }
        data.loss.append(Loss(field, .inferred, "an id of the server's own; the status it means was not seen here"))
        return ObjectID(Self.platform, "status", localName(id))
    }

    /// What identifies an account: its page, which is all that mentions carry; else its `uri`, its address, the server's own id.
    private func nativeActor(_ fields: MastodonAccountFields) -> String {
        fields.url?.words ?? fields.uri?.words ?? handle(fields) ?? fields.id?.nativeID.map(localName) ?? host
    }

    func actorID(_ fields: MastodonAccountFields) -> ObjectID {
        objectID("actor", fields.url) ?? ObjectID(Self.platform, "actor", nativeActor(fields))
    }

    /// `name@host`; the server leaves its own host out.
    func handle(_ fields: MastodonAccountFields) -> String? {
        guard let acct = fields.acct?.words ?? fields.username?.words, acct.utf8.count <= EventLimits.phrase else {
            return nil
        }
        return acct.utf8.contains(UInt8(ascii: "@")) ? acct : acct + atHost
    }

    // MARK: - People

    /// An Account.
    func actor(_ value: JSONValue) -> Actor {
        let fields = MastodonAccountFields(value)
        var actor = Actor(id: actorID(fields), handle: handle(fields))
        actor.name = fields.name.flatMap { bounded($0, EventLimits.phrase) }
        actor.url = fields.url?.webAddress ?? fields.uri?.webAddress
        actor.avatarURL = fields.avatar?.webAddress
        actor.isBot = fields.bot?.bool
        actor.followerCount = fields.followers?.total
        return actor
    }

    // MARK: - Context

    /// What the status answers, quotes and belongs to, and so what kind of utterance it is.
    func setContext(_ fields: MastodonStatusFields, _ object: inout SocialObject, _ data: inout EventData) {
        object.url = fields.url?.webAddress ?? fields.uri?.webAddress
        if let quote = fields.quote ?? fields.pleroma?["quote"], quote.kind == .object {
            setQuote(quote, fields, &data)
            if object.kind == .post { object.kind = .quote }
        } else if let id = (fields.quoteID ?? fields.pleroma?["quote_id"])?.nativeID {
            data.quoteOf = Reference(id: reference(to: id, "quote_id", &data))
            if object.kind == .post { object.kind = .quote }
        }
        if let id = fields.inReplyTo?.nativeID {
            data.inReplyTo = Reference(id: reference(to: id, "in_reply_to_id", &data), actor: answered(fields))
            if object.kind != .message { object.kind = .reply }
        }
        if let context = fields.pleroma?["context"]?.words {
            data.conversation = ObjectID(Self.platform, "conversation", context)
        }
    }

    /// Whom the status answers: its own author or one of those it mentions.
    private func answered(_ fields: MastodonStatusFields) -> ObjectID? {
        guard let id = fields.inReplyToAccount else { return nil }
        if let account = fields.account, account["id"]?.isSameID(as: id) == true {
            return actorID(MastodonAccountFields(account))
        }
        guard let mentions = fields.mentions else { return nil }
        for mention in mentions.elements where mention["id"]?.isSameID(as: id) == true {
            return objectID("actor", mention["url"])
        }
        return nil
    }

    /// A quote that the quoted author has agreed to; Akkoma has the quoted status itself in its place.
    private func setQuote(_ quote: JSONValue, _ fields: MastodonStatusFields, _ data: inout EventData) {
        let isStatus = quote["state"] == nil && quote["id"] != nil
        if let state = quote["state"], !state.isString("accepted") {
            // Shown by nobody: pending, rejected, revoked, deleted, unauthorized and whatever comes to be.
            let name = state.string.map { String($0.prefix(100)) } ?? "unknown"
            data.loss.append(Loss("quote", .dropped, "its state is \(name)"))
            return
        }
        if let quoted = isStatus ? quote : quote["quoted_status"], let id = quoted["id"]?.nativeID {
            let quotedFields = MastodonStatusFields(quoted)
            let object = statusID(quotedFields, id: id, &data)
            index.learn(id, object, .post)
            data.quoteOf = Reference(
                id: object,
                url: quotedFields.url?.webAddress,
                actor: quotedFields.account.map { actorID(MastodonAccountFields($0)) }
            )
        } else if let id = quote["quoted_status_id"]?.nativeID {
            data.quoteOf = Reference(id: reference(to: id, "quote.quoted_status_id", &data))
        } else {
            data.loss.append(Loss("quote", .dropped, "it names no status"))
        }
    }

    // MARK: - The utterance

    /// Everything that is said and shown.
    func setUtterance(_ fields: MastodonStatusFields, _ object: inout SocialObject, _ data: inout EventData) {
        setText(fields, &object, &data)
        object.contentWarning = fields.spoilerText.flatMap { bounded($0, EventLimits.phrase) }
        object.isSensitive = fields.sensitive?.bool ?? false
        setLanguage(fields.language, &object, &data)
        setAudience(fields.visibility, &object, &data)
        if let media = fields.media, !media.elements.isEmpty { setMedia(media, &object, &data) }
        if let poll = fields.poll, poll.kind == .object { object.poll = self.poll(poll, &data) }
        if fields.card?.kind == .object { data.loss.append(Loss("card", .dropped, "a preview of a link in the text")) }
    }

    private func setLanguage(_ value: JSONValue?, _ object: inout SocialObject, _ data: inout EventData) {
        guard let tag = value?.words else { return }
        let isTag =
            tag.utf8.count <= 35
            && tag.utf8.allSatisfy { byte in
                byte == UInt8(ascii: "-") || (byte | 0x20) &- UInt8(ascii: "a") < 26 || byte &- UInt8(ascii: "0") < 10
            }
        if isTag {
            object.language = tag
        } else {
            data.loss.append(Loss("language", .dropped, "it is no language tag"))
        }
    }

    private func setAudience(_ value: JSONValue?, _ object: inout SocialObject, _ data: inout EventData) {
        guard let value else { return }
        if value.isString("public") {
            object.audience = .public
        } else if value.isString("unlisted") {
            object.audience = .unlisted
        } else if value.isString("private") {
            object.audience = .followers
        } else if value.isString("direct") {
            object.audience = .direct
        } else if value.isString("mutuals_only") || value.isString("mutual") {
            object.audience = .followers
            data.loss.append(Loss("visibility", .inferred, "for those followers whom the author follows"))
        } else if value.isString("local") {
            object.audience = .public
            data.loss.append(Loss("visibility", .inferred, "for the people of one server"))
        } else {
            data.loss.append(Loss("visibility", .dropped, value.string.map { String($0.prefix(100)) }))
        }
    }

    private func setMedia(_ value: JSONValue, _ object: inout SocialObject, _ data: inout EventData) {
        object.media.reserveCapacity(value.elements.count)
        for attachment in value.elements {
            guard attachment.kind == .object else { continue }
            guard object.media.count < EventLimits.elements else {
                data.loss.append(Loss("media_attachments", .truncated))
                return
            }
            var media = Media(
                kind(of: attachment["type"]),
                url: attachment["url"]?.webAddress ?? attachment["remote_url"]?.webAddress
            )
            media.previewURL = attachment["preview_url"]?.webAddress
            media.alt = attachment["description"].flatMap { bounded($0, EventLimits.phrase) }
            media.contentType = (attachment["mime"] ?? attachment["pleroma"]?["mime_type"])
                .flatMap { bounded($0, EventLimits.name) }
            if let original = attachment["meta"]?["original"] {
                media.width = original["width"]?.total
                media.height = original["height"]?.total
                media.durationMilliseconds = original["duration"]?.double.flatMap(Self.milliseconds)
            }
            object.media.append(media)
        }
    }

    private func kind(of type: JSONValue?) -> Media.Kind {
        guard let type else { return .file }
        if type.isString("image") { return .image }
        if type.isString("video") { return .video }
        if type.isString("gifv") { return .animation }
        return type.isString("audio") ? .audio : .file
    }

    private static func milliseconds(_ seconds: Double) -> Int? {
        guard seconds >= 0, seconds < 1e9 else { return nil }
        return Int((seconds * 1000).rounded())
    }

    private func poll(_ value: JSONValue, _ data: inout EventData) -> Poll? {
        guard let options = value["options"] else { return nil }
        var poll = Poll(options: [])
        for option in options.elements {
            guard poll.options.count < EventLimits.elements else {
                data.loss.append(Loss("poll.options", .truncated))
                break
            }
            poll.options.append(
                Poll.Option(
                    title: option["title"].flatMap { bounded($0, EventLimits.phrase) } ?? "",
                    votes: option["votes_count"]?.total
                )
            )
        }
        guard !poll.options.isEmpty else { return nil }
        poll.endsAt = value["expires_at"]?.moment
        poll.allowsMultiple = value["multiple"]?.bool ?? false
        return poll
    }

    // MARK: - Counts

    /// The counts as they stand now.
    func metrics(_ fields: MastodonStatusFields) -> Metrics? {
        var metrics = Metrics(observedAt: now)
        metrics.replies = fields.replies?.total
        metrics.reposts = fields.reblogs?.total
        metrics.likes = fields.favourites?.total
        metrics.quotes = fields.quotes?.total
        if let reactions = fields.reactions ?? fields.pleroma?["emoji_reactions"] {
            count(reactions, into: &metrics)
        }
        if let votes = fields.poll?["votes_count"]?.total { metrics.other.append(.init(name: "votes", count: votes)) }
        if let voters = fields.poll?["voters_count"]?.total {
            metrics.other.append(.init(name: "voters", count: voters))
        }
        let isEmpty = metrics.replies == nil && metrics.reposts == nil && metrics.likes == nil && metrics.quotes == nil
        return isEmpty && metrics.other.isEmpty ? nil : metrics
    }

    /// Reactions by name; those of one name, as from several servers, are one count.
    private func count(_ reactions: JSONValue, into metrics: inout Metrics) {
        for reaction in reactions.elements.prefix(EventLimits.elements) {
            guard let count = reaction["count"]?.total, let word = reaction["name"]?.words, word.utf8.count < 200 else {
                continue
            }
            let name = "reaction \(word)"
            if let index = metrics.other.firstIndex(where: { $0.name == name }) {
                let (sum, isTooMuch) = metrics.other[index].count.addingReportingOverflow(count)
                metrics.other[index].count = isTooMuch ? .max : sum
            } else if metrics.other.count < EventLimits.counts - 2 {
                metrics.other.append(Metrics.NamedCount(name: name, count: count))
            }
        }
    }

    // MARK: - Small values

    /// A moment, or the time of reading and a loss.
    func moment(_ value: JSONValue?, _ field: String, _ data: inout EventData) -> Timestamp {
        if let moment = value?.moment, Timestamp.writable.contains(moment) { return moment }
        data.loss.append(Loss(field, .inferred, value == nil ? "it is missing" : "it is no date"))
        return now
    }

    /// A text that is not empty, cut between characters to at most so many bytes.
    func bounded(_ value: JSONValue, _ limit: Int) -> String? {
        guard let text = value.words else { return nil }
        guard text.utf8.count > limit else { return text }
        var end = text.utf8.index(text.startIndex, offsetBy: limit)
        while end > text.startIndex, UTF8.isContinuation(text.utf8[end]) { end = text.utf8.index(before: end) }
        return String(text[..<end])
    }
}
