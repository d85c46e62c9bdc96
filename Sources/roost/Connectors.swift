import ConnectorKit
import FeedConnector

/// Every connector this build has.
///
/// A new one is a line here, beside its folder in `Plugins/` and its name in the manifest.
let allConnectors: [any Connector.Type] = [
    FeedConnector.self
]
