import ConnectorKit
import MessageBus
import SocialEvents

/// A log in memory that can be told to be full, to fail, or to lose its answers; what it holds survives the hub that wrote it.
final class MemoryBus: MessageBus {
    struct State: Sendable {
        var events: [(source: SourceName, event: Event)] = []
        var seen: Set<String> = []
        var cursors: [SourceName: Cursor] = [:]
        var letters: [StoredDeadLetter] = []
        var values: [String: [UInt8]] = [:]
        var batches: [LogBatch] = []
        var appends = 0
        var trims: [RetentionPolicy] = []
        /// What was erased, and where the cursors stood then.
        var erasures: [(selector: ErasureSelector, cursors: [SourceName: Cursor])] = []
        var condition = BusCondition.ready
        /// Batches that become durable but whose answer is an error, as when a connection breaks at the worst moment.
        var lostAnswers = 0
        /// Whether the next append finds room, as nobody knows before it was tried.
        var hasRoomAgain = false
        var isClosed = false
        /// Values that found no room.
        var refusedValues = 0
        /// How many more values cannot be read.
        var unreadableValues = 0
        /// Broadcasts whose counts were not told yet.
        var changed: [BroadcastTally] = []
    }

    let state = Shared(State())

    func append(_ batch: LogBatch) async throws -> AppendReceipt {
        let result: Result<AppendReceipt, BusError> = state.update { state in
            state.appends += 1
            if state.isClosed { return .failure(.closed) }
            if case .full(let reason) = state.condition {
                guard state.hasRoomAgain else { return .failure(.full(reason)) }
                state.condition = .ready
            }
            var receipt = AppendReceipt(sequences: [], repeated: 0)
            for event in batch.events {
                guard state.seen.insert("\(batch.source)|\(event.id)").inserted else {
                    receipt.repeated += 1
                    continue
                }
                state.events.append((batch.source, event))
                receipt.sequences.append(Sequence(Int64(state.events.count)))
            }
            for letter in batch.deadLetters {
                let id = (state.letters.last?.id ?? 0) + 1
                let time = Timestamp(seconds: 0)
                state.letters.append(
                    StoredDeadLetter(id: id, source: batch.source, recordedTime: time, letter: letter)
                )
            }
            if let cursor = batch.cursor { state.cursors[batch.source] = cursor }
            state.changed.removeAll { tally in
                batch.observed.contains { $0.broadcast == tally.broadcast && $0.version >= tally.version }
            }
            state.batches.append(batch)
            if state.lostAnswers > 0 {
                state.lostAnswers -= 1
                return .failure(.storage("the answer was lost"))
            }
            return .success(receipt)
        }
        return try result.get()
    }

    func cursor(of source: SourceName) async throws -> Cursor? { state.current.cursors[source] }

    func page(after position: Sequence, filter: EventFilter, limits: PageLimits) async throws -> LogPage {
        throw BusError.storage("this double is not read from")
    }

    func waitForEvents(after position: Sequence) async throws {
        throw BusError.storage("this double is not read from")
    }

    func bounds() async throws -> LogBounds {
        LogBounds(trimmedThrough: .start, head: Sequence(Int64(state.current.events.count)), size: 0)
    }

    var condition: BusCondition { state.current.condition }

    func erase(_ selector: ErasureSelector) async throws -> ErasureReceipt {
        state.update { $0.erasures.append((selector, $0.cursors)) }
        return ErasureReceipt(events: 0, deadLetters: 0)
    }

    func trim(_ policy: RetentionPolicy, now: Timestamp) async throws -> TrimReceipt {
        state.update { $0.trims.append(policy) }
        return TrimReceipt(events: 0, trimmedThrough: .start)
    }

    func changedBroadcasts(limit: Int) async throws -> [BroadcastTally] { Array(state.current.changed.prefix(limit)) }

    func deadLetters(of source: SourceName?, after: Int64, limit: Int) async throws -> [StoredDeadLetter] {
        Array(state.current.letters.filter { $0.id > after && (source == nil || $0.source == source) }.prefix(limit))
    }

    func deadLetterCounts() async throws -> [SourceName: Int] {
        state.current.letters.reduce(into: [:]) { $0[$1.source, default: 0] += 1 }
    }

    func replaceDeadLetter(_ id: Int64, with batch: LogBatch) async throws -> AppendReceipt? {
        let place = state.current.letters.firstIndex { $0.id == id && $0.source == batch.source }
        guard let place else { return nil }
        var news = batch
        news.deadLetters = Array(batch.deadLetters.dropFirst())
        let receipt = try await append(news)
        state.update { state in
            if let rest = batch.deadLetters.first {
                state.letters[place].letter = rest
                state.letters[place].attempts += 1
            } else {
                state.letters.remove(at: place)
            }
        }
        return receipt
    }

    func discardDeadLetter(_ id: Int64) async throws -> Bool {
        state.update { state in
            let count = state.letters.count
            state.letters.removeAll { $0.id == id }
            return state.letters.count < count
        }
    }

    func value(for key: String) async throws -> [UInt8]? {
        let result: Result<[UInt8]?, BusError> = state.update { state in
            guard state.unreadableValues == 0 else {
                state.unreadableValues -= 1
                return .failure(.storage("it cannot be read at the moment"))
            }
            return .success(state.values[key])
        }
        return try result.get()
    }

    func setValue(_ value: [UInt8]?, for key: String) async throws {
        let result: Result<Void, BusError> = state.update { state in
            if case .full(let reason) = state.condition {
                state.refusedValues += 1
                return .failure(.full(reason))
            }
            state.values[key] = value
            return .success(())
        }
        try result.get()
    }

    func close() async { state.update { $0.isClosed = true } }

    // MARK: For tests

    /// The native part of each post's id, in the order of the log.
    func posts(of source: String) -> [String] {
        state.current.events.filter { $0.source.name == source && $0.event.platform != .hub }.map(\.event.id.text)
    }

    /// The states that the log tells of a source, in order.
    func states(of source: String) -> [SourceState] {
        state.current.events.filter { $0.source.name == source }.compactMap { $0.event.data.sourceState?.state }
    }
}
