package import ConnectorKit
package import SocialEvents

/// The durable, ordered log of events, with the cursors of the sources that feed it.
///
/// The hub writes through it, readers read from it, and nothing in it assumes one process or SQL: positions are opaque but ordered, waiting
/// is a call, and small state is a key with a value. Every implementation passes ``MessageBusContract``. All calls may be made concurrently;
/// all throw ``BusError``.
package protocol MessageBus: Sendable {
    /// Makes `batch` durable: its events, its dead letters and its cursor in one commit, or nothing of it.
    ///
    /// Returning is the acknowledgement: everything is on disk. An event whose id the same source brought before is skipped and counted; one that
    /// another source brought before is stored and marked. A `deleted` event erases, in the same commit, what is retained of its subject.
    /// A `social.delivery.updated` event is skipped where its source told, for that message and recipient, a stage as far or further: deliveries
    /// only move forward, whatever order their news comes in. Those that name a broadcast are counted: see ``changedBroadcasts(limit:)``.
    /// Cancelling the calling task does not undo a batch that was handed over.
    func append(_ batch: LogBatch) async throws -> AppendReceipt

    /// The cursor that the last durable batch of `source` carried.
    func cursor(of source: SourceName) async throws -> Cursor?

    /// The events after `position` that pass `filter`, in order, up to the limits.
    ///
    /// Throws ``BusError/positionLost(lost:)`` when events after `position` were retained away, and ``BusError/positionAhead(head:)`` when
    /// `position` lies beyond the head, as after a restored backup.
    func page(after position: Sequence, filter: EventFilter, limits: PageLimits) async throws -> LogPage

    /// Returns once the log holds an event after `position`; at once when it already does. Throws `CancellationError` on cancellation.
    func waitForEvents(after position: Sequence) async throws

    /// What the log holds.
    func bounds() async throws -> LogBounds

    /// Whether the log takes events at the moment.
    var condition: BusCondition { get }

    /// Erases what is retained of an object, a person or a source, so that the bytes are gone from the files when it returns.
    ///
    /// What stays is that there was an event: its position and id, so that it is neither brought again nor counted as lost.
    func erase(_ selector: ErasureSelector) async throws -> ErasureReceipt

    /// Drops the oldest events beyond `policy`, in bounded steps; readers before the new start are told what they lost.
    func trim(_ policy: RetentionPolicy, now: Timestamp) async throws -> TrimReceipt

    /// Broadcasts whose counts changed since a batch last told them, at most `limit`.
    ///
    /// Answers to a broadcast's messages (`social.message.created` in reply to them) and opt-outs of whom it reached last
    /// (`social.follow.deleted` with somebody as its target, not a group) count too.
    func changedBroadcasts(limit: Int) async throws -> [BroadcastTally]

    /// Dead letters of `source` (or all), oldest first, after the id `after`.
    func deadLetters(of source: SourceName?, after: Int64, limit: Int) async throws -> [StoredDeadLetter]

    /// How many dead letters are kept, by source.
    func deadLetterCounts() async throws -> [SourceName: Int]

    /// Puts what a new reading made of a dead letter in its place, all of it in one commit; `nil`, and nothing done, when the batch's source has
    /// no dead letter of that id.
    ///
    /// The events are appended as by ``append(_:)``. One whose object or person was withdrawn since the letter was set aside takes a position without
    /// its content, for the letter is older than the withdrawal. Without dead letters in the batch the letter is gone; else the first takes its
    /// place, keeps its id and time and counts one attempt more, and the others are kept as new ones.
    func replaceDeadLetter(_ id: Int64, with batch: LogBatch) async throws -> AppendReceipt?

    /// Removes one dead letter; false when there is none of that id.
    func discardDeadLetter(_ id: Int64) async throws -> Bool

    /// A small value the hub keeps over restarts, such as that a source is paused.
    func value(for key: String) async throws -> [UInt8]?

    /// Keeps or, with `nil`, forgets a small value. Durable when it returns.
    func setValue(_ value: [UInt8]?, for key: String) async throws

    /// Finishes what was handed over, then lets go of everything. Calls after it throw ``BusError/closed``.
    func close() async
}
