import ConnectorKit
import FoundationEssentials
import GRDB
import MessageBus
import SocialEvents

extension LogWriter {
    /// Keeps a dead letter, inside a transaction; the oldest of the source give way and are counted.
    func keep(_ letter: DeadLetter, of source: Int64, at recorded: Timestamp, in database: Database) throws {
        try database.execute(
            sql: """
                INSERT INTO deadletters (source, recorded, reason, contenttype, payload, iscut)
                VALUES (?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                source, recorded.milliseconds, letter.reason, letter.contentType, Data(letter.payload), letter.isCut,
            ]
        )
        var letters = state.letters[source] ?? WriterState.Letters()
        letters.count += 1
        letters.bytes += letter.payload.count
        while letters.count > configuration.deadLetterCount
            || (letters.bytes > configuration.deadLetterBytes && letters.count > 1)
        {
            let oldest = try Row.fetchOne(
                database.cachedStatement(
                    sql: "SELECT id, length(payload) FROM deadletters WHERE source = ? ORDER BY id LIMIT 1"
                ),
                arguments: [source]
            )
            guard let oldest else { break }
            let (id, size): (Int64, Int) = (oldest[0], oldest[1])
            try database.execute(sql: "DELETE FROM deadletters WHERE id = ?", arguments: [id])
            try database.execute(
                sql: """
                    INSERT INTO deadletterdrops (source, count) VALUES (?, 1)
                    ON CONFLICT (source) DO UPDATE SET count = count + 1
                    """,
                arguments: [source]
            )
            letters.count -= 1
            letters.bytes -= size
        }
        state.letters[source] = letters
    }

    /// Removes a dead letter; false when there is none of that id.
    func discardDeadLetter(_ id: Int64, in database: Database) throws -> Bool {
        try transaction(in: database) { _ in
            guard let kept = try KeptLetter(id, in: database) else { return false }
            try remove(kept, in: database)
            return true
        }
    }

    /// Removes a dead letter, inside a transaction.
    func remove(_ kept: KeptLetter, in database: Database) throws {
        try database.execute(sql: "DELETE FROM deadletters WHERE id = ?", arguments: [kept.id])
        state.letters[kept.source]?.count -= 1
        state.letters[kept.source]?.bytes -= kept.size
    }

    /// Keeps or forgets a small value.
    func setValue(_ value: [UInt8]?, for key: String, in database: Database) throws {
        try transaction(in: database) { _ in
            if let value {
                try database.execute(
                    sql: """
                        INSERT INTO statevalues (key, bytes) VALUES (?, ?)
                        ON CONFLICT (key) DO UPDATE SET bytes = excluded.bytes
                        """,
                    arguments: [key, Data(value)]
                )
            } else {
                try database.execute(sql: "DELETE FROM statevalues WHERE key = ?", arguments: [key])
            }
        }
    }
}
