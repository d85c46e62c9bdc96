import Synchronization

/// An account that keeps its values as long as the process lives: for tests, and where nothing has to outlive it.
public final class EphemeralAccount: Account {
    private let values = Mutex<[String: [UInt8]]>([:])
    private let turns = Turns()

    /// The name.
    public let name: String

    /// An account without values.
    public init(name: String) { self.name = name }

    /// A value that was set.
    public func value(for key: String) async throws -> [UInt8]? {
        values.withLock { $0[key] }
    }

    /// Sets a value.
    public func setValue(_ value: [UInt8]?, for key: String) async throws {
        values.withLock { $0[key] = value }
    }

    /// One call after another.
    public func exclusively<Value: Sendable>(
        _ key: String,
        _ body: @Sendable () async throws -> Value
    ) async throws -> Value {
        try await turns.run(key, body)
    }
}

/// One at a time for each key.
package final class Turns: Sendable {
    private let gates = Mutex<[String: Gate]>([:])

    /// No key yet; keys are few and stay.
    package init() {}

    /// Runs `body` while no other with the same key runs.
    package func run<Value: Sendable>(
        _ key: String,
        _ body: @Sendable () async throws -> Value
    ) async throws -> Value {
        let gate = gates.withLock { gates in
            if let gate = gates[key] { return gate }
            let gate = Gate(permits: 1)
            gates[key] = gate
            return gate
        }
        return try await gate.run { try await body() }
    }
}
