import ConnectorKit
import Glibc
import HubCore
import JSON
import Logging
import SocialEvents

/// Writes log lines to standard error, as text for people or as JSON for machines.
struct LogOutput: LogHandler {
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]
    private let label: String
    private let format: LogConfiguration.Format

    init(label: String, _ configuration: LogConfiguration) {
        self.label = label
        logLevel = configuration.level
        format = configuration.format
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { $1 }.sorted { $0.key < $1.key }
        var line: [UInt8]
        switch format {
        case .text:
            let values = all.map { " \($0.key)=\(Terminal.oneLine("\($0.value)", width: 500))" }.joined()
            line = Array(
                "\(SystemClock().now) \(event.level.rawValue) \(Terminal.oneLine(event.message.description, width: 2_000))\(values)"
                    .utf8
            )
        case .json:
            var json = JSONWriter()
            json.beginObject()
            json.member("time", SystemClock().now.description)
            json.member("level", event.level.rawValue)
            json.member("logger", label)
            json.member("message", event.message.description)
            for (key, value) in all {
                json.key(key)
                json.string("\(value)")
            }
            json.endObject()
            line = json.bytes
        }
        line.append(UInt8(ascii: "\n"))
        // One write a line, so that lines of several threads do not mix.
        _ = line.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}
