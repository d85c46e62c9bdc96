public import ConnectorKit
public import SocialEvents

/// A sink that keeps what it is given, or fails as told.
public final class RecordingSink: EventSink {
    /// When it fails.
    public enum Failing: Sendable, Hashable {
        /// Never.
        case never
        /// The first so many calls, then never again.
        case first(Int)
        /// Always.
        case always
        /// The calls of these numbers, counted from 1.
        case calls(Set<Int>)

        func fails(_ call: Int) -> Bool {
            switch self {
            case .never: false
            case .first(let count): call <= count
            case .always: true
            case .calls(let calls): calls.contains(call)
            }
        }
    }

    /// What a failing call throws.
    public struct Failure: Error, Sendable, Hashable, CustomStringConvertible {
        /// The number of the call, counted from 1.
        public var call: Int

        /// Says that it was meant to fail.
        public var description: String { "the sink was told to fail call \(call)" }
    }

    private struct State: Sendable {
        var calls = 0
        var batches: [EventBatch] = []
        var connections = 0
    }

    private let failing: Failing
    private let state = Watched(State())

    /// A sink.
    public init(failing: Failing = .never) {
        self.failing = failing
    }

    /// Counts the connection.
    public func connected() async {
        state.update { $0.connections += 1 }
    }

    /// How often a stream said that it is connected.
    public var connections: Int { state.current.connections }

    /// Keeps the batch, or throws ``Failure`` and keeps nothing of it.
    public func emit(_ batch: EventBatch) async throws {
        try Task.checkCancellation()
        let failing = failing
        let failure = state.update { state -> Failure? in
            state.calls += 1
            if failing.fails(state.calls) { return Failure(call: state.calls) }
            state.batches.append(batch)
            return nil
        }
        if let failure { throw failure }
    }

    /// How often it was called, failures included.
    public var callCount: Int { state.current.calls }

    /// What was kept, in order.
    public var batches: [EventBatch] { state.current.batches }

    /// The events that were kept, in order.
    public var events: [Event] { state.current.batches.flatMap(\.events) }

    /// The dead letters that were kept, in order.
    public var deadLetters: [DeadLetter] { state.current.batches.flatMap(\.deadLetters) }

    /// The last cursor that was kept.
    public var cursor: Cursor? { state.current.batches.last { $0.cursor != nil }?.cursor }

    /// Returns when it was called at least `count` times, failures included; throws `CancellationError` when cancelled before.
    public func waitForCalls(_ count: Int) async throws {
        try await state.wait { $0.calls >= count }
    }

    /// Returns when at least `count` events are kept; throws `CancellationError` when cancelled before.
    public func waitForEvents(_ count: Int) async throws {
        try await state.wait { state in state.batches.reduce(0) { $0 + $1.events.count } >= count }
    }
}
