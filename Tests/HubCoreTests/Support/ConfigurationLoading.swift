import ConnectorKit
import HubCore

let sampleRegistry = ConnectorRegistry([
    SampleConnector.self, OtherConnector.self, ListConnector.self, PricedConnector.self, CalledConnector.self,
])

/// Loads a configuration from text, with an environment and files that exist only here.
func load(
    _ text: String,
    environment: [String: String] = [:],
    files: [String: [UInt8]] = [:]
) throws(ConfigurationErrors) -> HubConfiguration {
    try HubConfiguration.load(
        path: "hub.yaml",
        registry: sampleRegistry,
        environment: environment,
        files: ConfigurationFiles { path, limit in
            guard let bytes = path == "hub.yaml" ? Array(text.utf8) : files[path] else {
                throw ConfigurationFiles.Problem.missing
            }
            guard bytes.count <= limit else { throw ConfigurationFiles.Problem.tooLarge(limit) }
            return bytes
        }
    )
}

/// The complaints about a configuration, one a line; empty for a good one.
func complaints(
    _ text: String,
    environment: [String: String] = [:],
    files: [String: [UInt8]] = [:]
) -> [String] {
    do {
        _ = try load(text, environment: environment, files: files)
        return []
    } catch {
        return error.errors.map(\.description)
    }
}
