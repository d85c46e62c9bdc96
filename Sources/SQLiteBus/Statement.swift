import GRDB
import GRDBSQLite

/// A prepared statement on the way that every event takes, kept as long as its connection.
///
/// GRDB's own statements copy what is bound; here pointers into a batch's storage are bound and read in place. Confined to its connection's queue.
final class Statement {
    private let handle: OpaquePointer
    private let connection: OpaquePointer

    /// Prepares `sql` on the connection of `database`.
    init(_ sql: StaticString, on database: Database) throws {
        guard let connection = database.sqliteConnection else { throw BusClosed() }
        var handle: OpaquePointer?
        let text = UnsafeRawPointer(sql.utf8Start).assumingMemoryBound(to: CChar.self)
        let code = sqlite3_prepare_v3(
            connection,
            text,
            Int32(sql.utf8CodeUnitCount),
            UInt32(SQLITE_PREPARE_PERSISTENT),
            &handle,
            nil
        )
        guard code == SQLITE_OK, let handle else { throw StorageFailure(code: code, connection: connection) }
        self.handle = handle
        self.connection = connection
    }

    deinit { sqlite3_finalize(handle) }

    /// Binds an integer.
    func bind(_ index: Int32, _ value: Int64) { sqlite3_bind_int64(handle, index, value) }

    /// Binds an integer or NULL.
    func bind(_ index: Int32, _ value: Int64?) {
        if let value { sqlite3_bind_int64(handle, index, value) } else { sqlite3_bind_null(handle, index) }
    }

    /// Binds UTF-8 text, which must stay in place until the statement is reset; `nil` binds NULL.
    func bind(_ index: Int32, textInPlace bytes: UnsafeRawBufferPointer?) {
        let base = bytes?.baseAddress?.assumingMemoryBound(to: CChar.self)
        // The destructor left out means SQLITE_STATIC. A nil pointer binds NULL.
        sqlite3_bind_text64(handle, index, base, UInt64(bytes?.count ?? 0), nil, UInt8(SQLITE_UTF8))
    }

    /// Binds bytes, which must stay in place until the statement is reset; `nil` binds NULL.
    func bind(_ index: Int32, blobInPlace bytes: UnsafeRawBufferPointer?) {
        sqlite3_bind_blob64(handle, index, bytes?.baseAddress, UInt64(bytes?.count ?? 0), nil)
    }

    /// Goes on to the next row; false when there is none.
    func step() throws -> Bool {
        let code = sqlite3_step(handle)
        if code == SQLITE_ROW { return true }
        if code == SQLITE_DONE { return false }
        let failure = StorageFailure(code: code, connection: connection)
        sqlite3_reset(handle)
        throw failure
    }

    /// Makes it ready to run again, letting go of what it read.
    func reset() { sqlite3_reset(handle) }

    /// Runs it to its end.
    func run() throws {
        while try step() {}
        reset()
    }

    /// The integer in a column of the current row; 0 for NULL.
    func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }

    /// Whether a column of the current row is NULL.
    func isNull(_ column: Int32) -> Bool { sqlite3_column_type(handle, column) == SQLITE_NULL }

    /// The bytes in a column of the current row, valid until the next step.
    func bytes(_ column: Int32) -> UnsafeRawBufferPointer {
        let start = sqlite3_column_blob(handle, column)
        return UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, column)))
    }

    /// The text in a column of the current row.
    func text(_ column: Int32) -> String {
        String(decoding: bytes(column), as: UTF8.self)
    }
}

/// The connection was closed while somebody held it.
struct BusClosed: Error {}
