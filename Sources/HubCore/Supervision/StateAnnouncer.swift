import SocialEvents

/// Makes `hub.source.changed` events of a source's moves, at a bounded rate.
///
/// `starting` and `stopped` are not told: the one is over at once, the other is the hub's own end. What comes and goes between two chances to
/// write is not told either. A source that flaps is told ``burst`` moves and then one a minute; the state it is in is told as soon as that allows.
/// States that wait for a person are always told.
struct StateAnnouncer: Sendable {
    /// Moves told without delay.
    static let burst = 10
    /// How often one more may be told.
    static let refill = Duration.seconds(60)

    private let subject: ObjectID
    /// The state that readers of the log know.
    private var told = SourceState.starting
    /// What readers know to be odd about a source that runs.
    private var toldNote: String?
    private var prepared: Event?
    /// Whether somebody is writing it.
    private var isUnderWay = false
    private var lastRevision = 0
    private var tokens = StateAnnouncer.burst
    private var refilledAt: Timestamp

    init(source: SourceName, now: Timestamp) {
        subject = ObjectID(.hub, "source", source.name)
        refilledAt = now
    }

    /// The event to write next, the same until it is written or the state has changed again; `nil` also while another is being written.
    ///
    /// A stream's batches and the watch over its connection write side by side: the same news may not go with both.
    mutating func take(_ machine: SourceMachine, now: Timestamp) -> Event? {
        guard !isUnderWay, let event = pending(machine, now: now) else { return nil }
        isUnderWay = true
        return event
    }

    /// The event could not be written; it goes with the next chance.
    mutating func failed() {
        isUnderWay = false
    }

    private mutating func pending(_ machine: SourceMachine, now: Timestamp) -> Event? {
        let isNews = machine.state != told || Self.note(machine.state, machine.reason) != toldNote
        guard isNews, machine.state != .starting, machine.state != .stopped else {
            prepared = nil
            return nil
        }
        refill(now: now)
        guard tokens > 0 || !machine.isActive else { return nil }
        if let prepared, let change = prepared.data.sourceState, change.state == machine.state,
            prepared.time == machine.since,
            Self.note(change.state, change.reason) == Self.note(machine.state, machine.reason)
        {
            return prepared
        }
        // The time alone would do but for clocks that are set back, most of all while the hub is not running: an id that the log knows
        // already would be skipped.
        lastRevision = max(lastRevision + 1, Int(machine.since.milliseconds) << 10 + Int.random(in: 0..<1 << 10))
        var event = Event(
            id: EventID(subject, .changed, revision: lastRevision),
            type: .sourceChanged,
            platform: .hub,
            subject: subject,
            time: machine.since
        )
        event.data.sourceState = SourceStateChange(
            state: machine.state,
            previous: told,
            reason: machine.reason,
            until: machine.until,
            attempt: machine.attempt > 0 ? machine.attempt : nil
        )
        prepared = event
        return event
    }

    /// The event is durable.
    mutating func written(_ event: Event) {
        isUnderWay = false
        guard let change = event.data.sourceState else { return }
        told = change.state
        toldNote = Self.note(change.state, change.reason)
        tokens = max(0, tokens - 1)
        prepared = nil
    }

    /// Of a source that runs, only what is odd has a reason; the reasons of other states change with each attempt.
    private static func note(_ state: SourceState, _ reason: String?) -> String? {
        state == .running ? reason : nil
    }

    private mutating func refill(now: Timestamp) {
        let passed = refilledAt.duration(to: now)
        // A clock that was set back starts the count anew.
        guard passed >= .zero, tokens < Self.burst else {
            refilledAt = now
            return
        }
        let earned = Int(passed / Self.refill)
        guard earned > 0 else { return }
        tokens = min(Self.burst, tokens + earned)
        refilledAt = tokens == Self.burst ? now : refilledAt.advanced(by: Self.refill * earned)
    }
}
