package import ConnectorKit
import SocialEvents
import Synchronization

/// All the waiting of a hub: one task sleeps until the earliest moment somebody asked for.
///
/// Thousands of sources wait most of the time, and every step has a deadline that nearly always is not needed. A sleeping task for each would
/// hold its stack, and a cancelled `Task.sleep` holds its timer until it would have rung; here a wait is an entry in a heap.
package final class Alarm: Sendable {
    /// A wait that can be called off.
    struct Token: Sendable, Hashable {
        fileprivate let id: UInt64
    }

    private struct State {
        var heap = AlarmHeap()
        var handlers: [UInt64: @Sendable () -> Void] = [:]
        var lastID: UInt64 = 0
        /// The sleep of ``run()`` and when it ends.
        var sleep: Task<Void, Never>?
        var sleepsUntil: Duration?
        /// ``run()``, when there is nothing to sleep for.
        var parked: CheckedContinuation<Void, Never>?
    }

    private let clock: any WallClock
    private let uptime: @Sendable () -> Duration
    private let state = Mutex(State())

    /// An alarm on a clock.
    ///
    /// - Parameters:
    ///   - clock: sleeps.
    ///   - uptime: how much time has passed since some moment, whatever is done to the time of day.
    package init(clock: any WallClock, uptime: @escaping @Sendable () -> Duration) {
        self.clock = clock
        self.uptime = uptime
    }

    /// An alarm on a clock alone: on the machine's, time in which it is suspended counts, for platforms go on meanwhile; on any other, the time of
    /// day is what passes.
    package convenience init(clock: any WallClock) {
        if clock is SystemClock {
            let start = ContinuousClock.now
            self.init(clock: clock, uptime: { start.duration(to: .now) })
        } else {
            let start = clock.now
            self.init(clock: clock, uptime: { start.duration(to: clock.now) })
        }
    }

    /// How many wait.
    package var count: Int { state.withLock { $0.handlers.count } }

    /// How many are held, those included that were called off and not dropped yet.
    var entries: Int { state.withLock { $0.heap.count } }

    /// How long until the next rings; `nil` when nobody waits.
    package var untilNext: Duration? {
        let now = uptime()
        return state.withLock { state in
            state.heap.dropStale { state.handlers[$0] == nil }
            return state.heap.first.map { $0.due - now }
        }
    }

    /// Calls `handler` after `duration`, unless it is called off.
    ///
    /// The handler does not wait or block.
    @discardableResult
    func schedule(after duration: Duration, _ handler: @escaping @Sendable () -> Void) -> Token {
        let due = uptime() + max(.zero, duration)
        let (token, wake, sleep) = state.withLock { state in
            state.lastID += 1
            let id = state.lastID
            state.handlers[id] = handler
            state.heap.push(AlarmHeap.Entry(due: due, id: id))
            let isEarlier = state.sleepsUntil.map { due < $0 } ?? true
            defer { state.parked = nil }
            return (Token(id: id), state.parked, isEarlier ? state.sleep : nil)
        }
        wake?.resume()
        sleep?.cancel()
        return token
    }

    /// Forgets a wait that has not rung yet.
    func cancel(_ token: Token) {
        // Released outside the lock: whatever it holds may call back.
        let handler = state.withLock { state in
            let handler = state.handlers.removeValue(forKey: token.id)
            if handler != nil, state.heap.count > 64, state.heap.count > 2 * state.handlers.count {
                state.heap.compact { state.handlers[$0] != nil }
            }
            return handler
        }
        _ = handler
    }

    /// Returns after `duration`; throws `CancellationError` on cancellation.
    func wait(for duration: Duration) async throws {
        let wait = Wait()
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                guard wait.begin(continuation) else { return }
                let token = schedule(after: duration) { wait.end(.success(())) }
                if !wait.keep(token) { cancel(token) }
            }
        } onCancel: {
            wait.end(.failure(CancellationError()))
            if let token = wait.token { cancel(token) }
        }
    }

    /// Rings until cancelled.
    ///
    /// Handlers run one after another.
    func run() async {
        await withTaskCancellationHandler {
            while !Task.isCancelled {
                let now = uptime()
                let handlers = state.withLock { state in
                    var handlers: [@Sendable () -> Void] = []
                    while let entry = state.heap.first, entry.due <= now {
                        state.heap.pop()
                        if let handler = state.handlers.removeValue(forKey: entry.id) { handlers.append(handler) }
                    }
                    return handlers
                }
                for handler in handlers { handler() }
                if handlers.isEmpty { await sleep() }
            }
        } onCancel: {
            wake()
        }
    }

    private func sleep() async {
        let now = uptime()
        // Awaited right below; a task of its own so that an earlier wait can end it.
        let sleep: Task<Void, Never>? = state.withLock { state in
            state.heap.dropStale { state.handlers[$0] == nil }
            guard let due = state.heap.first?.due else { return nil }
            let clock = clock
            let task = Task { (try? await clock.sleep(for: due - now)) ?? () }
            state.sleep = task
            state.sleepsUntil = due
            return task
        }
        if let sleep {
            if Task.isCancelled { sleep.cancel() }
            await sleep.value
            state.withLock {
                $0.sleep = nil
                $0.sleepsUntil = nil
            }
        } else {
            await park()
        }
    }

    private func park() async {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                // Asked inside the lock: what came before is seen here, what comes later finds us.
                if Task.isCancelled || state.heap.first != nil { return true }
                state.parked = continuation
                return false
            }
            if isOver { continuation.resume() }
        }
    }

    private func wake() {
        let (parked, sleep) = state.withLock { state in
            defer { state.parked = nil }
            return (state.parked, state.sleep)
        }
        parked?.resume()
        sleep?.cancel()
    }
}

/// One call of `Alarm.wait(for:)`: it begins, and it ends once, by the alarm or by cancellation, in whatever order these come.
private final class Wait: Sendable {
    private struct State {
        var continuation: CheckedContinuation<Void, any Error>?
        var token: Alarm.Token?
        var isOver = false
    }

    private let state = Mutex(State())

    /// False when it was cancelled before it began; then the continuation has been resumed.
    func begin(_ continuation: CheckedContinuation<Void, any Error>) -> Bool {
        let isOver = state.withLock { state in
            if !state.isOver { state.continuation = continuation }
            return state.isOver
        }
        if isOver { continuation.resume(throwing: CancellationError()) }
        return !isOver
    }

    /// False when it is over already, so that nobody else will call the alarm off.
    func keep(_ token: Alarm.Token) -> Bool {
        state.withLock { state in
            state.token = token
            return !state.isOver
        }
    }

    func end(_ result: Result<Void, any Error>) {
        let continuation = state.withLock { state in
            state.isOver = true
            defer { state.continuation = nil }
            return state.continuation
        }
        continuation?.resume(with: result)
    }

    var token: Alarm.Token? { state.withLock { $0.token } }
}
