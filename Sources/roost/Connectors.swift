import BlueskyConnector
import ConnectorKit
import FeedConnector
import MastodonConnector
import XConnector

/// Every connector this build has.
///
/// A new one is a line here, beside its folder in `Plugins/` and its name in the manifest.
let allConnectors: [any Connector.Type] = [
    BlueskyConnector.self,
    FeedConnector.self,
    MastodonConnector.self,
    XConnector.self,
]
