import Synchronization

/// Lets a bounded number in at once, in the order they came.
package final class Gate: Sendable {
    private struct State {
        var free: Int
        var waiting: [UInt64: CheckedContinuation<Void, any Error>] = [:]
        /// The order of arrival; those who left are no longer in ``waiting``.
        var order: [UInt64] = []
        var first = 0
        var lastID: UInt64 = 0
    }

    private let state: Mutex<State>

    package init(permits: Int) {
        state = Mutex(State(free: max(1, permits)))
    }

    /// Runs `body` inside.
    ///
    /// Throws `CancellationError` when cancelled while waiting, without running it.
    package func run<Value>(_ body: () async throws -> sending Value) async throws -> sending Value {
        try await enter()
        defer { leave() }
        return try await body()
    }

    private func enter() async throws {
        let id: UInt64? = state.withLock { state in
            if state.free > 0 {
                state.free -= 1
                return nil
            }
            state.lastID += 1
            return state.lastID
        }
        guard let id else { return }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let answer: Result<Void, any Error>? = state.withLock { state in
                    // Asked inside the lock: a cancellation that came before finds nobody waiting, one that comes later finds us.
                    if Task.isCancelled { return .failure(CancellationError()) }
                    if state.free > 0 {
                        state.free -= 1
                        return .success(())
                    }
                    state.waiting[id] = continuation
                    state.order.append(id)
                    return nil
                }
                if let answer { continuation.resume(with: answer) }
            }
        } onCancel: {
            let continuation = state.withLock { $0.waiting.removeValue(forKey: id) }
            continuation?.resume(throwing: CancellationError())
        }
    }

    private func leave() {
        let next = state.withLock { state -> CheckedContinuation<Void, any Error>? in
            while state.first < state.order.count {
                let id = state.order[state.first]
                state.first += 1
                if state.first > 1024, state.first * 2 > state.order.count {
                    state.order.removeFirst(state.first)
                    state.first = 0
                }
                if let continuation = state.waiting.removeValue(forKey: id) { return continuation }
            }
            state.order.removeAll(keepingCapacity: true)
            state.first = 0
            state.free += 1
            return nil
        }
        next?.resume()
    }
}
