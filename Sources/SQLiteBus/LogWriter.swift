import GRDB
import GRDBSQLite
import MessageBus
import SocialEvents
import Synchronization

/// The one connection that writes, and what it does with what waits in the mailbox.
///
/// It takes all that waits, stores it in one transaction, and tells every caller: the dearest part of a commit, the sync to disk, is paid once for
/// all sources that came meanwhile. Each batch is still atomic for itself: when a group fails, its batches are tried one by one.
///
/// Unchecked because the compiler cannot see it: all that changes is touched only on the queue of the connection.
final class LogWriter: @unchecked Sendable {
    let queue: DatabaseQueue
    let configuration: SQLiteBusConfiguration
    let recent: RecentEvents
    let condition: ConditionHolder
    /// Digests the ids of people.
    let hash: SipHash
    var state: WriterState
    /// Pages in the write-ahead log, as the last commit reported.
    private let walPages: UnsafeMutablePointer<Int32>
    private let pageSize: Int
    private var statements: WriterStatements?
    private var askedPages: Int32 = 0

    /// Takes over `queue`, whose database is in its present form.
    init(queue: DatabaseQueue, configuration: SQLiteBusConfiguration) throws {
        self.queue = queue
        self.configuration = configuration
        condition = ConditionHolder()
        let walPages = UnsafeMutablePointer<Int32>.allocate(capacity: 1)
        walPages.initialize(to: 0)
        self.walPages = walPages
        do {
            (state, hash, pageSize, statements) = try queue.writeWithoutTransaction { database in
                sqlite3_wal_hook(database.sqliteConnection, noteWALPages, walPages)
                return (
                    try WriterState(database),
                    SipHash(
                        low: UInt64(bitPattern: try LogSchema.meta("hashlow", in: database)),
                        high: UInt64(bitPattern: try LogSchema.meta("hashhigh", in: database))
                    ),
                    try Int.fetchOne(database, sql: "PRAGMA page_size") ?? 4_096,
                    try WriterStatements(database)
                )
            }
        } catch {
            walPages.deallocate()
            throw error
        }
        recent = RecentEvents(
            head: state.head,
            trimmedThrough: state.trimmedThrough,
            maximumBytes: configuration.recentBytes
        )
    }

    deinit { walPages.deallocate() }

    /// Does what waits until nothing does; then asks `checkpointer` to copy what was written, where it is time.
    func serve(_ mailbox: Mailbox, checkpointer: Checkpointer) {
        queue.asyncWriteWithoutTransaction { database in
            while true {
                let jobs = mailbox.take(upTo: self.configuration.groupBytes)
                if jobs.isEmpty { return }
                if jobs.count == 1, case .command(let work) = jobs[0] {
                    work((self, database))
                } else {
                    self.commit(jobs.compactMap(PendingAppend.init), in: database, checkpointer)
                }
                self.watchLog(database, checkpointer)
            }
        }
    }

    /// Runs `body` in a transaction; when it fails, nothing of it was done.
    func transaction<Value>(in database: Database, _ body: (WriterStatements) throws -> Value) throws -> Value {
        guard let statements else { throw BusError.closed }
        let before = state
        do {
            try statements.begin.run()
            let value = try body(statements)
            try statements.commit.run()
            condition.set(.ready)
            return value
        } catch {
            state = before
            if database.isInsideTransaction { try? statements.rollback.run() }
            let wrapped = BusError.wrapping(error, in: database)
            condition.note(wrapped)
            throw wrapped
        }
    }

    /// Lets go of the connection; the last one to do so takes the write-ahead log with it.
    func close() {
        queue.writeWithoutTransaction { database in
            statements = nil
            sqlite3_wal_hook(database.sqliteConnection, nil, nil)
        }
        // It fails only when statements are still in use, and there are none.
        try? queue.close()
    }
}

// MARK: - Group commit

extension LogWriter {
    /// A batch and who waits for it.
    private struct PendingAppend {
        var batch: PreparedBatch
        var continuation: CheckedContinuation<AppendReceipt, any Error>

        init?(_ job: WriteJob) {
            guard case .append(let batch, let continuation) = job else { return nil }
            self.batch = batch
            self.continuation = continuation
        }
    }

