import ConnectorKit
import Logging
import SocialEvents
import Synchronization

extension SourceRunner {
    /// How long a server that has no stream is polled before it is asked for one again.
    static let streamRetry = Duration.seconds(6 * 3600)
    /// How long a stream that seems deaf may take to bring what a pull has found.
    static let deafGrace = Duration.seconds(60)
    /// The key of the hole that a broken connection leaves.
    private static let gapKey = "stream"

    /// What ends the tasks around one connection.
    private enum End: Sendable {
        case stream(StepOutcome<Void>)
        /// What attends to it gives it up, and why.
        case given(up: String)
        case attended
    }

    /// Holds a stream until it ends, and meanwhile reads by asking what was said while it was not connected.
    ///
    /// - Parameters:
    ///   - connector: the stream.
    ///   - puller: asks, where the source can be asked too.
    /// - Returns: what to do next.
    func stream(_ connector: any StreamSource, filledBy puller: (any PullSource)?) async -> SourceMachine.Next {
        let cursor: Cursor?
        do { cursor = try await self.cursor() } catch { return .rest }
        let connectingAt = now
        cell.move { $0.connecting(now: connectingAt) }
        await announce()
        let sink = SourceSink(self, canBeAsked: puller != nil)
        let (outcome, reason) = await withTaskGroup(of: End.self) { group -> (StepOutcome<Void>, String?) in
            group.addTask {
                .stream(
                    await StepRace.run(
                        deadline: nil,
                        grace: self.services.limits.grace,
                        alarm: self.services.alarm,
                        onLateEnd: { self.cell.endedLate() },
                        operation: { try await connector.stream(after: cursor, into: sink) }
                    )
                )
            }
            group.addTask { await self.attend(sink, puller).map { .given(up: $0) } ?? .attended }
            var outcome = StepOutcome<Void>.interrupted(byDeadline: false)
            var reason: String?
            for await end in group {
                switch end {
                case .stream(let result):
                    outcome = result
                    group.cancelAll()
                case .given(let why):
                    reason = why
                    group.cancelAll()
                case .attended: break
                }
            }
            return (outcome, reason)
        }
        let hadNews = await sink.close()
        memory.withLock { $0.isFilled = false }
        if case .abandoned = outcome { return await leaveBehind(byDeadline: false, after: reason) }
        if let reason, cell.isActive, !Task.isCancelled { return await fail(StepFailure(.unavailable, reason)) }
        return await concluded(outcome, hadNews: hadNews, canPull: puller != nil)
    }

    private func concluded(_ outcome: StepOutcome<Void>, hadNews: Bool, canPull: Bool) async -> SourceMachine.Next {
        // A stream that was told to end has not ended of itself, whatever it says.
        if Task.isCancelled { return .rest }
        let now = self.now
        switch outcome {
        case .finished(.success):
            let next = cell.move { $0.ended(hadNews: hadNews, now: now) }
            note(next, at: now)
            return next
        case .finished(.failure(let error)):
            let failure = StepFailure(error)
            guard failure.code == .unsupported, canPull else { return await fail(failure) }
            services.logger.info(
                "this server has no stream and is polled instead",
                metadata: ["source": "\(source.name)", "reason": "\(failure.reason)"]
            )
            memory.withLock { $0.streamAgainAt = now.advanced(by: Self.streamRetry) }
            cell.move { $0.streams(false) }
            return .step
        case .interrupted, .abandoned: return .rest
        }
    }

    // MARK: Attending to a connection

    /// Fills the hole before the connection, then listens whether it goes on talking; returns why it should be given up.
    private func attend(_ sink: SourceSink, _ puller: (any PullSource)?) async -> String? {
        do {
            try await sink.waitUntilConnected()
            await announce()
            if let puller, try await !fill(sink, puller) { return "it may not be asked what was missed" }
            var gauge = puller == nil ? SilenceGauge.unverifiable : .verifiable
            if let learned = memory.withLock({ $0.silence }) { gauge = learned }
            sink.listen(with: gauge)
            while true {
                let patience = sink.patience
                let heardBefore = sink.count
                try await services.alarm.wait(for: patience)
                guard sink.count == heardBefore else { continue }
                if let puller {
                    if let reason = try await suspect(sink, puller, silentFor: patience) { return reason }
                } else {
                    let now = self.now
                    cell.move { $0.silent(for: patience, now: now) }
                    await announce()
                }
            }
        } catch {
            // Cancelled with the connection.
            return nil
        }
    }

