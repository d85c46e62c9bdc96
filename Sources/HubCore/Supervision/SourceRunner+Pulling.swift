import ConnectorKit
import Logging
import SocialEvents

/// What came of a pull.
struct PullStep {
    var next = SourceMachine.Next.rest
    /// Whether there was no more to read.
    var isCaughtUp = false
    /// How many events were new.
    var news = 0
    /// Whether nothing could be read, rather than there being nothing to read.
    var isFailure = false
}

extension SourceRunner {
    /// Takes one step of a source that is asked.
    ///
    /// The permit is held until the page is durable, so that no more pages than permits wait for the log.
    func pull(_ connector: any PullSource) async -> PullStep {
        do {
            return try await services.gate.run {
                let cursor = try await self.cursor()
                let request = PullRequest(cursor: cursor, limit: self.services.limits.pageSize)
                let outcome = await StepRace.run(
                    deadline: self.source.deadline,
                    grace: self.services.limits.grace,
                    alarm: self.services.alarm,
                    onLateEnd: { self.cell.endedLate() },
                    operation: { try await connector.pull(request) }
                )
                switch outcome {
                case .finished(.success(let page)): return try await self.take(page, after: cursor)
                case .finished(.failure(let error)):
                    return PullStep(next: await self.fail(StepFailure(error)), isFailure: true)
                case .interrupted(byDeadline: true):
                    let reason = "no answer within \(DurationText.of(self.source.deadline))"
                    return PullStep(next: await self.fail(StepFailure(.unavailable, reason)), isFailure: true)
                case .interrupted(byDeadline: false): throw CancellationError()
                case .abandoned(let byDeadline):
                    return PullStep(next: await self.leaveBehind(byDeadline: byDeadline), isFailure: true)
                }
            }
        } catch {
            // Cancelled: paused, or the hub stops. The cursor has not moved, so nothing is lost.
            return PullStep()
        }
    }

    private func take(_ page: PullPage, after cursor: Cursor?) async throws -> PullStep {
        try Task.checkCancellation()
        if let refusal = refusal(of: page) { return PullStep(next: await fail(refusal), isFailure: true) }
        let readAt = now
        let hasMoved = page.cursor != nil && page.cursor != cursor
        // More that the same request would bring again is no more, unless the platform has it later: its index may lag behind what it streams.
        let hasMore = page.hasMore && (hasMoved || page.notBefore.map { $0 > readAt } == true)
        let intake = EventIntake(events: page.events, deadLetters: page.deadLetters, source: source.name)
        cell.move { $0.read(hasMore: hasMore, now: readAt) }
        cell.count {
            $0.pulls += 1
            $0.invalid += intake.invalid
        }
        let harvest = Harvest(
            events: intake.events,
            deadLetters: intake.deadLetters,
            hubEvents: try await gapEvents(page.gaps),
            cursor: hasMoved ? page.cursor : nil
        )
        let news = try await store(harvest)
        if hasMoved { remember(page.cursor) }
        await spending.saveIfMuch(source.account)
        let now = self.now
        let next = cell.move {
            $0.stored(hasMore: hasMore, news: news > 0, notBefore: page.notBefore, now: now)
        }
        note(next, at: now)
        return PullStep(next: next, isCaughtUp: !hasMore, news: news)
    }

    /// Why a page cannot be taken at all.
    private func refusal(of page: PullPage) -> StepFailure? {
        if let cursor = page.cursor, cursor.bytes.count > Cursor.maximumSize {
            return StepFailure(
                .rejected,
                "its cursor has \(cursor.bytes.count) bytes, more than the \(Cursor.maximumSize) that are allowed"
            )
        }
        let parts = page.events.count + page.deadLetters.count + page.gaps.count
        if parts > services.limits.largestPage {
            return StepFailure(
                .rejected,
                "its page has \(parts) parts, more than the \(services.limits.largestPage) that are allowed"
            )
        }
        return nil
    }
}
