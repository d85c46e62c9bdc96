import Synchronization

/// State behind a lock that others can wait on: whoever waits for a condition goes on at the change that makes it true.
///
/// What the test doubles have in common; with it no test waits on the wall clock.
final class Watched<State: Sendable>: Sendable {
    private struct Waiter: Sendable {
        let condition: @Sendable (State) -> Bool
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct Inside: Sendable {
        var state: State
        var waiters: [Int: Waiter] = [:]
        // Cancelled before they were registered: the handler may run first.
        var cancelled: Set<Int> = []
        var nextID = 0
    }

    private let inside: Mutex<Inside>

    init(_ state: State) {
        inside = Mutex(Inside(state: state))
    }

    /// The state now.
    var current: State { inside.withLock { $0.state } }

    /// Changes the state and lets those go on whose condition has become true.
    func update<Result: Sendable>(_ change: @Sendable (inout State) -> Result) -> Result {
        let (result, ready) = inside.withLock { inside in
            let result = change(&inside.state)
            let ready = inside.waiters.filter { $0.value.condition(inside.state) }
            for id in ready.keys { inside.waiters[id] = nil }
            return (result, ready)
        }
        // Outside the lock, and in the order in which they came.
        for id in ready.keys.sorted() { ready[id]?.continuation.resume() }
        return result
    }

    /// Returns when the condition holds; throws `CancellationError` when the task is cancelled before.
    func wait(until condition: @escaping @Sendable (State) -> Bool) async throws {
        let id = inside.withLock { inside in
            inside.nextID += 1
            return inside.nextID
        }
        defer { inside.withLock { _ = $0.cancelled.remove(id) } }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let outcome: Result<Void, any Error>? = inside.withLock { inside in
                    if inside.cancelled.contains(id) { return .failure(CancellationError()) }
                    if condition(inside.state) { return .success(()) }
                    inside.waiters[id] = Waiter(condition: condition, continuation: continuation)
                    return nil
                }
                if let outcome { continuation.resume(with: outcome) }
            }
        } onCancel: {
            let waiter = inside.withLock { inside in
                inside.cancelled.insert(id)
                return inside.waiters.removeValue(forKey: id)
            }
            waiter?.continuation.resume(throwing: CancellationError())
        }
    }
}
