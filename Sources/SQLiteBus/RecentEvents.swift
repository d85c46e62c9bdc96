import MessageBus
import SocialEvents
import Synchronization

/// The newest events in memory, what the log spans, and who waits for more.
///
/// A reader at the head is served from here, so that a thousand readers of the same commit cost no SQL. Bounded in bytes; whoever is further
/// behind reads from the log.
final class RecentEvents: Sendable {
    /// The events that one batch added.
    struct Chunk: Sendable {
        /// In order, without those erased since.
        var entries: [LogEntry]
        /// The bytes of their bodies.
        var storage: [UInt8]
        /// The position of the last event the batch added, erased or not.
        var last: Sequence
    }

    fileprivate struct State {
        var chunks: [Chunk] = []
        var bytes = 0
        /// All events after it are in `chunks`.
        var floor: Sequence
        var head: Sequence
        var trimmedThrough: Sequence
        var waiters: [UInt64: Waiter] = [:]
        var lastWaiter: UInt64 = 0
        var isClosed = false
    }

    fileprivate struct Waiter {
        var position: Sequence
        var continuation: CheckedContinuation<Void, any Error>
    }

    private let state: Mutex<State>
    private let maximumBytes: Int

    init(head: Sequence, trimmedThrough: Sequence, maximumBytes: Int) {
        state = Mutex(State(floor: head, head: head, trimmedThrough: trimmedThrough))
        self.maximumBytes = maximumBytes
    }

    /// The last position and the last one that was retained away; throws when the log was closed.
    func span() throws -> (head: Sequence, trimmedThrough: Sequence) {
        try state.withLock { state in
            if state.isClosed { throw BusError.closed }
            return (state.head, state.trimmedThrough)
        }
    }
}

// MARK: - What the writer tells, after each commit

extension RecentEvents {
    /// Adds what was committed, and wakes whoever waited for it.
    func publish(_ chunks: [Chunk], erased: Set<Sequence>) {
        let woken: [Waiter] = state.withLock { state in
            state.erase(erased)
            for chunk in chunks {
                state.head = max(state.head, chunk.last)
                state.bytes += chunk.storage.count
                state.chunks.append(chunk)
            }
            state.shed(to: maximumBytes)
            let head = state.head
            let due = state.waiters.filter { $0.value.position < head }
            for key in due.keys { state.waiters[key] = nil }
            return Array(due.values)
        }
        for waiter in woken { waiter.continuation.resume() }
    }

    /// Forgets what was erased.
    func erase(_ sequences: Set<Sequence>) {
        state.withLock { $0.erase(sequences) }
    }

    /// Forgets what was retained away.
    func trim(through position: Sequence) {
        state.withLock { state in
            state.trimmedThrough = max(state.trimmedThrough, position)
            let kept = state.chunks.firstIndex { $0.last > position } ?? state.chunks.count
            state.drop(kept)
            if let first = state.chunks.first?.entries, first.contains(where: { $0.sequence <= position }) {
                state.erase(Set(first.lazy.map(\.sequence).filter { $0 <= position }))
            }
        }
    }

    /// Ends all waiting.
    func close() {
        let waiters = state.withLock { state in
            state.isClosed = true
            defer { state.waiters = [:] }
            return Array(state.waiters.values)
        }
        for waiter in waiters { waiter.continuation.resume(throwing: BusError.closed) }
    }
}

// MARK: - What readers ask

extension RecentEvents {
    /// Returns once there is an event after `position`.
    func wait(after position: Sequence) async throws {
        let number = state.withLock { state in
            state.lastWaiter += 1
            return state.lastWaiter
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let outcome: Result<Void, any Error>? = state.withLock { state in
                    if state.isClosed { return .failure(BusError.closed) }
                    if Task.isCancelled { return .failure(CancellationError()) }
                    if state.head > position { return .success(()) }
                    state.waiters[number] = Waiter(position: position, continuation: continuation)
                    return nil
                }
                if let outcome { continuation.resume(with: outcome) }
            }
        } onCancel: {
            let waiter = state.withLock { $0.waiters.removeValue(forKey: number) }
            waiter?.continuation.resume(throwing: CancellationError())
        }
    }

    /// A page, or `nil` when its beginning is not here any more.
    func page(after position: Sequence, filter: EventFilter, limits: PageLimits) throws -> LogPage? {
        let taken: (chunks: [Chunk], head: Sequence)? = try state.withLock { state in
            if state.isClosed { throw BusError.closed }
            if position < state.trimmedThrough {
                throw BusError.positionLost(lost: Sequence(position.number + 1)...state.trimmedThrough)
            }
            if position > state.head { throw BusError.positionAhead(head: state.head) }
            guard position >= state.floor else { return nil }
            return (state.chunks(after: position), state.head)
        }
        guard let taken else { return nil }
        var page = PageBuilder(filter: filter, limits: limits, position: position)
        for chunk in taken.chunks {
            guard page.add(chunk) else { break }
        }
        return page.finish(head: taken.head)
    }
}

extension RecentEvents.State {
    /// The first chunks with events after `position`; not all of them where there are many, so that the lock is held briefly.
    fileprivate func chunks(after position: Sequence) -> [RecentEvents.Chunk] {
        var low = 0
        var high = chunks.count
        while low < high {
            let middle = (low + high) / 2
            if chunks[middle].last > position { high = middle } else { low = middle + 1 }
        }
        return Array(chunks[low...].prefix(256))
    }

    fileprivate mutating func erase(_ sequences: Set<Sequence>) {
        guard sequences.contains(where: { $0 > floor }) else { return }
        for index in chunks.indices where chunks[index].entries.contains(where: { sequences.contains($0.sequence) }) {
            bytes -= chunks[index].storage.count
            chunks[index].remove(sequences)
            bytes += chunks[index].storage.count
        }
    }

    /// Drops the oldest chunks when all take more than so many bytes; some more than it must, so that it is seldom needed.
    fileprivate mutating func shed(to maximum: Int) {
        guard bytes > maximum else { return }
        var dropped = 0
        var rest = bytes
        while rest > maximum / 8 * 7, dropped < chunks.count {
            rest -= chunks[dropped].storage.count
            dropped += 1
        }
        drop(dropped)
    }

    fileprivate mutating func drop(_ count: Int) {
        guard count > 0 else { return }
        floor = chunks[count - 1].last
        bytes -= chunks[..<count].reduce(0) { $0 + $1.storage.count }
        chunks.removeSubrange(..<count)
    }
}

extension RecentEvents.Chunk {
    /// Takes entries out, and their bytes with them.
    mutating func remove(_ sequences: Set<Sequence>) {
        var kept: [LogEntry] = []
        var bytes: [UInt8] = []
        for var entry in entries where !sequences.contains(entry.sequence) {
            let start = bytes.count
            bytes.append(contentsOf: storage[entry.body])
            entry.body = start..<bytes.count
            kept.append(entry)
        }
        entries = kept
        storage = bytes
    }
}
