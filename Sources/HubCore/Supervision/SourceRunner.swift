import ConnectorKit
import Logging
import MessageBus
import SocialEvents
import Synchronization

/// Reads one source, turn by turn: takes a step, makes its result durable, and says when it wants the next.
///
/// Each turn is a task of its own, so that whatever a connector does holds up nobody else; between turns a source is no more than its memory. A
/// source never has two turns at once. What happens next is decided by ``SourceMachine``; here is only the shell with the clock, the log and the
/// connector.
final class SourceRunner: Sendable {
    /// What a runner remembers between turns.
    struct Memory {
        /// Made for the first turn, and anew after one was left behind.
        var connector: (any Connector)?
        /// Whether it has been asked if a person had paused the source.
        var isRestored = false
        /// Whether a source that streams has pulled what it missed while it was not connected.
        var isFilled = false
        /// When a server that has no stream is asked for one again.
        var streamAgainAt: Timestamp?
        /// Whether nothing had ever been read when this hub first looked; until then there is no hole to speak of.
        var startedWithoutCursor: Bool?
        /// When its stream last brought something.
        var lastHeardAt: Timestamp?
        /// What was learned of its silences.
        var silence: SilenceGauge?
        /// Where the source stands in the log, when known and small; large cursors are read again each time, for there may be thousands.
        var cursor: Cursor??
        /// The holes it has reported, once they have been read from the log.
        var gaps: GapLedger?
        /// The last dead letter of a page that could not be read, so that asking again does not pile up copies.
        var lastLetter: Int?
    }

    static let largestRememberedCursor = 2048

    let source: SourceConfiguration
    let cell: SourceCell
    let services: HubServices
    let memory = Mutex(Memory())
    let account: HubAccount
    let spending: SpendKeeper
    let broadcasts: BroadcastReporter
    /// One report of holes at a time: each reads the ledger, waits for the log, and writes it.
    let reporting = Gate(permits: 1)
    private let clients: NetworkClients

    init(
        _ source: SourceConfiguration,
        clients: NetworkClients,
        account: HubAccount,
        spending: SpendKeeper,
        broadcasts: BroadcastReporter,
        services: HubServices
    ) {
        self.source = source
        self.clients = clients
        self.account = account
        self.spending = spending
        self.broadcasts = broadcasts
        self.services = services
        var machine = SourceMachine(
            schedule: PullSchedule(range: source.interval),
            isStreaming: source.modes.contains(.stream),
            random: SeededGenerator(seed: services.limits.seed, name: source.name.name),
            now: services.clock.now
        )
        if !source.isEnabled { machine.stop(reason: "switched off by `enabled: false`", now: services.clock.now) }
        cell = SourceCell(
            name: source.name,
            connector: source.connector.descriptor.name,
            polls: source.modes.contains(.pull),
            machine: machine,
            onActivity: { [priority = source.priority] in account.meter.isRead($0, priority) },
            logger: services.logger
        )
    }

    var now: Timestamp { services.clock.now }

    // MARK: Turns

    /// Has the source take a turn as soon as may be.
    func wake() {
        let (queue, wait) = cell.wantTurn()
        if let wait { services.alarm.cancel(wait) }
        if queue { services.wakeups.push(self) }
    }

    /// Takes a turn and arranges for the next.
    func takeTurn() async {
        cell.beginTurn()
        switch cell.endTurn(await turn()) {
        case .step: services.wakeups.push(self)
        case .wait(let delay):
            let token = services.alarm.schedule(after: delay) { self.wake() }
            if !cell.keep(token) { services.alarm.cancel(token) }
        case .rest: break
        }
    }

    /// The hub has ended its turns.
    func stop() {
        cell.move { $0.stop(now: now) }
        if let wait = cell.wantTurn().wait { services.alarm.cancel(wait) }
    }

    /// Stops reading until ``resume()``.
    func pause() {
        cell.move { _ = $0.pause(now: now) }
        cell.cancelActivity()
        // One more turn, to tell it.
        wake()
    }

    /// Goes on reading.
    func resume() {
        if cell.move({ $0.resume(now: now) }) { wake() }
    }

    private func turn() async -> SourceMachine.Next {
        var next = SourceMachine.Next.rest
        if cell.isActive {
            // Awaited right here; a task of its own so that a pause can end it.
            let activity = Task { await step() }
            cell.began(activity)
            next = await withTaskCancellationHandler {
                await activity.value
            } onCancel: {
                activity.cancel()
            }
        }
        let isTold = await announce()
        if cell.isActive { return next }
        // Who waits for a person takes no steps with which the news could go.
        return isTold ? .rest : .wait(Backoff.log.cap)
    }

    private func step() async -> SourceMachine.Next {
        await restorePause()
        guard cell.isActive, !Task.isCancelled, let connector = connector() else { return .rest }
        let puller = source.modes.contains(.pull) ? connector as? any PullSource : nil
        let streamer = mayStream() ? connector as? any StreamSource : nil
        if let puller, streamer == nil || !memory.withLock({ $0.isFilled }) {
            if streamer != nil { await noteStart() }
            let step = await pull(puller)
            guard streamer != nil, step.isCaughtUp else { return step.next }
            // A source that streams pulls only to fill what it missed while it was not connected.
            memory.withLock { $0.isFilled = true }
            return .step
        }
        if let streamer { return await stream(streamer, filledBy: puller) }
        if connector is any WebhookSource, source.modes.contains(.webhook) {
            // It rests until it is called.
            cell.move { $0.connected(now: now) }
            return .rest
        }
        let failure = StepFailure(.unsupported, "this source can neither be asked nor listened to")
        return cell.move { $0.failed(failure, now: now) }
    }

