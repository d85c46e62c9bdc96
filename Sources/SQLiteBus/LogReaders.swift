import Synchronization

/// The connections that read; each question goes to the one with the fewest before it.
///
/// They can be held back for the moment that emptying the write-ahead log takes: readers that come one upon the other would otherwise keep some old
/// state in use forever. Each single read is short by its limits.
final class LogReaders: Sendable {
    private struct State {
        /// How many questions each reader has before it.
        var busy: [Int]
        var isHeld = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let readers: [LogReader]
    private let state: Mutex<State>

    init(path: String, count: Int) throws {
        readers = try (0..<max(1, count)).map { _ in try LogReader(path: path) }
        state = Mutex(State(busy: Array(repeating: 0, count: readers.count)))
    }

    /// Calls `body` with a reader.
    func with<Value: Sendable>(_ body: (LogReader) async throws -> Value) async throws -> Value {
        while true {
            guard let index = choose() else {
                await passage()
                continue
            }
            defer { state.withLock { $0.busy[index] -= 1 } }
            return try await body(readers[index])
        }
    }

    /// Lets nobody begin to read until it is called with false.
    func hold(_ isHeld: Bool) {
        let waiters = state.withLock { state in
            state.isHeld = isHeld
            guard !isHeld else { return [CheckedContinuation<Void, Never>]() }
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Waits for what is being read, then closes all.
    func close() {
        hold(false)
        for reader in readers { reader.close() }
    }

    /// A reader that is counted as busy; `nil` while they are held back.
    private func choose() -> Int? {
        state.withLock { state in
            guard !state.isHeld else { return nil }
            let least = state.busy.indices.min { state.busy[$0] < state.busy[$1] } ?? 0
            state.busy[least] += 1
            return least
        }
    }

    /// Returns when readers are no longer held back.
    private func passage() async {
        await withCheckedContinuation { continuation in
            let isFree = state.withLock { state in
                if state.isHeld { state.waiters.append(continuation) }
                return !state.isHeld
            }
            if isFree { continuation.resume() }
        }
    }
}
