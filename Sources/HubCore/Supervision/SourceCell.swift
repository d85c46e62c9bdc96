import Logging
import SocialEvents
import Synchronization

/// What is known of one source, shared between its runner, the commands and whoever asks for its status.
///
/// Every move of the machine goes through ``move(_:)``, which counts it, logs it and keeps it to be told. Nothing waits inside the lock.
final class SourceCell: Sendable {
    private struct State {
        var machine: SourceMachine
        var announcer: StateAnnouncer
        var counts = SourceCounts()
        var lastPullAt: Timestamp?
        var lastEventAt: Timestamp?
        var nextPullAt: Timestamp?
        /// Steps that were abandoned and have not ended yet.
        var stepsLeftBehind = 0
        var activity: Task<Void, Never>?
        var waiter: CheckedContinuation<Void, Never>?
    }

    let name: SourceName
    let connector: String
    private let polls: Bool
    private let logger: Logger
    private let state: Mutex<State>

    init(name: SourceName, connector: String, polls: Bool, machine: SourceMachine, logger: Logger) {
        self.name = name
        self.connector = connector
        self.polls = polls
        self.logger = logger
        let announcer = StateAnnouncer(source: name, now: machine.since)
        state = Mutex(State(machine: machine, announcer: announcer))
    }

    // MARK: Asking

    var status: SourceStatus {
        state.withLock { state in
            SourceStatus(
                name: name,
                connector: connector,
                state: state.machine.state,
                since: state.machine.since,
                reason: state.machine.reason,
                attempt: state.machine.attempt,
                until: state.machine.until,
                lastPullAt: state.lastPullAt,
                lastEventAt: state.lastEventAt,
                nextPullAt: state.machine.isActive ? state.nextPullAt : nil,
                interval: polls ? state.machine.schedule.interval : nil,
                counts: state.counts
            )
        }
    }

    var counts: SourceCounts { state.withLock { $0.counts } }

    /// Whether steps may be taken.
    var isActive: Bool { state.withLock { $0.machine.isActive } }

    // MARK: Moving

    /// Lets `body` move the machine.
    @discardableResult
    func move<Result: Sendable>(_ body: (inout SourceMachine) -> Result) -> Result {
        let (result, old, new) = state.withLock { state in
            let old = state.machine
            let result = body(&state.machine)
            if state.machine.state != old.state {
                state.counts.stateChanges += 1
                if !state.machine.isActive { state.nextPullAt = nil }
            }
            return (result, old, state.machine)
        }
        if new.state != old.state { log(new, previous: old.state) }
        return result
    }

    private func log(_ machine: SourceMachine, previous: SourceState) {
        let level: Logger.Level =
            switch machine.state {
            // Thousands of sources start together, and nearly all of them well.
            case .starting, .backfilling, .stopped: .debug
            case .running: previous == .starting || previous == .backfilling ? .debug : .info
            case .paused: .info
            case .throttled, .retrying: .warning
            case .unauthorized, .failed: .error
            }
        logger.log(
            level: level,
            "source changed state",
            metadata: [
                "source": "\(name)", "state": "\(machine.state.rawValue)", "previous": "\(previous.rawValue)",
                "reason": "\(machine.reason ?? "")", "attempt": "\(machine.attempt)",
            ]
        )
    }

    /// The `hub.source.changed` event that waits to be written.
    func pendingAnnouncement(now: Timestamp) -> Event? {
        state.withLock { $0.announcer.pending($0.machine, now: now) }
    }

    /// The event is durable.
    func announced(_ event: Event) {
        state.withLock { $0.announcer.written(event) }
    }

    // MARK: Counting

    func count(_ body: (inout SourceCounts) -> Void) {
        state.withLock { body(&$0.counts) }
    }

    /// A step was taken; when the next is planned.
    func stepped(at now: Timestamp, next: Timestamp?) {
        state.withLock {
            $0.lastPullAt = now
            $0.nextPullAt = next
        }
    }

    /// Something new was stored.
    func stored(events: Int, at now: Timestamp) {
        state.withLock {
            $0.counts.events += events
            $0.lastEventAt = now
        }
    }

    /// A step was abandoned; how many have not ended yet, this one included.
    func leftBehind() -> Int {
        state.withLock {
            $0.counts.abandoned += 1
            $0.stepsLeftBehind += 1
            return $0.stepsLeftBehind
        }
    }

    /// A step that was abandoned ended after all.
    func endedLate() {
        state.withLock { $0.stepsLeftBehind -= 1 }
    }

    // MARK: Running and resting

    /// Notes the task that reads the source, so that a pause can end it; ends it at once when there is nothing to read any more.
    func began(_ activity: Task<Void, Never>) {
        let isActive = state.withLock { state in
            state.activity = activity
            return state.machine.isActive
        }
        if !isActive { activity.cancel() }
    }

    /// The task has ended.
    func ended() {
        state.withLock { $0.activity = nil }
    }

    /// Stops reading.
    ///
    /// False when the source was paused or stopped already.
    func pause(now: Timestamp) -> Bool {
        let didPause = move { $0.pause(now: now) }
        state.withLock { $0.activity }?.cancel()
        wake()
        return didPause
    }

    /// Goes on reading.
    ///
    /// False when there was nothing to resume.
    func resume(now: Timestamp) -> Bool {
        let didResume = move { $0.resume(now: now) }
        wake()
        return didResume
    }

    /// Returns when the source's state has been changed by a command since `state` was seen, or on cancellation.
    func waitForCommand(since seen: SourceState) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    // Asked inside the lock: see `PullGate`.
                    if Task.isCancelled || state.machine.state != seen { return true }
                    state.waiter = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            wake()
        }
    }

    private func wake() {
        let waiter = state.withLock { state in
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }
}
