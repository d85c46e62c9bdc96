import ConnectorKit
import FoundationEssentials
import GRDB
import Glibc
import MessageBus
import SQLiteBus
import SocialEvents
import Testing

/// What happens when a log is opened that is in use, foreign, newer, damaged, or was not closed.
@Suite(.timeLimit(.minutes(10))) struct OpeningTests {
    @Test("A second log on the same directory is refused by the name of the first")
    func inUse() async throws {
        let directory = try TemporaryDirectory()
        let first = try await BusFixture.open(directory.path)
        let error = await #expect(throws: BusError.self) { _ = try await BusFixture.open(directory.path) }
        guard case .inUse(let reason) = error else {
            Issue.record("another error: \(String(describing: error))")
            return
        }
        #expect(reason.contains("process \(getpid())"))
        #expect(reason.contains("since \(BusFixture.start)"))
        #expect(reason.contains(directory.path))
        await first.close()
        let second = try await BusFixture.open(directory.path)
        await second.close()
    }

    @Test("A log of a newer version is refused and left as it is")
    func newerVersion() async throws {
        let directory = try TemporaryDirectory()
        try await BusFixture.open(directory.path).close()
        let database = try DatabaseQueue(path: directory.path + "/roost.db")
        try await database.write { try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('2-something-new')") }
        try database.close()
        let before = directory.files()["roost.db"]
        let error = await #expect(throws: BusError.self) { _ = try await BusFixture.open(directory.path) }
        #expect(error?.description.contains("newer version") == true)
        #expect(directory.files()["roost.db"] == before, "the file was changed")
    }

    @Test("A database of another program is refused and left as it is")
    func foreignDatabase() async throws {
        let directory = try TemporaryDirectory()
        let database = try DatabaseQueue(path: directory.path + "/roost.db")
        try await database.write { try $0.execute(sql: "CREATE TABLE events (mine)") }
        try database.close()
        let before = directory.files()["roost.db"]
        let error = await #expect(throws: BusError.self) { _ = try await BusFixture.open(directory.path) }
        #expect(error?.description.contains("another program") == true)
        #expect(directory.files()["roost.db"] == before, "the file was changed")
    }

    @Test("A file that is no database is refused")
    func noDatabase() async throws {
        let directory = try TemporaryDirectory()
        try write([UInt8](repeating: 0x5a, count: 20_000), to: directory.path + "/roost.db")
        let error = await #expect(throws: BusError.self) { _ = try await BusFixture.open(directory.path) }
        guard case .unusable = error else {
            Issue.record("another error: \(String(describing: error))")
            return
        }
    }

    @Test("Damage to the newest events is found at start", arguments: [1, 3, 4_096])
    func damagedTail(count: Int) async throws {
        let directory = try TemporaryDirectory()
        let bus = try await BusFixture.open(directory.path)
        _ = try await bus.append(BusFixture.batch((0..<200).map { BusFixture.post($0) }))
        await bus.close()
        let path = directory.path + "/roost.db"
        var bytes = readFile(path)
        // The body of some event, from its first byte on.
        let body = try #require(places(of: "\"words 190\"", in: bytes).first)
        let start = try #require(bytes[..<body].lastIndex { $0 == UInt8(ascii: "{") && $0 == 0x7b })
        let opening = try #require(
            bytes[..<start].indices.last { bytes[$0...].starts(with: Array("{\"specversion".utf8)) }
        )
        for index in opening..<min(opening + count, bytes.count) { bytes[index] = 0xa5 }
        try write(bytes, to: path)
        let error = await #expect(throws: BusError.self) { _ = try await BusFixture.open(directory.path) }
        #expect(error?.description.contains("damaged") == true)
    }

    @Test("After a crash the whole file is checked, after an orderly end only its newest part")
    func damagedMiddle() async throws {
        let directory = try TemporaryDirectory()
        let bus = try await BusFixture.open(directory.path)
        for start in stride(from: 0, to: 5_000, by: 500) {
            _ = try await bus.append(BusFixture.batch((start..<start + 500).map { BusFixture.post($0) }))
        }
        await bus.close()
        let path = directory.path + "/roost.db"
        var bytes = readFile(path)
        let place = try #require(places(of: "\"words 100\"", in: bytes).first)
        // The head of the page that holds an old event.
        let page = place / 8_192 * 8_192
        for index in page..<page + 12 { bytes[index] = 0xff }
        try write(bytes, to: path)
        let quick = try await BusFixture.open(directory.path)
        await quick.close()
        // A write-ahead log that somebody left behind; what is in it does not matter.
        try write([UInt8](repeating: 0, count: 64), to: path + "-wal")
        let error = await #expect(throws: BusError.self) { _ = try await BusFixture.open(directory.path) }
        #expect(error?.description.contains("damaged") == true)
    }

    @Test("The files can be read by their owner alone")
    func permissions() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/deep/data"
        let bus = try await BusFixture.open(path)
        _ = try await bus.append(BusFixture.batch([BusFixture.post(1)]))
        #expect(mode(of: path) == 0o700)
        #expect(mode(of: directory.path + "/deep") == 0o700)
        for name in ["roost.db", "roost.db-wal", "roost.db-shm", "roost.lock"] {
            #expect(mode(of: path + "/" + name) == 0o600, "\(name)")
        }
        await bus.close()
    }

    @Test("A directory that cannot be made or used is refused by its name")
    func badDirectory() async throws {
        let directory = try TemporaryDirectory()
        try write([], to: directory.path + "/file")
        let error = await #expect(throws: BusError.self) {
            _ = try await BusFixture.open(directory.path + "/file/data")
        }
        #expect(error?.description.contains(directory.path + "/file") == true)
    }

    private func mode(of path: String) -> UInt32 {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mode & 0o777 : 0
    }

    private func write(_ bytes: [UInt8], to path: String) throws {
        try Data(bytes).write(to: URL(filePath: path))
    }
}
