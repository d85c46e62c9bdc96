import ConnectorKit
import SocialEvents
import Synchronization

extension SourceRunner {
    /// Holds a stream until it ends.
    func stream(_ connector: any StreamSource) async -> SourceMachine.Next {
        let cursor: Cursor?
        do { cursor = try await self.cursor() } catch { return .rest }
        let connectingAt = now
        cell.move { $0.connecting(now: connectingAt) }
        await announce()
        let sink = SourceSink(self)
        let outcome = await StepRace.run(
            deadline: nil,
            grace: services.limits.grace,
            alarm: services.alarm,
            onLateEnd: { self.cell.endedLate() },
            operation: { try await connector.stream(after: cursor, into: sink) }
        )
        let hadData = await sink.close()
        memory.withLock { $0.isFilled = false }
        let now = self.now
        switch outcome {
        case .finished(.success):
            let next = cell.move { $0.ended(hadData: hadData, now: now) }
            note(next, at: now)
            return next
        case .finished(.failure(let error)): return await fail(StepFailure(error))
        case .interrupted: return .rest
        case .abandoned: return await leaveBehind(byDeadline: false)
        }
    }

    /// Makes what a stream brought durable.
    fileprivate func take(_ batch: EventBatch) async throws {
        let (events, deadLetters, cursor) = (batch.events, batch.deadLetters, batch.cursor)
        if let cursor, cursor.bytes.count > Cursor.maximumSize {
            throw ConnectorError(.rejected, "its cursor is larger than \(Cursor.maximumSize) bytes")
        }
        guard events.count + deadLetters.count <= services.limits.largestPage else {
            throw ConnectorError(.rejected, "its batch has more than \(services.limits.largestPage) parts")
        }
        let intake = EventIntake(events: events, deadLetters: deadLetters, source: source.name)
        let readAt = now
        cell.move { $0.delivered(now: readAt) }
        cell.count {
            $0.pulls += 1
            $0.invalid += intake.invalid
        }
        _ = try await store(Harvest(events: intake.events, deadLetters: intake.deadLetters, cursor: cursor))
        if cursor != nil { remember(cursor) }
        let now = self.now
        cell.move { $0.delivered(now: now) }
        cell.stepped(at: now, next: nil)
    }
}

/// Where one connection of a stream puts what it reads.
///
/// After ``close()`` it takes nothing more, whatever a connector left behind still emits.
private final class SourceSink: EventSink {
    private struct State {
        var isOpen = true
        var hadData = false
    }

    private let runner: SourceRunner
    private let turn = Gate(permits: 1)
    private let state = Mutex(State())

    init(_ runner: SourceRunner) { self.runner = runner }

    func connected() async {}

    func emit(_ batch: EventBatch) async throws {
        try await turn.run {
            guard self.state.withLock({ $0.isOpen }) else { throw CancellationError() }
            try await self.runner.take(batch)
            self.state.withLock { $0.hadData = true }
        }
    }

    /// Refuses what comes from now on, waits for what is being written, and says whether anything had come.
    func close() async -> Bool {
        state.withLock { $0.isOpen = false }
        // In a task of its own, awaited here, because a paused source must wait as well: its next connection may not overtake this batch.
        await Task { try? await turn.run {} }.value
        return state.withLock { $0.hadData }
    }
}
