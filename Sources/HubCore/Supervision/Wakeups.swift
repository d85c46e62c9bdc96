import Synchronization

/// The sources whose turn has come, in that order, handed from whoever wakes them to the hub.
///
/// Bounded by the number of sources: each stands in it at most once.
final class Wakeups: Sendable {
    private struct State {
        var runners: [SourceRunner] = []
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    func push(_ runner: SourceRunner) {
        let waiter = state.withLock { state in
            state.runners.append(runner)
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    /// Those whose turn has come, at least one; `nil` on cancellation.
    func next() async -> [SourceRunner]? {
        while !Task.isCancelled {
            let runners = state.withLock { state in
                defer { state.runners = [] }
                return state.runners
            }
            if !runners.isEmpty { return runners }
            await wait()
        }
        return nil
    }

    private func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    // Asked inside the lock: see `Gate`.
                    if Task.isCancelled || !state.runners.isEmpty { return true }
                    state.waiter = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                defer { state.waiter = nil }
                return state.waiter
            }
            waiter?.resume()
        }
    }
}
