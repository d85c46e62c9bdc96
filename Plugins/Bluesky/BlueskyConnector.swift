public import ConnectorKit
import JSON
import SocialEvents

/// Reads Bluesky: searches, accounts, notifications, lists and feeds by asking, and the whole network by Jetstream's stream.
///
/// A source of kind `jetstream` holds a stream, every other is pulled; a pull makes one request for a page, and one or two more when it has to sign in.
public struct BlueskyConnector: PullSource, StreamSource {
    /// What it is and which settings it takes.
    public static let descriptor = ConnectorDescriptor(
        name: "bluesky",
        summary: "Reads Bluesky: searches, accounts, notifications, lists, feeds, and the network's stream.",
        settings: BlueskyConfiguration.settings,
        capabilities: [.edits, .deletes, .backfill, .keyless],
        defaultInterval: .seconds(30) ... .seconds(900)
    )

    let configuration: BlueskyConfiguration
    let context: ConnectorContext

    /// Checks the settings of one source.
    public init(settings: Settings, context: ConnectorContext) throws {
        configuration = try BlueskyConfiguration(settings)
        self.context = context
    }

    /// A stream for kind `jetstream`, pulls for every other.
    public static func modes(of settings: Settings) -> ConnectorModes {
        BlueskyConfiguration.isStream(settings) ? .stream : .pull
    }
}
