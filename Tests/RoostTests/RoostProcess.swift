import Foundation
import Testing

/// The real binary as a process of its own.
final class RoostProcess {
    private let process = Process()
    private let output = Pipe()
    private let errors = Pipe()
    private var pending = Data()
    private var pendingErrors = Data()

    /// The binary that was built with these tests.
    static var binary: URL {
        get throws {
            let here = try URL(fileURLWithPath: FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
            let binary = here.deletingLastPathComponent().appendingPathComponent("roost")
            try #require(FileManager.default.isExecutableFile(atPath: binary.path), "no binary at \(binary.path)")
            return binary
        }
    }

    init(_ arguments: [String], environment: [String: String] = [:], folder: URL? = nil) throws {
        process.executableURL = try Self.binary
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.currentDirectoryURL = folder
        process.standardOutput = output
        process.standardError = errors
        try process.run()
    }

    /// Runs to the end: exit code, standard output, standard error.
    static func run(
        _ arguments: [String],
        environment: [String: String] = [:],
        folder: URL? = nil
    ) throws -> (code: Int32, output: String, errors: String) {
        let roost = try RoostProcess(arguments, environment: environment, folder: folder)
        let output = roost.output.fileHandleForReading.readDataToEndOfFile()
        let errors = roost.errors.fileHandleForReading.readDataToEndOfFile()
        roost.process.waitUntilExit()
        return (
            roost.process.terminationStatus, String(decoding: output, as: UTF8.self),
            String(decoding: errors, as: UTF8.self)
        )
    }

    /// The next line of standard output; `nil` at its end.
    func readLine() -> String? {
        Self.readLine(output.fileHandleForReading, &pending)
    }

    /// The first line of standard error that contains `text`; `nil` when it ends before.
    func waitForError(_ text: String) -> String? {
        while let line = Self.readLine(errors.fileHandleForReading, &pendingErrors) {
            if line.contains(text) { return line }
        }
        return nil
    }

    func send(_ signal: Int32) {
        kill(process.processIdentifier, signal)
    }

    /// Waits for the end and gives the exit code; negative for a signal.
    @discardableResult
    func wait() -> Int32 {
        process.waitUntilExit()
        return process.terminationReason == .uncaughtSignal ? -process.terminationStatus : process.terminationStatus
    }

    private static func readLine(_ handle: FileHandle, _ pending: inout Data) -> String? {
        while true {
            if let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: pending[..<end], as: UTF8.self)
                pending.removeSubrange(...end)
                return line
            }
            let more = handle.availableData
            if more.isEmpty { return nil }
            pending.append(more)
        }
    }
}

/// A folder that is removed with the value's last use.
final class TestFolder {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("roost-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(at: url)
    }

    func write(_ name: String, _ text: String) throws -> String {
        let file = url.appendingPathComponent(name)
        try text.write(to: file, atomically: true, encoding: .utf8)
        return file.path
    }
}
