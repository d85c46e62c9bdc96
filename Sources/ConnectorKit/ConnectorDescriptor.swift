/// What a connector is, as data: shown by `roost connectors` and used to check a configuration.
public struct ConnectorDescriptor: Sendable {
    /// The name in a source's `connector:` setting; lower-case letters, digits, hyphens.
    public var name: String
    /// One sentence: what it reads.
    public var summary: String
    /// The settings it takes, in the order to show them; a source's other keys are refused.
    public var settings: [any SettingDescription]
    /// Names of hosts' features it uses beyond reading, such as `edits` or `deletes`, for the table of connectors.
    public var capabilities: Set<Capability>
    /// How often to ask when the operator does not say.
    public var defaultInterval: ClosedRange<Duration>
    /// What the platform asks for one read of each kind that ``Quota/reads(_:ids:)`` names, all in one currency; empty where it is free.
    public var prices: [String: Money]

    /// What a connector can tell beyond that something was said.
    public enum Capability: String, Sendable, Hashable, CaseIterable {
        /// It sees edits.
        case edits
        /// It sees withdrawals.
        case deletes
        /// It reads what was said before it was started.
        case backfill
        /// It needs no credentials.
        case keyless
    }

    /// A description.
    public init(
        name: String,
        summary: String,
        settings: [any SettingDescription],
        capabilities: Set<Capability> = [],
        defaultInterval: ClosedRange<Duration> = .seconds(60) ... .seconds(3600),
        prices: [String: Money] = [:]
    ) {
        self.name = name
        self.summary = summary
        self.settings = settings
        self.capabilities = capabilities
        self.defaultInterval = defaultInterval
        self.prices = prices
    }
}
