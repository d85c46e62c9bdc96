package import ConnectorKit
package import SocialEvents

/// What one source hands to the log in one commit.
package struct LogBatch: Sendable {
    /// Who brings it.
    package var source: SourceName
    /// The events, in the order they shall stand in.
    package var events: [Event]
    /// Payloads that could not be read, kept beside the log.
    package var deadLetters: [DeadLetter]
    /// Where the source stands once the batch is durable; `nil` leaves the cursor as it is.
    package var cursor: Cursor?
    /// The counts of broadcasts that the events tell, so that they are not told again.
    package var observed: [ObservedBroadcast] = []

    /// A batch.
    package init(source: SourceName, events: [Event] = [], deadLetters: [DeadLetter] = [], cursor: Cursor? = nil) {
        self.source = source
        self.events = events
        self.deadLetters = deadLetters
        self.cursor = cursor
    }
}

/// What became of a batch.
package struct AppendReceipt: Sendable, Hashable {
    /// Positions of the events stored, in order; empty when all were repeated.
    package var sequences: [Sequence]
    /// How many were skipped because the same source had brought them, or for a delivery a later stage, before.
    package var repeated: Int

    /// A receipt.
    package init(sequences: [Sequence], repeated: Int) {
        self.sequences = sequences
        self.repeated = repeated
    }
}

/// A dead letter as it is kept.
package struct StoredDeadLetter: Sendable, Hashable {
    /// Rises with time; unique in the log.
    package var id: Int64
    /// The source it came in by.
    package var source: SourceName
    /// When it was set aside.
    package var recordedTime: Timestamp
    /// The payload and why it could not be read.
    package var letter: DeadLetter
    /// How often it was read again in vain.
    package var attempts: Int

    /// A dead letter.
    package init(id: Int64, source: SourceName, recordedTime: Timestamp, letter: DeadLetter, attempts: Int = 0) {
        self.id = id
        self.source = source
        self.recordedTime = recordedTime
        self.letter = letter
        self.attempts = attempts
    }
}
