import GRDB
import MessageBus

/// The tables of the log and how older ones become them.
///
/// What a page of the log costs is set here, so it was measured: an index on a random key such as a person's id would cost more than half of the
/// rate of appending, one that begins with the sequence next to nothing; the index of ids grows at few places, since ids nearly rise.
enum LogSchema {
    /// "Roos" in ASCII, so that `file` and others can tell whose database it is.
    static let applicationID: Int32 = 0x526f_6f73

    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1-log") { database in
            try database.execute(
                sql: """
                    CREATE TABLE meta (
                        key TEXT PRIMARY KEY,
                        value INTEGER NOT NULL
                    ) WITHOUT ROWID;

                    -- Sources, platforms and types by number.
                    CREATE TABLE names (
                        number INTEGER PRIMARY KEY,
                        kind INTEGER NOT NULL,
                        name TEXT NOT NULL,
                        UNIQUE (kind, name)
                    );

                    -- A row whose body is NULL was erased: its position and id stay.
                    CREATE TABLE events (
                        sequence INTEGER PRIMARY KEY,
                        source INTEGER NOT NULL,
                        platform INTEGER NOT NULL,
                        type INTEGER NOT NULL,
                        recorded INTEGER NOT NULL,
                        duplicateof INTEGER,
                        actor INTEGER,
                        object TEXT,
                        id TEXT NOT NULL,
                        body BLOB
                    );
                    CREATE UNIQUE INDEX events_id ON events (id, source);
                    CREATE INDEX events_object ON events (object) WHERE object IS NOT NULL;
                    CREATE INDEX events_actor ON events (sequence, actor) WHERE actor IS NOT NULL;

                    CREATE TABLE cursors (
                        source INTEGER PRIMARY KEY,
                        version INTEGER NOT NULL,
                        bytes BLOB NOT NULL
                    );

                    CREATE TABLE deadletters (
                        id INTEGER PRIMARY KEY AUTOINCREMENT,
                        source INTEGER NOT NULL,
                        recorded INTEGER NOT NULL,
                        reason TEXT NOT NULL,
                        contenttype TEXT NOT NULL,
                        payload BLOB NOT NULL
                    );
                    CREATE INDEX deadletters_source ON deadletters (source, id);

                    -- How many dead letters of a source gave way to newer ones.
                    CREATE TABLE deadletterdrops (
                        source INTEGER PRIMARY KEY,
                        count INTEGER NOT NULL
                    );

                    CREATE TABLE statevalues (
                        key TEXT PRIMARY KEY,
                        bytes BLOB NOT NULL
                    ) WITHOUT ROWID;

                    INSERT INTO meta VALUES ('trimmedthrough', 0), ('recorded', 0), ('hashlow', 0), ('hashhigh', 0);
                    """
            )
            try setMeta("hashlow", Int64.random(in: .min ... .max), in: database)
            try setMeta("hashhigh", Int64.random(in: .min ... .max), in: database)
            try database.execute(sql: "PRAGMA application_id = \(applicationID)")
        }
        migrator.registerMigration("2-rereading") { database in
            try database.execute(
                sql: """
                    -- How often a dead letter was read again in vain, and whether its payload is only a beginning.
                    ALTER TABLE deadletters ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0;
                    ALTER TABLE deadletters ADD COLUMN iscut INTEGER NOT NULL DEFAULT 0;
                    """
            )
        }
        migrator.registerMigration("3-deliveries") { database in
            try database.execute(
                sql: """
                    -- How far each message is: the rank of its stage, 0 while only an answer was seen. A message to a group has a line for each
                    -- member; others have one, whose member is 0. Messages and people stand by the digests of their ids.
                    CREATE TABLE deliveries (
                        message INTEGER NOT NULL,
                        member INTEGER NOT NULL,
                        source INTEGER NOT NULL,
                        recipient INTEGER NOT NULL,
                        stage INTEGER NOT NULL,
                        errorcode TEXT,
                        broadcast INTEGER,
                        answered INTEGER NOT NULL,
                        optedout INTEGER NOT NULL,
                        sequence INTEGER NOT NULL,
                        PRIMARY KEY (message, member, source)
                    ) WITHOUT ROWID;
                    CREATE INDEX deliveries_sequence ON deliveries (sequence);
                    CREATE INDEX deliveries_recipient ON deliveries (recipient, source, sequence);

                    -- Broadcasts, the version of their counts, and which version was told.
                    CREATE TABLE broadcasts (
                        number INTEGER PRIMARY KEY,
                        source INTEGER NOT NULL,
                        object TEXT NOT NULL,
                        sequence INTEGER NOT NULL,
                        version INTEGER NOT NULL DEFAULT 0,
                        observed INTEGER NOT NULL DEFAULT 0,
                        UNIQUE (object, source)
                    );
                    CREATE INDEX broadcasts_changed ON broadcasts (number) WHERE version > observed;
                    CREATE TABLE broadcastcounts (
                        broadcast INTEGER NOT NULL,
                        name TEXT NOT NULL,
                        count INTEGER NOT NULL,
                        PRIMARY KEY (broadcast, name)
                    ) WITHOUT ROWID;
                    """
            )
        }
        return migrator
    }

    /// Refuses a database that is not this log's, before anything in it is changed.
    static func examine(_ path: String) throws {
        let queue = try DatabaseQueue(path: path)
        let (superseded, owner, tables) = try queue.read { database in
            (
                try migrator.hasBeenSuperseded(database),
                try Int32.fetchOne(database, sql: "PRAGMA application_id") ?? 0,
                try Int.fetchOne(database, sql: "SELECT count(*) FROM sqlite_master") ?? 0
            )
        }
        try queue.close()
        guard tables == 0 || owner == applicationID else {
            throw BusError.unusable("\(path) is a database of another program; choose another data directory")
        }
        guard !superseded else {
            throw BusError.unusable(
                "\(path) was written by a newer version of roost; run that version, or start with an empty data directory"
            )
        }
    }

    /// A number the log keeps about itself.
    static func meta(_ key: String, in database: Database) throws -> Int64 {
        let statement = try database.cachedStatement(sql: "SELECT value FROM meta WHERE key = ?")
        guard let value = try Int64.fetchOne(statement, arguments: [key]) else {
            throw BusError.unusable("the log is damaged (no \(key) in it): restore a backup or move the file away")
        }
        return value
    }

    /// Keeps a number about the log.
    static func setMeta(_ key: String, _ value: Int64, in database: Database) throws {
        try database.cachedStatement(sql: "UPDATE meta SET value = ? WHERE key = ?").execute(arguments: [value, key])
    }
}

/// What a number in the table of names stands for.
enum NameKind: Int64 {
    case source = 1
    case platform = 2
    case type = 3
}
