import ConnectorKit
package import MessageBus
package import SocialEvents

/// What came of reading one dead letter again.
package struct DeadLetterResult: Sendable, Hashable {
    /// What became of the letter.
    package enum Outcome: Sendable, Hashable {
        /// All of it was read, and it is gone.
        case read
        /// It stays, at least in part: why.
        case kept(reason: String)
        /// It was discarded or read by somebody else meanwhile.
        case gone
    }

    /// The letter's id.
    package var id: Int64
    /// What became of it.
    package var outcome: Outcome
    /// How many of its events were new.
    package var events = 0
    /// Whether the connector did not come back, so that going on with other letters is pointless.
    package var isStuck = false

    /// A result.
    package init(id: Int64, outcome: Outcome, events: Int = 0, isStuck: Bool = false) {
        self.id = id
        self.outcome = outcome
        self.events = events
        self.isStuck = isStuck
    }
}

/// What came of reading some dead letters of a source again.
package struct DeadLetterRound: Sendable, Hashable {
    /// One for each letter, in their order.
    package var results: [DeadLetterResult] = []
    /// The id to go on after; `nil` when there are no more, or going on is pointless.
    package var next: Int64?
}

extension Hub {
    /// Most dead letters that one round reads again.
    package static let largestRound = 100

    /// One dead letter; `nil` when there is none of that id.
    package func deadLetter(_ id: Int64) async throws -> StoredDeadLetter? {
        guard id > 0 else { return nil }
        let found = try await bus.deadLetters(of: nil, after: id - 1, limit: 1).first
        return found?.id == id ? found : nil
    }

    /// Has the source's connector read a dead letter again, and puts what comes of it in the letter's place; `nil` when there is none of that id.
    ///
    /// The source may be paused or failed, and its cursor does not move. Killed at any moment, the hub has the letter or its events. Throws
    /// ``HubCommandError`` when the letter's source or its connector cannot do it, and `BusError` when the log does not take the result.
    package func retryDeadLetter(_ id: Int64) async throws -> DeadLetterResult? {
        try await rereading.run {
            guard let kept = try await self.deadLetter(id) else { return nil }
            return try await self.runner(of: kept.source).reread(kept)
        }
    }

    /// Reads the dead letters of a source again, in their order.
    ///
    /// Ends early when the connector does not come back.
    ///
    /// - Parameters:
    ///   - source: whose letters.
    ///   - after: only letters with ids above this one.
    ///   - limit: at most so many, and at most ``largestRound``.
    /// - Returns: what became of each.
    /// - Throws: as ``retryDeadLetter(_:)`` does; what was read before stays read.
    package func retryDeadLetters(of source: SourceName, after: Int64, limit: Int) async throws -> DeadLetterRound {
        let runner = try runner(of: source)
        return try await rereading.run {
            let limit = min(max(1, limit), Self.largestRound)
            var round = DeadLetterRound()
            var position = after
            // One by one, for a letter may take much memory.
            while let kept = try await self.bus.deadLetters(of: source, after: position, limit: 1).first {
                guard round.results.count < limit else {
                    round.next = position
                    break
                }
                let result = try await runner.reread(kept)
                round.results.append(result)
                if result.isStuck { break }
                position = kept.id
            }
            return round
        }
    }
}
