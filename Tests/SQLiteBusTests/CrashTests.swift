import ConnectorKit
import Glibc
import MessageBus
import SQLiteBus
import SocialEvents
import Synchronization
import Testing

/// A process that is killed while it appends loses nothing it was told is durable.
@Suite struct CrashTests {
    @Test("Killed at twenty moments, the log has all that was acknowledged, once, and its cursors agree")
    func kill() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.path
        for round in 0..<20 {
            await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String, round = round as Int] in
                try await CrashingWriter(path: path).run(
                    killedAfter: 5 + round * 7 % 40,
                    microseconds: UInt32(round * 131 % 1_500)
                )
            }
            try await CrashingWriter(path: path).verify()
        }
        #expect(CrashingWriter(path: path).acknowledged.values.reduce(0, +) > 200, "there was no load")
    }
}

/// What is killed: three sources that append as fast as they can and note what was acknowledged.
private struct CrashingWriter {
    var path: String

    private static let sources = ["one", "two", "three"]
    private var notes: String { path + "/acknowledged" }

    /// How many events of each source were acknowledged.
    var acknowledged: [String: Int] {
        var counts: [String: Int] = [:]
        for line in String(decoding: readFile(notes), as: UTF8.self).split(separator: "\n") {
            let parts = line.split(separator: " ")
            if parts.count == 3, parts[2] == "." { counts[String(parts[0])] = Int(parts[1]) }
        }
        return counts
    }

    /// Appends until it is killed, some microseconds after so many batches were acknowledged.
    func run(killedAfter batches: Int, microseconds: UInt32) async throws {
        let bus = try await BusFixture.open(path + "/data")
        let file = open(notes, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        let tally = Tally()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for source in Self.sources {
                group.addTask {
                    let name = SourceName(source)
                    var next =
                        Int(String(decoding: try await bus.cursor(of: name)?.bytes ?? [0x30], as: UTF8.self)) ?? 0
                    while true {
                        let count = next % 7 + 1
                        let events = (next..<next + count).map { BusFixture.post($0, words: "\(source) \($0)") }
                        next += count
                        let cursor = Cursor(bytes: Array(String(next).utf8))
                        _ = try await bus.append(LogBatch(source: name, events: events, cursor: cursor))
                        let line = Array("\(source) \(next) .\n".utf8)
                        write(file, line, line.count)
                        if tally.add() == batches { dieLater(microseconds) }
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    /// Has another thread kill the process, while the sources go on.
    private func dieLater(_ microseconds: UInt32) {
        var thread = pthread_t()
        let delay = UnsafeMutablePointer<UInt32>.allocate(capacity: 1)
        delay.initialize(to: microseconds)
        pthread_create(
            &thread,
            nil,
            { delay in
                usleep(delay?.load(as: UInt32.self) ?? 0)
                Glibc.kill(getpid(), SIGKILL)
                return nil
            },
            delay
        )
    }

    func verify() async throws {
        let bus = try await BusFixture.open(path + "/data")
        let all = try await bus.all()
        for source in Self.sources {
            let name = SourceName(source)
            let bodies = all.filter { $0.entry.source == name }.map(\.body)
            let cursor = try await bus.cursor(of: name)
            let count = Int(String(decoding: cursor?.bytes ?? [0x30], as: UTF8.self)) ?? 0
            #expect(count >= acknowledged[source] ?? 0, "an acknowledged cursor of \(source) is lost")
            #expect(bodies.count == count, "events and cursor of \(source) disagree")
            for (index, body) in bodies.enumerated() where !body.contains("\"\(source) \(index)\"") {
                Issue.record("event \(index) of \(source) is another one")
                break
            }
        }
        await bus.close()
    }
}

/// A count that several tasks add to.
private final class Tally: Sendable {
    private let count = Mutex(0)

    func add() -> Int {
        count.withLock { count in
            count += 1
            return count
        }
    }
}
