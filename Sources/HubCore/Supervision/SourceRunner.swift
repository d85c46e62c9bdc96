import ConnectorKit
import Logging
import MessageBus
import SocialEvents
import Synchronization

/// Reads one source for as long as the hub runs: takes a step, makes its result durable, waits, and goes on.
///
/// Each source has one runner in a task of its own, so that whatever a connector does holds up nobody else. What happens next is decided by
/// ``SourceMachine``; here is only the shell with the clock, the log and the connector.
final class SourceRunner: Sendable {
    /// What a runner remembers between steps.
    struct Memory {
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
    private let http: any HTTPClient

    init(_ source: SourceConfiguration, http: any HTTPClient, services: HubServices) {
        self.source = source
        self.http = http
        self.services = services
        var machine = SourceMachine(
            schedule: PullSchedule(range: source.interval),
            random: SeededGenerator(seed: services.limits.seed, name: source.name.name),
            now: services.clock.now
        )
        if !source.isEnabled { machine.stop(reason: "switched off by `enabled: false`", now: services.clock.now) }
        cell = SourceCell(
            name: source.name,
            connector: source.connector.descriptor.name,
            polls: source.connector is any PullSource.Type,
            machine: machine,
            logger: services.logger
        )
    }

    var now: Timestamp { services.clock.now }

    /// Reads until cancelled.
    func run() async {
        guard source.isEnabled else { return }
        await restorePause()
        while !Task.isCancelled {
            if cell.isActive {
                // Awaited right here; a task of its own so that a pause can end it without ending the runner.
                let activity = Task { await read() }
                cell.began(activity)
                await withTaskCancellationHandler {
                    await activity.value
                } onCancel: {
                    activity.cancel()
                }
                cell.ended()
            }
            let state = cell.status.state
            await announce()
            if !cell.isActive { await cell.waitForCommand(since: state) }
        }
        cell.move { $0.stop(now: now) }
    }

    private func restorePause() async {
        do {
            let isPaused = try await persistently { bus in
                try await bus.value(for: StoredKey.paused(self.source.name)) != nil
            }
            if isPaused { _ = cell.pause(now: now) }
        } catch {
            // Cancelled: the caller sees it.
        }
    }

    // MARK: One activity, from start or resume to pause, failure or the hub's end

    private func read() async {
        guard var connector = makeConnector() else { return }
        memory.withLock { $0.cursor = nil }
        var isFilled = false
        while !Task.isCancelled {
            var step = Step()
            if let puller = connector as? any PullSource, !(isFilled && connector is any StreamSource) {
                step = await pull(puller)
                // A source that streams pulls only to fill what it missed while it was not connected.
                if connector is any StreamSource, step.isCaughtUp {
                    isFilled = true
                    step.next = .step
                }
            } else if let streamer = connector as? any StreamSource {
                step = await stream(streamer)
                isFilled = false
            } else {
                cell.move { $0.failed(StepFailure(.unsupported, "this connector cannot be read from"), now: now) }
                return
            }
            if step.leftConnectorBehind {
                // The old one may still be at work; a fresh one shares nothing with it.
                guard let fresh = makeConnector() else { return }
                connector = fresh
            }
            switch step.next {
            case .rest: return
            case .step: await Task.yield()
            case .wait(let delay):
                await announce()
                do { try await services.clock.sleep(for: delay) } catch { return }
            }
        }
    }

    /// What came of a step.
    struct Step {
        var next = SourceMachine.Next.rest
        var isCaughtUp = false
        var leftConnectorBehind = false
    }

    private func makeConnector() -> (any Connector)? {
        var logger = services.logger
        logger[metadataKey: "source"] = "\(source.name)"
        let context = ConnectorContext(source: source.name, http: http, clock: services.clock, logger: logger)
        do {
            return try source.connector.init(settings: source.settings, context: context)
        } catch {
            cell.move { $0.failed(StepFailure(.rejected, StepFailure(error).reason), now: now) }
            return nil
        }
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
    func leaveBehind(byDeadline: Bool) async -> Step {
        let left = cell.leftBehind()
        services.logger.error(
            "a connector ignored its cancellation and was left behind",
            metadata: ["source": "\(source.name)", "left": "\(left)"]
        )
        guard byDeadline else { return Step() }
        let failure =
            left > services.limits.stepsLeftBehind
            ? StepFailure(
                .rejected,
                "\(left) steps went on after they were told to end; restart the hub to be rid of them"
            )
            : StepFailure(
                .unavailable,
                "no answer within \(DurationText.of(source.deadline)), and it did not end when told to"
            )
        return Step(next: await fail(failure), leftConnectorBehind: true)
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
