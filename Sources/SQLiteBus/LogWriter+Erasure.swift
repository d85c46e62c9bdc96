import GRDB
import MessageBus
import SocialEvents

/// Which events an erasure leaves as they are.
enum ErasureExemption {
    /// None.
    case none
    /// Those that tell of a withdrawal: they must still reach readers who are behind.
    case withdrawals
}

extension LogWriter {
    /// Erases the content of all events about an object but the news of its withdrawal, in one transaction.
    func eraseObject(_ object: ObjectID, in database: Database) throws -> Int {
        let erased = try transaction(in: database) { _ in
            try erase(sequences(about: object, in: database), sparing: .withdrawals, in: database)
        }
        recent.erase(Set(erased))
        return erased.count
    }

    /// Erases the content of some events, in one transaction.
    func eraseEvents(
        _ sequences: [Int64],
        sparing exemption: ErasureExemption,
        in database: Database
    ) throws -> Int {
        let erased = try transaction(in: database) { _ in
            try erase(sequences, sparing: exemption, in: database)
        }
        recent.erase(Set(erased))
        return erased.count
    }

    /// Forgets where a source stands and its dead letters; answers how many those were.
    func eraseSource(_ source: SourceName, in database: Database) throws -> Int {
        guard let number = state[.source, source.name] else { return 0 }
        return try transaction(in: database) { _ in
            try database.execute(sql: "DELETE FROM cursors WHERE source = ?", arguments: [number])
            try eraseDeliveries(of: number, in: database)
            try database.execute(sql: "DELETE FROM deadletters WHERE source = ?", arguments: [number])
            state.letters[number] = nil
            return database.changesCount
        }
    }

    /// Erases the content of events, inside a transaction; answers which of them had any.
    func erase(
        _ sequences: [Int64],
        sparing exemption: ErasureExemption,
        in database: Database
    ) throws -> [Sequence] {
        let statement =
            switch exemption {
            case .none:
                try database.cachedStatement(
                    sql:
                        "UPDATE events SET body = NULL, actor = NULL, object = NULL WHERE sequence = ? AND body IS NOT NULL"
                )
            case .withdrawals:
                try database.cachedStatement(
                    sql: """
                        UPDATE events SET body = NULL, actor = NULL, object = NULL WHERE sequence = ? AND body IS NOT NULL
                        AND type NOT IN (SELECT number FROM names WHERE kind = 3 AND name LIKE '%.deleted')
                        """
                )
            }
        var erased: [Sequence] = []
        for sequence in sequences {
            try statement.execute(arguments: [sequence])
            if database.changesCount > 0 { erased.append(Sequence(sequence)) }
        }
        return erased
    }

    /// The positions of the events about an object, whoever brought them.
    func sequences(about object: ObjectID, in database: Database) throws -> [Int64] {
        let stored = try database.cachedStatement(sql: "SELECT sequence FROM events WHERE object = ?")
        var sequences = try Int64.fetchAll(stored, arguments: [object.text])
        // All ids that begin with the object's: nearly always a handful. An object whose id is the beginning of many others', as a site's
        // address is of its pages', is looked up verb by verb.
        let few = 64
        var found = try rows(from: object.text + "/", to: object.text + "0", limit: few, in: database)
        if found.count == few {
            found = []
            for id in ObjectKeys.ids(of: object) {
                found += try rows(from: id, to: id + "\u{1}", limit: .max, in: database)
                found += try rows(from: id + "/", to: id + "0", limit: .max, in: database)
            }
        }
        for row in found where ObjectKeys.derives(object, from: EventID(text: row.id)) {
            sequences.append(row.sequence)
        }
        return sequences
    }

    private func rows(
        from first: String,
        to end: String,
        limit: Int,
        in database: Database
    ) throws -> [(sequence: Int64, id: String)] {
        let statement = try database.cachedStatement(
            sql: "SELECT sequence, id FROM events WHERE id >= ? AND id < ? LIMIT ?"
        )
        return try Row.fetchAll(statement, arguments: [first, end, limit]).map { ($0[0], $0[1]) }
    }
}