    /// Whether the source streams, as far as is known: a server without a stream is asked again now and then.
    private func mayStream() -> Bool {
        guard source.modes.contains(.stream) else { return false }
        let now = self.now
        let (may, isAgain) = memory.withLock { memory in
            guard let again = memory.streamAgainAt else { return (true, false) }
            // A moment further off than that was told by a clock that was wrong.
            guard now >= again || now.duration(to: again) > Self.streamRetry else { return (false, false) }
            memory.streamAgainAt = nil
            memory.isFilled = false
            return (true, true)
        }
        if isAgain { cell.move { $0.streams(true) } }
        return may
    }

    /// Notes, once, whether the source had ever been read.
    private func noteStart() async {
        guard memory.withLock({ $0.startedWithoutCursor == nil }) else { return }
        do {
            let isNew = try await cursor() == nil
            memory.withLock { $0.startedWithoutCursor = isNew }
        } catch {
            // Cancelled: noted in the next turn.
        }
    }

    /// Finds out whether a person had paused the source before the hub was started.
    private func restorePause() async {
        guard !memory.withLock({ $0.isRestored }) else { return }
        do {
            let isPaused = try await persistently { bus in
                try await bus.value(for: StoredKey.paused(self.source.name)) != nil
            }
            memory.withLock { $0.isRestored = true }
            if isPaused { cell.move { _ = $0.pause(now: now) } }
        } catch {
            // Cancelled: asked again in the next turn.
        }
    }

    private func connector() -> (any Connector)? {
        if let connector = memory.withLock({ $0.connector }) { return connector }
        do {
            let connector = try makeConnector()
            memory.withLock { $0.connector = connector }
            return connector
        } catch {
            cell.move { _ = $0.failed(StepFailure(.rejected, StepFailure(error).reason), now: now) }
            return nil
        }
    }

    /// A connector value of this source, which shares nothing with others but the account.
    func makeConnector() throws -> any Connector {
        var logger = services.logger
        logger[metadataKey: "source"] = "\(source.name)"
        let context = ConnectorContext(
            source: source.name,
            http: clients.http,
            clock: services.clock,
            logger: logger,
            webSockets: clients.webSockets,
            account: account,
            quota: Quota(account.meter, priority: source.priority, clock: services.clock)
        )
        return try source.connector.init(settings: source.settings, context: context)
    }

    // MARK: Failing

    /// Takes note of a failed step and returns what to do.
    func fail(_ failure: StepFailure) async -> SourceMachine.Next {
        cell.count { $0.failures += 1 }
        if failure.code == .malformed, let letter = failure.deadLetter {
            do { try await keep(letter) } catch { return .rest }
        }
        let now = self.now
        let next = cell.move { $0.failed(failure, now: now) }
        note(next, at: now)
        return next
    }

    /// A step ignored its cancellation.
    ///
    /// - Parameters:
    ///   - byDeadline: whether its deadline was why it was cancelled.
    ///   - reason: why a stream was given up, where it was; `nil` when the source is not to be read any more.
    /// - Returns: what to do next.
    func leaveBehind(byDeadline: Bool, after reason: String? = nil) async -> SourceMachine.Next {
        // It may still be at work; a fresh one shares nothing with it.
        memory.withLock { $0.connector = nil }
        let left = cell.leftBehind()
        services.logger.error(
            "a connector ignored its cancellation and was left behind",
            metadata: ["source": "\(source.name)", "left": "\(left)"]
        )
        guard byDeadline || reason != nil, cell.isActive, !Task.isCancelled else { return .rest }
        if left > services.limits.stepsLeftBehind {
            let reason = "\(left) steps went on after they were told to end; restart the hub to be rid of them"
            return await fail(StepFailure(.rejected, reason))
        }
        let why = reason ?? "no answer within \(DurationText.of(source.deadline))"
        return await fail(StepFailure(.unavailable, "\(why), and it did not end when told to"))
    }

    func note(_ next: SourceMachine.Next, at now: Timestamp) {
        let planned: Timestamp? =
            switch next {
            case .step: now
            case .wait(let delay): now.advanced(by: delay)
            case .rest: nil
            }
        cell.stepped(at: now, next: planned)
    }

    /// Where the source stands, from the log.
    func cursor() async throws -> Cursor? {
        if let known = memory.withLock({ $0.cursor }) { return known }
        let cursor = try await persistently { try await $0.cursor(of: self.source.name) }
        remember(cursor)
        return cursor
    }

    func remember(_ cursor: Cursor?) {
        memory.withLock {
            $0.cursor = (cursor?.bytes.count ?? 0) <= Self.largestRememberedCursor ? .some(cursor) : nil
        }
    }
}
