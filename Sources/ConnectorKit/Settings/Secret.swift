/// A credential.
///
/// Whatever prints it prints `<redacted>`; only ``reveal()`` gives it, at the one place that sends it.
public struct Secret: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let value: String

    /// Keeps a credential.
    public init(_ value: String) {
        self.value = value
    }

    /// The credential itself.
    public func reveal() -> String { value }

    /// `<redacted>`.
    public var description: String { "<redacted>" }

    /// `<redacted>`.
    public var debugDescription: String { "<redacted>" }

    /// Shows nothing of the credential to `dump` and debuggers.
    public var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>(), displayStyle: .struct) }
}
