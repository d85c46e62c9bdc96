import ConnectorKit
import GRDB
import Glibc
import MessageBus
import SQLiteBus
import SocialEvents
import Testing

/// How the events of a dead letter take its place.
@Suite(.timeLimit(.minutes(10))) struct RereadingTests {
    private static let source = BusFixture.source

    private static func letter(_ number: Int, size: Int = 10) -> DeadLetter {
        DeadLetter(
            reason: "letter \(number)",
            contentType: "text/plain",
            payload: [UInt8](repeating: UInt8(number & 0xff), count: size)
        )
    }

    @Test("When its events cannot be stored the letter stays as it is")
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
        _ = try await bus.append(LogBatch(source: Self.source, deadLetters: [Self.letter(1)]))
        let events = [BusFixture.post(12), BusFixture.post(13)]
        for letters in [[], [Self.letter(2)]] {
            let batch = LogBatch(source: Self.source, events: events, deadLetters: letters)
            await #expect(throws: BusError.self) { _ = try await bus.replaceDeadLetter(1, with: batch) }
        }
        #expect(try await bus.all().isEmpty)
        let kept = try await bus.deadLetters(of: nil, after: 0, limit: 10)
        #expect(kept.map(\.letter) == [Self.letter(1)])
        #expect(kept.map(\.attempts) == [0])
        // What the writer remembers was put back too.
        _ = try await bus.append(BusFixture.batch([BusFixture.post(14)]))
        #expect(try await bus.all().map(\.entry.sequence.number) == [1])
        await bus.close()
    }

    @Test("Readers that wait are told of events that came of a dead letter")
    func readers() async throws {
        let directory = try TemporaryDirectory()
        let bus = try await BusFixture.open(directory.path)
        _ = try await bus.append(LogBatch(source: Self.source, deadLetters: [Self.letter(1)]))
        async let waiting: Void = bus.waitForEvents(after: .start)
        _ = try await bus.replaceDeadLetter(1, with: BusFixture.batch([BusFixture.post(1)]))
        try await waiting
        #expect(try await bus.all().count == 1)
        await bus.close()
    }

    @Test("The bounds on dead letters hold whatever takes the place of what")
    func bounds() async throws {
        let directory = try TemporaryDirectory()
        let bus = try await BusFixture.open(directory.path) {
            $0.deadLetterCount = 4
            $0.deadLetterBytes = 1_000
        }
        func replace(_ id: Int64, _ letters: DeadLetter...) async throws {
            _ = try await bus.replaceDeadLetter(id, with: LogBatch(source: Self.source, deadLetters: letters))
        }
        func ids() async throws -> [Int64] { try await bus.deadLetters(of: nil, after: 0, limit: 10).map(\.id) }

        _ = try await bus.append(LogBatch(source: Self.source, deadLetters: (1...4).map { Self.letter($0) }))
        try await replace(2, Self.letter(2, size: 900))
        try await replace(3, Self.letter(3), Self.letter(5))
        #expect(try await ids() == [2, 3, 4, 5], "five are one too many")
        try await replace(4)
        _ = try await bus.append(LogBatch(source: Self.source, deadLetters: [Self.letter(6, size: 70)]))
        #expect(try await ids() == [2, 3, 5, 6], "990 bytes in four")
        try await replace(3)
        _ = try await bus.append(LogBatch(source: Self.source, deadLetters: [Self.letter(7, size: 30)]))
        #expect(try await ids() == [5, 6, 7], "1010 bytes are ten too many")
        await bus.close()
    }

    @Test("What was withdrawn and came again by a dead letter is in no file")
    func withdrawn() async throws {
        let directory = try TemporaryDirectory()
        let bus = try await BusFixture.open(directory.path)
        _ = try await bus.append(LogBatch(source: Self.source, deadLetters: [Self.letter(1)]))
        _ = try await bus.append(BusFixture.batch([BusFixture.post(1, type: .postDeleted)]))
        let words = (1...2).map { BusFixture.unique("secret", $0, length: 3_000) }
        let events = [BusFixture.post(1, words: words[0]), BusFixture.post(2, words: words[1])]
        _ = try await bus.replaceDeadLetter(1, with: BusFixture.batch(events))
        try await bus.settle()
        #expect(directory.filesContaining("secret-1-") == [])
        #expect(!directory.filesContaining("secret-2-").isEmpty)
        await bus.close()
        #expect(directory.filesContaining("secret-1-") == [])
    }

    @Test("A log of the first version is brought up, its dead letters with it")
    func migration() async throws {
        let directory = try TemporaryDirectory()
        let bus = try await BusFixture.open(directory.path)
        _ = try await bus.append(LogBatch(source: Self.source, deadLetters: [Self.letter(1)]))
        await bus.close()
        let database = try DatabaseQueue(path: directory.path + "/roost.db")
        try await database.write { database in
            try database.execute(
                sql: """
                    ALTER TABLE deadletters DROP COLUMN attempts;
                    ALTER TABLE deadletters DROP COLUMN iscut;
                    DELETE FROM grdb_migrations WHERE identifier = '2-rereading';
                    """
            )
        }
        try database.close()
        let again = try await BusFixture.open(directory.path)
        _ = try await again.replaceDeadLetter(1, with: LogBatch(source: Self.source, deadLetters: [Self.letter(2)]))
        let kept = try await again.deadLetters(of: nil, after: 0, limit: 10)
        #expect(kept.map(\.letter) == [Self.letter(2)])
        #expect(kept.map(\.attempts) == [1])
        await again.close()
    }

    @Test("Killed while letters are read again, the log has each letter or its events, never both and never neither")
    func kill() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.path
        let bus = try await BusFixture.open(path + "/data")
        for start in stride(from: 0, to: KilledRereader.letters, by: 100) {
            let letters = (start..<start + 100).map { Self.letter($0) }
            _ = try await bus.append(LogBatch(source: Self.source, deadLetters: letters))
        }
        await bus.close()
        var read = 0
        for round in 0..<8 {
            await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String, round = round as Int] in
                try await KilledRereader(path: path).run(killedAfter: 10 + round * 7)
            }
            read = try await KilledRereader(path: path).verify()
        }
        #expect(read > 200, "there was no load")
    }
}

