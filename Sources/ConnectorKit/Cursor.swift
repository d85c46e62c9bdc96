/// Where a source stopped reading at its platform: opaque to the hub, made and understood by the connector alone.
public struct Cursor: Sendable, Hashable {
    /// The version of the form of ``bytes``.
    ///
    /// A connector that changes the form raises it and still reads the older ones.
    public var version: Int
    /// What the connector needs to go on; at most ``maximumSize`` bytes.
    public var bytes: [UInt8]

    /// Larger cursors are refused by the hub.
    public static let maximumSize = 1 << 20

    /// A cursor.
    public init(version: Int = 1, bytes: [UInt8]) {
        self.version = version
        self.bytes = bytes
    }
}

/// A payload, or a part of one, that could not be normalised.
///
/// The hub keeps it, counts it, and lets a person retry or discard it.
public struct DeadLetter: Sendable, Hashable {
    /// Why it could not be read: what was expected and where, safe to print.
    public var reason: String
    /// Its media type.
    public var contentType: String
    /// The bytes as they came.
    public var payload: [UInt8]
    /// Whether ``payload`` is only the beginning of what came, which nobody tries to read again.
    public var isCut: Bool

    /// A dead letter.
    public init(reason: String, contentType: String, payload: [UInt8], isCut: Bool = false) {
        self.reason = reason
        self.contentType = contentType
        self.payload = payload
        self.isCut = isCut
    }
}
