import GRDB
import MessageBus
import Synchronization

/// What the writer is asked to do.
enum WriteJob: Sendable {
    /// Store a batch and tell its caller.
    case append(PreparedBatch, CheckedContinuation<AppendReceipt, any Error>)
    /// Do something else between two commits; `nil` says that nobody will.
    case command(@Sendable ((LogWriter, Database)?) -> Void)
}

/// What waits for the writer: bounded in bytes and count, and callers beyond the bound wait for room, first come, first served.
///
/// A batch within the bound was handed over and will be stored whatever becomes of its caller; one beyond it can still be withdrawn.
final class Mailbox: Sendable {
    fileprivate struct Entry {
        var ticket: UInt64
        var job: WriteJob
        var weight: Int
    }

    fileprivate struct State {
        var entries: [Entry] = []
        /// How many of `entries`, counted from the first, were handed over.
        var admitted = 0
        var admittedWeight = 0
        var lastTicket: UInt64 = 0
        /// Whether the writer is at work or called.
        var isServed = false
        var isClosed = false
        var call: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())
    private let maximumWeight: Int
    private let maximumCount: Int

    init(maximumWeight: Int, maximumCount: Int) {
        self.maximumWeight = maximumWeight
        self.maximumCount = maximumCount
    }

    /// Says how the writer is called, which then takes until there is nothing; holds until the mailbox is finished.
    func connect(_ call: @escaping @Sendable () -> Void) {
        state.withLock { $0.call = call }
    }

    /// Hands over a batch, waiting for room before and for the commit after.
    func append(_ batch: PreparedBatch) async throws -> AppendReceipt {
        let weight = batch.weight
        let ticket = state.withLock { state in
            state.lastTicket += 1
            return state.lastTicket
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                post(Entry(ticket: ticket, job: .append(batch, continuation), weight: weight))
            }
        } onCancel: {
            withdraw(ticket)
        }
    }

    /// Runs `work` on the writer, between two commits.
    func run<Value: Sendable>(
        _ work: @escaping @Sendable (LogWriter, Database) throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            post { writer in
                guard let (writer, database) = writer else { return continuation.resume(throwing: BusError.closed) }
                continuation.resume(
                    with: Result {
                        do { return try work(writer, database) } catch { throw BusError.wrapping(error, in: database) }
                    }
                )
            }
        }
    }

    /// Has the writer do something between two commits, without waiting for it.
    func post(_ command: @escaping @Sendable ((LogWriter, Database)?) -> Void) {
        post(Entry(ticket: 0, job: .command(command), weight: 0))
    }

    /// How many batches and commands are neither taken nor withdrawn.
    var waitingCount: Int { state.withLock { $0.entries.count } }

    /// Refuses everything from now on; what was handed over is still taken, what waits for room is refused.
    func close() {
        let refused = state.withLock { state in
            state.isClosed = true
            let refused = Array(state.entries[state.admitted...])
            state.entries.removeSubrange(state.admitted...)
            return refused
        }
        for entry in refused { entry.job.refuse(BusError.closed) }
    }

    /// Returns when all that was handed over is done.
    ///
    /// Called once, after `close()`.
    func finish() async {
        await withCheckedContinuation { continuation in
            admitLast(Entry(ticket: 0, job: .command { _ in continuation.resume() }, weight: 0))
        }
        state.withLock { $0.call = nil }
    }

    /// What the writer is to do next: a command alone, or batches of about `limit` bytes; empty when there is nothing, and then the writer is called anew.
    func take(upTo limit: Int) -> [WriteJob] {
        state.withLock { state in
            var taken = 0
            var weight = 0
            while taken < state.admitted {
                let entry = state.entries[taken]
                if case .command = entry.job {
                    if taken == 0 { taken = 1 }
                    break
                }
                if taken > 0, weight + entry.weight > limit { break }
                weight += entry.weight
                taken += 1
            }
            let jobs = state.entries[..<taken].map(\.job)
            state.admittedWeight -= state.entries[..<taken].reduce(0) { $0 + $1.weight }
            state.admitted -= taken
            state.entries.removeSubrange(..<taken)
            admit(&state)
            if jobs.isEmpty { state.isServed = false }
            return jobs
        }
    }

    private func post(_ entry: Entry) {
        enum Outcome { case refused(any Error), calling(@Sendable () -> Void), waiting }
        let outcome: Outcome = state.withLock { state in
            if state.isClosed { return .refused(BusError.closed) }
            state.entries.append(entry)
            admit(&state)
            // Cancellation may have come before there was anything to withdraw.
            if state.admitted < state.entries.count, Task.isCancelled {
                state.entries.removeLast()
                return .refused(CancellationError())
            }
            return state.serve().map { .calling($0) } ?? .waiting
        }
        switch outcome {
        case .refused(let error): entry.job.refuse(error)
        case .calling(let call): call()
        case .waiting: break
        }
    }

    private func admitLast(_ entry: Entry) {
        let call = state.withLock { state in
            state.entries.append(entry)
            state.admitted += 1
            return state.serve()
        }
        call?()
    }

    /// Counts the next entries as handed over as long as there is room; one larger than all the room goes alone.
    private func admit(_ state: inout State) {
        while state.admitted < state.entries.count {
            let weight = state.entries[state.admitted].weight
            let fits = state.admittedWeight + weight <= maximumWeight && state.admitted < maximumCount
            guard fits || state.admitted == 0 else { return }
            state.admitted += 1
            state.admittedWeight += weight
        }
    }

    private func withdraw(_ ticket: UInt64) {
        let withdrawn: Entry? = state.withLock { state in
            let waiting = state.entries[state.admitted...]
            guard let index = waiting.firstIndex(where: { $0.ticket == ticket }) else { return nil }
            return state.entries.remove(at: index)
        }
        withdrawn?.job.refuse(CancellationError())
    }
}

extension Mailbox.State {
    /// The writer's call, when it is to be called.
    fileprivate mutating func serve() -> (@Sendable () -> Void)? {
        if isServed { return nil }
        isServed = true
        return call
    }
}

extension WriteJob {
    /// Tells the caller that nothing of it was done.
    func refuse(_ error: any Error) {
        switch self {
        case .append(_, let continuation): continuation.resume(throwing: error)
        case .command(let work): work(nil)
        }
    }
}
