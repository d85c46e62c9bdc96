package import ConnectorKit
package import Logging

/// The settings of the hub itself, as `roost` shows them and as they are decoded.
package enum HubSettings {
    /// The directory of the log and its state.
    package static let data = Setting.path(
        "data",
        summary: "The directory of the log and its state; made when it is not there.",
        default: "./var"
    )
    /// Where the subscription API listens.
    package static let listen = Setting(
        "listen",
        .listenAddress,
        summary: "Where the subscription API, administration, health and metrics listen.",
        default: ListenAddress(host: "127.0.0.1", port: 8080)
    )
    /// How much is logged.
    package static let logLevel = Setting<Logger.Level>.choice(
        "level",
        summary: "The least important messages that are logged.",
        default: .info
    )
    /// The form of a log line.
    package static let logFormat = Setting<LogConfiguration.Format>.choice(
        "format",
        summary: "Log lines for people, or one JSON object each.",
        default: .text
    )
    /// How long events are kept.
    package static let retentionAge = Setting(
        "age",
        .orNone(.duration(in: .seconds(60)...DurationText.longest)),
        summary: "Events recorded longer ago are dropped.",
        default: .some(.seconds(30 * 86_400))
    )
    /// How large the log may become.
    package static let retentionSize = Setting(
        "size",
        .orNone(.byteSize(in: 16 << 20...1 << 50)),
        summary: "When the log is larger, its oldest events are dropped.",
        default: .some(10 << 30)
    )

    /// A key of the file with the settings below it.
    package struct Section: Sendable {
        /// The key; empty for the top of the file.
        package var key: String
        /// What it is for.
        package var summary: String
        /// Its settings.
        package var settings: [any SettingDescription]
    }

    /// Every setting that is the hub's own, in the order to show them.
    package static let sections = [
        Section(key: "", summary: "The hub.", settings: [data, listen]),
        Section(
            key: "webhooks",
            summary: "Where platforms call; opened when a source is told by webhook.",
            settings: WebhookSettings.all
        ),
        Section(key: "log", summary: "What the hub writes about its own work.", settings: [logLevel, logFormat]),
        Section(key: "retention", summary: "How much of the log is kept.", settings: [retentionAge, retentionSize]),
        Section(
            key: "simulators.PLATFORM",
            summary: "A stand-in of a platform that runs inside the hub; PLATFORM is one of "
                + SimulatorSettings.platforms.joined(separator: ", ") + ".",
            settings: SimulatorSettings.all
        ),
        Section(
            key: "accounts.NAME",
            summary: "Settings that several sources share: a connector and any of its settings, mostly credentials.",
            settings: [SourceSettings.connector]
        ),
        Section(
            key: "accounts.NAME.budget",
            summary: "What an account may cost; `prices: { KIND: AMOUNT }` overrides the connector's price list.",
            settings: AccountSettings.budget
        ),
        Section(
            key: "sources.NAME",
            summary: "What is read: a connector, how it is asked, and the connector's own settings.",
            settings: SourceSettings.all
        ),
    ]

    /// Words of a configuration that this version knows but cannot act on yet.
    static let later = ["rules", "subscriptions", "tokens"]
}

extension SettingForm where Value == ListenAddress {
    /// `HOST:PORT`, IPv6 addresses in brackets.
    static var listenAddress: SettingForm {
        let summary = "an address and port such as 127.0.0.1:8080 or [::1]:8080"
        return SettingForm(summary, write: { $0.description }) { node, path throws(SettingsError) in
            guard case .scalar(let text, _) = node.content else { throw node.mismatch(summary, path: path) }
            guard let address = ListenAddress(text) else {
                let port = UInt16(text.drop { $0 == ":" })
                throw node.mismatch(summary, path: path, nearest: port.map { "127.0.0.1:\($0)" })
            }
            return address
        }
    }
}

extension ListenAddress {
    init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            return nil
        }
        var host = text[..<colon]
        let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
        if isBracketed { host = host.dropFirst().dropLast() }
        let isWellFormed = host.utf8.allSatisfy { byte in
            Character(Unicode.Scalar(byte)).isLetter || Character(Unicode.Scalar(byte)).isNumber
                || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-") || (isBracketed && byte == UInt8(ascii: ":"))
        }
        guard !host.isEmpty, host.utf8.count <= 255, isWellFormed else { return nil }
        self.init(host: String(host), port: Int(port))
    }
}

extension SettingForm {
    /// A form, or the word `none`.
    static func orNone<Wrapped>(_ form: SettingForm<Wrapped>) -> SettingForm<Wrapped?> {
        SettingForm<Wrapped?>("\(form.summary), or none", write: { $0.map(form.write) ?? "none" }) {
            node,
            path throws(SettingsError) in
            if case .scalar("none", _) = node.content { return nil }
            return try form.read(node, path)
        }
    }
}
