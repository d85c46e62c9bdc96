package import ConnectorKit

/// Everything that is wrong in a configuration, all of it at once.
package struct ConfigurationErrors: Error, Sendable, Hashable, CustomStringConvertible {
    /// What kind of trouble it is.
    package enum Kind: Sendable, Hashable {
        /// The file itself cannot be read: a matter of the environment.
        case unreadable
        /// What is written in it cannot be used.
        case invalid
    }

    /// What kind of trouble it is.
    package var kind: Kind
    /// The complaints, in the order of their places; never empty.
    package var errors: [SettingsError]

    /// Complaints.
    package init(_ kind: Kind = .invalid, _ errors: [SettingsError]) {
        self.kind = kind
        self.errors = errors
    }

    /// One complaint a line, each `FILE:LINE:COLUMN: PATH: MESSAGE`.
    ///
    /// Safe to print.
    package var description: String { errors.map(\.description).joined(separator: "\n") }
}
