import Synchronization

/// The connections that read; each question goes to the one with the fewest before it.
final class LogReaders: Sendable {
    private let readers: [LogReader]
    private let busy: Mutex<[Int]>

    init(path: String, count: Int) throws {
        readers = try (0..<max(1, count)).map { _ in try LogReader(path: path) }
        busy = Mutex(Array(repeating: 0, count: readers.count))
    }

    /// Calls `body` with a reader.
    func with<Value: Sendable>(_ body: (LogReader) async throws -> Value) async throws -> Value {
        let index = busy.withLock { busy in
            let least = busy.indices.min { busy[$0] < busy[$1] } ?? 0
            busy[least] += 1
            return least
        }
        defer { busy.withLock { $0[index] -= 1 } }
        return try await body(readers[index])
    }

    /// Waits for what is being read, then closes all.
    func close() {
        for reader in readers { reader.close() }
    }
}
