package import ConnectorKit
import Dispatch
import FoundationEssentials
import GRDB
package import MessageBus
package import SocialEvents

/// The embedded log: one SQLite database in a directory, for one process.
///
/// Write-ahead logging with `synchronous = FULL`: what ``append(_:)`` returned for has reached the disk. One connection writes, with group commit
/// across sources; some read; one copies the write-ahead log into the database. `secure_delete` overwrites what is deleted.
package final class SQLiteBus: MessageBus {
    private let configuration: SQLiteBusConfiguration
    private let files: LogFiles
    private let parts: Parts
    private let closing = Closing()

    private var writer: LogWriter { parts.writer }
    private var mailbox: Mailbox { parts.mailbox }

    /// Opens the log in `directory`, which is made if need be.
    ///
    /// Throws ``BusError/inUse(_:)`` when another process has it, and ``BusError/unusable(_:)`` when it is damaged, of a newer version, or cannot be
    /// made.
    package init(directory: String, _ configuration: SQLiteBusConfiguration) async throws {
        let files = LogFiles(directory: directory)
        self.configuration = configuration
        self.files = files
        // Opening may check the whole database, for seconds: not on the cooperative pool.
        parts = try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(
                    with: Result {
                        do {
                            return try Parts(files, configuration)
                        } catch {
                            throw BusError.wrapping(error)
                        }
                    }
                )
            }
        }
    }

    /// What an open log consists of.
    private struct Parts: Sendable {
        let lock: DirectoryLock
        let writer: LogWriter
        let readers: LogReaders
        let checkpointer: Checkpointer
        let mailbox: Mailbox

        init(_ files: LogFiles, _ configuration: SQLiteBusConfiguration) throws {
            try files.makeDirectory()
            lock = try DirectoryLock(directory: files.directory, now: configuration.now())
            let endedInOrder = files.endedInOrder
            try files.makeDatabase()
            try LogSchema.examine(files.database)
            let queue = try LogConnection.writing(path: files.database, maximumBytes: configuration.maximumBytes)
            try LogSchema.migrator.migrate(queue)
            let check = IntegrityCheck(
                path: files.database,
                isThorough: !endedInOrder && files.size <= configuration.fullCheckBytes
            )
            try queue.writeWithoutTransaction { try check.run($0) }
            writer = try LogWriter(queue: queue, configuration: configuration)
            readers = try LogReaders(path: files.database, count: configuration.readers)
            checkpointer = try Checkpointer(path: files.database, readers: readers)
            mailbox = Mailbox(
                maximumWeight: configuration.mailboxBytes,
                maximumCount: configuration.mailboxCount
            )
            checkpointer.connect(mailbox)
            mailbox.connect { [writer, mailbox, checkpointer] in writer.serve(mailbox, checkpointer: checkpointer) }
        }
    }
}

// MARK: - Writing

extension SQLiteBus {
    @concurrent
    package func append(_ batch: LogBatch) async throws -> AppendReceipt {
        try await mailbox.append(PreparedBatch(batch, hash: writer.hash, configuration: configuration))
    }

    package var condition: BusCondition { writer.condition.current }

    package func setValue(_ value: [UInt8]?, for key: String) async throws {
        try await mailbox.run { writer, database in try writer.setValue(value, for: key, in: database) }
    }

    @concurrent
    package func replaceDeadLetter(_ id: Int64, with batch: LogBatch) async throws -> AppendReceipt? {
        let prepared = try PreparedBatch(batch, hash: writer.hash, configuration: configuration)
        let named = NamedInBatch(batch, hash: writer.hash)
        return try await mailbox.run { [checkpointer = parts.checkpointer] writer, database in
            try writer.replaceDeadLetter(id, with: prepared, naming: named, in: database, checkpointer)
        }
    }

    package func discardDeadLetter(_ id: Int64) async throws -> Bool {
        try await mailbox.run { writer, database in try writer.discardDeadLetter(id, in: database) }
    }

