package import SocialEvents

/// How the embedded log behaves; the defaults suit one hub on one machine.
package struct SQLiteBusConfiguration: Sendable {
    /// What time it is, for `recordedtime`.
    ///
    /// A clock that jumps back does not make recorded times fall.
    package var now: @Sendable () -> Timestamp
    /// Bytes of batches that may wait for the writer; callers beyond it wait.
    package var mailboxBytes = 16 << 20
    /// Batches that may wait for the writer; callers beyond it wait.
    package var mailboxCount = 1_024
    /// About how many bytes one commit takes; a larger group is spread over several.
    package var groupBytes = 1 << 20
    /// Bytes of the newest events kept in memory, so that readers at the head cost no SQL.
    package var recentBytes = 8 << 20
    /// Connections that read.
    package var readers = 3
    /// Bytes of the write-ahead log after which it is copied into the database, beside the writer.
    package var checkpointBytes = 4 << 20
    /// Bytes of the write-ahead log after which the writer sees to it that it starts over.
    package var walBytes = 64 << 20
    /// Dead letters kept for one source; the oldest give way.
    package var deadLetterCount = 1_000
    /// Bytes of payloads of dead letters kept for one source; the oldest give way.
    package var deadLetterBytes = 16 << 20
    /// Bytes kept of one dead letter's payload; the rest is cut off, and the reason says so.
    package var deadLetterPayloadBytes = 1 << 20
    /// Events that one step of trimming or erasing touches between two commits of new events.
    package var stepCount = 500
    /// Most bytes the database may take, beyond which appends fail as on a full disk; `nil` leaves that to the disk
    /// (and to what one database can hold here, 256 GiB).
    package var maximumBytes: Int64?
    /// Up to this size, a database that was not closed in order is checked in full at start.
    package var fullCheckBytes: Int64 = 1 << 30

    /// The defaults, with a clock.
    package init(now: @escaping @Sendable () -> Timestamp) {
        self.now = now
    }
}
