import BlueskyConnector
import ConnectorKit
import FacebookConnector
import FeedConnector
import InstagramConnector
import MastodonConnector
import WhatsAppConnector
import XConnector

/// Every connector this build has.
///
/// A new one is a line here, beside its folder in `Plugins/` and its name in the manifest.
let allConnectors: [any Connector.Type] = [
    BlueskyConnector.self,
    FacebookConnector.self,
    FeedConnector.self,
    InstagramConnector.self,
    MastodonConnector.self,
    WhatsAppConnector.self,
    XConnector.self,
]
