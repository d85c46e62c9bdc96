import GRDB
import GRDBSQLite
import Glibc
import MessageBus

/// A call into SQLite that failed.
struct StorageFailure: Error {
    /// The extended result code.
    var code: Int32
    /// What SQLite says about it.
    var message: String
    /// The system's error behind it; 0 when there is none.
    var systemError: Int32

    /// The failure of the last call on `connection`.
    init(code: Int32, connection: OpaquePointer?) {
        self.code = connection.map { sqlite3_extended_errcode($0) } ?? code
        message = connection.map { String(cString: sqlite3_errmsg($0)) } ?? String(cString: sqlite3_errstr(code))
        systemError = connection.map { sqlite3_system_errno($0) } ?? 0
    }

    /// A failure that GRDB reports of `database`.
    init(_ error: DatabaseError, in database: Database?) {
        code = error.extendedResultCode.rawValue
        message = error.message ?? String(cString: sqlite3_errstr(code))
        systemError = database?.sqliteConnection.map { sqlite3_system_errno($0) } ?? 0
    }

    /// Whether there is no room on the disk, or none that this process may use.
    var isFull: Bool {
        if code & 0xff == SQLITE_FULL { return true }
        return code & 0xff == SQLITE_IOERR && [ENOSPC, EDQUOT, EFBIG].contains(systemError)
    }

    /// Whether the file is damaged.
    var isDamage: Bool { [SQLITE_CORRUPT, SQLITE_NOTADB].contains(code & 0xff) }

    /// What readers and writers are told.
    var busError: BusError {
        if code == SQLITE_MISUSE {
            // GRDB's answer when the connection was closed meanwhile.
            .closed
        } else if isFull {
            .full("no room left for the log (\(message)): free some or shorten its retention; it goes on by itself")
        } else if isDamage {
            .unusable("the log is damaged (\(message)): stop the hub, then restore a backup or move the file away")
        } else {
            .storage("the log could not be read or written: \(message) (SQLite code \(code))")
        }
    }
}

extension BusError {
    /// What the caller is told of `error`, whatever layer it came from.
    static func wrapping(_ error: any Error, in database: Database? = nil) -> any Error {
        switch error {
        case let error as BusError: error
        case let error as StorageFailure: error.busError
        case let error as DatabaseError: StorageFailure(error, in: database).busError
        case is CancellationError: error
        default: BusError.storage("the log could not be read or written: \(error)")
        }
    }
}
