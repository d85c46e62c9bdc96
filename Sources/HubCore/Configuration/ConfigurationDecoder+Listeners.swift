import ConnectorKit
import SocialEvents

/// What listens beside the subscription API: for platforms that call, and in place of platforms.
extension ConfigurationDecoder {
    mutating func decodeWebhooks(_ settings: Settings) -> WebhookConfiguration {
        var webhooks = WebhookConfiguration(publicURL: value(WebhookSettings.publicURL, settings))
        while webhooks.publicURL?.hasSuffix("/") == true { webhooks.publicURL?.removeLast() }
        webhooks.listen = value(WebhookSettings.listen, settings) ?? webhooks.listen
        webhooks.bodySize = value(WebhookSettings.bodySize, settings) ?? webhooks.bodySize
        return webhooks
    }

    /// The path on which the platform calls a source, where it does.
    mutating func webhookPath(_ source: SourceConfiguration, _ settings: Settings) -> String? {
        let calls = source.modes.contains(.webhook)
        guard let path = value(SourceSettings.webhookPath, settings) else { return calls ? "/\(source.name)" : nil }
        guard calls else {
            complain(settings.error(SourceSettings.webhookPath.name, "this source is not told by webhook; remove it"))
            return nil
        }
        guard WebhookPath.isValid(path) else {
            complain(settings.error(SourceSettings.webhookPath.name, "expected \(WebhookPath.form)"))
            return nil
        }
        return path
    }

    mutating func decodeSimulators(
        _ top: [SettingNode.Member],
        listen: ListenAddress
    ) -> [SimulatorConfiguration] {
        guard let member = top.first(where: { $0.key == "simulators" }),
            let platforms = members(of: member.value, path: "simulators")
        else { return [] }
        refuseUnknown(platforms, path: "simulators", known: SimulatorSettings.platforms)
        var simulators: [SimulatorConfiguration] = []
        for platform in platforms where SimulatorSettings.platforms.contains(platform.key) {
            let settings = section(platform.key, of: platforms, SimulatorSettings.all, under: "simulators")
            guard let port = value(SimulatorSettings.port, settings) else { continue }
            if port == listen.port || simulators.contains(where: { $0.port == port }) {
                complain(settings.error("port", "port \(port) is used twice in this file; expected one of its own"))
            }
            let callbacks = value(SimulatorSettings.callbacks, settings) ?? []
            if !callbacks.isEmpty, !SimulatorSettings.calling.contains(platform.key) {
                complain(settings.error("callbacks", "\(platform.key) does not call; remove it"))
            }
            if let stray = callbacks.first(where: { !SimulatorSettings.isLoopback($0) }) {
                complain(settings.error("callbacks", "expected http://127.0.0.1 and a port, not `\(stray)`"))
            }
            simulators.append(
                SimulatorConfiguration(
                    platform: platform.key,
                    port: port,
                    pace: value(SimulatorSettings.pace, settings) ?? .milliseconds(1_500),
                    seed: UInt64(value(SimulatorSettings.seed, settings) ?? 1),
                    callbacks: callbacks
                )
            )
        }
        return simulators
    }
}
