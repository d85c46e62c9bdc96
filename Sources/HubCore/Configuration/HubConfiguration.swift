package import Logging
package import MessageBus

/// A whole configuration, checked.
package struct HubConfiguration: Sendable {
    /// The directory of the log and its state.
    package var dataDirectory: String
    /// Where the subscription API listens.
    package var listen: ListenAddress
    /// Where platforms call the sources that are told by webhook.
    package var webhooks: WebhookConfiguration
    /// How much is logged and in which form.
    package var log: LogConfiguration
    /// How much of the log is kept.
    package var retention: RetentionPolicy
    /// Stand-ins of platforms that run inside the hub.
    package var simulators: [SimulatorConfiguration]
    /// The accounts that sources share, in the order of the file.
    package var accounts: [AccountConfiguration]
    /// The sources, in the order of the file.
    package var sources: [SourceConfiguration]

    /// A configuration.
    package init(
        dataDirectory: String = "./var",
        listen: ListenAddress = ListenAddress(host: "127.0.0.1", port: 8080),
        webhooks: WebhookConfiguration = WebhookConfiguration(),
        log: LogConfiguration = LogConfiguration(),
        retention: RetentionPolicy = RetentionPolicy(),
        simulators: [SimulatorConfiguration] = [],
        accounts: [AccountConfiguration] = [],
        sources: [SourceConfiguration] = []
    ) {
        self.dataDirectory = dataDirectory
        self.listen = listen
        self.webhooks = webhooks
        self.log = log
        self.retention = retention
        self.simulators = simulators
        self.accounts = accounts
        self.sources = sources
    }
}

/// An address to listen on.
package struct ListenAddress: Sendable, Hashable, CustomStringConvertible {
    /// An IP address or a host name.
    package var host: String
    /// A TCP port; 0 lets the system choose one.
    package var port: Int

    /// An address.
    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// As it is written: `127.0.0.1:8080`, `[::1]:8080`.
    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// How the hub logs.
package struct LogConfiguration: Sendable, Hashable {
    /// The forms of a line.
    package enum Format: String, Sendable, Hashable, CaseIterable {
        /// For people.
        case text
        /// One JSON object a line.
        case json
    }

    /// The least important level that is written.
    package var level: Logger.Level
    /// The form of a line.
    package var format: Format

    /// A way to log.
    package init(level: Logger.Level = .info, format: Format = .text) {
        self.level = level
        self.format = format
    }
}
