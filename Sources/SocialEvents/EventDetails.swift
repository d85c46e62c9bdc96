/// Who did something.
public struct Actor: Sendable, Hashable {
    /// Their id, where the platform gives one.
    public var id: ObjectID?
    /// The name they are addressed by, without `@`.
    public var handle: String?
    /// The name they show.
    public var name: String?
    /// Their page.
    public var url: String?
    /// Their picture.
    public var avatarURL: String?
    /// Whether they say they are automated.
    public var isBot: Bool?
    /// Whether the platform has verified them.
    public var isVerified: Bool?
    /// Followers counted when the payload was made.
    public var followerCount: Int?
    /// Other ids of theirs on the platform, such as an account's beside a telephone number.
    public var aliases: [ObjectID] = []

    /// Somebody.
    public init(id: ObjectID? = nil, handle: String? = nil, name: String? = nil, url: String? = nil) {
        self.id = id
        self.handle = handle
        self.name = name
        self.url = url
    }
}

/// Something another event may be about.
public struct Reference: Sendable, Hashable {
    /// Its id, where it can be known.
    public var id: ObjectID?
    /// Where a person can see it.
    public var url: String?
    /// Its author, where the payload says.
    public var actor: ObjectID?

    /// A reference by id, URL or both.
    public init(id: ObjectID? = nil, url: String? = nil, actor: ObjectID? = nil) {
        self.id = id
        self.url = url
        self.actor = actor
    }
}

/// Where something was said.
public struct Channel: Sendable, Hashable {
    /// Its id.
    public var id: ObjectID
    /// Its name.
    public var name: String?
    /// Its page.
    public var url: String?

    /// A channel.
    public init(id: ObjectID, name: String? = nil, url: String? = nil) {
        self.id = id
        self.name = name
        self.url = url
    }
}

/// Counts observed at a time.
///
/// Counts never seen are absent, which is not zero.
public struct Metrics: Sendable, Hashable {
    /// When they were counted.
    public var observedAt: Timestamp
    /// Likes, favourites, upvotes.
    public var likes: Int?
    /// Reposts, boosts, shares.
    public var reposts: Int?
    /// Replies, comments.
    public var replies: Int?
    /// Quotes.
    public var quotes: Int?
    /// Bookmarks, saves.
    public var bookmarks: Int?
    /// Views, impressions, plays.
    public var views: Int?
    /// Votes for minus votes against.
    public var score: Int?
    /// Counts a platform has beyond these, by their names.
    public var other: [NamedCount] = []

    /// No counts yet.
    public init(observedAt: Timestamp) {
        self.observedAt = observedAt
    }

    /// A count by name.
    public struct NamedCount: Sendable, Hashable {
        /// The platform's name for it.
        public var name: String
        /// The count.
        public var count: Int

        /// A count.
        public init(name: String, count: Int) {
            self.name = name
            self.count = count
        }
    }
}

/// How far a message or broadcast has come.
public struct Delivery: Sendable, Hashable {
    /// The stages in their order: whoever has read it was delivered it, and `failed` is final.
    public enum Status: String, Sendable, Hashable, CaseIterable, Comparable {
        /// Accepted, not sent yet.
        case queued
        /// Handed to the platform.
        case sent
        /// On the recipient's device.
        case delivered
        /// Seen.
        case read
        /// Will not arrive.
        case failed

        /// How far it is: from 1 for `queued` to 5 for `failed`.
        package var rank: Int {
            switch self {
            case .queued: 1
            case .sent: 2
            case .delivered: 3
            case .read: 4
            case .failed: 5
            }
        }

        /// Whether a stage comes before another.
        public static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }
    }

    /// The stage.
    public var status: Status
    /// For whom.
    public var recipient: ObjectID?
    /// The group that the message went to, where each of its members has a stage of their own; absent where there is one recipient, by whatever name.
    public var group: ObjectID?
    /// The platform's code for a failure.
    public var errorCode: String?
    /// Why it failed and what to do.
    public var reason: String?
    /// The broadcast that the message is part of.
    public var broadcast: ObjectID?

    /// A stage.
    public init(_ status: Status, recipient: ObjectID? = nil, errorCode: String? = nil, reason: String? = nil) {
        self.status = status
        self.recipient = recipient
        self.errorCode = errorCode
        self.reason = reason
    }
}

/// A rule of the platform or query of the hub that selected an event.
public struct Match: Sendable, Hashable {
    /// The rule's name or id.
    public var name: String
    /// Its tags.
    public var tags: [String]

    /// A match.
    public init(name: String, tags: [String] = []) {
        self.name = name
        self.tags = tags
    }
}

/// A place where the event says less than the payload, or other than it.
public struct Loss: Sendable, Hashable {
    /// What happened to the field.
    public enum Reason: String, Sendable, Hashable, CaseIterable {
        /// It has no place in the event.
        case dropped
        /// It was longer than allowed.
        case truncated
        /// It was not there or not readable; the value was derived.
        case inferred
        /// It was ill-formed and read as far as it goes.
        case repaired
        /// Unsafe parts were taken out.
        case sanitised
    }

    /// The payload's field, in the payload's own words.
    public var field: String
    /// What happened.
    public var reason: Reason
    /// More about it, in plain English.
    public var detail: String?

    /// A loss.
    public init(_ field: String, _ reason: Reason, _ detail: String? = nil) {
        self.field = field
        self.reason = reason
        self.detail = detail
    }
}

/// A platform's payload, byte for byte.
public struct RawPayload: Sendable, Hashable {
    /// Its media type, as it was sent or is known.
    public var contentType: String
    /// The bytes.
    ///
    /// In JSON they stand as `text` where they are UTF-8 and as `base64` otherwise.
    public var bytes: [UInt8]

    /// A payload.
    public init(contentType: String, bytes: [UInt8]) {
        self.contentType = contentType
        self.bytes = bytes
    }
}

/// A source's move from one state to another.
public struct SourceStateChange: Sendable, Hashable {
    /// The state now: see ``SourceState``.
    public var state: SourceState
    /// The state before.
    public var previous: SourceState?
    /// Why, in plain English, safe to print.
    public var reason: String?
    /// When it will try again, for states that end by themselves.
    public var until: Timestamp?
    /// How many attempts have failed in a row.
    public var attempt: Int?

    /// A move.
    public init(
        state: SourceState,
        previous: SourceState? = nil,
        reason: String? = nil,
        until: Timestamp? = nil,
        attempt: Int? = nil
    ) {
        self.state = state
        self.previous = previous
        self.reason = reason
        self.until = until
        self.attempt = attempt
    }
}

/// What a source is doing.
public enum SourceState: String, Sendable, Hashable, CaseIterable {
    /// Being set up; nothing read yet.
    case starting
    /// Reading what happened before it was started or while it was away.
    case backfilling
    /// Reading what happens.
    case running
    /// Waiting because the platform asked it to.
    case throttled
    /// Waiting before another attempt after a failure.
    case retrying
    /// Waiting for a person to mend its credentials.
    case unauthorized
    /// Stopped by a person, to be resumed by one.
    case paused
    /// Ended by a fault that repeating cannot mend.
    case failed
    /// Ended in order.
    case stopped
}

/// A hole in what a source has read.
public struct Gap: Sendable, Hashable {
    /// Last thing known before it, where known.
    public var after: Timestamp?
    /// First thing known behind it, where known.
    public var before: Timestamp?
    /// Why it is there or how it was filled, in plain English.
    public var reason: String

    /// A hole.
    public init(after: Timestamp? = nil, before: Timestamp? = nil, reason: String) {
        self.after = after
        self.before = before
        self.reason = reason
    }
}
