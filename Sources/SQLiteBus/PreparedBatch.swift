import ConnectorKit
import JSON
import MessageBus
import SocialEvents

/// A batch in the form the writer stores it in.
///
/// Made on the caller's task, so that encoding costs the writer nothing.
struct PreparedBatch: Sendable {
    var source: SourceName
    var rows: [PreparedRow]
    /// The events' JSON, one after another; the rows' bodies lie in it.
    var bodies: [UInt8]
    /// Ids and objects of the rows, one after another.
    var keys: [UInt8]
    var deadLetters: [DeadLetter]
    var cursor: ConnectorKit.Cursor?
    /// What its events say of deliveries and broadcasts; most say nothing.
    var marks: [PreparedMark]
    /// Counts of broadcasts that its events tell.
    var observed: [ObservedBroadcast]

    /// About how much memory it takes, in bytes.
    var weight: Int {
        bodies.count + keys.count + rows.count * MemoryLayout<PreparedRow>.stride + (cursor?.bytes.count ?? 0)
            + deadLetters.reduce(0) { $0 + $1.payload.count + $1.reason.utf8.count }
    }

    /// Encodes `batch`; `hash` digests the ids of people.
    init(_ batch: LogBatch, hash: SipHash, configuration: SQLiteBusConfiguration) throws {
        if let cursor = batch.cursor, cursor.bytes.count > Cursor.maximumSize {
            throw BusError.storage(
                "the cursor of \(batch.source) has \(cursor.bytes.count) bytes; \(Cursor.maximumSize) are allowed"
            )
        }
        source = batch.source
        cursor = batch.cursor
        observed = batch.observed
        marks = []
        deadLetters = batch.deadLetters.map { $0.bounded(configuration.deadLetterPayloadBytes) }
        rows = []
        keys = []
        rows.reserveCapacity(batch.events.count)
        keys.reserveCapacity(batch.events.count * 64)
        var writer = JSONWriter(reserving: batch.events.count * 1_280)
        for event in batch.events {
            let start = writer.count
            EventEncoder.encodeBody(event, source: batch.source, into: &writer)
            let body = start..<writer.count
            writer.endLine()
            let id = keys.count..<keys.count + event.id.text.utf8.count
            keys.append(contentsOf: event.id.text.utf8)
            var object: Range<Int>?
            if let subject = event.subject, !ObjectKeys.derives(subject, from: event.id) {
                object = keys.count..<keys.count + subject.text.utf8.count
                keys.append(contentsOf: subject.text.utf8)
            }
            let mark = PreparedMark(event, hash: hash)
            rows.append(
                PreparedRow(
                    platform: event.platform,
                    type: event.type,
                    id: id,
                    object: object,
                    withdrawn: event.type.verb == .deleted ? event.subject : nil,
                    actor: (event.data.actor?.id ?? event.data.delivery?.recipient).map { hash.digest($0.text) },
                    body: body,
                    mark: mark == nil ? nil : marks.count
                )
            )
            if let mark { marks.append(mark) }
        }
        bodies = writer.bytes
    }
}

/// One event of a prepared batch.
struct PreparedRow: Sendable {
    var platform: Platform
    var type: EventType
    /// Where its id lies in the batch's keys.
    var id: Range<Int>
    /// Where the object it is about lies in the batch's keys, unless the id says it.
    var object: Range<Int>?
    /// The object that this event withdraws.
    var withdrawn: ObjectID?
    /// The digest of the id of who did it, or to whom it was delivered.
    var actor: Int64?
    /// Where its JSON lies in the batch's bodies.
    var body: Range<Int>
    /// Which of the batch's marks is its.
    var mark: Int?
}

extension DeadLetter {
    /// The letter with at most `limit` bytes of payload and a reason of a few lines.
    fileprivate func bounded(_ limit: Int) -> DeadLetter {
        var letter = self
        letter.reason = String(reason.prefix(2_000))
        if payload.count > limit {
            letter.payload = Array(payload.prefix(limit))
            letter.isCut = true
            letter.reason += " (the first \(limit) of \(payload.count) bytes are kept)"
        }
        return letter
    }
}
