package import ConnectorKit
package import SocialEvents

/// One source as configured and checked.
package struct SourceConfiguration: Sendable {
    /// Its name.
    package var name: SourceName
    /// The connector it uses.
    package var connector: any Connector.Type
    /// The connector's own settings.
    package var settings: Settings
    /// How often it is asked: the shortest and the longest interval.
    package var interval: ClosedRange<Duration>
    /// How long one pull may take.
    package var deadline: Duration
    /// Where its requests may go.
    package var network: SourceNetwork
    /// Whether it is read at all.
    package var isEnabled: Bool
    /// The account it shares with others.
    package var account: AccountKey
    /// Whether it stops before or after the account's other sources when limits run short.
    package var priority: SourcePriority
    /// The path on which the platform calls it, where it is told by webhook.
    package var webhookPath: String?

    /// How it is read.
    package var modes: ConnectorModes { connector.modes(of: settings) }

    /// A source.
    package init(
        name: SourceName,
        connector: any Connector.Type,
        settings: Settings = Settings(),
        interval: ClosedRange<Duration>,
        deadline: Duration = SourceSettings.defaultDeadline,
        network: SourceNetwork = SourceNetwork(),
        isEnabled: Bool = true,
        account: String? = nil,
        priority: SourcePriority = .normal,
        webhookPath: String? = nil
    ) {
        self.name = name
        self.connector = connector
        self.settings = settings
        self.interval = interval
        self.deadline = deadline
        self.network = network
        self.isEnabled = isEnabled
        self.account = account.map { .named($0) } ?? .source(name.name)
        self.priority = priority
        self.webhookPath = webhookPath ?? (connector.modes(of: settings).contains(.webhook) ? "/\(name)" : nil)
    }
}

/// Where a source's requests may go and by which way.
///
/// Sources with equal ones share an HTTP client.
package struct SourceNetwork: Sendable, Hashable {
    /// Whether private, loopback and link-local addresses may be reached.
    package var allowsPrivateNetwork: Bool
    /// The URL of a proxy; a secret because it may hold a password.
    package var proxy: Secret?
    /// A file of PEM certificates to trust instead of the system's.
    package var certificateFile: String?

    /// Straight to the open network.
    package init(allowsPrivateNetwork: Bool = false, proxy: Secret? = nil, certificateFile: String? = nil) {
        self.allowsPrivateNetwork = allowsPrivateNetwork
        self.proxy = proxy
        self.certificateFile = certificateFile
    }
}

/// Makes the HTTP client for sources of one network policy; called once per policy, when the hub is made.
package typealias HTTPClientFactory = @Sendable (SourceNetwork) throws -> any HTTPClient

/// Makes the WebSocket client for sources of one network policy; called once per policy, when the hub is made.
package typealias WebSocketClientFactory = @Sendable (SourceNetwork) throws -> any WebSocketClient
