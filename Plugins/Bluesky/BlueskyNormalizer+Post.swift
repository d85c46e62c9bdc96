import JSON
import SocialEvents

extension BlueskyNormalizer {
    /// A post, told by its record and, where the AppView shows it, its view.
    ///
    /// - Parameters:
    ///   - record: an `app.bsky.feed.post`.
    ///   - sighting: where it was seen.
    ///   - type: created, or updated.
    ///   - revision: which edit it is; see ``revision(_:orElse:)``.
    ///   - view: the `postView` around it.
    ///   - match: why a source was told of it.
    mutating func post(
        _ record: JSONValue,
        _ sighting: RecordSighting,
        _ type: EventType = .postCreated,
        revision: Int = 0,
        view: JSONValue? = nil,
        match: Match? = nil
    ) {
        let time = Self.time(record, seen: sighting.seen)
        let id = BlueskyID.record(sighting.uri)
        var object = SocialObject(id: id, kind: .post)
        object.url = BlueskyID.page(of: sighting.uri)
        object.createdAt = time.claimed
        object.audience = .public
        if type == .postUpdated {
            object.revision = revision
            object.editedAt = sighting.seen
        }
        var reader = PostReader(author: sighting.uri.authority, object: object)
        if time.isOdd { reader.loss.append(Self.oddTime(time.claimed)) }
        reader.read(record)
        if let view { reader.read(view: view) }
        reader.finish()
        let event = Event(
            id: EventID(id, type.verb, revision: revision),
            type: type,
            platform: BlueskyID.platform,
            subject: id,
            time: type == .postUpdated ? sighting.seen : time.event
        )
        let (now, channel) = (now, channel)
        tell(event) { data in
            swap(&data.inReplyTo, &reader.inReplyTo)
            swap(&data.quoteOf, &reader.quoteOf)
            swap(&data.loss, &reader.loss)
            data.conversation = reader.conversation ?? BlueskyID.conversation(sighting.uri)
            data.object = reader.takeObject()
            data.actor = sighting.actor
            data.channel = channel
            if let match { data.matched.append(match) }
            if let view { data.metrics = Self.metrics(view, at: now) }
        }
        for gone in reader.gone { notFound(gone) }
    }

    /// Tells of something that a placeholder says is gone.
    mutating func notFound(_ value: JSONValue) {
        guard let uri = RecordURI(value["uri"]), uri.isPost else { return }
        deleted(
            uri,
            time: now,
            actor: uri.hasDID ? Self.actor(uri.authority) : nil,
            loss: Loss("notFound", .inferred, "a placeholder stands for it; the event bears the time of reading")
        )
    }

    /// Which edit a commit makes: the microseconds in the repository's revision, which rises with each of its commits and is the
    /// same on every wire that tells of the edit.
    static func revision(_ rev: JSONValue?, orElse time: Int) -> Int {
        (rev?.withUTF8 { TID.microseconds($0) } ?? nil) ?? max(time, 1)
    }

    /// The counts that a view carries; nil when it carries none.
    static func metrics(_ view: JSONValue, at now: Timestamp) -> Metrics? {
        var metrics = Metrics(observedAt: now)
        func count(_ key: StaticString) -> Int? { view[key]?.int.flatMap { $0 >= 0 ? $0 : nil } }
        metrics.likes = count("likeCount")
        metrics.reposts = count("repostCount")
        metrics.replies = count("replyCount")
        metrics.quotes = count("quoteCount")
        metrics.bookmarks = count("bookmarkCount")
        let isEmpty =
            metrics.likes == nil && metrics.reposts == nil && metrics.replies == nil && metrics.quotes == nil
            && metrics.bookmarks == nil
        return isEmpty ? nil : metrics
    }
}

/// Reads one post's record and view into an object.
struct PostReader {
    /// Whose blobs its pictures are.
    let author: Bytes
    var object: SocialObject
    var inReplyTo: Reference?
    var quoteOf: Reference?
    var conversation: ObjectID?
    var loss: [Loss] = []
    /// Placeholders for posts that are gone.
    var gone: [JSONValue] = []

    private static let mostLosses = 40

    init(author: Bytes, object: SocialObject) {
        self.author = author
        self.object = object
    }

    mutating func lose(_ field: String, _ reason: Loss.Reason, _ detail: String? = nil) {
        if loss.count < Self.mostLosses { loss.append(Loss(field, reason, detail)) }
    }

    /// Reads the record.
    mutating func read(_ record: JSONValue) {
        var facets: JSONValue?
        var text: JSONValue?
        for (key, value) in record.members {
            switch key {
            case "$type", "createdAt": break
            case "text": text = value
            case "facets": facets = value
            case "langs": languages(value)
            case "reply": reply(value)
            case "embed": embed(value)
            case "tags": tags(value)
            case "labels": selfLabels(value)
            default: unknown(key, value)
            }
        }
        guard let text, let bytes = text.withUTF8({ $0 }) else {
            return lose("text", .inferred, "the post has no text")
        }
        words(bytes)
        if let facets { self.facets(facets, in: bytes) }
    }

