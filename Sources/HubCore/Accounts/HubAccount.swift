import ConnectorKit
import Logging
import MessageBus
import SocialEvents
import Synchronization

/// One account of a running hub: what its sources share.
final class HubAccount: Account {
    /// Larger values are refused.
    static let largestValue = 64 << 10

    let name: String
    /// What it may still do.
    let meter: AccountMeter
    private let prefix: String
    private let services: HubServices
    private let turns = Turns()
    /// What the log has not taken yet.
    ///
    /// A token that the platform has handed out in place of another must not be lost because the disk is full.
    private let waiting = Mutex<[String: [UInt8]?]>([:])
    private let writing = Gate(permits: 1)

    /// - Parameters:
    ///   - key: names it and its values.
    ///   - meter: what it may still do.
    ///   - services: keep its values.
    init(_ key: AccountKey, meter: AccountMeter, services: HubServices) {
        name = key.name
        prefix = key.prefix
        self.meter = meter
        self.services = services
    }

    func value(for key: String) async throws -> [UInt8]? {
        if let value = waiting.withLock({ $0[key] }) { return value }
        return try await services.bus.value(for: "\(prefix)/\(key)")
    }

    func setValue(_ value: [UInt8]?, for key: String) async throws {
        guard (value?.count ?? 0) <= Self.largestValue else {
            throw ConnectorError(.rejected, "an account keeps values of at most \(Self.largestValue) bytes")
        }
        waiting.withLock { $0[key] = .some(value) }
        var attempt = 0
        var random = SeededGenerator(seed: services.limits.seed, name: "\(prefix)/\(key)")
        while true {
            do { return try await flush() } catch let error as BusError where error != .closed {
                attempt += 1
                services.logger.warning(
                    "what an account has to keep waits for the log",
                    metadata: ["account": "\(name)", "reason": "\(error)"]
                )
                try await services.alarm.wait(for: Backoff.log.delay(attempt: attempt, random: &random))
            }
        }
    }

    /// Writes what waits for the log, also that of a caller who was cancelled while it waited.
    func flush() async throws {
        try await writing.run {
            for (key, value) in self.waiting.withLock({ $0 }) {
                try await self.write(value, for: key)
                self.waiting.withLock { waiting in
                    // Set anew meanwhile, it goes on waiting.
                    if waiting[key] == .some(value) { waiting[key] = nil }
                }
            }
        }
    }

    /// Writes a value once, and throws when the log does not take it.
    func write(_ value: [UInt8]?, for key: String) async throws {
        try await services.bus.setValue(value, for: "\(prefix)/\(key)")
    }

    func exclusively<Value: Sendable>(
        _ key: String,
        _ body: @Sendable () async throws -> Value
    ) async throws -> Value {
        try await turns.run(key, body)
    }
}

/// Which account a source belongs to.
package enum AccountKey: Sendable, Hashable {
    /// One of the configuration's `accounts`.
    case named(String)
    /// A source that names none is an account of its own.
    case source(String)

    /// The account's or the source's name.
    package var name: String {
        switch self {
        case .named(let name), .source(let name): name
        }
    }

    /// Where its values are kept; the two kinds never meet.
    var prefix: String {
        switch self {
        case .named(let name): "account/\(name)"
        case .source(let name): "source/\(name)/account"
        }
    }
}
