/// One normalised fact, as a connector makes it.
///
/// The hub adds where it came from and where it stands in the log: see ``RecordedEvent``. Its JSON form is a CloudEvents 1.0 event in
/// structured mode, described by ``EventSchema``.
public struct Event: Sendable, Hashable {
    /// The same for the same fact, however often and by whichever way it is seen.
    public var id: EventID
    /// What kind of fact this is.
    public var type: EventType
    /// The platform it happened on.
    public var platform: Platform
    /// The object it is about.
    public var subject: ObjectID?
    /// When it happened at the platform; the time of reading where the platform does not say (then `loss` says so).
    public var time: Timestamp
    /// The event that caused this one, where known.
    public var causationID: EventID?
    /// The normalised fact.
    public var data: EventData

    /// An event.
    public init(
        id: EventID,
        type: EventType,
        platform: Platform,
        subject: ObjectID? = nil,
        time: Timestamp,
        causationID: EventID? = nil,
        data: EventData = EventData()
    ) {
        self.id = id
        self.type = type
        self.platform = platform
        self.subject = subject
        self.time = time
        self.causationID = causationID
        self.data = data
    }
}

/// The `data` of an event.
///
/// Absent is absent, never null; empty lists are left out.
public struct EventData: Sendable, Hashable {
    /// The utterance the event is about.
    public var object: SocialObject?
    /// Who did it.
    public var actor: Actor?
    /// What the object answers.
    public var inReplyTo: Reference?
    /// What the object quotes.
    public var quoteOf: Reference?
    /// What is reposted.
    public var repostOf: Reference?
    /// What a reaction, delivery, follow or metrics observation is about, where it is not the subject itself.
    public var target: Reference?
    /// The conversation or thread.
    public var conversation: ObjectID?
    /// Where it was said: forum category, subreddit, list, group, hashtag, feed.
    public var channel: Channel?
    /// The emoji or name of a reaction to the subject.
    public var reaction: String?
    /// Counts, as an observation with its own time.
    public var metrics: Metrics?
    /// How far a message or broadcast has come.
    public var delivery: Delivery?
    /// The platform rules and hub queries that selected the event.
    public var matched: [Match] = []
    /// What of the payload was dropped, truncated or inferred.
    public var loss: [Loss] = []
    /// The platform's payload, byte for byte; only in `social.unrecognised` and on request.
    public var raw: RawPayload?
    /// In `hub.source.changed`: the new state.
    public var sourceState: SourceStateChange?
    /// In `hub.gap.opened` and `hub.gap.closed`: the hole.
    public var gap: Gap?

    /// Empty data, to be filled.
    public init() {}
}

/// An event as it stands in the log.
public struct RecordedEvent: Sendable, Hashable {
    /// The fact.
    public var event: Event
    /// The source that brought it.
    public var source: SourceName
    /// Its position in the log.
    public var sequence: Sequence
    /// When it was recorded.
    public var recordedTime: Timestamp
    /// The position of the event with the same id that another source brought earlier.
    public var duplicateOf: Sequence?

    /// A recorded event.
    public init(
        event: Event,
        source: SourceName,
        sequence: Sequence,
        recordedTime: Timestamp,
        duplicateOf: Sequence? = nil
    ) {
        self.event = event
        self.source = source
        self.sequence = sequence
        self.recordedTime = recordedTime
        self.duplicateOf = duplicateOf
    }
}
