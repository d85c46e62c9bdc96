package import ConnectorKit
import Logging
import MessageBus
package import SocialEvents
import Synchronization

/// What a platform is told about a call of its webhook.
package enum WebhookAnswer: Sendable, Hashable {
    /// The events are durable, or there were none.
    case accepted
    /// The answer to a platform's question.
    case reply([UInt8], contentType: String)
    /// Not genuine, or not for this source: this status.
    case refused(status: Int, reason: String)
    /// It cannot be taken at the moment: the platform is to call again, and does.
    case later(after: Duration, reason: String)
    /// The connector failed over it.
    case failed(reason: String)
}

/// The place where a platform calls one source.
package struct WebhookInlet: Sendable {
    /// The source that is called.
    package let source: SourceName
    let runner: SourceRunner

    /// Has the source judge one call, and returns once what it brought is durable.
    package func receive(_ delivery: WebhookDelivery) async -> WebhookAnswer {
        await runner.receive(delivery)
    }
}

extension SourceRunner {
    /// How soon a platform is asked to call again.
    private static let soon = Duration.seconds(2)
    /// How soon where a person has to do something first.
    private static let eventually = Duration.seconds(60)

    func receive(_ delivery: WebhookDelivery) async -> WebhookAnswer {
        guard cell.isActive else { return .later(after: Self.eventually, reason: "the source is not being read") }
        guard let connector = memory.withLock({ $0.connector }) as? any WebhookSource else {
            return .later(after: Self.soon, reason: "the source is being started")
        }
        // A log that is full is tried all the same: where sources are only called, nobody else would find out that there is room again.
        let outcome = await StepRace.run(
            deadline: services.limits.deliveryDeadline,
            grace: services.limits.grace,
            alarm: services.alarm,
            onLateEnd: { self.cell.endedLate() },
            operation: { try await self.take(delivery, by: connector) }
        )
        switch outcome {
        case .finished(.success(let answer)): return answer
        case .finished(.failure(is CancellationError)), .interrupted:
            return .later(after: Self.soon, reason: "it could not be stored in time")
        case .finished(.failure(let error)): return await failed(over: delivery, StepFailure(error))
        case .abandoned(let byDeadline):
            _ = await leaveBehind(byDeadline: byDeadline)
            // A fresh connector, unless too many were left behind.
            wake()
            return .later(after: Self.soon, reason: "the connector did not come back")
        }
    }

    private func take(_ delivery: WebhookDelivery, by connector: any WebhookSource) async throws -> WebhookAnswer {
        switch try await connector.receive(delivery) {
        case .challenge(let reply, let contentType): return .reply(reply, contentType: contentType)
        case .rejected(let status, let reason):
            cell.count { $0.refused += 1 }
            services.logger.debug(
                "a call of a webhook was refused",
                metadata: ["source": "\(source.name)", "status": "\(status)", "reason": "\(reason)"]
            )
            return .refused(status: status, reason: reason)
        case .accepted(let events, let deadLetters):
            guard events.count + deadLetters.count <= services.limits.largestPage else {
                return .refused(status: 413, reason: "it has too many parts")
            }
            let intake = EventIntake(events: events, deadLetters: deadLetters, source: source.name)
            let news = try await store(Harvest(events: intake.events, deadLetters: intake.deadLetters))
            let now = self.now
            cell.count {
                $0.pulls += 1
                $0.invalid += intake.invalid
            }
            cell.move { $0.delivered(news: news > 0, now: now) }
            return .accepted
        }
    }

    /// A connector that throws over a call has found it genuine, or it would have refused it: what cannot be read is set aside and taken, for a
    /// platform gives up on a hook that answers with errors.
    private func failed(over delivery: WebhookDelivery, _ failure: StepFailure) async -> WebhookAnswer {
        cell.count { $0.failures += 1 }
        services.logger.warning(
            "a connector failed over a call of its webhook",
            metadata: ["source": "\(source.name)", "reason": "\(failure.reason)"]
        )
        guard failure.code == .malformed, let letter = failure.deadLetter else {
            return .failed(reason: failure.reason)
        }
        do {
            let intake = EventIntake(events: [], deadLetters: [letter], source: source.name)
            _ = try await store(Harvest(events: [], deadLetters: intake.deadLetters))
            return .accepted
        } catch {
            return .later(after: Self.soon, reason: "it could not be stored in time")
        }
    }
}
