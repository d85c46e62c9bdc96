import FoundationEssentials
import Glibc
import MessageBus
import SQLiteBus
import SocialEvents
import Testing

/// A log without room: appends fail and say so, reading goes on, and it goes on by itself when there is room.
@Suite(.timeLimit(.minutes(10))) struct FullDiskTests {
    @Test("A log at its limit refuses what is new, is read, and takes events again after trimming")
    func limit() async throws {
        let directory = try TemporaryDirectory()
        let bus = try await BusFixture.open(directory.path) { $0.maximumBytes = 1 << 20 }
        let stored = try await fill(bus)
        #expect(stored > 100)
        #expect(bus.condition.isFull)
        #expect(try await bus.all().count == stored)
        let receipt = try await bus.trim(RetentionPolicy(size: 1 << 19), now: BusFixture.start)
        #expect(receipt.events > 0)
        let next = try await bus.append(large(2_000_000))
        #expect(next.sequences.count == 10)
        #expect(bus.condition == .ready)
        let rest = try await bus.all(after: receipt.trimmedThrough)
        #expect(rest.count == stored - receipt.events + 10)
        await bus.close()
    }

    @Test(
        "On a disk that is really full it does the same, and loses nothing that was acknowledged",
        .enabled(if: SmallDisk.isAllowed, "only root may mount a file system")
    )
    func disk() async throws {
        let directory = try TemporaryDirectory()
        let disk = try SmallDisk(directory.path + "/disk", megabytes: 12)
        let ballast = disk.path + "/ballast"
        try Data(repeating: 1, count: 8 << 20).write(to: URL(filePath: ballast))
        var bus = try await BusFixture.open(disk.path + "/data") { $0.recentBytes = 0 }
        let stored = try await fill(bus)
        #expect(stored > 100)
        #expect(bus.condition.isFull)
        let before = try await bus.all()
        #expect(before.count == stored)
        unlink(ballast)
        let next = try await bus.append(large(2_000_000))
        #expect(next.sequences.count == 10)
        #expect(bus.condition == .ready)
        await bus.close()
        bus = try await BusFixture.open(disk.path + "/data")
        let after = try await bus.all()
        #expect(
            after.prefix(stored).elementsEqual(before) { $0.entry.sequence == $1.entry.sequence && $0.body == $1.body }
        )
        #expect(after.count == stored + 10)
        await bus.close()
    }

    @Test(
        "A crash on a full disk loses nothing that was acknowledged",
        .enabled(if: SmallDisk.isAllowed, "only root may mount a file system")
    )
    func crashOnFullDisk() async throws {
        let directory = try TemporaryDirectory()
        let disk = try SmallDisk(directory.path + "/disk", megabytes: 4)
        let bus = try await BusFixture.open(disk.path + "/data")
        let stored = try await fill(bus)
        // What a killed process leaves: the files as they are now, while nothing is being written.
        try FileManager.default.createDirectory(atPath: directory.path + "/left", withIntermediateDirectories: true)
        for name in ["roost.db", "roost.db-wal"] {
            try Data(readFile("\(disk.path)/data/\(name)")).write(to: URL(filePath: "\(directory.path)/left/\(name)"))
        }
        let left = try await BusFixture.open(directory.path + "/left")
        #expect(try await left.all().count == stored)
        await left.close()
        await bus.close()
    }

    /// Appends small batches and then large ones until there is no room, several times in a row; answers how many events were acknowledged.
    ///
    /// Copying the write-ahead log, which goes on beside, may make some room yet after it was full: then more is stored, at last never again.
    private func fill(_ bus: SQLiteBus) async throws -> Int {
        var stored = 0
        var number = 0
        for count in [10, 500] {
            var failed = 0
            while failed < 5 {
                try #require(number < 20_000, "it never got full")
                do {
                    stored += try await bus.append(large(number, count: count)).sequences.count
                    failed = 0
                } catch BusError.full {
                    failed += 1
                }
                number += count
            }
        }
        return stored
    }

    private func large(_ number: Int, count: Int = 10) -> LogBatch {
        BusFixture.batch(
            (number..<number + count).map { BusFixture.post($0, words: BusFixture.unique("large", $0, length: 1_000)) }
        )
    }
}

extension BusCondition {
    fileprivate var isFull: Bool { if case .full = self { true } else { false } }
}

/// A file system of a few megabytes in memory, for as long as it is used.
private final class SmallDisk: Sendable {
    let path: String

    static var isAllowed: Bool {
        guard let directory = try? TemporaryDirectory() else { return false }
        return (try? SmallDisk(directory.path + "/try", megabytes: 1)) != nil
    }

    init(_ path: String, megabytes: Int) throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        guard mount("none", path, "tmpfs", 0, "size=\(megabytes)m") == 0 else {
            throw BusError.storage("mount: \(String(cString: strerror(errno)))")
        }
        self.path = path
    }

    deinit { umount2(path, Int32(MNT_DETACH)) }
}