    package func close() async {
        guard closing.begin() else { return await closing.wait() }
        mailbox.close()
        // What was handed over is done before this command, which is let in although nothing else is.
        await mailbox.finish()
        writer.recent.close()
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                self.parts.readers.close()
                self.parts.checkpointer.close()
                self.writer.close()
                continuation.resume()
            }
        }
        parts.lock.release()
        closing.end()
    }
}

// MARK: - Reading

extension SQLiteBus {
    @concurrent
    package func page(after position: Sequence, filter: EventFilter, limits: PageLimits) async throws -> LogPage {
        if let page = try writer.recent.page(after: position, filter: filter, limits: limits) { return page }
        return try await parts.readers.with { try await $0.page(after: position, filter: filter, limits: limits) }
    }

    package func waitForEvents(after position: Sequence) async throws {
        try await writer.recent.wait(after: position)
    }

    package func bounds() async throws -> LogBounds {
        let span = try writer.recent.span()
        return LogBounds(trimmedThrough: span.trimmedThrough, head: span.head, size: files.size)
    }

    package func cursor(of source: SourceName) async throws -> ConnectorKit.Cursor? {
        try await read { database in
            let row = try Row.fetchOne(
                database,
                sql: """
                    SELECT version, bytes FROM cursors
                    WHERE source = (SELECT number FROM names WHERE kind = \(NameKind.source.rawValue) AND name = ?)
                    """,
                arguments: [source.name]
            )
            guard let row else { return nil }
            let bytes: Data = row[1]
            return ConnectorKit.Cursor(version: row[0], bytes: Array(bytes))
        }
    }

    package func changedBroadcasts(limit: Int) async throws -> [BroadcastTally] {
        try await read { database in
            let changed = try Row.fetchAll(
                database,
                sql: """
                    SELECT broadcasts.number, name, object, version FROM broadcasts
                    JOIN names ON names.number = broadcasts.source WHERE version > observed
                    ORDER BY broadcasts.number LIMIT ?
                    """,
                arguments: [max(0, limit)]
            )
            return try changed.map { row in
                let number: Int64 = row[0]
                let counts = try Row.fetchAll(
                    database,
                    sql: "SELECT name, count FROM broadcastcounts WHERE broadcast = ?",
                    arguments: [number]
                )
                return BroadcastTally(
                    source: SourceName(row[1]),
                    broadcast: ObjectID(text: row[2]),
                    version: row[3],
                    counts: Dictionary(uniqueKeysWithValues: counts.map { ($0[0], $0[1]) })
                )
            }
        }
    }

    package func deadLetters(of source: SourceName?, after: Int64, limit: Int) async throws -> [StoredDeadLetter] {
        try await read { database in
            let rows = try Row.fetchCursor(
                database,
                sql: """
                    SELECT id, name, recorded, reason, contenttype, payload, attempts, iscut
                    FROM deadletters JOIN names ON names.number = deadletters.source
                    WHERE id > ?1 AND (?2 IS NULL OR name = ?2) ORDER BY id LIMIT ?3
                    """,
                arguments: [after, source?.name, max(0, limit)]
            )
            var letters: [StoredDeadLetter] = []
            while let row = try rows.next() {
                let payload: Data = row[5]
                letters.append(
                    StoredDeadLetter(
                        id: row[0],
                        source: SourceName(row[1]),
                        recordedTime: Timestamp(milliseconds: row[2]),
                        letter: DeadLetter(
                            reason: row[3],
                            contentType: row[4],
                            payload: Array(payload),
                            isCut: row[7]
                        ),
                        attempts: row[6]
                    )
                )
            }
            return letters
        }
    }

    package func deadLetterCounts() async throws -> [SourceName: Int] {
        try await counts("SELECT name, count(*) FROM deadletters JOIN names ON number = source GROUP BY source")
    }

