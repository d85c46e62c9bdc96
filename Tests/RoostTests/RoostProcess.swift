import ConnectorKit
import Foundation
import MessageBus
import SocialEvents
import SQLiteBus
import Testing

/// The real binary as a process of its own, which does not outlive the value.
final class RoostProcess {
    private let process = Process()
    private let output = Pipe()
    private let errors: ErrorLines
    private var pending = Data()

    /// How long a process may keep a test waiting, in seconds; then it is killed.
    private static let patience = 120

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
        let errors = Pipe()
        process.executableURL = try Self.binary
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.currentDirectoryURL = folder
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        self.errors = ErrorLines(errors.fileHandleForReading)
    }

    deinit {
        guard process.isRunning else { return }
        send(SIGKILL)
        process.waitUntilExit()
    }

    /// Runs to the end: exit code, standard output, standard error.
    static func run(
        _ arguments: [String],
        environment: [String: String] = [:],
        folder: URL? = nil
    ) throws -> (code: Int32, output: String, errors: String) {
        let roost = try RoostProcess(arguments, environment: environment, folder: folder)
        var output = ""
        while let line = roost.readLine() { output += line + "\n" }
        return (roost.wait(), output, roost.errors.all())
    }

    /// The next line of standard output; `nil` at its end.
    func readLine() -> String? {
        while true {
            if let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: pending[..<end], as: UTF8.self)
                pending.removeSubrange(...end)
                return line
            }
            let handle = output.fileHandleForReading
            var state = pollfd(fd: handle.fileDescriptor, events: Int16(POLLIN), revents: 0)
            if poll(&state, 1, Int32(Self.patience * 1000)) == 0 {
                Issue.record("the process said nothing for \(Self.patience) s")
                send(SIGKILL)
                return nil
            }
            let more = handle.availableData
            if more.isEmpty { return nil }
            pending.append(more)
        }
    }

    /// The first line of standard error that contains `text`; `nil` when it ends before.
    func waitForError(_ text: String) -> String? {
        errors.first(containing: text, within: Self.patience)
    }

    func send(_ signal: Int32) {
        kill(process.processIdentifier, signal)
    }

    /// Waits for the end and gives the exit code; negative for a signal.
    @discardableResult
    func wait() -> Int32 {
        let limit = ContinuousClock.now + .seconds(Self.patience)
        while process.isRunning, ContinuousClock.now < limit { usleep(2000) }
        if process.isRunning {
            Issue.record("the process did not end within \(Self.patience) s")
            send(SIGKILL)
        }
        process.waitUntilExit()
        return process.terminationReason == .uncaughtSignal ? -process.terminationStatus : process.terminationStatus
    }
}

/// What a process says on standard error, read as it comes: a pipe that nobody reads would stop the process.
///
/// Unchecked because the lock guards all that changes.
private final class ErrorLines: @unchecked Sendable {
    private let condition = NSCondition()
    private var lines: [String] = []
    private var hasEnded = false

    init(_ handle: FileHandle) {
        Thread.detachNewThread {
            var pending = Data()
            while true {
                let more = handle.availableData
                pending.append(more)
                while let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
                    self.add(String(decoding: pending[..<end], as: UTF8.self))
                    pending.removeSubrange(...end)
                }
                if more.isEmpty { break }
            }
            if !pending.isEmpty { self.add(String(decoding: pending, as: UTF8.self)) }
            self.end()
        }
    }

    private func add(_ line: String) {
        condition.withLock {
            lines.append(line)
            condition.broadcast()
        }
    }

    private func end() {
        condition.withLock {
            hasEnded = true
            condition.broadcast()
        }
    }

    /// The first line that contains `text`; nil at the end, or when none has come after so many seconds.
    func first(containing text: String, within seconds: Int) -> String? {
        let limit = Date(timeIntervalSinceNow: Double(seconds))
        return condition.withLock {
            while true {
                if let line = lines.first(where: { $0.contains(text) }) { return line }
                guard !hasEnded, condition.wait(until: limit) else { return nil }
            }
        }
    }

    /// All of it, once it has ended.
    func all() -> String {
        condition.withLock {
            while !hasEnded { condition.wait() }
            return lines.map { $0 + "\n" }.joined()
        }
    }
}

/// Runs what blocks on a thread of its own.
func offThread<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Swift.Result(catching: body)) }
    }
}

/// All that a log holds of what platforms said, duplicates too, in order.
func storedEvents(_ data: String) async throws -> [Event] {
    let bus = try await SQLiteBus(directory: data, SQLiteBusConfiguration { SystemClock().now })
    let decoder = EventDecoder()
    var events: [Event] = []
    var position = Sequence.start
    while true {
        let filter = EventFilter(includesDuplicates: true)
        let page = try await bus.page(after: position, filter: filter, limits: PageLimits())
        for entry in page.entries where entry.platform != .hub {
            events.append(
                try page.storage.withUnsafeBytes {
                    try decoder.decodeBody(UnsafeRawBufferPointer(rebasing: $0[entry.body])).event
                }
            )
        }
        position = page.scannedThrough
        if position == page.head { break }
    }
    await bus.close()
    return events
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