    /// Reads by asking what was said before the connection; false when the source may not be read any more.
    private func fill(_ sink: SourceSink, _ puller: any PullSource) async throws -> Bool {
        let (isFirst, lastHeard) = memory.withLock { ($0.startedWithoutCursor ?? true, $0.lastHeardAt) }
        let hole = Gap(after: lastHeard, before: now, reason: "the stream was not connected")
        if !isFirst { try await report(.opened(key: Self.gapKey, hole)) }
        guard try await catchUp(puller) != nil else { return false }
        sink.fill()
        if !isFirst {
            try await report(
                .closed(
                    key: Self.gapKey,
                    Gap(after: hole.after, before: hole.before, reason: "read again by asking")
                )
            )
        }
        memory.withLock { $0.startedWithoutCursor = false }
        return true
    }

    /// Asks until there is no more; returns how many events were new, `nil` when the source may not be read any more.
    private func catchUp(_ puller: any PullSource) async throws -> Int? {
        var news = 0
        // Counted here, because a stream that goes on delivering beside these pulls ends the machine's count.
        var failures = 0
        while true {
            let step = await pull(puller)
            try Task.checkCancellation()
            news += step.news
            // What a pull plans for later is not done while the source streams.
            cell.stepped(at: now, next: nil)
            if step.isCaughtUp { return news }
            failures = step.isFailure ? failures + 1 : 0
            switch step.next {
            case .step: break
            case .wait(let delay):
                let least = failures > 1 ? Backoff.platform.ceiling(attempt: failures) / 2 : .zero
                try await services.alarm.wait(for: max(delay, least))
            case .rest: return nil
            }
        }
    }

    /// Checks a silence by asking: what a pull finds and the stream does not bring within the grace, it is deaf to.
    private func suspect(
        _ sink: SourceSink,
        _ puller: any PullSource,
        silentFor patience: Duration
    ) async throws -> String? {
        let heardBefore = sink.count
        // A cursor of the stream's, moved between two pages, would skip the pages after.
        try await sink.holdCursorsBack()
        guard let news = try await catchUp(puller) else { return "it may not be asked whether it is deaf" }
        sink.fill()
        guard news > 0 else { return nil }
        try await services.alarm.wait(for: Self.deafGrace)
        guard sink.count == heardBefore else { return nil }
        return
            "the stream was connected but deaf: silent for \(DurationText.of(patience)) while \(news) events were to be had by asking"
    }

    private func report(_ gap: GapReport) async throws {
        _ = try await store(Harvest(events: [], deadLetters: [], hubEvents: try await gapEvents([gap])))
    }

    // MARK: Taking

    /// Makes what a stream brought durable; returns how many of its events were new.
    fileprivate func take(_ batch: EventBatch, movingCursor: Bool) async throws -> Int {
        let cursor = movingCursor ? batch.cursor : nil
        if let cursor, cursor.bytes.count > Cursor.maximumSize {
            throw ConnectorError(.rejected, "its cursor is larger than \(Cursor.maximumSize) bytes")
        }
        guard batch.events.count + batch.deadLetters.count + batch.gaps.count <= services.limits.largestPage else {
            throw ConnectorError(.rejected, "its batch has more than \(services.limits.largestPage) parts")
        }
        let intake = EventIntake(events: batch.events, deadLetters: batch.deadLetters, source: source.name)
        cell.count {
            if batch.saysSomething { $0.pulls += 1 }
            $0.invalid += intake.invalid
        }
        let harvest = Harvest(
            events: intake.events,
            deadLetters: intake.deadLetters,
            hubEvents: try await gapEvents(batch.gaps),
            cursor: cursor
        )
        let news = try await store(harvest)
        if cursor != nil { remember(cursor) }
        guard batch.saysSomething else { return 0 }
        await spending.saveIfMuch(source.account)
        let now = self.now
        cell.move { $0.delivered(news: news > 0, now: now) }
        cell.stepped(at: now, next: nil)
        memory.withLock { $0.lastHeardAt = now }
        return news
    }

