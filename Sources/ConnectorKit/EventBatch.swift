public import SocialEvents

/// What a stream hands over at once: durable together, or not at all.
public struct EventBatch: Sendable {
    /// New facts, oldest first.
    public var events: [Event]
    /// Parts of the payload that could not be read.
    public var deadLetters: [DeadLetter]
    /// Where to go on; `nil` leaves the cursor as it was.
    public var cursor: Cursor?
    /// A hole found in what was read, or one that this batch fills.
    public var gaps: [GapReport]

    /// A batch.
    public init(
        events: [Event] = [],
        deadLetters: [DeadLetter] = [],
        cursor: Cursor? = nil,
        gaps: [GapReport] = []
    ) {
        self.events = events
        self.deadLetters = deadLetters
        self.cursor = cursor
        self.gaps = gaps
    }
}