    /// Gives the object away; moving it costs less than a copy.
    mutating func takeObject() -> SocialObject {
        var taken = SocialObject(id: ObjectID(text: ""), kind: .post)
        swap(&taken, &object)
        return taken
    }

    /// What kind of post it is, once all is read.
    mutating func finish() {
        if inReplyTo != nil {
            object.kind = .reply
        } else if quoteOf != nil {
            object.kind = .quote
        }
    }

    private mutating func unknown(_ key: JSONKey, _ value: JSONValue) {
        guard !value.isNull else { return }
        // The deprecated form of facets; clients that still write it write facets as well.
        lose(PostReader.name(key), .dropped)
    }

    /// A field's name, short enough to print.
    static func name(_ key: JSONKey) -> String {
        key.utf8.count <= 64 ? key.string : "…"
    }

    private mutating func words(_ bytes: Bytes) {
        guard bytes.count > EventLimits.text else {
            object.text = String(decoding: bytes, as: UTF8.self)
            return
        }
        var end = EventLimits.text
        while end > 0, bytes[end] & 0xC0 == 0x80 { end -= 1 }
        object.text = String(decoding: bytes[..<end], as: UTF8.self)
        lose("text", .truncated)
    }

    private mutating func languages(_ value: JSONValue) {
        var others = 0
        for language in value.elements {
            guard let tag = language.withUTF8({ $0.isLanguageTag ? $0 : nil }) ?? nil else {
                others += 1
                continue
            }
            if object.language == nil {
                object.language = String(decoding: tag, as: UTF8.self)
            } else {
                others += 1
            }
        }
        if others > 0 { lose("langs", .dropped, "of several languages the first is told") }
    }

    private mutating func reply(_ value: JSONValue) {
        guard let parent = RecordURI(value["parent"]?["uri"]) else {
            return lose("reply", .dropped, "it does not say what is answered")
        }
        inReplyTo = BlueskyID.reference(parent)
        if let root = RecordURI(value["root"]?["uri"]) {
            conversation = BlueskyID.conversation(root)
        } else {
            conversation = BlueskyID.conversation(parent)
            lose("reply.root", .inferred, "the parent is taken for the root")
        }
    }

    private mutating func tags(_ value: JSONValue) {
        for tag in value.elements.prefix(64) {
            guard let text = tag.withUTF8({ $0.count <= EventLimits.phrase ? $0 : nil }) ?? nil, !text.isEmpty else {
                lose("tags", .dropped, "a tag is no text")
                continue
            }
            object.tags.append(String(decoding: text, as: UTF8.self))
        }
    }

    /// Labels that the author gave, as a warning.
    private mutating func selfLabels(_ value: JSONValue) {
        guard let values = value["values"] else { return }
        for label in values.elements.prefix(20) { warn(label["val"]) }
    }

    private mutating func warn(_ label: JSONValue?) {
        guard let text = label?.withUTF8({ $0.count <= 128 ? $0 : nil }) ?? nil, !text.isEmpty else { return }
        object.isSensitive = true
        let word = String(decoding: text, as: UTF8.self)
        if let warning = object.contentWarning {
            if !warning.utf8.elementsEqual(word.utf8) { object.contentWarning = "\(warning), \(word)" }
        } else {
            object.contentWarning = word
        }
    }

    // MARK: - The view around the record

    /// Reads what the AppView adds: addresses of pictures, labels, the state of a quoted post.
    mutating func read(view: JSONValue) {
        for (key, value) in view.members {
            switch key {
            case "embed": embed(view: value)
            case "labels": labels(value)
            case "threadgate": lose("threadgate", .dropped, "who may answer is limited")
            default: break
            }
        }
    }

    /// Labels that the author or a labelling service gave.
    private mutating func labels(_ value: JSONValue) {
        for label in value.elements.prefix(50) {
            if label["neg"]?.bool == true { continue }
            let isOwn = label["src"]?.withUTF8 { $0.elementsEqual(author) } ?? false
            if isOwn {
                warn(label["val"])
            } else if let word = label["val"]?.withUTF8({ $0.isSensitiveLabel }), word {
                object.isSensitive = true
                lose("labels", .inferred, "a labelling service marked it")
            } else {
                lose("labels", .dropped, "a labelling service's label")
            }
        }
    }
}

extension Bytes {
    /// Whether this may be a BCP 47 language tag: letters, digits and hyphens.
    fileprivate var isLanguageTag: Bool {
        guard (2...35).contains(count) else { return false }
        for byte in self {
            let isLetter = (byte | 0x20) &- UInt8(ascii: "a") < 26
            guard isLetter || byte &- UInt8(ascii: "0") < 10 || byte == UInt8(ascii: "-") else { return false }
        }
        return true
    }

    /// Whether a label of this name hides or covers what bears it (`com.atproto.label.defs#labelValue`).
    fileprivate var isSensitiveLabel: Bool {
        isText("porn") || isText("sexual") || isText("nudity") || isText("graphic-media") || isText("!warn")
            || isText("!hide") || isText("gore") || isText("nsfl")
    }
}
