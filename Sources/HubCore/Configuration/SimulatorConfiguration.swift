package import ConnectorKit

/// A stand-in of a platform that runs inside the hub, for demonstrations and tries.
package struct SimulatorConfiguration: Sendable, Hashable {
    /// The platform it stands in for.
    package var platform: String
    /// The loopback port it listens on.
    package var port: Int
    /// The time between two things that happen.
    package var pace: Duration
    /// Which story it tells.
    package var seed: UInt64
    /// Where it calls about what happens, if it is a platform that calls.
    package var callbacks: [String] = []
}

/// The settings of a simulator, as `roost` shows them and as they are decoded.
package enum SimulatorSettings {
    /// The platforms that can be stood in for.
    package static let platforms = ["bluesky", "facebook", "feed", "instagram", "mastodon", "whatsapp", "x"]
    /// Where it listens.
    package static let port = Setting.integer(
        "port",
        in: 1...65_535,
        summary: "The loopback port it listens on.",
        isRequired: true
    )
    /// How fast it goes.
    package static let pace = Setting.duration(
        "pace",
        in: .milliseconds(1)...(.seconds(86_400)),
        summary: "The time between two things that happen.",
        default: .milliseconds(1_500)
    )
    /// Which story it tells.
    package static let seed = Setting.integer(
        "seed",
        in: 0...Int.max,
        summary: "Which story it tells; the same seed tells the same.",
        default: 1
    )
    /// Where it calls.
    package static let callbacks = Setting<[String]>.list(
        "callbacks",
        of: .url,
        summary: "Where Facebook, Instagram and WhatsApp call: paths of the webhook listener on this machine.",
        default: []
    )
    /// The platforms that call.
    package static let calling: Set<String> = ["facebook", "instagram", "whatsapp"]

    /// All of them, in the order to show them.
    package static let all: [any SettingDescription] = [port, pace, seed, callbacks]

    /// Whether a URL leads to this machine and nowhere else.
    package static func isLoopback(_ url: String) -> Bool {
        ["http://127.0.0.1", "http://localhost"].contains { start in
            guard url.hasPrefix(start) else { return false }
            let rest = url.dropFirst(start.count)
            return rest.isEmpty || rest.first == ":" || rest.first == "/"
        }
    }
}
