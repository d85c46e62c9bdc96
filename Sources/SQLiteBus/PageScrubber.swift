import GRDB
import GRDBSQLite
import Synchronization

/// Sees to it that no page reaches the database file with remains of cells that once lay on it.
///
/// `secure_delete` overwrites what is deleted where it lies. But when SQLite balances its trees, it moves cells between pages and leaves copies
/// behind in the unused gap of the pages they came from; if such a cell is erased later, the copy stays. In WAL mode all writing to the database file
/// is done by checkpoints, page by page, and the gap means nothing to SQLite: here it is overwritten with zeros on the way.
enum PageScrubber {
    /// The file functions of one kind of file, with the writing of pages replaced.
    ///
    /// Unchecked because both are set up once and never changed.
    private struct Methods: @unchecked Sendable {
        var original: UnsafePointer<sqlite3_io_methods>
        var scrubbing: UnsafePointer<sqlite3_io_methods>
    }

    // SQLite has one such table for all ordinary files; ours lives as long as the process.
    private static let methods = Mutex<Methods?>(nil)

    /// Most pages a database may have: beyond them, the number of a page at the start of another could look like the mark of a tree's page.
    static let maximumPages: Int64 = (1 << 25) - 1

    /// Has everything that `database` writes to its main file scrubbed.
    static func attach(to database: Database) throws {
        var file: UnsafeMutablePointer<sqlite3_file>?
        let code = sqlite3_file_control(database.sqliteConnection, "main", SQLITE_FCNTL_FILE_POINTER, &file)
        guard code == SQLITE_OK, let file, let found = file.pointee.pMethods else {
            throw StorageFailure(code: code, connection: database.sqliteConnection)
        }
        let known = Methods(original: found, scrubbing: found)
        file.pointee.pMethods =
            methods.withLock { methods in
                if let methods, [methods.original, methods.scrubbing].contains(known.original) { return methods }
                let copy = UnsafeMutablePointer<sqlite3_io_methods>.allocate(capacity: 1)
                copy.initialize(to: known.original.pointee)
                copy.pointee.xWrite = writeScrubbed
                let made = Methods(original: known.original, scrubbing: UnsafePointer(copy))
                methods = made
                return made
            }.scrubbing
    }

    /// SQLite's own function that writes to a file.
    fileprivate static var write:
        (
            @convention(c) (
                UnsafeMutablePointer<sqlite3_file>?, UnsafeRawPointer?, Int32, sqlite3_int64
            ) -> Int32
        )?
    {
        methods.withLock { $0?.original.pointee.xWrite }
    }

    /// The gap between the pointers to the cells of a page and the cells, if it is a page of a tree (SQLite file format, section 1.6).
    ///
    /// `page` is the whole page; the first one of a database has the number 1.
    static func gap(in page: UnsafeRawBufferPointer, number: Int64) -> Range<Int>? {
        guard number > 0, page.count >= 512, !isPointerMap(number, pageSize: page.count) else { return nil }
        let header = number == 1 ? 100 : 0
        let isInterior: Bool
        switch page[header] {
        case 2, 5: isInterior = true
        case 10, 13: isInterior = false
        default: return nil
        }
        // Pages of other kinds that are left here begin with a page's number, whose first byte is none of the above in so few pages.
        func word(_ offset: Int) -> Int { Int(page[header + offset]) << 8 | Int(page[header + offset + 1]) }
        let cells = word(3)
        let start = header + (isInterior ? 12 : 8) + 2 * cells
        let end = word(5) == 0 ? 65_536 : word(5)
        guard start <= end, end <= page.count else { return nil }
        return start..<end
    }

    /// Whether a page tells where other pages belong, as some do in databases that can shrink (SQLite file format, section 1.8).
    private static func isPointerMap(_ number: Int64, pageSize: Int) -> Bool {
        number >= 2 && (number - 2) % Int64(pageSize / 5 + 1) == 0
    }
}

/// Called by SQLite to write to the database file.
private func writeScrubbed(
    _ file: UnsafeMutablePointer<sqlite3_file>?,
    _ bytes: UnsafeRawPointer?,
    _ count: Int32,
    _ offset: sqlite3_int64
) -> Int32 {
    guard let write = PageScrubber.write else { return SQLITE_IOERR }
    let page = UnsafeRawBufferPointer(start: bytes, count: Int(count))
    guard count >= 512, offset % Int64(count) == 0,
        let gap = PageScrubber.gap(in: page, number: offset / Int64(count) + 1),
        page[gap].contains(where: { $0 != 0 })
    else { return write(file, bytes, count, offset) }
    return withUnsafeTemporaryAllocation(byteCount: page.count, alignment: 8) { clean in
        clean.copyMemory(from: page)
        UnsafeMutableRawBufferPointer(rebasing: clean[gap]).initializeMemory(as: UInt8.self, repeating: 0)
        return write(file, clean.baseAddress, count, offset)
    }
}
