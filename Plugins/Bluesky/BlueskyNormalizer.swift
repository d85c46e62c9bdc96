import ConnectorKit
import JSON
package import SocialEvents

/// Turns what the AT Protocol says into events: pure, straight from the parsed payload.
///
/// The only place that knows both sides; the README's table says what becomes of which field. One value reads any number of payloads, and
/// events gather in ``events`` in the order in which they were read.
package struct BlueskyNormalizer {
    /// The events read so far.
    package var events: [Event] = []
    /// Payloads, or parts of one, that could not be read.
    package var deadLetters: [DeadLetterDraft] = []
    /// The moment of reading, for counts and for times that nobody tells.
    package var now: Timestamp
    /// Where posts are said to be, for sources that read a list or a feed.
    package var channel: Channel?

    /// Something unreadable, with its bytes.
    package struct DeadLetterDraft: Sendable {
        /// What was expected and where.
        package var reason: String
        /// The bytes.
        package var payload: [UInt8]
    }

    /// A normaliser with nothing read yet.
    package init(now: Timestamp, channel: Channel? = nil) {
        self.now = now
        self.channel = channel
    }

    /// Forgets what was read, keeping the memory for it.
    package mutating func removeAll() {
        events.removeAll(keepingCapacity: true)
        deadLetters.removeAll(keepingCapacity: true)
    }

    /// Adds an event and fills it where it lies, since copying one costs as much as making it.
    @inline(__always)
    mutating func tell(_ event: consuming Event, _ fill: (inout EventData) -> Void) {
        events.append(event)
        fill(&events[events.count - 1].data)
    }

    mutating func deadLetter(_ reason: String, _ value: JSONValue) {
        var writer = JSONWriter()
        value.write(into: &writer)
        deadLetters.append(DeadLetterDraft(reason: reason, payload: writer.bytes))
    }

    /// Keeps a payload of which nothing is known, raw.
    package mutating func keep(_ payload: [UInt8]) {
        events.append(.unrecognised(payload, platform: BlueskyID.platform, time: now))
    }

    /// Keeps something that has no event of its own, raw.
    mutating func unrecognised(_ id: ObjectID, revision: Int, time: Timestamp, raw: [UInt8], actor: Actor? = nil) {
        var event = Event(
            id: EventID(id, .unrecognised, revision: revision),
            type: .unrecognised,
            platform: BlueskyID.platform,
            subject: id,
            time: time
        )
        event.data.actor = actor
        event.data.raw = RawPayload(contentType: "application/json", bytes: Array(raw.prefix(EventLimits.raw)))
        if raw.count > EventLimits.raw { event.data.loss.append(Loss("", .truncated, "the payload was cut")) }
        events.append(event)
    }
}

/// Where a record was seen, and what is known about it beside what it says.
struct RecordSighting {
    /// Its address.
    var uri: RecordURI
    /// When the server saw it: the stream's time, or `indexedAt`.
    var seen: Timestamp
    /// Its author, as far as known.
    var actor: Actor
}

extension BlueskyNormalizer {
    /// Somebody of whom only the identifier is known.
    static func actor(_ did: Bytes) -> Actor {
        Actor(id: BlueskyID.actor(did), url: BlueskyID.page(ofActor: did))
    }

    /// The time to give an event, from what the author claims and what the server saw: the earlier of both, as the AppView sorts.
    ///
    /// - Returns: the event's time, what the author claims where it can be read, and whether that lies in the future or cannot be read.
    static func time(
        _ record: JSONValue,
        seen: Timestamp
    ) -> (event: Timestamp, claimed: Timestamp?, isOdd: Bool) {
        guard let claimed = record["createdAt"]?.withUTF8({ Timestamp(rfc3339: $0) }) ?? nil else {
            return (seen, nil, true)
        }
        // Clocks differ by minutes; more than that is a claim.
        if claimed > seen.advanced(by: .seconds(600)) { return (seen, claimed, true) }
        return (min(claimed, seen), claimed, false)
    }

    /// A repost, a like or a follow, told by its record.
    ///
    /// - Returns: whether the record could be read.
    mutating func deed(_ record: JSONValue, _ sighting: RecordSighting, via reason: Match? = nil) -> Bool {
        let time = Self.time(record, seen: sighting.seen)
        let id = BlueskyID.record(sighting.uri)
        let type: EventType
        var data = EventData()
        switch sighting.uri.kind {
        case .repost:
            guard let subject = RecordURI(record["subject"]?["uri"]) else { return false }
            type = .repostCreated
            data.repostOf = BlueskyID.reference(subject)
        case .like:
            guard let subject = RecordURI(record["subject"]?["uri"]) else { return false }
            type = .reactionCreated
            data.target = BlueskyID.reference(subject)
            data.reaction = "like"
        case .follow:
            guard let did = record["subject"]?.withUTF8({ $0.isDID ? $0 : nil }) ?? nil else { return false }
            type = .followCreated
            let person = BlueskyID.actor(did)
            data.target = Reference(id: person, url: BlueskyID.page(ofActor: did), actor: person)
        case .post, .profile, .generator, .list, .starterPack, .other: return false
        }
        data.actor = sighting.actor
        if let reason { data.matched.append(reason) }
        if record["via"] != nil { data.loss.append(Loss("via", .dropped, "it came by way of another repost")) }
        if time.isOdd { data.loss.append(Self.oddTime(time.claimed)) }
        let event = Event(
            id: EventID(id, .created),
            type: type,
            platform: BlueskyID.platform,
            subject: id,
            time: time.event
        )
        tell(event) { swap(&$0, &data) }
        return true
    }

    /// Says that a record's own time was not taken for the event's.
    static func oddTime(_ claimed: Timestamp?) -> Loss {
        Loss(
            "createdAt",
            .inferred,
            claimed == nil
                ? "it is missing or no time; the event bears the server's time"
                : "it lies in the future; the event bears the server's time"
        )
    }

    /// Tells that somebody is gone, and with them all they said.
    ///
    /// They may come back and go again, so the deletion bears a revision.
    mutating func withdrawn(_ actor: Actor, revision: Int, time: Timestamp, loss: Loss) {
        guard let id = actor.id else { return }
        let event = Event(
            id: EventID(id, .deleted, revision: revision),
            type: .postDeleted,
            platform: BlueskyID.platform,
            subject: id,
            time: time
        )
        tell(event) { data in
            data.actor = actor
            data.loss.append(loss)
        }
    }

    /// Tells that something is gone.
    mutating func deleted(_ uri: RecordURI, time: Timestamp, actor: Actor?, loss: Loss? = nil) {
        let type: EventType
        switch uri.kind {
        case .post: type = .postDeleted
        case .repost: type = .repostDeleted
        case .like: type = .reactionDeleted
        case .follow: type = .followDeleted
        case .profile, .generator, .list, .starterPack, .other: return
        }
        let id = BlueskyID.record(uri)
        let event = Event(
            id: EventID(id, .deleted),
            type: type,
            platform: BlueskyID.platform,
            subject: id,
            time: time
        )
        tell(event) { data in
            data.actor = actor
            if let loss { data.loss.append(loss) }
        }
    }
}
