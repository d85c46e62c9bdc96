import Foundation
import Testing

@Suite("Every connector has the same rooms")
struct PluginFoldersTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
        "../.."
    ).standardized

    /// What several connectors share, which is no connector itself.
    private static let libraries = ["MetaGraph"]

    private static var plugins: [String] {
        let found = try? FileManager.default.contentsOfDirectory(atPath: root.appendingPathComponent("Plugins").path)
        return (found ?? []).filter { !libraries.contains($0) }.sorted()
    }

    @Test("A library under Plugins has its README and its tests", arguments: libraries)
    func library(name: String) {
        let files = FileManager.default
        #expect(files.fileExists(atPath: Self.root.appendingPathComponent("Plugins/\(name)/README.md").path))
        #expect(files.fileExists(atPath: Self.root.appendingPathComponent("Tests/\(name)Tests").path))
    }

    @Test("There is at least one connector")
    func some() {
        #expect(!Self.plugins.isEmpty)
    }

    @Test(
        "A folder under Plugins has its README, its fixtures, its entry in the list and its sample",
        arguments: plugins
    )
    func rooms(name: String) throws {
        let folder = Self.root.appendingPathComponent("Plugins/\(name)")
        let files = FileManager.default
        #expect(files.fileExists(atPath: folder.appendingPathComponent("README.md").path))
        #expect(try !files.contentsOfDirectory(atPath: folder.appendingPathComponent("Fixtures").path).isEmpty)
        for room in ["Connector", "Configuration", "Normalizer"] {
            #expect(files.fileExists(atPath: folder.appendingPathComponent("\(name)\(room).swift").path))
        }
        let list = try String(
            contentsOf: Self.root.appendingPathComponent("Sources/roost/Connectors.swift"),
            encoding: .utf8
        )
        #expect(list.contains("\(name)Connector.self"))
        let names = try files.contentsOfDirectory(atPath: Self.root.appendingPathComponent("Config").path)
        let samples = try names.filter { $0.hasSuffix(".yaml") }.map {
            try String(contentsOf: Self.root.appendingPathComponent("Config/\($0)"), encoding: .utf8)
        }
        #expect(samples.contains { $0.contains("connector: \(name.lowercased())") })
    }
}