    private func commit(_ pending: [PendingAppend], in database: Database, _ checkpointer: Checkpointer) {
        let receipts: [AppendReceipt]
        var group = AppendGroup(recorded: max(state.recorded, configuration.now()))
        do {
            receipts = try transaction(in: database) { statements in
                state.recorded = group.recorded
                return try pending.map { try store($0.batch, in: &group, statements, database) }
            }
        } catch {
            if pending.count > 1, !error.isLackOfRoom {
                for append in pending { commit([append], in: database, checkpointer) }
            } else {
                for append in pending { append.continuation.resume(throwing: error) }
            }
            return
        }
        // Before anybody is told: whoever then waits for the files to be rid of what was erased must find it due.
        if !group.erased.isEmpty { checkpointer.truncateSoon() }
        // Readers first: whoever is told that its batch is durable may read it at once.
        recent.publish(group.chunks, erased: group.erased)
        for (append, receipt) in zip(pending, receipts) { append.continuation.resume(returning: receipt) }
    }
}

// MARK: - The write-ahead log

extension LogWriter {
    /// Sees to it that the write-ahead log is copied into the database in time, and starts over before it grows large.
    ///
    /// The copying is done by another connection, beside the writer. Only the last bit, which came while that was at work, is copied here: only
    /// between two commits can it be all, and only when it is all does the log start over.
    private func watchLog(_ database: Database, _ checkpointer: Checkpointer) {
        let pages = walPages.pointee
        if pages < askedPages { askedPages = 0 }
        let limit = Int32(clamping: configuration.walBytes / pageSize)
        let step = Int32(clamping: configuration.checkpointBytes / pageSize)
        if pages > limit {
            let copied = checkpointer.copiedPages
            if pages - min(copied, pages) <= step || pages > 4 * limit {
                // It fails or copies less only while somebody reads an old state; the next commit comes here again.
                _ = try? database.checkpoint(.passive)
                return
            }
        }
        if pages - askedPages >= step {
            askedPages = pages
            checkpointer.copy()
        }
    }

    /// Copies all of the write-ahead log and empties its file; false when a reader still holds an old state.
    func truncateLog(_ database: Database) throws -> Bool {
        do {
            _ = try database.checkpoint(.truncate)
            walPages.pointee = 0
            return true
        } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY {
            return false
        }
    }
}

/// Called by SQLite after each commit with the length of the write-ahead log.
private func noteWALPages(
    _ pages: UnsafeMutableRawPointer?,
    _ connection: OpaquePointer?,
    _ name: UnsafePointer<CChar>?,
    _ count: Int32
) -> Int32 {
    pages?.assumingMemoryBound(to: Int32.self).pointee = count
    return SQLITE_OK
}

/// The statements on the way that every event takes.
final class WriterStatements {
    let begin: Statement
    let commit: Statement
    let rollback: Statement
    /// The positions and sources of the events of an id.
    let find: Statement
    /// Whether an event was erased.
    let probe: Statement
    let insert: Statement

    init(_ database: Database) throws {
        begin = try Statement("BEGIN IMMEDIATE", on: database)
        commit = try Statement("COMMIT", on: database)
        rollback = try Statement("ROLLBACK", on: database)
        find = try Statement("SELECT sequence, source FROM events WHERE id = ?1", on: database)
        probe = try Statement("SELECT body IS NULL FROM events WHERE sequence = ?1", on: database)
        insert = try Statement(
            """
            INSERT INTO events (sequence, source, platform, type, recorded, duplicateof, actor, object, id, body)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
            """,
            on: database
        )
    }
}

/// Whether the log takes events, as the writer last found.
final class ConditionHolder: Sendable {
    private let state = Mutex(BusCondition.ready)

    var current: BusCondition { state.withLock { $0 } }

    func set(_ condition: BusCondition) {
        state.withLock { $0 = condition }
    }

    /// What `error` says about it.
    func note(_ error: any Error) {
        switch error as? BusError {
        case .full(let reason): set(.full(reason))
        case .unusable(let reason): set(.failed(reason))
        default: break
        }
    }
}

extension Error {
    /// Whether it says that the disk is full.
    fileprivate var isLackOfRoom: Bool {
        if case .full = self as? BusError { true } else { false }
    }
}
