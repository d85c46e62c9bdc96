package import SocialEvents

/// What is to be erased.
package enum ErasureSelector: Sendable, Hashable {
    /// Everything about an object.
    case object(ObjectID)
    /// Everything a person did, and profile events about them; the news of what they or their platform withdrew stays.
    case actor(ObjectID)
    /// Everything a source brought, with its cursor and dead letters.
    case source(SourceName)
}

/// What was erased.
package struct ErasureReceipt: Sendable, Hashable {
    /// Events whose content is gone.
    package var events: Int
    /// Dead letters that are gone.
    package var deadLetters: Int

    /// A receipt.
    package init(events: Int, deadLetters: Int) {
        self.events = events
        self.deadLetters = deadLetters
    }
}

/// How much of the log is kept; `nil` sets no limit.
package struct RetentionPolicy: Sendable, Hashable {
    /// Events recorded longer ago are dropped.
    package var age: Duration?
    /// When the log is larger, in bytes, the oldest are dropped.
    package var size: Int64?

    /// A policy.
    package init(age: Duration? = nil, size: Int64? = nil) {
        self.age = age
        self.size = size
    }
}

/// What trimming dropped.
package struct TrimReceipt: Sendable, Hashable {
    /// Events dropped.
    package var events: Int
    /// Everything up to here is gone now.
    package var trimmedThrough: Sequence

    /// A receipt.
    package init(events: Int, trimmedThrough: Sequence) {
        self.events = events
        self.trimmedThrough = trimmedThrough
    }
}
