import ConnectorKit
import FoundationEssentials
import GRDB
import MessageBus
import SocialEvents

/// What one transaction of several batches adds to the log.
struct AppendGroup {
    /// When it was recorded.
    var recorded: Timestamp
    /// What each batch added.
    var chunks: [RecentEvents.Chunk] = []
    /// Events whose content was erased by a withdrawal in the group.
    var erased: Set<Sequence> = []
}

extension LogWriter {
    /// Stores one batch: events, dead letters, cursor.
    func store(
        _ batch: PreparedBatch,
        in group: inout AppendGroup,
        _ statements: WriterStatements,
        _ database: Database
    ) throws -> AppendReceipt {
        let source = try state.number(of: batch.source.name, .source, in: database)
        var receipt = AppendReceipt(sequences: [], repeated: 0)
        if !batch.rows.isEmpty {
            var chunk = RecentEvents.Chunk(entries: [], storage: batch.bodies, last: state.head)
            chunk.entries.reserveCapacity(batch.rows.count)
            receipt.sequences.reserveCapacity(batch.rows.count)
            try batch.keys.withUnsafeBytes { keys in
                try batch.bodies.withUnsafeBytes { bodies in
                    for row in batch.rows {
                        let stored = StoredRow(row, keys: keys, bodies: bodies)
                        let mark = row.mark.map { batch.marks[$0] }
                        try store(
                            stored,
                            mark,
                            of: batch.source,
                            source,
                            in: &group,
                            &chunk,
                            &receipt,
                            statements,
                            database
                        )
                    }
                }
            }
            if !receipt.sequences.isEmpty {
                chunk.last = state.head
                if !group.erased.isDisjoint(with: receipt.sequences) { chunk.remove(group.erased) }
                group.chunks.append(chunk)
            }
        }
        for letter in batch.deadLetters { try keep(letter, of: source, at: group.recorded, in: database) }
        for observed in batch.observed { try keep(observed, of: source, in: database) }
        if let cursor = batch.cursor { try keep(cursor, of: source, in: database) }
        return receipt
    }

    private func store(
        _ row: StoredRow,
        _ mark: PreparedMark?,
        of name: SourceName,
        _ source: Int64,
        in group: inout AppendGroup,
        _ chunk: inout RecentEvents.Chunk,
        _ receipt: inout AppendReceipt,
        _ statements: WriterStatements,
        _ database: Database
    ) throws {
        var original: Int64?
        statements.find.bind(1, textInPlace: row.id)
        while try statements.find.step() {
            if statements.find.integer(1) == source {
                statements.find.reset()
                receipt.repeated += 1
                return
            }
            original = min(original ?? .max, statements.find.integer(0))
        }
        statements.find.reset()
        let sequence = Sequence(state.head.number + 1)
        if let mark, try !note(mark, row.values.type, of: source, at: sequence.number, in: database) {
            receipt.repeated += 1
            return
        }
        // What was erased is not brought back by another source that saw it too.
        let isErased = try original.map { try wasErased($0, statements) } ?? false
        let insert = statements.insert
        insert.bind(1, sequence.number)
        insert.bind(2, source)
        insert.bind(3, try state.number(of: row.values.platform.name, .platform, in: database))
        insert.bind(4, try state.number(of: row.values.type.rawValue, .type, in: database))
        insert.bind(5, group.recorded.milliseconds)
        insert.bind(6, original)
        insert.bind(7, isErased ? nil : row.values.actor)
        insert.bind(8, textInPlace: isErased ? nil : row.object)
        insert.bind(9, textInPlace: row.id)
        insert.bind(10, blobInPlace: isErased ? nil : row.body)
        try insert.run()
        state.head = sequence
        receipt.sequences.append(sequence)
        if !isErased {
            chunk.entries.append(
                LogEntry(
                    sequence: sequence,
                    recordedTime: group.recorded,
                    source: name,
                    platform: row.values.platform,
                    type: row.values.type,
                    duplicateOf: original.map { Sequence($0) },
                    body: row.values.body
                )
            )
        }
        if let object = row.values.withdrawn {
            group.erased.formUnion(
                try erase(sequences(about: object, in: database), sparing: .withdrawals, in: database)
            )
        }
    }

    private func wasErased(_ sequence: Int64, _ statements: WriterStatements) throws -> Bool {
        statements.probe.bind(1, sequence)
        defer { statements.probe.reset() }
        return try statements.probe.step() && statements.probe.integer(0) != 0
    }

    private func keep(_ cursor: ConnectorKit.Cursor, of source: Int64, in database: Database) throws {
        let statement = try database.cachedStatement(
            sql: """
                INSERT INTO cursors (source, version, bytes) VALUES (?, ?, ?)
                ON CONFLICT (source) DO UPDATE SET version = excluded.version, bytes = excluded.bytes
                """
        )
        try statement.execute(arguments: [source, cursor.version, Data(cursor.bytes)])
    }
}

/// A row with the places its bytes lie at, valid only while its batch is being stored.
private struct StoredRow {
    var values: PreparedRow
    var id: UnsafeRawBufferPointer
    var object: UnsafeRawBufferPointer?
    var body: UnsafeRawBufferPointer

    init(_ values: PreparedRow, keys: UnsafeRawBufferPointer, bodies: UnsafeRawBufferPointer) {
        self.values = values
        id = UnsafeRawBufferPointer(rebasing: keys[values.id])
        object = values.object.map { UnsafeRawBufferPointer(rebasing: keys[$0]) }
        body = UnsafeRawBufferPointer(rebasing: bodies[values.body])
    }
}
