import GRDB
import MessageBus
import SocialEvents

/// One connection that reads, with what it keeps between two reads.
///
/// Unchecked because the compiler cannot see it: the statement and the names are touched only inside `read`, on the queue of the connection.
final class LogReader: @unchecked Sendable {
    private let queue: DatabaseQueue
    private var scan: Statement?
    private var names = NameTable()

    init(path: String) throws {
        var configuration = Configuration()
        configuration.readonly = true
        configuration.label = "roost.log.reader"
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { database in try database.execute(sql: "PRAGMA cache_size = -4096") }
        queue = try DatabaseQueue(path: path, configuration: configuration)
    }

    /// Calls `work` with one state of the log.
    ///
    /// Cancellation does not interrupt it: it is short by its limits.
    func read<Value: Sendable>(_ work: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            queue.asyncRead { result in
                continuation.resume(
                    with: Result {
                        do {
                            return try work(result.get())
                        } catch {
                            throw BusError.wrapping(error, in: try? result.get())
                        }
                    }
                )
            }
        }
    }

    /// A page from the tables.
    func page(after position: Sequence, filter: EventFilter, limits: PageLimits) async throws -> LogPage {
        try await read { database in
            let span = try LogSpan(database)
            try span.check(position)
            var page = PageBuilder(filter: filter, limits: limits, position: position)
            try self.scan(after: position, filter: filter, into: &page, end: span.head, in: database)
            return page.finish(head: span.head)
        }
    }

    /// Lets go of the connection.
    func close() {
        queue.writeWithoutTransaction { _ in scan = nil }
        // It fails only when statements are still in use, and there are none.
        try? queue.close()
    }

    private func scan(
        after position: Sequence,
        filter: EventFilter,
        into page: inout PageBuilder,
        end: Sequence,
        in database: Database
    ) throws {
        let rows = try scanStatement(on: database)
        rows.bind(1, position.number)
        // Taken out of this object while it runs, so that no row pays for the checks of access to it.
        var names = NameTable()
        swap(&names, &self.names)
        defer {
            rows.reset()
            self.names = names
        }
        while page.hasRoom {
            guard try rows.step() else { return page.reachEnd(end) }
            let sequence = Sequence(rows.integer(0))
            if !rows.isNull(6) {
                let duplicateOf = rows.isNull(5) ? nil : Sequence(rows.integer(5))
                let source = try names.source(rows.integer(2), in: database)
                let platform = try names.platform(rows.integer(3), in: database)
                let type = try names.type(rows.integer(4), in: database)
                if filter.admits(source: source, platform: platform, type: type, isDuplicate: duplicateOf != nil) {
                    let body = rows.bytes(6)
                    guard page.hasRoom(forBody: body.count) else { return }
                    let entry = LogEntry(
                        sequence: sequence,
                        recordedTime: Timestamp(milliseconds: rows.integer(1)),
                        source: source,
                        platform: platform,
                        type: type,
                        duplicateOf: duplicateOf,
                        body: 0..<0
                    )
                    page.append(entry, body: body)
                }
            }
            page.pass(sequence)
        }
    }

    private func scanStatement(on database: Database) throws -> Statement {
        if let scan { return scan }
        let statement = try Statement(
            """
            SELECT sequence, recorded, source, platform, type, duplicateof, body FROM events
            WHERE sequence > ?1 ORDER BY sequence
            """,
            on: database
        )
        scan = statement
        return statement
    }
}

/// What the log spans, as one state of the database says.
struct LogSpan {
    var head: Sequence
    var trimmedThrough: Sequence

    init(_ database: Database) throws {
        let trimmed = try LogSchema.meta("trimmedthrough", in: database)
        let last = try Int64.fetchOne(database.cachedStatement(sql: "SELECT max(sequence) FROM events")) ?? 0
        trimmedThrough = Sequence(trimmed)
        head = Sequence(max(last, trimmed))
    }

    /// Throws when the log cannot be read on after `position`.
    func check(_ position: Sequence) throws {
        if position < trimmedThrough {
            throw BusError.positionLost(lost: Sequence(position.number + 1)...trimmedThrough)
        }
        if position > head { throw BusError.positionAhead(head: head) }
    }
}

/// Names by number as one reader has met them; read from the table at the first meeting.
struct NameTable {
    // By number: there are few, and each event asks for three.
    private var sources: [SourceName?] = []
    private var platforms: [Platform?] = []
    private var types: [EventType?] = []

    mutating func source(_ number: Int64, in database: Database) throws -> SourceName {
        try Self.find(number, in: &sources) { SourceName(try Self.name(number, in: database)) }
    }

    mutating func platform(_ number: Int64, in database: Database) throws -> Platform {
        try Self.find(number, in: &platforms) { Platform(try Self.name(number, in: database)) }
    }

    mutating func type(_ number: Int64, in database: Database) throws -> EventType {
        try Self.find(number, in: &types) {
            EventType(rawValue: try Self.name(number, in: database)) ?? .unrecognised
        }
    }

    private static func find<Name>(_ number: Int64, in known: inout [Name?], _ read: () throws -> Name) throws -> Name {
        let index = Int(number)
        if known.indices.contains(index), let name = known[index] { return name }
        // The table was read first: a number that is in no row of it, however large, takes no room here.
        let name = try read()
        if index >= known.count { known += Array(repeating: nil, count: index + 1 - known.count) }
        known[index] = name
        return name
    }

    private static func name(_ number: Int64, in database: Database) throws -> String {
        let statement = try database.cachedStatement(sql: "SELECT name FROM names WHERE number = ?")
        guard let name = try String.fetchOne(statement, arguments: [number]) else {
            throw BusError.unusable(
                "the log is damaged (no name \(number) in it): restore a backup or move the file away"
            )
        }
        return name
    }
}
