package import ConnectorKit

/// The connectors a hub knows: one explicit list, made by the executable.
package struct ConnectorRegistry: Sendable {
    /// The connectors, by name.
    package let connectors: [any Connector.Type]

    /// A list; of two of one name the first counts.
    package init(_ connectors: [any Connector.Type]) {
        self.connectors = connectors.sorted { $0.descriptor.name < $1.descriptor.name }
    }

    /// The names, sorted.
    package var names: [String] { connectors.map { $0.descriptor.name } }

    /// The connector of that name.
    package subscript(_ name: String) -> (any Connector.Type)? {
        connectors.first { $0.descriptor.name == name }
    }
}
