public import Logging
import Synchronization

/// Keeps every line that is logged through its loggers, at every level.
public final class LogRecorder: Sendable {
    private let lines = Mutex<[String]>([])

    /// Nothing logged yet.
    public init() {}

    /// A logger whose lines are kept here.
    public func logger(label: String = "test") -> Logger {
        Logger(label: label) { _ in Handler(recorder: self) }
    }

    /// What was logged: level, message and metadata.
    public var text: [String] { lines.withLock { $0 } }

    private struct Handler: LogHandler {
        let recorder: LogRecorder
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let metadata = metadata.merging(event.metadata ?? [:]) { _, new in new }
            recorder.lines.withLock { $0.append("\(event.level) \(event.message) \(metadata)") }
        }
    }
}
