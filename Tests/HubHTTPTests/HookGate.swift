import Synchronization

/// Holds calls until its test opens it.
final class HookGate: Sendable {
    private struct State {
        var isOpen = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private static let all = Mutex<[String: HookGate]>([:])

    private let state = Mutex(State())

    static func named(_ name: String) -> HookGate {
        all.withLock { all in
            let gate = all[name] ?? HookGate()
            all[name] = gate
            return gate
        }
    }

    /// How many wait.
    var waiting: Int { state.withLock { $0.waiters.count } }

    func wait() async {
        await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state in
                if !state.isOpen { state.waiters.append(continuation) }
                return state.isOpen
            }
            if isOpen { continuation.resume() }
        }
    }

    func open() {
        let waiters = state.withLock { state in
            state.isOpen = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }
}
