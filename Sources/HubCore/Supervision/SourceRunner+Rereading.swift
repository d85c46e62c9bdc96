import ConnectorKit
import JSON
import Logging
import MessageBus
import SocialEvents

extension SourceRunner {
    /// Reads a dead letter again and puts what comes of it in its place, in one commit.
    ///
    /// A connector value of its own does it, so that neither a source that is being read nor one that is paused takes any notice.
    func reread(_ kept: StoredDeadLetter) async throws -> DeadLetterResult {
        guard !kept.letter.isCut else {
            let reason =
                "only its first \(kept.letter.payload.count) bytes were kept, and a part is not read for the whole"
            return DeadLetterResult(id: kept.id, outcome: .kept(reason: reason))
        }
        if let event = Self.event(in: kept) { return try await settle(kept, Rereading(events: [event])) }
        let connector: any Connector
        do {
            connector = try makeConnector()
        } catch {
            return DeadLetterResult(id: kept.id, outcome: .kept(reason: StepFailure(error).reason))
        }
        guard let reader = connector as? any DeadLetterReader else {
            throw HubCommandError.cannotReread(source.name, connector: source.connector.descriptor.name)
        }
        let request = RereadRequest(letter: kept.letter, receivedAt: kept.recordedTime)
        let outcome = await StepRace.run(
            deadline: services.limits.deliveryDeadline,
            grace: services.limits.grace,
            alarm: services.alarm,
            onLateEnd: { self.cell.endedLate() },
            operation: { try await reader.reread(request) }
        )
        switch outcome {
        case .finished(.success(let reading)): return try await settle(kept, reading)
        case .finished(.failure(let error)): return try await failed(kept, StepFailure(error))
        case .interrupted(byDeadline: false): throw CancellationError()
        case .interrupted(byDeadline: true): return stuck(kept)
        case .abandoned(let byDeadline):
            let left = cell.leftBehind()
            services.logger.error(
                "a connector ignored its cancellation over a dead letter and was left behind",
                metadata: ["source": "\(source.name)", "letter": "\(kept.id)", "left": "\(left)"]
            )
            guard byDeadline else { throw CancellationError() }
            return stuck(kept)
        }
    }

    /// The event in a letter that the hub itself wrote: one that its connector made and that broke the format.
    ///
    /// A later version may take it; the payload that it was made of is not there any more.
    private static func event(in kept: StoredDeadLetter) -> Event? {
        guard kept.letter.contentType == EventIntake.eventType,
            let (event, source) = try? EventDecoder().decodeBody(kept.letter.payload), source == kept.source
        else { return nil }
        return event
    }

    private func stuck(_ kept: StoredDeadLetter) -> DeadLetterResult {
        let reason = "the connector did not come back within \(DurationText.of(services.limits.deliveryDeadline))"
        return DeadLetterResult(id: kept.id, outcome: .kept(reason: reason), isStuck: true)
    }

    /// The letter stays as it came; only a connector that found it unreadable has something new to say of it.
    private func failed(_ kept: StoredDeadLetter, _ failure: StepFailure) async throws -> DeadLetterResult {
        guard failure.code == .malformed else {
            return DeadLetterResult(id: kept.id, outcome: .kept(reason: failure.reason))
        }
        var letter = kept.letter
        letter.reason = failure.reason
        return try await settle(kept, Rereading(deadLetters: [letter]))
    }

    private func settle(_ kept: StoredDeadLetter, _ reading: Rereading) async throws -> DeadLetterResult {
        let count = reading.events.count + reading.deadLetters.count
        guard count <= services.limits.largestPage else {
            return DeadLetterResult(id: kept.id, outcome: .kept(reason: "it has too many parts: \(count)"))
        }
        let intake = EventIntake(events: reading.events, deadLetters: reading.deadLetters, source: source.name)
        var batch = LogBatch(source: source.name, events: intake.events, deadLetters: intake.deadLetters)
        var news = 0
        let forgotten = Set(intake.events.compactMap(\.forgottenActor))
        if !forgotten.isEmpty {
            // The letter is the promise that they will be forgotten, so it goes last.
            news = try await services.bus.append(LogBatch(source: source.name, events: intake.events)).sequences.count
            for actor in forgotten { _ = try await services.bus.erase(.actor(actor)) }
            batch.events = []
        }
        guard let receipt = try await services.bus.replaceDeadLetter(kept.id, with: batch) else {
            return DeadLetterResult(id: kept.id, outcome: .gone, events: news)
        }
        news += receipt.sequences.count
        if news > 0 { cell.stored(events: news, at: now) }
        broadcasts.stored(intake.events)
        cell.count {
            $0.repeated += receipt.repeated
            $0.invalid += intake.invalid
            $0.deadLetters += max(0, intake.deadLetters.count - 1)
        }
        guard let rest = intake.deadLetters.first else {
            return DeadLetterResult(id: kept.id, outcome: .read, events: news)
        }
        return DeadLetterResult(id: kept.id, outcome: .kept(reason: rest.reason), events: news)
    }
}
