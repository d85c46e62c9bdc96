import GRDB
import MessageBus
import SocialEvents

extension LogWriter {
    /// Drops the oldest events beyond `policy`, at most one step's worth; answers how many.
    func trimStep(_ policy: RetentionPolicy, now: Timestamp, in database: Database) throws -> Int {
        let trimmed = state.trimmedThrough
        let dropped = try transaction(in: database) { _ in
            let last = try lastDue(policy, now: now, in: database)
            guard let last else { return 0 }
            try database.cachedStatement(sql: "DELETE FROM events WHERE sequence <= ?").execute(arguments: [last])
            let count = database.changesCount
            try trimDeliveries(through: last, in: database)
            state.trimmedThrough = Sequence(last)
            try LogSchema.setMeta("trimmedthrough", last, in: database)
            // The rows that said it may all be gone.
            try LogSchema.setMeta("recorded", state.recorded.milliseconds, in: database)
            return count
        }
        if state.trimmedThrough > trimmed { recent.trim(through: state.trimmedThrough) }
        return dropped
    }

    /// Gives free pages back to the disk, at most one step's worth; false when there are none left.
    func vacuumStep(in database: Database) throws -> Bool {
        try transaction(in: database) { _ in
            let free = try Int.fetchOne(database, sql: "PRAGMA freelist_count") ?? 0
            guard free > 0 else { return false }
            try database.execute(sql: "PRAGMA incremental_vacuum(\(configuration.stepCount))")
            return free > configuration.stepCount
        }
    }

    /// The last of the oldest events that are to be dropped in one step.
    private func lastDue(_ policy: RetentionPolicy, now: Timestamp, in database: Database) throws -> Int64? {
        var excess: Int64 = 0
        if let size = policy.size { excess = try Self.usedBytes(database) - size }
        let oldest = policy.age.map { now.advanced(by: .zero - $0) }
        guard excess > 0 || oldest != nil else { return nil }
        let rows = try Row.fetchCursor(
            database.cachedStatement(
                sql: """
                    SELECT sequence, recorded, coalesce(length(body), 0) + 2 * length(id) FROM events
                    ORDER BY sequence LIMIT ?
                    """
            ),
            arguments: [configuration.stepCount]
        )
        var last: Int64?
        while let row = try rows.next() {
            let isOld = oldest.map { Timestamp(milliseconds: row[1]) < $0 } ?? false
            guard isOld || excess > 0 else { break }
            last = row[0]
            let size: Int64 = row[2]
            excess -= size
        }
        return last
    }

    /// Bytes that the log takes, without the pages that are free.
    static func usedBytes(_ database: Database) throws -> Int64 {
        let pages = try Int64.fetchOne(database, sql: "PRAGMA page_count") ?? 0
        let free = try Int64.fetchOne(database, sql: "PRAGMA freelist_count") ?? 0
        let size = try Int64.fetchOne(database, sql: "PRAGMA page_size") ?? 0
        return (pages - free) * size
    }
}
