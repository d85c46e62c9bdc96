public import ConnectorKit
public import SocialEvents

/// A clock that stands still until a test moves it.
///
/// Sleepers wake when ``advance(by:)`` reaches the end of their sleep. As on a machine, the time of day can be set apart from the passing of
/// time: ``setWallTime(to:)`` wakes nobody.
public final class ManualClock: WallClock {
    private struct State: Sendable {
        var now: Timestamp
        var elapsed = Duration.zero
        var sleepers: [Int: Duration] = [:]
        var nextSleeper = 0
    }

    private let state: Watched<State>

    /// A clock that shows `now`.
    public init(now: Timestamp = Timestamp(seconds: 1_767_225_600)) {
        state = Watched(State(now: now))
    }

    /// The time of day, as set and moved by the test.
    public var now: Timestamp { state.current.now }

    /// How far the clock has been advanced; setting the time of day does not count.
    public var elapsed: Duration { state.current.elapsed }

    /// How many are asleep.
    public var sleeperCount: Int { state.current.sleepers.count }

    /// How long until the next sleeper wakes, `nil` when nobody sleeps.
    public var untilNextWake: Duration? {
        let state = state.current
        return state.sleepers.values.min().map { $0 - state.elapsed }
    }

    /// Lets time pass: moves the time of day and wakes those whose sleep ends.
    public func advance(by duration: Duration) {
        state.update { state in
            state.now = state.now.advanced(by: duration)
            state.elapsed += duration
            // Forgotten here and not when they run, so that nobody who is awake is counted as asleep.
            let elapsed = state.elapsed
            state.sleepers = state.sleepers.filter { $0.value > elapsed }
        }
    }

    /// Sets the time of day, as an operator or NTP may; nobody wakes.
    public func setWallTime(to now: Timestamp) {
        state.update { $0.now = now }
    }

    /// Returns when the clock has been advanced by `duration`, at once when that is not positive.
    public func sleep(for duration: Duration) async throws {
        try Task.checkCancellation()
        guard duration > .zero else { return }
        let (id, end) = state.update { state in
            state.nextSleeper += 1
            let end = state.elapsed + duration
            state.sleepers[state.nextSleeper] = end
            return (state.nextSleeper, end)
        }
        defer { state.update { $0.sleepers[id] = nil } }
        try await state.wait { $0.elapsed >= end }
    }

    /// Returns when at least `count` are asleep; throws `CancellationError` when cancelled before.
    public func waitForSleepers(_ count: Int = 1) async throws {
        try await state.wait { $0.sleepers.count >= count }
    }
}
