import GRDB
import Glibc
import MessageBus

/// The files of a log, readable by their owner alone.
///
/// They are `roost.db`, what SQLite keeps beside it while it is open, and the lock.
struct LogFiles {
    let directory: String

    /// The database.
    var database: String { directory + "/roost.db" }
    private var writeAheadLog: String { database + "-wal" }

    /// Whether the log was closed by whoever had it last: then no write-ahead log is left.
    var endedInOrder: Bool { Self.size(of: writeAheadLog) == 0 }

    /// Bytes on disk.
    var size: Int64 { Self.size(of: database) + Self.size(of: writeAheadLog) }

    /// Makes the directory and those above it, where they are missing.
    func makeDirectory() throws {
        var path = directory.hasPrefix("/") ? "" : "."
        for part in directory.split(separator: "/") {
            path += "/" + part
            guard mkdir(path, 0o700) == 0 || errno == EEXIST || errno == EISDIR else {
                throw BusError.unusable(
                    "the data directory \(path) cannot be made: \(String(cString: strerror(errno)))"
                )
            }
        }
        guard access(directory, R_OK | W_OK | X_OK) == 0 else {
            throw BusError.unusable(
                "the data directory \(directory) cannot be used: \(String(cString: strerror(errno)))"
            )
        }
    }

    /// Makes an empty database where there is none.
    ///
    /// SQLite would let others read it, and gives its other files the same permissions.
    func makeDatabase() throws {
        let descriptor = open(database, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw BusError.unusable("\(database) cannot be opened: \(String(cString: strerror(errno)))")
        }
        Glibc.close(descriptor)
    }

    private static func size(of path: String) -> Int64 {
        var status = stat()
        return stat(path, &status) == 0 ? Int64(status.st_size) : 0
    }
}

/// How the log's database is opened for writing.
enum LogConnection {
    /// Bytes of a page, for new databases.
    ///
    /// Events are about 1 KB: twice SQLite's default spares a fifth of the processor time of appending and half the calls of reading, and a commit of
    /// a single event still writes little.
    static let pageSize = 8_192

    static func writing(path: String, maximumBytes: Int64?) throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.label = "roost.log.writer"
        configuration.prepareDatabase { database in
            try PageScrubber.attach(to: database)
            if try Int.fetchOne(database, sql: "PRAGMA page_count") == 0 {
                // They take effect only before there is anything in the database.
                try database.execute(sql: "PRAGMA page_size = \(pageSize); PRAGMA auto_vacuum = INCREMENTAL")
            }
            try database.execute(
                sql: """
                    PRAGMA journal_mode = WAL;
                    PRAGMA synchronous = FULL;
                    PRAGMA secure_delete = ON;
                    PRAGMA wal_autocheckpoint = 0;
                    PRAGMA temp_store = MEMORY;
                    PRAGMA cache_size = -32768;
                    PRAGMA journal_size_limit = 67108864;
                    """
            )
            let pages = min(maximumBytes.map { max(1, $0 / Int64(pageSize)) } ?? .max, PageScrubber.maximumPages)
            try database.execute(sql: "PRAGMA max_page_count = \(pages)")
        }
        return try DatabaseQueue(path: path, configuration: configuration)
    }
}
