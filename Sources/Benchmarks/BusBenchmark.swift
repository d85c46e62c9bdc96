import ConnectorKit
import Dispatch
import GRDBSQLite
import Glibc
import JSON
import MessageBus
import SQLiteBus
import SocialEvents

/// Measures the embedded log with events of about 1 KB: durable appends against plain calls of the sqlite3 API, and reading.
///
/// The plain program uses the tables, indexes and settings of the log itself, bodies encoded beforehand, and one transaction for each batch; its
/// checkpoints run on another connection too. One source that hands over batch after batch is synced as often as that program is; four at once may be
/// synced together, so that beside them stands a plain program with four times the batch. All write to the same disk by turns, so that what the disk
/// does meets all; medians.
func benchmarkBus() async throws -> [BenchmarkRow] {
    let rounds = 5
    let place = try TemporaryFolder()
    let isInMemory = place.isInMemory
    place.remove()
    var plain: [Double] = []
    var plainTogether: [Double] = []
    var alone: [Appending] = []
    var together: [Appending] = []
    var single: [Appending] = []
    for round in 0..<rounds {
        plain.append(try PlainSQLite.rate(events: 60_000, batch: 100, round: round))
        alone.append(try await appending(sources: 1, events: 60_000, batch: 100))
        plainTogether.append(try PlainSQLite.rate(events: 60_000, batch: 400, round: round))
        together.append(try await appending(sources: 4, events: 60_000, batch: 100))
        single.append(try await appending(sources: 64, events: 20_000, batch: 1))
    }
    let reference = median(plain)
    let size = BenchmarkEvents.size
    var rows = [
        BenchmarkRow(
            name: "plain sqlite3, batches of 100",
            value: reference,
            unit: "events/s",
            note: "\(size) bytes each" + (isInMemory ? "; in memory, not on a disk: a sync costs nothing here" : "")
        ),
        BenchmarkRow(
            name: "append, 1 source, batches of 100, one after another",
            value: median(alone.map(\.rate)),
            unit: "events/s",
            bar: 0.9 * reference,
            note: "encoding included; commit " + delays(alone)
        ),
        BenchmarkRow(name: "plain sqlite3, batches of 400", value: median(plainTogether), unit: "events/s"),
        BenchmarkRow(
            name: "append, 4 sources, batches of 100",
            value: median(together.map(\.rate)),
            unit: "events/s",
            note: "up to 400 a sync; encoding included; commit " + delays(together)
        ),
        BenchmarkRow(
            name: "append, 64 sources, one event each",
            value: median(single.map(\.rate)),
            unit: "events/s",
            note: "commit " + delays(single)
        ),
        BenchmarkRow(
            name: "99th percentile of a commit, 4 sources at full speed",
            value: median(together.map { $0.delay(0.99) }),
            unit: "ms",
            note: "to stay under 20"
        ),
    ]
    rows += try await reading()
    return rows
}

private func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

private func delays(_ runs: [Appending]) -> String {
    let medians = [0.5, 0.99].map { part in median(runs.map { $0.delay(part) }) }
    let figures = (medians + [runs.map { $0.delay(1) }.max() ?? 0]).map { "\(($0 * 100).rounded() / 100)" }
    return "p50 \(figures[0]), p99 \(figures[1]), max of \(runs.count) runs \(figures[2]) ms"
}

// MARK: - The log

/// One run of appending.
private struct Appending {
    var rate: Double
    /// Milliseconds from handing over a batch to its acknowledgement, ascending.
    var milliseconds: [Double]

    func delay(_ part: Double) -> Double {
        milliseconds[min(milliseconds.count - 1, Int(Double(milliseconds.count) * part))]
    }
}

