import FoundationEssentials
import Testing

/// Files that say what is expected.
///
/// With `UPDATE_FIXTURES=1` in the environment a run writes them anew, to be reviewed as a diff.
enum Fixture {
    /// Expects the file to hold exactly `text`.
    static func expect(
        _ text: String,
        in file: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        if ProcessInfo.processInfo.environment["UPDATE_FIXTURES"] == "1" {
            try Data(text.utf8).write(to: URL(filePath: file))
        }
        let expected = String(decoding: try Data(contentsOf: URL(filePath: file)), as: UTF8.self)
        let lines = zip(text.split(separator: "\n"), expected.split(separator: "\n"))
        for (number, (line, expectedLine)) in lines.enumerated() where line != expectedLine {
            Issue.record("line \(number + 1) of \(file) differs: \(line)", sourceLocation: sourceLocation)
            return
        }
        #expect(text == expected, "\(file) has more or fewer lines", sourceLocation: sourceLocation)
    }

    /// The repository's folder.
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path()
}
