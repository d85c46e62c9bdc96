import Dispatch
import GRDB
import MessageBus
import Synchronization

/// Copies the write-ahead log into the database on a connection of its own, so that the writer does not wait for it.
///
/// It also has the log emptied after an erasure, when erased bytes must leave the files. The writer empties it, since only between two commits can
/// all of it be copied; what can be copied before is copied here.
final class Checkpointer: Sendable {
    private struct State {
        /// A copy was asked for and has not begun.
        var isCopyDue = false
        /// The log is to be emptied.
        var isTruncationDue = false
        /// An attempt to empty it is on its way.
        var isTruncating = false
        /// When it was emptied last.
        var lastTruncation: DispatchTime?
        var copiedPages: Int32 = 0
        var waiters: [CheckedContinuation<Void, any Error>] = []
        var isClosed = false
    }

    private let queue: DatabaseQueue
    private let timer = DispatchQueue(label: "roost.log.checkpoint.timer")
    private let state = Mutex(State())
    private let readers: LogReaders
    private let mailbox: Mutex<Mailbox?> = Mutex(nil)

    /// Time between two emptyings that nobody waits for.
    private static let pause = DispatchTimeInterval.seconds(1)
    /// Time before another attempt, when a reader was in the way.
    private static let retry = DispatchTimeInterval.milliseconds(5)

    init(path: String, readers: LogReaders) throws {
        self.readers = readers
        var configuration = Configuration()
        configuration.label = "roost.log.checkpoint"
        configuration.prepareDatabase { database in
            try PageScrubber.attach(to: database)
            try database.execute(sql: "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0")
        }
        queue = try DatabaseQueue(path: path, configuration: configuration)
    }

    /// Says by which way the writer is reached.
    func connect(_ mailbox: Mailbox) {
        self.mailbox.withLock { $0 = mailbox }
    }

    /// How much of the log was copied when the last copy ended, in pages.
    var copiedPages: Int32 { state.withLock { $0.copiedPages } }

    /// Copies what can be copied, soon.
    func copy() {
        let isDue = state.withLock { state in
            defer { state.isCopyDue = true }
            return !state.isCopyDue
        }
        if isDue { queue.asyncWriteWithoutTransaction { self.copy($0) } }
    }

    /// Has the log emptied soon; not more often than once a second.
    func truncateSoon() {
        let delay: DispatchTime? = state.withLock { state in
            if state.isTruncationDue { return nil }
            state.isTruncationDue = true
            return state.lastTruncation.map { $0 + Self.pause } ?? .now()
        }
        if let delay { timer.asyncAfter(deadline: delay) { self.beginTruncation() } }
    }

    /// Has the log emptied at once, and returns when it is.
    func truncate() async throws {
        try await withCheckedThrowingContinuation { continuation in
            let isClosed = state.withLock { state in
                if state.isClosed { return true }
                state.isTruncationDue = true
                state.waiters.append(continuation)
                return false
            }
            if isClosed { return continuation.resume(throwing: BusError.closed) }
            beginTruncation()
        }
    }

    /// Returns when no emptying is due.
    func settle() async throws {
        try await withCheckedThrowingContinuation { continuation in
            let isSettled = state.withLock { state in
                guard state.isTruncationDue, !state.isClosed else { return true }
                state.waiters.append(continuation)
                return false
            }
            if isSettled { continuation.resume() }
        }
    }

    /// Lets go of the connection.
    ///
    /// The writer is closed after it, and takes the log with it.
    func close() {
        let waiters = state.withLock { state in
            state.isClosed = true
            defer { state.waiters = [] }
            return state.waiters
        }
        readers.hold(false)
        for waiter in waiters { waiter.resume(throwing: BusError.closed) }
        mailbox.withLock { $0 = nil }
        // It fails only when statements are still in use, and there are none.
        try? queue.close()
    }

    private func copy(_ database: Database) {
        state.withLock { $0.isCopyDue = false }
        // It fails when the writer checkpoints itself, or when the disk is full, which the writer notices too.
        // A copy may still be on its way here when the connection is closed.
        guard database.sqliteConnection != nil, let (_, copied) = try? database.checkpoint(.passive) else { return }
        state.withLock { $0.copiedPages = Int32(clamping: copied) }
    }

    private func beginTruncation() {
        let begins = state.withLock { state in
            guard state.isTruncationDue, !state.isTruncating, !state.isClosed else { return false }
            state.isTruncating = true
            return true
        }
        guard begins else { return }
        queue.asyncWriteWithoutTransaction { database in
            self.copy(database)
            guard let mailbox = self.mailbox.withLock({ $0 }) else { return }
            mailbox.post { writer in
                guard let (writer, database) = writer else { return }
                self.endTruncation(Result { try writer.truncateLog(database) })
            }
        }
    }

    /// Runs on the writer, so that nothing is erased between the emptying and what is told of it.
    private func endTruncation(_ result: Result<Bool, any Error>) {
        let isDone = (try? result.get()) ?? false
        let waiters = state.withLock { state in
            state.isTruncating = false
            if isDone {
                state.isTruncationDue = false
                state.lastTruncation = .now()
                state.copiedPages = 0
            } else if case .success = result {
                return [CheckedContinuation<Void, any Error>]()
            }
            defer { state.waiters = [] }
            return state.waiters
        }
        switch result {
        case .success(true):
            readers.hold(false)
            for waiter in waiters { waiter.resume() }
        case .success(false):
            readers.hold(true)
            timer.asyncAfter(deadline: .now() + Self.retry) { self.beginTruncation() }
        case .failure(let error):
            readers.hold(false)
            for waiter in waiters { waiter.resume(throwing: BusError.wrapping(error)) }
            timer.asyncAfter(deadline: .now() + Self.pause) { self.beginTruncation() }
        }
    }
}