private func appending(sources: Int, events: Int, batch: Int) async throws -> Appending {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    let bus = try await SQLiteBus(directory: folder.path, SQLiteBusConfiguration { BenchmarkEvents.now() })
    // The connector's part of the work is done before.
    let batches = (0..<sources).map { source in
        stride(from: 0, to: events / sources, by: batch).map { start in
            LogBatch(
                source: SourceName("source-\(source)"),
                events: (start..<start + batch).map { BenchmarkEvents.event($0 * sources + source) },
                cursor: Cursor(bytes: Array("\(start)".utf8))
            )
        }
    }
    let start = BenchmarkEvents.seconds()
    let milliseconds = try await withThrowingTaskGroup(of: [Double].self) { group in
        for own in batches {
            group.addTask {
                var delays: [Double] = []
                for batch in own {
                    let start = BenchmarkEvents.seconds()
                    _ = try await bus.append(batch)
                    delays.append((BenchmarkEvents.seconds() - start) * 1_000)
                }
                return delays
            }
        }
        return try await group.reduce(into: []) { $0 += $1 }
    }
    let elapsed = BenchmarkEvents.seconds() - start
    await bus.close()
    let count = batches.reduce(0) { $0 + $1.count * batch }
    return Appending(rate: Double(count) / elapsed, milliseconds: milliseconds.sorted())
}

private func reading() async throws -> [BenchmarkRow] {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    let count = 200_000
    var bus = try await SQLiteBus(directory: folder.path, SQLiteBusConfiguration { BenchmarkEvents.now() })
    for start in stride(from: 0, to: count, by: 1_000) {
        let events = (start..<start + 1_000).map { BenchmarkEvents.event($0) }
        _ = try await bus.append(LogBatch(source: SourceName("source-\(start % 3)"), events: events))
    }
    let repeated = (0..<1_000).map { BenchmarkEvents.event($0) }
    let again = try await median(bus) { bus in
        for _ in 0..<50 { _ = try await bus.append(LogBatch(source: SourceName("source-0"), events: repeated)) }
        return 50 * repeated.count
    }
    // Opened anew, nothing is in memory.
    await bus.close()
    bus = try await SQLiteBus(directory: folder.path, SQLiteBusConfiguration { BenchmarkEvents.now() })
    let scanning = try await median(bus) { try await scan($0, EventFilter(), from: .start) }
    let selecting = try await median(bus) { bus in
        _ = try await scan(bus, EventFilter(sources: [SourceName("source-1")]), from: .start)
        return count
    }
    let recent = (0..<5_000).map { BenchmarkEvents.event(count + $0) }
    _ = try await bus.append(LogBatch(source: SourceName("source-1"), events: recent))
    let head = try await median(bus) { bus in
        var read = 0
        for _ in 0..<40 { read += try await scan(bus, EventFilter(), from: Sequence(Int64(count))) }
        return read
    }
    await bus.close()
    return [
        BenchmarkRow(name: "scan through page()", value: scanning, unit: "events/s", bar: 500_000, note: "one reader"),
        BenchmarkRow(
            name: "scan for one source of three",
            value: selecting,
            unit: "events/s",
            note: "events looked at"
        ),
        BenchmarkRow(name: "pages at the head, from memory", value: head, unit: "events/s"),
        BenchmarkRow(name: "repeated events recognised", value: again, unit: "events/s", note: "encoding included"),
    ]
}

private func median(_ bus: SQLiteBus, _ work: (SQLiteBus) async throws -> Int) async throws -> Double {
    var rates: [Double] = []
    for _ in 0..<5 {
        let start = BenchmarkEvents.seconds()
        let count = try await work(bus)
        rates.append(Double(count) / (BenchmarkEvents.seconds() - start))
    }
    return median(rates)
}

private func scan(_ bus: SQLiteBus, _ filter: EventFilter, from start: Sequence) async throws -> Int {
    var position = start
    var count = 0
    while true {
        let page = try await bus.page(after: position, filter: filter, limits: PageLimits())
        count += page.entries.count
        if page.scannedThrough == page.head { return count }
        position = page.scannedThrough
    }
}

