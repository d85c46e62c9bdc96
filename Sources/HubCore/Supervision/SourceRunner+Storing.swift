import ConnectorKit
import Logging
import MessageBus
import SocialEvents
import Synchronization

/// What a step brought, as far as it may enter the log.
struct Harvest {
    var events: [Event]
    var deadLetters: [DeadLetter]
    /// The hub's own events that belong to it.
    var hubEvents: [Event] = []
    var cursor: Cursor?
}

extension SourceRunner {
    /// Makes a harvest durable and returns how many of its events were new.
    ///
    /// Waits and offers the same again while the log does not take it.
    ///
    /// Events go in batches, dead letters and cursor with the last: a crash between two batches repeats the page, and the log skips what it has.
    /// Where a person has to be forgotten, the cursor moves only once all that they said is erased.
    func store(_ harvest: Harvest) async throws -> Int {
        var news = 0
        let forgotten = Set(harvest.events.compactMap(\.forgottenActor))
        var rest = harvest.events[...]
        while rest.count > services.limits.batchSize {
            let batch = LogBatch(source: source.name, events: Array(rest.prefix(services.limits.batchSize)))
            rest = rest.dropFirst(services.limits.batchSize)
            news += try await append(batch, hubEvents: 0)
        }
        let last = LogBatch(
            source: source.name,
            events: rest.count == harvest.events.count && harvest.hubEvents.isEmpty
                ? harvest.events : Array(rest) + harvest.hubEvents,
            deadLetters: harvest.deadLetters,
            cursor: forgotten.isEmpty ? harvest.cursor : nil
        )
        if !last.events.isEmpty || !last.deadLetters.isEmpty || last.cursor != nil {
            news += try await append(last, hubEvents: harvest.hubEvents.count)
            cell.count { $0.deadLetters += harvest.deadLetters.count }
        }
        guard !forgotten.isEmpty else { return news }
        for actor in forgotten { _ = try await persistently { try await $0.erase(.actor(actor)) } }
        if let cursor = harvest.cursor {
            _ = try await append(LogBatch(source: source.name, cursor: cursor), hubEvents: 0)
        }
        return news
    }

    /// Appends one batch, and with it the news of the source's own state; tries again until it is durable.
    private func append(_ batch: LogBatch, hubEvents: Int) async throws -> Int {
        let (receipt, announcements) = try await persistently { bus in
            guard self.cell.isActive else { throw CancellationError() }
            guard let announcement = self.cell.takeAnnouncement(now: self.now) else {
                return (try await bus.append(batch), 0)
            }
            var offered = batch
            offered.events.append(announcement)
            do {
                let receipt = try await bus.append(offered)
                self.cell.announced(announcement, isWritten: true)
                return (receipt, 1)
            } catch {
                self.cell.announced(announcement, isWritten: false)
                throw error
            }
        }
        let news = max(0, receipt.sequences.count - hubEvents - announcements)
        if receipt.repeated > 0 { cell.count { $0.repeated += receipt.repeated } }
        if news > 0 { cell.stored(events: news, at: now) }
        broadcasts.stored(batch.events)
        return news
    }

    /// Asks the log, again and again with back-off while it fails.
    ///
    /// Throws only `CancellationError`.
    func persistently<Value: Sendable>(_ ask: (any MessageBus) async throws -> Value) async throws -> Value {
        while true {
            try Task.checkCancellation()
            let reason: String
            do {
                return try await ask(services.bus)
            } catch is CancellationError {
                throw CancellationError()
            } catch BusError.closed {
                let now = self.now
                cell.move { $0.stop(reason: "the log is closed", now: now) }
                throw CancellationError()
            } catch let error as BusError {
                reason = "the log does not take events: \(error)"
            } catch {
                reason = "the log does not take events: unexpected error of type \(type(of: error))"
            }
            let now = self.now
            guard case .wait(let delay) = cell.move({ $0.blocked(reason, now: now) }) else { throw CancellationError() }
            try await services.alarm.wait(for: delay)
        }
    }

    /// Sets aside a payload that could not be read at all, once however often it comes.
    func keep(_ letter: DeadLetter) async throws {
        var hasher = Hasher()
        hasher.combine(letter.payload)
        let hash = hasher.finalize()
        guard memory.withLock({ $0.lastLetter }) != hash else { return }
        let intake = EventIntake(events: [], deadLetters: [letter], source: source.name)
        _ = try await store(Harvest(events: [], deadLetters: intake.deadLetters))
        memory.withLock { $0.lastLetter = hash }
    }

    /// Writes the news of the source's state where no batch takes it along.
    ///
    /// What cannot be written now goes with the next chance; false when that is so.
    @discardableResult
    func announce() async -> Bool {
        guard let event = cell.takeAnnouncement(now: now) else { return true }
        do {
            _ = try await services.bus.append(LogBatch(source: source.name, events: [event]))
            cell.announced(event, isWritten: true)
            return true
        } catch {
            cell.announced(event, isWritten: false)
            services.logger.debug("a state change waits for the log", metadata: ["source": "\(source.name)"])
            return false
        }
    }

    /// The `hub.gap` events of a page.
    ///
    /// The ledger is kept before them: see ``GapLedger``.
    func gapEvents(_ reports: [GapReport]) async throws -> [Event] {
        guard !reports.isEmpty else { return [] }
        return try await reporting.run { try await self.ledgered(reports) }
    }

    private func ledgered(_ reports: [GapReport]) async throws -> [Event] {
        let key = StoredKey.gaps(source.name)
        var ledger: GapLedger
        if let known = memory.withLock({ $0.gaps }) {
            ledger = known
        } else {
            let bytes = try await persistently { try await $0.value(for: key) }
            ledger = bytes.map { GapLedger(bytes: $0) } ?? GapLedger()
        }
        let before = ledger
        let events = ledger.events(for: reports, source: source.name, now: now)
        if ledger != before {
            let bytes = ledger.bytes
            try await persistently { try await $0.setValue(bytes, for: key) }
        }
        let kept = ledger
        memory.withLock { $0.gaps = kept }
        return events
    }
}

extension Event {
    /// The person whose every word is withdrawn by this event: a deletion whose subject is the person who is its actor.
    var forgottenActor: ObjectID? {
        guard type.verb == .deleted, let subject, subject == data.actor?.id else { return nil }
        return subject
    }
}
