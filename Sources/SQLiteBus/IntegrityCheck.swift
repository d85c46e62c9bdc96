import GRDB
import MessageBus

/// Whether the log can be trusted, looked at before it is used.
///
/// After an orderly end only its ends are checked: that the newest events can be read, that the index of ids finds them, and that what the log says
/// of its span is so. After a crash the whole file is, as long as that takes seconds and not minutes; SQLite's own recovery has already run by then.
struct IntegrityCheck {
    /// How many of the newest events are read.
    static let newest = 1_000

    var path: String
    /// Whether the whole file is checked.
    var isThorough: Bool

    /// Throws ``BusError/unusable(_:)`` when the log is damaged.
    func run(_ database: Database) throws {
        do {
            if isThorough, let fault = try String.fetchOne(database, sql: "PRAGMA quick_check(1)"), fault != "ok" {
                throw damage(fault)
            }
            try checkNewest(database)
        } catch let error as DatabaseError {
            throw damage(error.message ?? "\(error.resultCode)")
        }
    }

    private func checkNewest(_ database: Database) throws {
        let trimmed = try LogSchema.meta("trimmedthrough", in: database)
        if let first = try Int64.fetchOne(database, sql: "SELECT min(sequence) FROM events"), first <= trimmed {
            throw damage("event \(first) should have been retained away")
        }
        let rows = try Row.fetchCursor(
            database,
            sql: """
                SELECT sequence, coalesce(length(body), -1), coalesce(hex(substr(body, 1, 1)), ''),
                    (SELECT sequence FROM events AS found WHERE found.id = events.id AND found.source = events.source),
                    (SELECT count(*) FROM names WHERE number IN (source, platform, type))
                FROM events ORDER BY sequence DESC LIMIT \(Self.newest)
                """
        )
        while let row = try rows.next() {
            let sequence: Int64 = row[0]
            let size: Int64 = row[1]
            guard size == -1 || row[2] == "7B" else { throw damage("event \(sequence) is no JSON object") }
            guard row[3] == sequence else { throw damage("event \(sequence) is not found by its id") }
            guard row[4] == 3 else { throw damage("event \(sequence) has no source, platform or type") }
        }
    }

    private func damage(_ fault: String) -> BusError {
        .unusable("the log \(path) is damaged (\(fault)): restore a backup, or move the file away to begin a new log")
    }
}