// MARK: - The plain program

/// What a program does that calls the sqlite3 API itself.
private enum PlainSQLite {
    /// Events a second, inserted in transactions of `batch`.
    static func rate(events: Int, batch: Int, round: Int) throws -> Double {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let path = folder.path + "/plain.db"
        let writer = try Connection(path)
        for statement in settings + tables { try writer.execute(statement) }
        let pages = UnsafeMutablePointer<Int32>.allocate(capacity: 1)
        pages.initialize(to: 0)
        defer { pages.deallocate() }
        sqlite3_wal_hook(
            writer.handle,
            { pages, _, _, count in
                pages?.assumingMemoryBound(to: Int32.self).pointee = count
                return SQLITE_OK
            },
            pages
        )
        let checkpoints = try Checkpoints(path)
        let begin = try writer.prepare("BEGIN IMMEDIATE")
        let commit = try writer.prepare("COMMIT")
        let insert = try writer.prepare("INSERT INTO events VALUES (?1, 1, 2, 3, ?2, NULL, ?3, NULL, ?4, ?5)")
        let find = try writer.prepare("SELECT sequence, source FROM events WHERE id = ?1")
        let rows = (0..<events).map { BenchmarkEvents.plainRow($0) }
        let start = BenchmarkEvents.seconds()
        for first in stride(from: 0, to: events, by: batch) {
            sqlite3_step(begin)
            sqlite3_reset(begin)
            for index in first..<first + batch {
                let row = rows[index]
                try row.id.withUnsafeBytes { id in
                    let text = id.baseAddress?.assumingMemoryBound(to: CChar.self)
                    sqlite3_bind_text(find, 1, text, Int32(id.count), nil)
                    _ = sqlite3_step(find)
                    sqlite3_reset(find)
                    sqlite3_bind_int64(insert, 1, Int64(index + 1))
                    sqlite3_bind_int64(insert, 2, 1_800_000_000_000)
                    sqlite3_bind_int64(insert, 3, row.actor)
                    sqlite3_bind_text(insert, 4, text, Int32(id.count), nil)
                    try row.body.withUnsafeBytes { body in
                        sqlite3_bind_blob(insert, 5, body.baseAddress, Int32(body.count), nil)
                        guard sqlite3_step(insert) == SQLITE_DONE else { throw BusError.storage("insert failed") }
                    }
                    sqlite3_reset(insert)
                }
            }
            guard sqlite3_step(commit) == SQLITE_DONE else { throw BusError.storage("commit failed") }
            sqlite3_reset(commit)
            checkpoints.note(pages: pages.pointee, writer)
        }
        let elapsed = BenchmarkEvents.seconds() - start
        checkpoints.stop()
        for statement in [begin, commit, insert, find] { sqlite3_finalize(statement) }
        writer.close()
        return Double(events) / elapsed
    }

    /// The log's settings and tables.
    private static let settings = [
        "PRAGMA page_size = 8192", "PRAGMA auto_vacuum = INCREMENTAL", "PRAGMA journal_mode = WAL",
        "PRAGMA synchronous = FULL",
        "PRAGMA secure_delete = ON", "PRAGMA wal_autocheckpoint = 0", "PRAGMA cache_size = -32768",
    ]
    private static let tables = [
        """
        CREATE TABLE events (sequence INTEGER PRIMARY KEY, source INTEGER NOT NULL, platform INTEGER NOT NULL, type INTEGER NOT NULL,
            recorded INTEGER NOT NULL, duplicateof INTEGER, actor INTEGER, object TEXT, id TEXT NOT NULL, body BLOB)
        """,
        "CREATE UNIQUE INDEX events_id ON events (id, source)",
        "CREATE INDEX events_object ON events (object) WHERE object IS NOT NULL",
        "CREATE INDEX events_actor ON events (sequence, actor) WHERE actor IS NOT NULL",
    ]
}

