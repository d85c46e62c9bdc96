package import ConnectorKit

/// The settings that every source has, whatever its connector; the connector's own stand beside them.
package enum SourceSettings {
    /// How long a pull may take when the operator does not say: longer than the longest exchange the HTTP client allows by itself.
    package static let defaultDeadline = Duration.seconds(150)

    /// Which connector reads it.
    package static let connector = Setting.text(
        "connector",
        summary: "The connector that reads it; `roost connectors` lists them.",
        isRequired: true
    )
    /// Whose settings it shares.
    package static let account = Setting.text(
        "account",
        summary: "The account of the same connector whose settings it shares."
    )
    /// How often it is asked.
    package static let every = Setting.durationRange(
        "every",
        in: .milliseconds(100)...(.seconds(30 * 86_400)),
        summary:
            "The shortest and the longest time between two pulls; the hub adapts within. By default the connector's."
    )
    /// Whether private addresses may be reached.
    package static let allowPrivateNetwork = Setting.flag(
        "allow_private_network",
        summary: "Whether it may reach private, loopback and link-local addresses.",
        default: false
    )
    /// By which way it reaches the network.
    package static let proxy = Setting<Secret>(
        "proxy",
        form: "a URL such as http://proxy.example.org:3128; one with a password as ${env:NAME} or ${file:PATH}",
        summary: "The HTTP or SOCKS proxy its requests go through.",
        decode: decodeProxy
    )
    /// Which certificates it trusts.
    package static let caFile = Setting.path(
        "ca_file",
        summary: "A file of PEM certificates to trust instead of the system's."
    )
    /// How long a pull may take.
    package static let deadline = Setting.duration(
        "deadline",
        in: .seconds(1)...(.seconds(3600)),
        summary: "How long one pull may take before it is ended.",
        default: defaultDeadline
    )
    /// Who stops first when limits run short.
    package static let priority = Setting<SourcePriority>.choice(
        "priority",
        summary: "Which of an account's sources stop last when its limits or its budget run short.",
        default: .normal
    )
    /// Where the platform calls it.
    package static let webhookPath = Setting.text(
        "webhook_path",
        summary: "Where the platform calls it, on the listener of `webhooks`; /NAME unless told otherwise."
    )
    /// Whether it is read.
    package static let enabled = Setting.flag("enabled", summary: "Whether it is read at all.", default: true)

    /// All of them, in the order to show them.
    package static let all: [any SettingDescription] = [
        connector, account, every, allowPrivateNetwork, proxy, caFile, deadline, priority, webhookPath,
        enabled,
    ]

    private static let proxySchemes = ["http://", "https://", "socks4://", "socks4a://", "socks5://", "socks5h://"]

    private static func decodeProxy(_ node: SettingNode, _ path: String) throws(SettingsError) -> Secret {
        let url: String
        switch node.content {
        case .secret(let secret): url = secret.reveal()
        case .scalar(let text, _):
            guard !text.contains("@") else {
                throw SettingsError(
                    at: node.position,
                    path: path,
                    "the URL holds a user name or password; write the whole URL into a variable and ${env:NAME} here"
                )
            }
            url = text
        default: throw node.mismatch("the URL of a proxy", path: path)
        }
        guard proxySchemes.contains(where: { url.hasPrefix($0) && url.utf8.count > $0.utf8.count }) else {
            throw SettingsError(
                at: node.position,
                path: path,
                "expected the URL of a proxy, beginning with one of \(proxySchemes.joined(separator: ", "))"
            )
        }
        return Secret(url)
    }
}
