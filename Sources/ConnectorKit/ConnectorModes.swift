/// The ways in which a source reads its platform.
public struct ConnectorModes: OptionSet, Sendable, Hashable {
    /// As an option set.
    public let rawValue: UInt8

    /// From the raw value.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// It is asked: ``PullSource``.
    public static let pull = ConnectorModes(rawValue: 1)
    /// It holds a connection: ``StreamSource``.
    public static let stream = ConnectorModes(rawValue: 2)
    /// It is called: ``WebhookSource``.
    public static let webhook = ConnectorModes(rawValue: 4)
    /// It can act: ``ActionTarget``.
    public static let action = ConnectorModes(rawValue: 8)
}

extension Connector {
    /// Every mode the type adopts.
    public static var adoptedModes: ConnectorModes {
        var modes: ConnectorModes = []
        if Self.self is any PullSource.Type { modes.insert(.pull) }
        if Self.self is any StreamSource.Type { modes.insert(.stream) }
        if Self.self is any WebhookSource.Type { modes.insert(.webhook) }
        if Self.self is any ActionTarget.Type { modes.insert(.action) }
        return modes
    }

    /// All that the type adopts.
    public static func modes(of settings: Settings) -> ConnectorModes { adoptedModes }
}