/// A connection of the plain program.
private struct Connection {
    let handle: OpaquePointer

    init(_ path: String) throws {
        var handle: OpaquePointer?
        guard sqlite3_open(path, &handle) == SQLITE_OK, let handle else {
            throw BusError.storage("cannot open \(path)")
        }
        self.handle = handle
    }

    func execute(_ sql: String) throws {
        guard sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK else { throw BusError.storage("\(sql) failed") }
    }

    func prepare(_ sql: String) throws -> OpaquePointer {
        var statement: OpaquePointer?
        guard sqlite3_prepare_v2(handle, sql, -1, &statement, nil) == SQLITE_OK, let statement else {
            throw BusError.storage("\(sql) failed")
        }
        return statement
    }

    func close() { sqlite3_close(handle) }
}

/// Checkpoints on another connection and thread, as the log does.
///
/// Unchecked because the connection is used on the queue alone.
private final class Checkpoints: @unchecked Sendable {
    private let connection: Connection
    private let queue = DispatchQueue(label: "plain.checkpoint")
    private var asked: Int32 = 0

    init(_ path: String) throws {
        connection = try Connection(path)
        try connection.execute("PRAGMA synchronous = FULL")
        try connection.execute("PRAGMA wal_autocheckpoint = 0")
    }

    /// Told after each commit how long the write-ahead log is.
    func note(pages: Int32, _ writer: Connection) {
        if pages < asked { asked = 0 }
        if pages > 8_192 {
            sqlite3_wal_checkpoint_v2(writer.handle, nil, SQLITE_CHECKPOINT_PASSIVE, nil, nil)
        } else if pages - asked >= 512 {
            asked = pages
            queue.async { sqlite3_wal_checkpoint_v2(self.connection.handle, nil, SQLITE_CHECKPOINT_PASSIVE, nil, nil) }
        }
    }

    func stop() { queue.sync { connection.close() } }
}

// MARK: - What both store

private enum BenchmarkEvents {
    /// Bytes of an event's JSON.
    static let size = body(0).count

    /// A post with words that bring its JSON to about 1 KB.
    static func event(_ number: Int) -> Event {
        let platform: Platform = "mastodon"
        let object = ObjectID(platform, .post, "1122\(100_000_000_000_000 + number)")
        var event = Event(
            id: EventID(object, .created),
            type: .postCreated,
            platform: platform,
            subject: object,
            time: Timestamp(milliseconds: 1_799_999_000_000 + Int64(number))
        )
        var post = SocialObject(id: object, kind: .post)
        post.url = "https://social.example/@somebody/1122\(100_000_000_000_000 + number)"
        post.createdAt = event.time
        post.language = "en"
        post.text = words
        post.audience = .public
        event.data.object = post
        event.data.actor = Actor(
            id: ObjectID(platform, "actor", String(number &* 2_654_435_761 % 50_000)),
            handle: "somebody@social.example",
            name: "Somebody",
            url: "https://social.example/@somebody"
        )
        return event
    }

    /// The columns of the same event, made without the log.
    static func plainRow(_ number: Int) -> (id: [UInt8], actor: Int64, body: [UInt8]) {
        let actor = Int64(truncatingIfNeeded: number &* 2_654_435_761 % 50_000) &* 0x5851_f42d_4c95_7f2d
        return (Array(event(number).id.text.utf8), actor, body(number))
    }

    static func now() -> Timestamp { Timestamp(milliseconds: 1_800_000_000_000) }

    /// Seconds of a clock that nobody sets.
    static func seconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    private static let words = String(repeating: "the quick brown fox jumps over the lazy dog ", count: 9)

    private static func body(_ number: Int) -> [UInt8] {
        var writer = JSONWriter()
        EventEncoder.encodeBody(event(number), source: SourceName("source-0"), into: &writer)
        return writer.bytes
    }
}
