import ConnectorKit
import GRDB
import MessageBus
import SQLiteBus
import SocialEvents
import Synchronization
import Testing

/// How batches of several callers become commits.
@Suite(.timeLimit(.minutes(10))) struct WritingTests {
    @Test("A batch that cannot be stored does not fail the others of its group")
    func poison() async throws {
        let directory = try TemporaryDirectory()
        try await BusFixture.open(directory.path).close()
        let database = try DatabaseQueue(path: directory.path + "/roost.db")
        try await database.write { database in
            try database.execute(
                sql: """
                    CREATE TRIGGER poison BEFORE INSERT ON events WHEN new.id LIKE 'test:post:13/%'
                    BEGIN SELECT RAISE(ABORT, 'poisoned'); END
                    """
            )
        }
        try database.close()
        let bus = try await BusFixture.open(directory.path)
        let results = await withTaskGroup(of: (Int, Bool).self, returning: [Int: Bool].self) { group in
            for number in 0..<40 {
                group.addTask {
                    let events = [BusFixture.post(1_000 + number), BusFixture.post(number)]
                    let cursor = Cursor(bytes: [UInt8(number)])
                    let batch = LogBatch(source: SourceName("source-\(number)"), events: events, cursor: cursor)
                    return (number, (try? await bus.append(batch)) != nil)
                }
            }
            return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
        #expect(results.filter { !$0.value }.map(\.key) == [13])
        let all = try await bus.all()
        #expect(all.count == 78)
        #expect(!all.contains { $0.entry.source == SourceName("source-13") })
        #expect(try await bus.cursor(of: SourceName("source-13")) == nil)
        #expect(try await bus.cursor(of: SourceName("source-14")) == Cursor(bytes: [14]))
        #expect(zip(all, all.dropFirst()).allSatisfy { $0.entry.sequence.number + 1 == $1.entry.sequence.number })
        await bus.close()
        let again = try await BusFixture.open(directory.path)
        #expect(try await again.all().map(\.body) == all.map(\.body))
        await again.close()
    }

    /// All that is written here is 32 MiB, which the log would be long if it never started over.
    ///
    /// How long it is at its longest, one to three of them as a rule, depends on how long a reader holds on to an old state, who may be kept from the processor.
    @Test("The write-ahead log does not grow without bound while appending goes on, nor do readers hold it")
    func boundedWriteAheadLog() async throws {
        let directory = try TemporaryDirectory()
        let bus = try await BusFixture.open(directory.path) {
            $0.checkpointBytes = 1 << 17
            $0.walBytes = 1 << 20
            $0.recentBytes = 0
        }
        let largest = Mutex(0)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                while !Task.isCancelled { _ = try await bus.all() }
            }
            for start in stride(from: 0, to: 12_000, by: 50) {
                let events = (start..<start + 50).map {
                    BusFixture.post($0, words: BusFixture.unique("words", $0, length: 1_000))
                }
                _ = try await bus.append(BusFixture.batch(events))
                let size = fileSize(directory.path + "/roost.db-wal")
                largest.withLock { $0 = max($0, size) }
            }
            group.cancelAll()
            try await group.waitForAll()
        }
        #expect(largest.withLock { $0 } < 16 << 20)
        #expect(try await bus.all().count == 12_000)
        await bus.close()
    }

    @Test("What was trimmed is given back to the disk, in steps between which new events are stored")
    func trimShrinks() async throws {
        let directory = try TemporaryDirectory()
        let bus = try await BusFixture.open(directory.path) { $0.stepCount = 100 }
        for start in stride(from: 0, to: 5_000, by: 500) {
            let events = (start..<start + 500).map {
                BusFixture.post($0, words: BusFixture.unique("words", $0, length: 1_000))
            }
            _ = try await bus.append(BusFixture.batch(events))
        }
        let before = try await bus.bounds()
        async let trimming = bus.trim(RetentionPolicy(size: 1 << 20), now: BusFixture.start)
        for number in 0..<50 {
            _ = try await bus.append(BusFixture.batch([BusFixture.post(10_000 + number)], source: SourceName("other")))
        }
        let receipt = try await trimming
        let after = try await bus.bounds()
        #expect(receipt.events > 3_000)
        #expect(after.size < 3 << 20)
        #expect(before.size > 6 << 20)
        let rest = try await bus.all(after: receipt.trimmedThrough)
        #expect(rest.count == 5_050 - receipt.events)
        await bus.close()
    }

    @Test("Dead letters of a source are bounded in count and size, the oldest give way and are counted")
    func boundedDeadLetters() async throws {
        let directory = try TemporaryDirectory()
        func open() async throws -> SQLiteBus {
            try await BusFixture.open(directory.path) {
                $0.deadLetterCount = 10
                $0.deadLetterBytes = 5_000
                $0.deadLetterPayloadBytes = 2_000
            }
        }
        var bus = try await open()
        let (many, heavy) = (SourceName("many"), SourceName("heavy"))
        for number in 0..<25 {
            let letter = DeadLetter(reason: "\(number)", contentType: "text/plain", payload: [1])
            _ = try await bus.append(LogBatch(source: many, deadLetters: [letter]))
            if number == 12 {
                await bus.close()
                bus = try await open()
            }
        }
        let letters = (0..<4).map {
            DeadLetter(reason: "\($0)", contentType: "", payload: [UInt8](repeating: 2, count: 1_500))
        }
        _ = try await bus.append(LogBatch(source: heavy, deadLetters: letters))
        let kept = try await bus.deadLetters(of: many, after: 0, limit: 100)
        #expect(kept.map(\.letter.reason) == (15..<25).map(String.init))
        #expect(try await bus.deadLetters(of: heavy, after: 0, limit: 100).map(\.letter.reason) == ["1", "2", "3"])
        #expect(try await bus.droppedDeadLetterCounts() == [many: 15, heavy: 1])
        let huge = DeadLetter(reason: "huge", contentType: "", payload: [UInt8](repeating: 3, count: 9_000))
        _ = try await bus.append(LogBatch(source: heavy, deadLetters: [huge]))
        let last = try #require(try await bus.deadLetters(of: heavy, after: 0, limit: 100).last)
        #expect(last.letter.payload.count == 2_000)
        #expect(last.letter.reason.contains("2000 of 9000"))
        await bus.close()
    }

    @Test("A page shares the memory of the batch it consists of")
    func sharedStorage() async throws {
        let directory = try TemporaryDirectory()
        let bus = try await BusFixture.open(directory.path)
        _ = try await bus.append(BusFixture.batch((0..<100).map { BusFixture.post($0) }))
        let pages = [
            try await bus.page(after: .start, filter: EventFilter(), limits: PageLimits()),
            try await bus.page(after: .start, filter: EventFilter(), limits: PageLimits(count: 50)),
        ]
        let places = pages.map { $0.storage.withUnsafeBytes { $0.baseAddress } }
        #expect(places[0] == places[1])
        await bus.close()
    }
}