/// What is killed: it reads letters again one after another, two events for each, as fast as it can.
private struct KilledRereader {
    var path: String

    static let letters = 500

    private func events(_ letter: Int64) -> [Event] {
        [Int(letter) * 2, Int(letter) * 2 + 1].map { BusFixture.post($0, words: "of letter \(letter)") }
    }

    /// Kills its process after so many letters, while another is on its way.
    func run(killedAfter count: Int) async throws {
        let bus = try await BusFixture.open(path + "/data")
        let letters = try await bus.deadLetters(of: nil, after: 0, limit: Self.letters)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, letter) in letters.enumerated() {
                group.addTask {
                    _ = try await bus.replaceDeadLetter(letter.id, with: BusFixture.batch(events(letter.id)))
                    if index == count { Glibc.kill(getpid(), SIGKILL) }
                }
            }
            try await group.waitForAll()
        }
    }

    /// How many letters were read so far; every one of the others is still there.
    func verify() async throws -> Int {
        let bus = try await BusFixture.open(path + "/data")
        let left = Set(try await bus.deadLetters(of: nil, after: 0, limit: Self.letters).map(\.id))
        var events: [Substring: Int] = [:]
        for (_, body) in try await bus.all() {
            let letter = body.firstMatch(of: /of letter ([0-9]+)/)?.1
            events[letter ?? "", default: 0] += 1
        }
        var read = 0
        for letter in 1...Int64(Self.letters) {
            let count = events["\(letter)"] ?? 0
            #expect(count == (left.contains(letter) ? 0 : 2), "letter \(letter)")
            if count > 0 { read += 1 }
        }
        await bus.close()
        return read
    }
}
