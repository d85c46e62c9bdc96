import ConnectorKit
import GRDB
import MessageBus
import SocialEvents
import Testing

@testable import SQLiteBus

/// What is erased has left the files: found by looking for its words in every byte of them.
@Suite(.timeLimit(.minutes(10))) struct ErasureTests {
    @Test("An erased object's words are in no file, short or long", arguments: [60, 1_000, 5_000, 300_000])
    func object(length: Int) async throws {
        let directory = try TemporaryDirectory()
        let bus = try await BusFixture.open(directory.path)
        for number in 0..<30 {
            let words = BusFixture.unique("secret", number, length: length)
            _ = try await bus.append(BusFixture.batch([BusFixture.post(number, words: words)]))
        }
        try #require(!directory.filesContaining("secret-7-").isEmpty, "the search finds nothing")
        _ = try await bus.erase(.object(ObjectID(BusFixture.platform, .post, "7")))
        let words = BusFixture.unique("secret", 7, length: length)
        #expect(directory.filesContaining("secret-7-") == [])
        #expect(directory.filesContaining(String(words.suffix(20))) == [])
        #expect(!directory.filesContaining("secret-8-").isEmpty)
        await bus.close()
        #expect(directory.filesContaining("secret-7-") == [])
    }

    @Test("An erased person is named in no file")
    func actor() async throws {
        let directory = try TemporaryDirectory()
        let bus = try await BusFixture.open(directory.path)
        let names = (0..<8).map { BusFixture.unique("person", $0) }
        for start in stride(from: 0, to: 4_000, by: 100) {
            let events = (start..<start + 100).map { BusFixture.post($0, actor: names[$0 % 8]) }
            _ = try await bus.append(BusFixture.batch(events))
        }
        try #require(!directory.filesContaining(names[3]).isEmpty)
        let receipt = try await bus.erase(.actor(ObjectID(BusFixture.platform, "actor", names[3])))
        #expect(receipt.events == 500)
        #expect(directory.filesContaining(names[3]) == [])
        #expect(!directory.filesContaining(names[4]).isEmpty)
        await bus.close()
    }

    @Test("Of an erased source no words, dead letters or cursor are in any file")
    func source() async throws {
        let directory = try TemporaryDirectory()
        let bus = try await BusFixture.open(directory.path)
        for source in ["kept", "erased"] {
            let words = BusFixture.unique(source + "-words", 1)
            let letter = DeadLetter(
                reason: BusFixture.unique(source + "-reason", 1),
                contentType: "text/plain",
                payload: Array(BusFixture.unique(source + "-payload", 1, length: 9_000).utf8)
            )
            let events = (0..<500).map { BusFixture.post($0, words: words) }
            let cursor = ConnectorKit.Cursor(bytes: Array(BusFixture.unique(source + "-cursor", 1).utf8))
            let name = SourceName(source)
            _ = try await bus.append(LogBatch(source: name, events: events, deadLetters: [letter], cursor: cursor))
        }
        let receipt = try await bus.erase(.source(SourceName("erased")))
        #expect(receipt == ErasureReceipt(events: 500, deadLetters: 1))
        for part in ["words", "reason", "payload", "cursor"] {
            #expect(directory.filesContaining("erased-\(part)-1-") == [], "\(part)")
            #expect(!directory.filesContaining("kept-\(part)-1-").isEmpty, "\(part)")
        }
        await bus.close()
    }

    @Test("What a platform withdraws leaves the files soon by itself")
    func withdrawal() async throws {
        let directory = try TemporaryDirectory()
        let bus = try await BusFixture.open(directory.path)
        let events = (0..<50).map { BusFixture.post($0, words: BusFixture.unique("secret", $0, length: 3_000)) }
        _ = try await bus.append(BusFixture.batch(events))
        for round in 0..<3 {
            let deleted = (round * 5..<round * 5 + 5).map { BusFixture.post($0, type: .postDeleted) }
            _ = try await bus.append(BusFixture.batch(deleted))
            try await bus.settle()
            for number in 0..<(round + 1) * 5 { #expect(directory.filesContaining("secret-\(number)-") == []) }
            #expect(!directory.filesContaining("secret-49-").isEmpty)
        }
        await bus.close()
    }

    @Test("Readers that come one upon the other delay the erasure, and do not prevent it")
    func readersInTheWay() async throws {
        let directory = try TemporaryDirectory()
        let bus = try await BusFixture.open(directory.path) { $0.recentBytes = 0 }
        for start in stride(from: 0, to: 500, by: 100) {
            let events = (start..<start + 100).map {
                BusFixture.post($0, words: BusFixture.unique("secret", $0, length: 500))
            }
            _ = try await bus.append(BusFixture.batch(events))
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            // Twice as many as are let in at a time: there is always one who waits to be the next.
            for _ in 0..<6 {
                group.addTask {
                    while !Task.isCancelled { _ = try await bus.all() }
                }
            }
            for number in stride(from: 0, to: 30, by: 10) {
                _ = try await bus.erase(.object(ObjectID(BusFixture.platform, .post, String(number))))
                #expect(directory.filesContaining("secret-\(number)-") == [])
            }
            group.cancelAll()
            try await group.waitForAll()
        }
        await bus.close()
    }

    /// SQLite moves cells between pages when they fill and empty; what it leaves behind must not be what is erased later.
    @Test("Nothing erased is left in the gaps of pages, whatever was erased and trimmed in between", arguments: 1...4)
    func gaps(seed: Int) async throws {
        let directory = try TemporaryDirectory()
        let bus = try await BusFixture.open(directory.path) { $0.stepCount = 50 }
        var random = SeededRandom(seed: UInt64(seed))
        var live: Set<Int> = []
        var gone: Set<Int> = []
        var next = 0
        for _ in 0..<12 {
            let count = Int.random(in: 50...200, using: &random)
            let events = (next..<next + count).map { number in
                let length = [80, 400, 1_000, 2_500, 4_000, 9_000][Int.random(in: 0..<6, using: &random)]
                return BusFixture.post(
                    number,
                    words: BusFixture.unique("secret", number, length: length) + "-end\(number)-"
                )
            }
            _ = try await bus.append(BusFixture.batch(events))
            live.formUnion(next..<next + count)
            next += count
            let chosen = live.sorted().filter { _ in Int.random(in: 0..<3, using: &random) == 0 }
            for part in stride(from: 0, to: chosen.count, by: 40) {
                let numbers = chosen[part..<min(part + 40, chosen.count)]
                _ = try await bus.append(BusFixture.batch(numbers.map { BusFixture.post($0, type: .postDeleted) }))
            }
            live.subtract(chosen)
            gone.formUnion(chosen)
            if Bool.random(using: &random) {
                let size = Int64.random(in: 300_000...900_000, using: &random)
                _ = try await bus.trim(RetentionPolicy(size: size), now: BusFixture.start)
            }
        }
        try await bus.settle()
        let files = directory.files()
        for (name, bytes) in files {
            let left = numbers(in: bytes)
            #expect(
                left.isDisjoint(with: gone),
                "\(name) still holds \(left.intersection(gone).count) of \(gone.count)"
            )
        }
        // Few of the copies left in gaps are of what is erased later; so it must be none at all.
        #expect(pagesWithRemains(files["roost.db"] ?? []) == [])
        await bus.close()
        let database = try DatabaseQueue(path: directory.path + "/roost.db")
        #expect(try await database.read { try String.fetchAll($0, sql: "PRAGMA integrity_check") } == ["ok"])
        try database.close()
    }

    /// The pages of a database in whose gaps there is anything.
    private func pagesWithRemains(_ file: [UInt8]) -> [Int] {
        file.withUnsafeBytes { file in
            (0..<file.count / LogConnection.pageSize).filter { index in
                let start = index * LogConnection.pageSize
                let page = UnsafeRawBufferPointer(rebasing: file[start..<start + LogConnection.pageSize])
                guard let gap = PageScrubber.gap(in: page, number: Int64(index + 1)) else { return false }
                return page[gap].contains { $0 != 0 }
            }
        }
    }

    /// The numbers of the posts whose words begin or end somewhere in `bytes`.
    private func numbers(in bytes: [UInt8]) -> Set<Int> {
        var found: Set<Int> = []
        for marker in ["secret-", "-end"] {
            for end in places(of: marker, in: bytes) {
                let digits = bytes[end...].prefix(8).prefix { (0x30...0x39).contains($0) }
                let closing = end + digits.count
                guard closing < bytes.count, bytes[closing] == UInt8(ascii: "-") else { continue }
                if let number = Int(String(decoding: digits, as: UTF8.self)) { found.insert(number) }
            }
        }
        return found
    }
}

/// Random numbers that are the same for the same seed (SplitMix64).
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
