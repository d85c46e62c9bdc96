import ConnectorKit
import FoundationEssentials
import GRDB
import MessageBus
import SocialEvents

extension LogWriter {
    /// Puts a new reading in the place of a dead letter, in one transaction; `nil` when its source has none of that id.
    func replaceDeadLetter(
        _ id: Int64,
        with batch: PreparedBatch,
        naming named: NamedInBatch,
        in database: Database,
        _ checkpointer: Checkpointer
    ) throws -> AppendReceipt? {
        var group = AppendGroup(recorded: max(state.recorded, configuration.now()))
        let receipt: AppendReceipt? = try transaction(in: database) { statements in
            guard let kept = try KeptLetter(id, in: database), kept.source == state[.source, batch.source.name] else {
                return nil
            }
            state.recorded = group.recorded
            var batch = batch
            if batch.deadLetters.isEmpty {
                try remove(kept, in: database)
            } else {
                try change(kept, to: batch.deadLetters.removeFirst(), in: database)
            }
            let head = state.head
            let withdrawn = try withdrawals(named, since: kept.recorded, in: database)
            let receipt = try store(batch, in: &group, statements, database)
            try erase(withdrawn, after: head, in: &group, database)
            return receipt
        }
        guard let receipt else { return nil }
        if !group.erased.isEmpty { checkpointer.truncateSoon() }
        recent.publish(group.chunks, erased: group.erased)
        return receipt
    }

    private func change(_ kept: KeptLetter, to letter: DeadLetter, in database: Database) throws {
        try database.execute(
            sql: """
                UPDATE deadletters SET reason = ?, contenttype = ?, payload = ?, iscut = ?, attempts = attempts + 1
                WHERE id = ?
                """,
            arguments: [letter.reason, letter.contentType, Data(letter.payload), letter.isCut, kept.id]
        )
        state.letters[kept.source]?.bytes += letter.payload.count - kept.size
    }

    /// Which objects and people were withdrawn since `moment`.
    private func withdrawals(
        _ named: NamedInBatch,
        since moment: Timestamp,
        in database: Database
    ) throws -> NamedInBatch {
        var withdrawn = NamedInBatch()
        for object in named.objects where try isWithdrawn(object, since: moment, in: database) {
            withdrawn.objects.insert(object)
        }
        for (person, digest) in named.people where try isWithdrawn(person, since: moment, in: database) {
            withdrawn.people[person] = digest
        }
        return withdrawn
    }

    private func isWithdrawn(_ object: ObjectID, since moment: Timestamp, in database: Database) throws -> Bool {
        let statement = try database.cachedStatement(
            sql: """
                SELECT 1 FROM events WHERE sequence = ? AND recorded >= ?
                AND type IN (SELECT number FROM names WHERE kind = 3 AND name LIKE '%.deleted')
                """
        )
        return try sequences(about: object, in: database).contains { sequence in
            try Int.fetchOne(statement, arguments: [sequence, moment.milliseconds]) != nil
        }
    }

    /// Erases what was stored after `head` about the given objects and people, but the news of withdrawals.
    private func erase(
        _ withdrawn: NamedInBatch,
        after head: Sequence,
        in group: inout AppendGroup,
        _ database: Database
    ) throws {
        var stored: [Int64] = []
        for object in withdrawn.objects {
            stored += try sequences(about: object, in: database).filter { $0 > head.number }
        }
        for digest in withdrawn.people.values {
            stored += try Int64.fetchAll(
                database,
                sql: "SELECT sequence FROM events WHERE sequence > ? AND actor = ?",
                arguments: [head.number, digest]
            )
        }
        guard !stored.isEmpty else { return }
        let erased = Set(try erase(stored, sparing: .withdrawals, in: database))
        group.erased.formUnion(erased)
        for index in group.chunks.indices { group.chunks[index].remove(erased) }
    }
}

/// Whom and what the events of a batch are about.
struct NamedInBatch: Sendable {
    var objects: Set<ObjectID> = []
    /// The people who did it, with the digests of their ids.
    var people: [ObjectID: Int64] = [:]

    init() {}

    init(_ batch: LogBatch, hash: SipHash) {
        for event in batch.events {
            if let subject = event.subject { objects.insert(subject) }
            if let person = event.data.actor?.id { people[person] = hash.digest(person.text) }
        }
    }
}

/// What the writer has to know of a dead letter to remove or change it.
struct KeptLetter {
    var id: Int64
    var source: Int64
    var recorded: Timestamp
    /// Bytes of its payload.
    var size: Int

    /// The dead letter of that id, if there is one.
    init?(_ id: Int64, in database: Database) throws {
        let row = try Row.fetchOne(
            database,
            sql: "SELECT source, recorded, length(payload) FROM deadletters WHERE id = ?",
            arguments: [id]
        )
        guard let row else { return nil }
        self.id = id
        source = row[0]
        recorded = Timestamp(milliseconds: row[1])
        size = row[2]
    }
}
