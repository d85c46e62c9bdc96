import ConnectorKit
package import JSON
import Markup
package import SocialEvents

/// Turns what a server says into events.
///
/// Pure but for the index of statuses it shares. Not `Sendable`: it keeps the buffers of its HTML reader from status to status; make one for each page or connection.
package final class MastodonNormalizer {
    /// The platform of every server that speaks this API: the same post seen through two of them is one.
    static let platform: Platform = "mastodon"

    let host: String
    /// The end of the addresses of the server's own people.
    let atHost: String
    let index: MastodonIndex
    let reader: HTMLReader
    /// When the payload was read.
    package var now: Timestamp

    /// A normaliser for what the server `host` says.
    ///
    /// - Parameters:
    ///   - host: the server's host, with its port where it has one: it completes the addresses of the server's own people.
    ///   - index: knows which status the server means by an id.
    ///   - now: when the payload was read.
    package init(host: String, index: MastodonIndex = MastodonIndex(), now: Timestamp) {
        self.host = host
        atHost = "@" + host
        self.index = index
        self.now = now
        var options = HTMLReader.Options()
        options.inputBytes = EventLimits.text
        options.outputBytes = EventLimits.text
        reader = HTMLReader(options: options)
    }

    /// How a status comes to be told.
    package enum Occasion: Sendable {
        /// It stands on a timeline, or appears there.
        case appearance
        /// The server says that it was changed.
        case change
    }

    /// What was read, for the cursor.
    package struct Reading: Sendable {
        /// The server's id.
        package var id: String
        /// The status.
        package var object: ObjectID
        /// What it is told as.
        package var form: MastodonForm
        /// Seconds since 1970 of its last edit, 0 for none.
        package var revision: Int
        /// When it was made.
        package var createdAt: Timestamp
    }

    // MARK: - Statuses

    /// Appends the events of a status: that it was made, and, where it has been edited since, that it was edited.
    ///
    /// Both have ids that do not depend on the way the status was seen: the revision of an edit is its `edited_at` in seconds.
    ///
    /// - Parameters:
    ///   - value: a Status.
    ///   - occasion: how it comes to be told.
    ///   - events: takes the events, oldest first.
    /// - Returns: what was read.
    /// - Throws: `JSONError` when it is no status.
    @discardableResult
    package func status(_ value: JSONValue, on occasion: Occasion, into events: inout [Event]) throws(JSONError)
        -> Reading
    {
        let fields = MastodonStatusFields(try value.expectObject())
        guard let id = fields.id?.nativeID else { throw value.mismatch("a status with an id") }
        var data = EventData()
        let object = statusID(fields, id: id, &data)
        let createdAt = moment(fields.createdAt, "created_at", &data)
        if let account = fields.account { data.actor = actor(account) }
        var reading = Reading(id: id, object: object, form: .post, revision: 0, createdAt: createdAt)
        if let original = fields.reblog, original.kind == .object {
            reading.form = .repost
            index.learn(id, object, .repost)
            if occasion == .appearance {
                events.append(try repost(of: original, fields, object, createdAt, &data))
            }
            return reading
        }
        if fields.visibility?.isString("direct") == true { reading.form = .message }
        index.learn(id, object, reading.form)
        let editedAt = fields.editedAt?.moment
        reading.revision = editedAt.map(Self.revision) ?? 0
        if fields.editedAt != nil, editedAt == nil { data.loss.append(Loss("edited_at", .dropped, "it is no date")) }

        var utterance = SocialObject(id: object, kind: reading.form == .message ? .message : .post)
        utterance.createdAt = createdAt
        utterance.editedAt = editedAt
        utterance.revision = reading.revision
        setContext(fields, &utterance, &data)
        setUtterance(fields, &utterance, &data)
        data.object = consume utterance
        data.metrics = metrics(fields)
        for name in fields.unknown { data.loss.append(Loss(name, .dropped)) }
        append(occasion, reading, editedAt, data, to: &events)
        return reading
    }

    private func append(
        _ occasion: Occasion,
        _ reading: Reading,
        _ editedAt: Timestamp?,
        _ data: EventData,
        to events: inout [Event]
    ) {
        let isMessage = reading.form == .message
        if occasion == .appearance {
            events.append(
                Event(
                    id: EventID(reading.object, .created),
                    type: isMessage ? .messageCreated : .postCreated,
                    platform: Self.platform,
                    subject: reading.object,
                    time: reading.createdAt,
                    data: data
                )
            )
        }
        if let editedAt {
            events.append(
                Event(
                    id: EventID(reading.object, .updated, revision: reading.revision),
                    type: isMessage ? .messageUpdated : .postUpdated,
                    platform: Self.platform,
                    subject: reading.object,
                    time: editedAt,
                    data: data
                )
            )
        } else if occasion == .change {
            events.append(observation(of: reading.object, at: now, data))
        }
    }

    /// A change without an edit: votes of a poll, counts.
    func observation(of object: ObjectID, at moment: Timestamp, _ data: EventData) -> Event {
        var data = data
        if data.metrics == nil { data.metrics = Metrics(observedAt: moment) }
        return Event(
            id: EventID(object, .observed, revision: Self.revision(moment)),
            type: .metricsObserved,
            platform: Self.platform,
            subject: object,
            time: moment,
            data: data
        )
    }

    /// The number of an edit: the second it was made in, which the server that keeps milliseconds and the one that was told seconds agree on.
    static func revision(_ moment: Timestamp) -> Int {
        max(1, Int(moment.milliseconds / 1000))
    }

    /// A boost: the wrapper's id and time, the words of what is boosted.
    ///
    /// Its subject is the post that is boosted: when that is withdrawn, its words here are erased too.
    private func repost(
        of original: JSONValue,
        _ wrapper: MastodonStatusFields,
        _ object: ObjectID,
        _ createdAt: Timestamp,
        _ data: inout EventData
    ) throws(JSONError) -> Event {
        let fields = MastodonStatusFields(original)
        guard let id = fields.id?.nativeID else { throw original.mismatch("a status with an id") }
        let subject = statusID(fields, id: id, &data)
        index.learn(id, subject, fields.visibility?.isString("direct") == true ? .message : .post)
        var utterance = SocialObject(id: object, kind: .repost)
        utterance.createdAt = createdAt
        utterance.url = wrapper.url?.webAddress
        setUtterance(fields, &utterance, &data)
        data.object = utterance
        data.repostOf = Reference(
            id: subject,
            url: fields.url?.webAddress ?? fields.uri?.webAddress,
            actor: fields.account.map { actorID(MastodonAccountFields($0)) }
        )
        data.metrics = metrics(fields)
        return Event(
            id: EventID(object, .created),
            type: .repostCreated,
            platform: Self.platform,
            subject: subject,
            time: createdAt,
            data: data
        )
    }

    // MARK: - Deletions

    /// The event of a withdrawal, of which the server tells no more than its own id; `nil` when it is not known which status that was.
    func deletion(_ id: String) -> Event? {
        guard let known = index.known(id) else { return nil }
        return deletion(of: known.object, known.form)
    }

    /// The event of a withdrawal.
    func deletion(of object: ObjectID, _ form: MastodonForm) -> Event {
        var event = Event(
            id: EventID(object, .deleted),
            type: form.deleted,
            platform: Self.platform,
            subject: object,
            time: now
        )
        event.data.loss = [Loss("time", .inferred, "the server does not say when; this is when it was noticed")]
        return event
    }

    /// The event of a person being gone, and with them all that they said: their deletion is the erasure of what is theirs.
    func farewell(_ person: ObjectID) -> Event {
        // In seconds: who comes back may go again.
        var event = Event(
            id: EventID(person, .deleted, revision: Self.revision(now)),
            type: .postDeleted,
            platform: Self.platform,
            subject: person,
            time: now
        )
        event.data.actor = Actor(id: person)
        event.data.loss = [Loss("time", .inferred, "the server does not say when; this is when it was noticed")]
        return event
    }

    // MARK: - What is not known

    /// The event of something that is not understood, with all its bytes.
    ///
    /// - Parameters:
    ///   - bytes: what came.
    ///   - contentType: its media type.
    ///   - namespace: the kind of `native`.
    ///   - native: its own id, where it has one.
    /// - Returns: the event.
    package func unrecognised(
        _ bytes: [UInt8],
        contentType: String,
        _ namespace: String = "payload",
        _ native: String? = nil
    ) -> Event {
        Event.unrecognised(
            bytes,
            contentType: contentType,
            platform: Self.platform,
            time: now,
            id: native.map { ObjectID(Self.platform, namespace, $0) }
        )
    }
}
