/// How large the parts of an event may be; the JSON Schema states the same.
///
/// Cutting what is longer, and noting the loss, is the connector's part: see ``Loss``.
public enum EventLimits {
    /// Bytes of an object's text, and of its HTML.
    public static let text = 1 << 20
    /// Bytes of every other string that a person reads: titles, names, descriptions, warnings, reasons.
    public static let phrase = 64 << 10
    /// Bytes of a URL.
    public static let url = 8 << 10
    /// Bytes of an id.
    public static let identifier = 1 << 10
    /// Bytes of names that programs read: platform, language, media type, metric.
    public static let name = 255
    /// Entities of an object.
    public static let entities = 10_000
    /// Elements of every other list.
    public static let elements = 1000
    /// Counts a platform has beyond the common ones.
    public static let counts = 100
    /// Bytes of a raw payload.
    public static let raw = 4 << 20
}