    /// Keeps what was learned of the source's silences for its next connection.
    fileprivate func keep(_ gauge: SilenceGauge) {
        memory.withLock { $0.silence = gauge }
    }

    fileprivate func isConnected() {
        let now = self.now
        cell.move { $0.connected(now: now) }
    }
}

extension EventBatch {
    /// Whether it brings more than a position.
    fileprivate var saysSomething: Bool { !(events.isEmpty && deadLetters.isEmpty && gaps.isEmpty) }
}

/// Where one connection of a stream puts what it reads.
///
/// After ``close()`` it takes nothing more, whatever a connector left behind still emits.
private final class SourceSink: EventSink {
    private struct State {
        var isOpen = true
        var isConnected = false
        var waiter: CheckedContinuation<Void, any Error>?
        /// Whether what was said before the connection has been read, so that the stream's cursors may move the source's.
        var isFilled: Bool
        /// Batches that said something.
        var count = 0
        var hasNews = false
        var gauge: SilenceGauge?
    }

    private let runner: SourceRunner
    private let canBeAsked: Bool
    private let turn = Gate(permits: 1)
    private let state: Mutex<State>

    init(_ runner: SourceRunner, canBeAsked: Bool) {
        self.runner = runner
        self.canBeAsked = canBeAsked
        state = Mutex(State(isFilled: !canBeAsked))
    }

    func connected() async {
        runner.isConnected()
        let waiter = state.withLock { state in
            state.isConnected = true
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    func emit(_ batch: EventBatch) async throws {
        // A connector that has something to say is connected.
        if !state.withLock({ $0.isConnected }) { await connected() }
        // A sign of life is no proof that the stream is not deaf. Where that can be asked, asking moves the cursor over a silence.
        if canBeAsked, !batch.saysSomething { return }
        try await turn.run {
            let isFilled = try self.state.withLock { state in
                guard state.isOpen else { throw CancellationError() }
                return state.isFilled
            }
            let news = try await self.runner.take(batch, movingCursor: isFilled)
            let now = self.runner.now
            self.state.withLock { state in
                if news > 0 { state.hasNews = true }
                guard batch.saysSomething else { return }
                state.count += 1
                state.gauge?.heard(isData: true, at: now)
            }
        }
    }

    /// How many batches have come that said something.
    var count: Int { state.withLock { $0.count } }

    /// How long a silence is no surprise.
    var patience: Duration { state.withLock { $0.gauge?.patience } ?? .seconds(3600) }

    /// Begins to measure silences.
    func listen(with gauge: SilenceGauge) {
        let now = runner.now
        state.withLock { state in
            state.gauge = gauge
            state.gauge?.heard(isData: false, at: now)
        }
    }

    /// Lets no cursor of the stream move the source's until ``fill()``; waits for one that is about to.
    func holdCursorsBack() async throws {
        try await turn.run { self.state.withLock { $0.isFilled = false } }
    }

    /// What was said before the connection has been read.
    func fill() { state.withLock { $0.isFilled = true } }

    /// Throws `CancellationError` when cancelled before.
    func waitUntilConnected() async throws {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let answer: Result<Void, any Error>? = state.withLock { state in
                    // Asked inside the lock: see `Gate`.
                    if Task.isCancelled { return .failure(CancellationError()) }
                    if state.isConnected { return .success(()) }
                    state.waiter = continuation
                    return nil
                }
                if let answer { continuation.resume(with: answer) }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                defer { state.waiter = nil }
                return state.waiter
            }
            waiter?.resume(throwing: CancellationError())
        }
    }

    /// Refuses what comes from now on, waits for what is being written, and says whether anything new had come.
    func close() async -> Bool {
        state.withLock { $0.isOpen = false }
        // In a task of its own, awaited here, because a paused source must wait as well: its next connection may not overtake this batch.
        await Task { try? await turn.run {} }.value
        let (hasNews, gauge) = state.withLock { ($0.hasNews, $0.gauge) }
        if let gauge { runner.keep(gauge) }
        return hasNews
    }
}
