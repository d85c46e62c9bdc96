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
        var turn = Turn.resting
        /// Somebody asked for another turn during this one.
        var wantsTurn = false
        var activity: Task<SourceMachine.Next, Never>?
    }

    /// Where a source stands in the hub's order of work.
    private enum Turn {
        /// It waits for a command.
        case resting
        /// It waits for its time; the token comes a moment later.
        case asleep(Alarm.Token?)
        /// It stands among the wake-ups.
        case queued
        /// A task takes its turn.
        case running
    }

    let name: SourceName
    let connector: String
    private let polls: Bool
    private let onActivity: @Sendable (_ isActive: Bool) -> Void
    private let logger: Logger
    private let state: Mutex<State>

    /// `onActivity` is told, also here and now, when the source begins to be active, and when it no longer is.
    init(
        name: SourceName,
        connector: String,
        polls: Bool,
        machine: SourceMachine,
        onActivity: @escaping @Sendable (_ isActive: Bool) -> Void,
        logger: Logger
    ) {
        self.name = name
        self.connector = connector
        self.polls = polls
        self.onActivity = onActivity
        self.logger = logger
        let announcer = StateAnnouncer(source: name, now: machine.since)
        state = Mutex(State(machine: machine, announcer: announcer))
        if machine.isActive { onActivity(true) }
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
                // In the lock, so that two moves are told in their order.
                if state.machine.isActive != old.isActive { onActivity(state.machine.isActive) }
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

    /// The `hub.source.changed` event that waits to be written; the caller says with ``announced(_:isWritten:)`` what came of it.
    func takeAnnouncement(now: Timestamp) -> Event? {
        state.withLock { $0.announcer.take($0.machine, now: now) }
    }

    /// What came of writing the event.
    func announced(_ event: Event, isWritten: Bool) {
        state.withLock { isWritten ? $0.announcer.written(event) : $0.announcer.failed() }
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

    // MARK: Turns

    /// Somebody wants the source to take a turn.
    ///
    /// Whether it is to be queued, and the wait to be called off.
    func wantTurn() -> (queue: Bool, wait: Alarm.Token?) {
        state.withLock { state in
            switch state.turn {
            case .resting:
                state.turn = .queued
                return (true, nil)
            case .asleep(let token):
                state.turn = .queued
                return (true, token)
            case .queued: return (false, nil)
            case .running:
                state.wantsTurn = true
                return (false, nil)
            }
        }
    }

    /// A task takes the source's turn.
    func beginTurn() {
        state.withLock { $0.turn = .running }
    }

    /// The turn is over; returns what comes next, another turn where one was asked for meanwhile.
    func endTurn(_ next: SourceMachine.Next) -> SourceMachine.Next {
        state.withLock { state in
            state.activity = nil
            let next = state.wantsTurn ? .step : next
            state.wantsTurn = false
            switch next {
            case .step: state.turn = .queued
            case .wait: state.turn = .asleep(nil)
            case .rest: state.turn = .resting
            }
            return next
        }
    }

    /// Keeps the wait of a source that is asleep.
    ///
    /// False when it is awake already.
    func keep(_ token: Alarm.Token) -> Bool {
        state.withLock { state in
            guard case .asleep(nil) = state.turn else { return false }
            state.turn = .asleep(token)
            return true
        }
    }

    /// Notes the task that reads the source, so that a pause can end it; ends it at once when there is nothing to read any more.
    func began(_ activity: Task<SourceMachine.Next, Never>) {
        let isActive = state.withLock { state in
            state.activity = activity
            return state.machine.isActive
        }
        if !isActive { activity.cancel() }
    }

    /// Ends what is being read.
    func cancelActivity() {
        state.withLock { $0.activity }?.cancel()
    }
}
