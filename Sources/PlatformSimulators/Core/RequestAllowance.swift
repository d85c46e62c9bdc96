import Synchronization

/// How many requests a platform takes within a window of time, counted the way most platforms count: in fixed windows.
package final class RequestAllowance: Sendable {
    /// Where a client stands.
    package struct Standing: Sendable, Hashable {
        /// Whether this request is taken.
        package var isAdmitted: Bool
        /// How many requests a window has.
        package var limit: Int
        /// How many are left in this one.
        package var remaining: Int
        /// When the next window begins, in milliseconds since 1970.
        package var resetAt: Int64
    }

    private struct Window {
        var endsAt: Int64
        var used: Int
    }

    /// How many requests a window has.
    package let limit: Int
    /// How long a window is, in milliseconds.
    package let window: Int64
    private let windows = Mutex<[String: Window]>([:])

    /// An allowance of `limit` requests each `window` milliseconds for every client.
    package init(limit: Int, window: Int64) {
        self.limit = limit
        self.window = window
    }

    /// Counts a request of `client` at `now`, milliseconds since 1970.
    package func take(_ client: String, at now: Int64) -> Standing {
        windows.withLock { windows in
            var current = windows[client] ?? Window(endsAt: 0, used: 0)
            if now >= current.endsAt { current = Window(endsAt: now + window, used: 0) }
            let isAdmitted = current.used < limit
            if isAdmitted { current.used += 1 }
            windows[client] = current
            return Standing(
                isAdmitted: isAdmitted,
                limit: limit,
                remaining: limit - current.used,
                resetAt: current.endsAt
            )
        }
    }

    /// Lets `client` have no more requests in this window.
    package func exhaust(_ client: String, at now: Int64) {
        windows.withLock { $0[client] = Window(endsAt: now + window, used: limit) }
    }
}
