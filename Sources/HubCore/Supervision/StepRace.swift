import Synchronization

/// How a step of a connector came out.
enum StepOutcome<Value: Sendable>: Sendable {
    /// It returned or threw by itself.
    case finished(Result<Value, any Error>)
    /// It was told to end and did: by its deadline, or because the source is paused or the hub stops.
    case interrupted(byDeadline: Bool)
    /// It was told to end and went on. Its result will be ignored.
    case abandoned(byDeadline: Bool)
}

/// Runs one step of a connector under a deadline, without waiting for ever for one that ignores cancellation.
///
/// A task cannot be ended from outside, so one that goes on after the grace is left behind, counted, and no longer listened to. That is why the
/// step runs in a task of its own instead of a child task: a task group would wait for it.
final class StepRace<Value: Sendable>: Sendable {
    private struct State {
        var outcome: StepOutcome<Value>?
        var waiter: CheckedContinuation<StepOutcome<Value>, Never>?
        var work: Task<Void, Never>?
        var timer: Alarm.Token?
        /// Set when the step was told to end; whether its deadline was why.
        var interruptedByDeadline: Bool?
    }

    private let state = Mutex(State())
    private let alarm: Alarm
    private let grace: Duration
    private let onLateEnd: @Sendable () -> Void

    private init(alarm: Alarm, grace: Duration, onLateEnd: @escaping @Sendable () -> Void) {
        self.alarm = alarm
        self.grace = grace
        self.onLateEnd = onLateEnd
    }

    /// Runs `operation`; cancelling the calling task interrupts it.
    ///
    /// - Parameters:
    ///   - deadline: after this long it is told to end; `nil` for a stream, which may live for ever.
    ///   - grace: how long it may take to end once told to.
    ///   - alarm: measures both.
    ///   - onLateEnd: called when a step that was abandoned ends after all.
    ///   - operation: the step.
    /// - Returns: how it came out.
    static func run(
        deadline: Duration?,
        grace: Duration,
        alarm: Alarm,
        onLateEnd: @escaping @Sendable () -> Void,
        operation: @escaping @Sendable () async throws -> Value
    ) async -> StepOutcome<Value> {
        let race = StepRace(alarm: alarm, grace: grace, onLateEnd: onLateEnd)
        race.start(deadline: deadline, operation)
        return await withTaskCancellationHandler {
            await race.outcome()
        } onCancel: {
            race.interrupt(byDeadline: false)
        }
    }

    private func start(deadline: Duration?, _ operation: @escaping @Sendable () async throws -> Value) {
        // Awaited by `outcome()`, unless it is abandoned.
        let work = Task {
            do {
                finish(.success(try await operation()))
            } catch {
                finish(.failure(error))
            }
        }
        // Called off as soon as the outcome is known.
        let timer = deadline.map { deadline in
            alarm.schedule(after: deadline) { self.interrupt(byDeadline: true) }
        }
        let (isDecided, isInterrupted) = state.withLock { state in
            state.work = work
            if state.timer == nil { state.timer = timer }
            return (state.outcome != nil, state.interruptedByDeadline != nil)
        }
        if let timer, isDecided || isInterrupted { alarm.cancel(timer) }
        if isInterrupted { work.cancel() }
    }

    private func outcome() async -> StepOutcome<Value> {
        await withCheckedContinuation { continuation in
            let known = state.withLock { state -> StepOutcome<Value>? in
                if state.outcome == nil { state.waiter = continuation }
                return state.outcome
            }
            if let known { continuation.resume(returning: known) }
        }
    }

    private func interrupt(byDeadline: Bool) {
        let work: Task<Void, Never>?? = state.withLock { state in
            guard state.outcome == nil, state.interruptedByDeadline == nil else { return nil }
            state.interruptedByDeadline = byDeadline
            return .some(state.work)
        }
        guard let work else { return }
        work?.cancel()
        // Called off as soon as the step has ended.
        let timer = alarm.schedule(after: grace) { self.decide(.abandoned(byDeadline: byDeadline)) }
        let (isDecided, old) = state.withLock { state in
            let old = state.timer
            state.timer = timer
            return (state.outcome != nil, old)
        }
        if let old { alarm.cancel(old) }
        if isDecided { alarm.cancel(timer) }
    }

    private func finish(_ result: Result<Value, any Error>) {
        let outcome: StepOutcome<Value> = state.withLock { state in
            // A result that came in time is kept, even when the step had been told to end meanwhile.
            if case .success = result { return .finished(result) }
            return state.interruptedByDeadline.map { .interrupted(byDeadline: $0) } ?? .finished(result)
        }
        if !decide(outcome) { onLateEnd() }
    }

    @discardableResult
    private func decide(_ outcome: StepOutcome<Value>) -> Bool {
        let (isFirst, waiter, timer) = state.withLock { state in
            guard state.outcome == nil else {
                return (false, nil as CheckedContinuation<StepOutcome<Value>, Never>?, nil as Alarm.Token?)
            }
            state.outcome = outcome
            defer { state.waiter = nil }
            return (true, state.waiter, state.timer)
        }
        if let timer { alarm.cancel(timer) }
        waiter?.resume(returning: outcome)
        return isFirst
    }
}
