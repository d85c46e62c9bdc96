import ArgumentParser
import ConnectorKit
import HubCore

/// The command `roost connectors [NAME]`.
struct ConnectorsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "connectors",
        abstract: "Lists the connectors, or prints the settings of one."
    )

    @Argument(help: "The connector whose settings to print.")
    var name: String?

    func run() throws {
        guard let name else {
            Terminal.write(
                Terminal.table(allConnectors.map { [$0.descriptor.name, modes(of: $0), $0.descriptor.summary] })
            )
            return
        }
        guard let connector = allConnectors.first(where: { $0.descriptor.name == name }) else {
            let names = allConnectors.map { $0.descriptor.name }
            let hint =
                NearestName.of(name, in: names).map { "did you mean `\($0)`?" }
                ?? "there are: \(names.joined(separator: ", "))"
            throw Failure(.usage, "there is no connector `\(name)`; \(hint)")
        }
        Terminal.write(page(connector))
    }

    private func modes(of connector: any Connector.Type) -> String {
        var modes: [String] = []
        if connector is any PullSource.Type { modes.append("pull") }
        if connector is any StreamSource.Type { modes.append("stream") }
        if connector is any WebhookSource.Type { modes.append("webhook") }
        if connector is any ActionTarget.Type { modes.append("act") }
        return modes.joined(separator: "+")
    }

    private func page(_ connector: any Connector.Type) -> String {
        let descriptor = connector.descriptor
        var text = "\(Terminal.styled(descriptor.name, .bold)): \(descriptor.summary)\n"
        text += "modes: \(modes(of: connector))\n"
        if !descriptor.capabilities.isEmpty {
            text += "can: \(descriptor.capabilities.map(\.rawValue).sorted().joined(separator: ", "))\n"
        }
        text +=
            "asks every: \(DurationText.of(descriptor.defaultInterval)) unless `every` says otherwise\n\nsettings:\n"
        for setting in descriptor.settings { text += describe(setting) }
        text += "\nsettings that every source has:\n"
        for setting in SourceSettings.all { text += describe(setting) }
        return text
    }

    private func describe(_ setting: any SettingDescription) -> String {
        var notes: [String] = [setting.form]
        if setting.isRequired { notes.append("required") }
        if setting.isSecret { notes.append("by reference only") }
        if let value = setting.defaultText { notes.append("default \(value)") }
        return
            "  \(Terminal.styled(setting.name, .bold))  (\(notes.joined(separator: "; ")))\n      \(setting.summary)\n"
    }
}
