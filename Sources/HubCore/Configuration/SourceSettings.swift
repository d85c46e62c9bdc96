import ConnectorKit

/// The settings that every source has, whatever its connector; the connector's own stand beside them.
package enum SourceSettings {
    /// How long a pull may take when the operator does not say: longer than the longest exchange the HTTP client allows by itself.
    package static let defaultDeadline = Duration.seconds(150)
}
