import MessageBus
import SocialEvents
import Synchronization

/// The end of the log as one kind of reader sees it: read and encoded once, however many follow.
///
/// A bounded number of the newest frames is kept. Whoever has fallen behind them reads from the log until they have caught up, so a slow reader
/// costs the hub nothing but their own connection.
final class LiveFeed: Sendable {
    /// Who may share a feed.
    struct Key: Hashable {
        let filter: EventFilter
        let format: EventFormat
    }

    /// What there is for a reader at some position.
    enum Next {
        /// Frames that cover the position.
        case frames(EventFrames)
        /// The position lies before what is kept: read from the log.
        case behind
        /// Nothing came for a while: show that the connection lives.
        case idle
        /// The hub is stopping.
        case closed
    }

    private struct Waiter {
        var continuation: CheckedContinuation<Next, Never>
        var position: Sequence
        var since: ContinuousClock.Instant
    }

    private struct State {
        var frames: [EventFrames] = []
        var size = 0
        var end: Sequence?
        var waiters: [UInt64: Waiter] = [:]
        var nextWaiter: UInt64 = 0
        var readers = 0
        var isClosed = false
    }

    private static let keptBytes = 2 << 20
    private static let keptFrames = 256
    /// Under load, commits closer together than this go out in one write.
    private static let coalescing = Duration.milliseconds(3)
    private static let pageLimits = PageLimits(count: 2_000, bytes: 512 << 10)

    let key: Key
    private let bus: any MessageBus
    private let heartbeat: Duration
    private let state = Mutex(State())

    /// A feed whose readers are told after `heartbeat` of silence that the connection lives.
    init(key: Key, bus: any MessageBus, heartbeat: Duration) {
        self.key = key
        self.bus = bus
        self.heartbeat = heartbeat
    }

    /// Counts a reader in; false when the feed has ended and a new one is needed.
    func join() -> Bool {
        state.withLock { state in
            guard !state.isClosed else { return false }
            state.readers += 1
            return true
        }
    }

    /// Counts a reader out.
    func leave() {
        state.withLock { $0.readers -= 1 }
    }

    /// What there is after `position`; waits until there is something.
    func next(after position: Sequence) async -> Next {
        let id = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let now = ContinuousClock.now
                let answer: Next? = state.withLock { state in
                    if state.isClosed || Task.isCancelled { return .closed }
                    if let answer = Self.answer(state, after: position) { return answer }
                    state.waiters[id] = Waiter(continuation: continuation, position: position, since: now)
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: id) }?.continuation.resume(returning: .closed)
        }
    }

    /// Reads the log's end as it grows, until no reader is left or the task is cancelled.
    ///
    /// Called once.
    func pump() async {
        defer { close() }
        do {
            var end = try await bus.bounds().head
            advance(to: end)
            while let through = try await step(after: end) { end = through }
        } catch {
            // Readers see their stream end and read on from the log; what is wrong with the log is told by readiness.
        }
    }

    /// One turn of the pump: the position reached, or `nil` when nobody reads any more.
    private func step(after end: Sequence) async throws -> Sequence? {
        guard try await grew(after: end) else { return wakeIdle() ? end : nil }
        let started = ContinuousClock.now
        let page = try await bus.page(after: end, filter: key.filter, limits: Self.pageLimits)
        publish(EventFrames(page, after: end, format: key.format))
        if page.scannedThrough == page.head {
            try await Task.sleep(until: started.advanced(by: Self.coalescing), clock: .continuous)
        }
        return page.scannedThrough
    }

    /// Waits for events, though no longer than a second, so that heartbeats and leaving readers are noticed.
    private func grew(after end: Sequence) async throws -> Bool {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask { [bus] in
                try await bus.waitForEvents(after: end)
                return true
            }
            group.addTask { [heartbeat] in
                try await Task.sleep(for: min(Duration.seconds(1), heartbeat), clock: .continuous)
                return false
            }
            defer { group.cancelAll() }
            return try await group.next() ?? false
        }
    }

    private func publish(_ frames: EventFrames) {
        advance(to: frames.through) { state in
            state.frames.append(frames)
            state.size += frames.size
            while state.size > Self.keptBytes && state.frames.count > 1 || state.frames.count > Self.keptFrames {
                state.size -= state.frames.removeFirst().size
            }
        }
    }

    /// Moves the end and wakes those for whom there is something now.
    private func advance(to end: Sequence, _ change: (inout State) -> Void = { _ in }) {
        let woken = state.withLock { state in
            change(&state)
            state.end = end
            var woken: [(CheckedContinuation<Next, Never>, Next)] = []
            woken.reserveCapacity(state.waiters.count)
            for (id, waiter) in state.waiters {
                guard let answer = Self.answer(state, after: waiter.position) else { continue }
                woken.append((waiter.continuation, answer))
                state.waiters[id] = nil
            }
            return woken
        }
        for (continuation, answer) in woken { continuation.resume(returning: answer) }
    }

    /// Wakes those who have waited long; false when the feed has no reader and has ended.
    private func wakeIdle() -> Bool {
        let now = ContinuousClock.now
        let (woken, goesOn) = state.withLock { state in
            let idle = state.waiters.filter { now - $0.value.since >= heartbeat }
            for id in idle.keys { state.waiters.removeValue(forKey: id) }
            if state.readers == 0 { state.isClosed = true }
            return (idle.values.map(\.continuation), !state.isClosed)
        }
        for continuation in woken { continuation.resume(returning: .idle) }
        return goesOn
    }

    private func close() {
        let woken = state.withLock { state in
            state.isClosed = true
            state.frames = []
            defer { state.waiters = [:] }
            return state.waiters.values.map(\.continuation)
        }
        for continuation in woken { continuation.resume(returning: .closed) }
    }

    private static func answer(_ state: State, after position: Sequence) -> Next? {
        guard let end = state.end, position < end else { return nil }
        guard let first = state.frames.first, position >= first.after else { return .behind }
        var low = 0
        var high = state.frames.count - 1
        while low < high {
            let middle = (low + high) / 2
            if state.frames[middle].through <= position { low = middle + 1 } else { high = middle }
        }
        return .frames(state.frames[low])
    }
}
