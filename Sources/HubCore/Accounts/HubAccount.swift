import ConnectorKit
import MessageBus

/// One account of a running hub: what its sources share.
final class HubAccount: Account {
    /// Larger values are refused.
    static let largestValue = 64 << 10

    let name: String
    /// What it may still do.
    let meter: AccountMeter
    private let prefix: String
    private let bus: any MessageBus
    private let turns = Turns()

    /// - Parameters:
    ///   - key: names it and its values.
    ///   - meter: what it may still do.
    ///   - bus: keeps its values.
    init(_ key: AccountKey, meter: AccountMeter, bus: any MessageBus) {
        name = key.name
        prefix = key.prefix
        self.meter = meter
        self.bus = bus
    }

    func value(for key: String) async throws -> [UInt8]? {
        try await bus.value(for: "\(prefix)/\(key)")
    }

    func setValue(_ value: [UInt8]?, for key: String) async throws {
        guard (value?.count ?? 0) <= Self.largestValue else {
            throw ConnectorError(.rejected, "an account keeps values of at most \(Self.largestValue) bytes")
        }
        try await bus.setValue(value, for: "\(prefix)/\(key)")
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
