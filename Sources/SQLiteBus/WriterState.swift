import GRDB
import MessageBus
import SocialEvents

/// What the writer remembers of the database between two commits; a copy of it is put back when a transaction fails.
struct WriterState {
    /// What one source's dead letters take.
    struct Letters {
        var count = 0
        var bytes = 0
    }

    /// The last position given.
    var head: Sequence
    /// Everything up to here was retained away.
    var trimmedThrough: Sequence
    /// The time recorded last; later ones are never earlier.
    var recorded: Timestamp
    var letters: [Int64: Letters] = [:]
    private var sources: [String: Int64] = [:]
    private var platforms: [String: Int64] = [:]
    private var types: [String: Int64] = [:]

    /// As the database says.
    init(_ database: Database) throws {
        let span = try LogSpan(database)
        head = span.head
        trimmedThrough = span.trimmedThrough
        let last = try Int64.fetchOne(database, sql: "SELECT recorded FROM events ORDER BY sequence DESC LIMIT 1")
        recorded = Timestamp(milliseconds: max(last ?? 0, try LogSchema.meta("recorded", in: database)))
        let names = try Row.fetchCursor(database, sql: "SELECT kind, name, number FROM names")
        while let row = try names.next() {
            if let kind = NameKind(rawValue: row[0]) { self[kind, row[1]] = row[2] }
        }
        let letters = try Row.fetchCursor(
            database,
            sql: "SELECT source, count(*), sum(length(payload)) FROM deadletters GROUP BY source"
        )
        while let row = try letters.next() { self.letters[row[0]] = Letters(count: row[1], bytes: row[2]) }
    }

    /// The number of a name, if it was met before.
    private(set) subscript(kind: NameKind, name: String) -> Int64? {
        get {
            switch kind {
            case .source: sources[name]
            case .platform: platforms[name]
            case .type: types[name]
            }
        }
        set {
            switch kind {
            case .source: sources[name] = newValue
            case .platform: platforms[name] = newValue
            case .type: types[name] = newValue
            }
        }
    }

    /// The number of a name, which is written down when it is new.
    mutating func number(of name: String, _ kind: NameKind, in database: Database) throws -> Int64 {
        if let known = self[kind, name] { return known }
        try database.execute(sql: "INSERT INTO names (kind, name) VALUES (?, ?)", arguments: [kind.rawValue, name])
        let number = database.lastInsertedRowID
        self[kind, name] = number
        return number
    }
}