    /// How many dead letters of each source gave way to newer ones.
    package func droppedDeadLetterCounts() async throws -> [SourceName: Int] {
        try await counts("SELECT name, count FROM deadletterdrops JOIN names ON number = source")
    }

    package func value(for key: String) async throws -> [UInt8]? {
        try await read { database in
            try Data.fetchOne(database, sql: "SELECT bytes FROM statevalues WHERE key = ?", arguments: [key]).map(
                Array.init
            )
        }
    }

    private func counts(_ sql: String) async throws -> [SourceName: Int] {
        try await read { database in
            let rows = try Row.fetchAll(database, sql: sql)
            return Dictionary(uniqueKeysWithValues: rows.map { (SourceName($0[0]), $0[1]) })
        }
    }

    private func read<Value: Sendable>(_ work: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
        _ = try writer.recent.span()
        return try await parts.readers.with { try await $0.read(work) }
    }
}

// MARK: - Forgetting

extension SQLiteBus {
    package func erase(_ selector: ErasureSelector) async throws -> ErasureReceipt {
        var receipt = ErasureReceipt(events: 0, deadLetters: 0)
        switch selector {
        case .object(let object):
            receipt.events = try await mailbox.run { try $0.eraseObject(object, in: $1) }
        case .actor(let actor):
            let digest = writer.hash.digest(actor.text)
            try await mailbox.run { try $0.forgetRecipient(actor, in: $1) }
            receipt.events = try await eraseEvents(sparing: .withdrawals) { database, after, limit in
                let sql =
                    "SELECT sequence FROM events INDEXED BY events_actor WHERE sequence > ? AND actor = ? ORDER BY sequence LIMIT ?"
                return try Int64.fetchAll(database, sql: sql, arguments: [after, digest, limit])
            }
            receipt.events += try await mailbox.run { writer, database in
                try writer.eraseEvents(
                    writer.sequences(about: actor, in: database),
                    sparing: .withdrawals,
                    in: database
                )
            }
        case .source(let source):
            receipt.deadLetters = try await mailbox.run { try $0.eraseSource(source, in: $1) }
            receipt.events = try await eraseEvents(sparing: .none) { database, after, limit in
                let sql = """
                    SELECT sequence FROM events WHERE sequence > ? AND body IS NOT NULL
                    AND source = (SELECT number FROM names WHERE kind = \(NameKind.source.rawValue) AND name = ?)
                    ORDER BY sequence LIMIT ?
                    """
                return try Int64.fetchAll(database, sql: sql, arguments: [after, source.name, limit])
            }
        }
        try await parts.checkpointer.truncate()
        return receipt
    }

    package func trim(_ policy: RetentionPolicy, now: Timestamp) async throws -> TrimReceipt {
        var dropped = 0
        while true {
            let step = try await mailbox.run { try $0.trimStep(policy, now: now, in: $1) }
            dropped += step
            if step == 0 { break }
        }
        if dropped > 0 {
            while try await mailbox.run({ try $0.vacuumStep(in: $1) }) {}
            try await parts.checkpointer.truncate()
        }
        return TrimReceipt(events: dropped, trimmedThrough: try writer.recent.span().trimmedThrough)
    }

    /// Returns when what was erased by withdrawals has left the files.
    ///
    /// It does so by itself, within about a second.
    package func settle() async throws { try await parts.checkpointer.settle() }

    /// Erases the events that `find` finds, in steps, so that new events are stored in between.
    private func eraseEvents(
        sparing exemption: ErasureExemption,
        _ find: @escaping @Sendable (_ database: Database, _ after: Int64, _ limit: Int) throws -> [Int64]
    ) async throws -> Int {
        let limit = configuration.stepCount
        var position: Int64 = 0
        var erased = 0
        while true {
            let from = position
            let found = try await read { try find($0, from, limit) }
            guard let last = found.last else { return erased }
            erased += try await mailbox.run { try $0.eraseEvents(found, sparing: exemption, in: $1) }
            position = last
        }
    }
}
