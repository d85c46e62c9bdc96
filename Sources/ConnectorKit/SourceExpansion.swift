/// A connector whose configuration may stand for several sources, such as a list of feeds.
///
/// The host asks when it reads the configuration, before it builds connectors, and configures each source that comes back as if the operator had
/// written it: with the settings of its own, and the host's settings of the source that was written.
public protocol SourceExpanding: Connector {
    /// The sources that one configured source stands for.
    ///
    /// Has no effect but reading the files that the settings name.
    ///
    /// - Parameters:
    ///   - settings: what the operator wrote, the connector's own settings alone.
    ///   - readFile: reads a file whole, its path taken as everywhere in the configuration; throws ``SettingsError`` or an error whose description says
    ///     why it cannot be read.
    /// - Returns: the sources, or `nil` when the settings stand for one source as they are.
    /// - Throws: ``SettingsError`` for what an operator has to mend.
    static func expand(_ settings: Settings, readFile: (_ path: String) throws -> [UInt8]) throws -> [ExpandedSource]?
}

/// One of the sources that a configured source stands for.
public struct ExpandedSource: Sendable {
    /// What tells it from the others: it follows the configured name and a `.`, and is the same each time the source is expanded.
    ///
    /// Lower-case letters, digits, `-` and `.`; at most ``longestSuffix`` bytes.
    public var nameSuffix: String
    /// Its settings.
    public var settings: Settings

    /// Suffixes are no longer than this many bytes.
    public static let longestSuffix = 32

    /// A source.
    public init(nameSuffix: String, settings: Settings) {
        self.nameSuffix = nameSuffix
        self.settings = settings
    }
}
