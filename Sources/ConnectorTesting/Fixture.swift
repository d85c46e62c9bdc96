import FoundationEssentials
public import SocialEvents
import JSON

/// A folder of recorded payloads beside the tests that use them.
///
/// A golden file holds what is expected. Tests run with the environment variable `UPDATE_FIXTURES=1` write what they got instead of comparing it, to
/// be reviewed as a difference.
public struct Fixture: Sendable {
    /// Why a fixture test failed.
    public struct Failure: Error, Sendable, Hashable, CustomStringConvertible {
        /// What differs, and where.
        public var description: String
    }

    private let folder: String

    /// A folder given relative to the source file that names it.
    public init(_ folder: String = "Fixtures", besides file: String = #filePath) {
        self.folder = file.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" } + "/" + folder
    }

    /// The names of the files in the folder that end in `suffix`, sorted; hidden ones left out.
    public func names(suffix: String = "") throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder)
            .filter { !$0.hasPrefix(".") && $0.hasSuffix(suffix) }
            .sorted()
    }

    /// The bytes of a file.
    public func bytes(_ name: String) throws -> [UInt8] {
        do {
            return [UInt8](try Data(contentsOf: URL(filePath: "\(folder)/\(name)")))
        } catch {
            throw Failure(description: "the fixture \(folder)/\(name) cannot be read")
        }
    }

    /// Compares bytes with a golden file, or writes the file when asked to.
    ///
    /// - Parameters:
    ///   - bytes: what the test got.
    ///   - name: the golden file's.
    /// - Throws: ``Failure`` that names the first line that differs.
    public func expect(_ bytes: [UInt8], equals name: String) throws {
        guard ProcessInfo.processInfo.environment["UPDATE_FIXTURES"] != "1" else {
            try Data(bytes).write(to: URL(filePath: "\(folder)/\(name)"))
            return
        }
        let golden = try self.bytes(name)
        guard golden != bytes else { return }
        let expected = golden.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        let got = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        let line = zip(expected, got).prefix { $0.elementsEqual($1) }.count
        func text(_ lines: [ArraySlice<UInt8>]) -> String {
            line < lines.count ? String(decoding: lines[line].prefix(2000), as: UTF8.self) : "(no more lines)"
        }
        throw Failure(
            description: """
                line \(line + 1) differs from \(name); run with UPDATE_FIXTURES=1 if the new one is right
                expected: \(text(expected))
                got:      \(text(got))
                """
        )
    }

    /// Compares events with a golden file of one JSON object a line.
    ///
    /// - Parameters:
    ///   - events: what the test got; each is validated too.
    ///   - name: the golden file's, usually `….expected.jsonl`.
    /// - Throws: ``Failure`` that names the first event that differs, ``ContractFailure`` for one that breaks the event's rules.
    public func expect(_ events: [Event], equals name: String) throws {
        try ContractFailure.check(events)
        var writer = JSONWriter()
        for event in events {
            EventEncoder.encodeBody(event, source: SourceName("fixture"), into: &writer)
            writer.endLine()
        }
        try expect(writer.bytes, equals: name)
    }
}
