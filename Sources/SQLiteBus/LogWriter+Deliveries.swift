import ConnectorKit
import GRDB
import MessageBus
import SocialEvents

/// What an event says of a message's delivery or of a broadcast's success.
enum PreparedMark: Sendable {
    /// How far a message is.
    case delivery(PreparedDelivery)
    /// A person answered a message.
    case answer(message: Int64, person: Int64)
    /// A person wants no more of them.
    case optOut(person: Int64)

    /// What `event` says, if anything; `hash` digests ids.
    init?(_ event: Event, hash: SipHash) {
        func digest(_ id: ObjectID?) -> Int64? { id.map { hash.digest($0.text) } }
        if let delivery = event.data.delivery, let message = digest(event.subject) {
            self = .delivery(
                PreparedDelivery(
                    message: message,
                    member: delivery.group == nil ? 0 : digest(delivery.recipient) ?? 0,
                    recipient: digest(delivery.recipient) ?? 0,
                    stage: delivery.status,
                    errorCode: delivery.errorCode,
                    broadcast: delivery.broadcast
                )
            )
        } else if event.type == .messageCreated, let message = digest(event.data.inReplyTo?.id) {
            guard let person = digest(event.data.actor?.id) else { return nil }
            self = .answer(message: message, person: person)
        } else if event.type == .followDeleted, event.data.target?.id?.isActor == true,
            let person = digest(event.data.actor?.id)
        {
            // Whoever leaves a group may still be written to.
            self = .optOut(person: person)
        } else {
            return nil
        }
    }
}

/// How far a message is, for one recipient.
struct PreparedDelivery: Sendable {
    /// The digest of the message's id.
    var message: Int64
    /// The digest of the recipient's id in a group; 0 for messages to one, who may be named now by this name and now by that.
    var member: Int64
    /// The digest of the recipient's id; 0 where there is none.
    var recipient: Int64
    var stage: Delivery.Status
    var errorCode: String?
    var broadcast: ObjectID?
}

extension LogWriter {
    /// Notes what an event that is to stand at `sequence` says; false when it says less than the log knows already, and is not to be stored.
    func note(
        _ mark: PreparedMark,
        _ type: EventType,
        of source: Int64,
        at sequence: Int64,
        in database: Database
    ) throws -> Bool {
        let book = DeliveryBook(source: source, sequence: sequence, database: database)
        switch mark {
        case .delivery(let delivery):
            let advances = try book.advance(delivery)
            // A message that says in passing how far it is stands for itself.
            return advances || type != .deliveryUpdated
        case .answer(let message, let person): try book.answer(to: message, by: person)
        case .optOut(let person): try book.optOut(of: person)
        }
        return true
    }

    /// Forgets who the recipient of messages was; what they add to the counts of broadcasts stays.
    func forgetRecipient(_ person: ObjectID, in database: Database) throws {
        try transaction(in: database) { _ in
            let digest = hash.digest(person.text)
            for column in ["member", "recipient"] {
                // A message to a group that forgets two of its members keeps one nameless line.
                try database.execute(
                    sql: "UPDATE OR REPLACE deliveries SET \(column) = 0 WHERE recipient = ?",
                    arguments: [digest]
                )
            }
        }
    }

    /// Forgets the deliveries and broadcasts of a source, inside a transaction.
    func eraseDeliveries(of source: Int64, in database: Database) throws {
        for table in [
            "broadcastcounts WHERE broadcast IN (SELECT number FROM broadcasts WHERE source = ?)",
            "broadcasts WHERE source = ?", "deliveries WHERE source = ?",
        ] {
            try database.execute(sql: "DELETE FROM \(table)", arguments: [source])
        }
    }

    /// Forgets what was last heard of at or before `sequence`, inside a transaction.
    func trimDeliveries(through sequence: Int64, in database: Database) throws {
        for table in [
            "broadcastcounts WHERE broadcast IN (SELECT number FROM broadcasts WHERE sequence <= ?)",
            "broadcasts WHERE sequence <= ?", "deliveries WHERE sequence <= ?",
        ] {
            try database.execute(sql: "DELETE FROM \(table)", arguments: [sequence])
        }
    }

    /// Keeps it that counts were observed, inside a transaction.
    func keep(_ observed: ObservedBroadcast, of source: Int64, in database: Database) throws {
        try database.cachedStatement(
            sql: "UPDATE broadcasts SET observed = max(observed, ?) WHERE object = ? AND source = ?"
        ).execute(arguments: [observed.version, observed.broadcast.text, source])
    }
}

/// How far the messages of one source are, and what became of its broadcasts.
///
/// A line for each message, and in a group for each member, holds the furthest stage; the counts of a broadcast change as its lines do, so that
/// reading them costs the same for ten recipients as for a million, and they outlast lines that retention drops.
private struct DeliveryBook {
    let source: Int64
    let sequence: Int64
    let database: Database

    /// What is known of a message, in a group for one member.
    private struct Line {
        let message: Int64
        let member: Int64
        var recipient: Int64
        /// The stage's rank; 0 while only an answer was seen.
        var rank = 0
        var errorCode: String?
        var broadcast: Int64?
        var isAnswered = false
        var hasOptedOut = false

        /// The counts of its broadcast that it is counted in.
        var counts: [String] {
            guard broadcast != nil else { return [] }
            var counts: [String] = []
            if let stage = Delivery.Status(rank: rank) {
                counts.append(stage.rawValue)
                if stage == .failed { counts.append(BroadcastTally.failure(errorCode)) }
            }
            if isAnswered { counts.append(BroadcastTally.answered) }
            if hasOptedOut { counts.append(BroadcastTally.optedOut) }
            return counts
        }
    }

    /// Moves a message forward; false when it is that far already.
    func advance(_ delivery: PreparedDelivery) throws -> Bool {
        let known = try line(delivery.message, delivery.member)
        var line = known ?? Line(message: delivery.message, member: delivery.member, recipient: delivery.recipient)
        if delivery.recipient != 0 { line.recipient = delivery.recipient }
        let advances = delivery.stage.rank > line.rank
        if advances {
            line.rank = delivery.stage.rank
            line.errorCode = delivery.stage == .failed ? delivery.errorCode : nil
        }
        if line.broadcast == nil, let broadcast = delivery.broadcast { line.broadcast = try number(of: broadcast) }
        try write(line, insteadOf: known)
        return advances
    }

    /// Counts an answer, also one that comes before the first news of its message.
    func answer(to message: Int64, by person: Int64) throws {
        let known = try line(message, person) ?? line(message, 0)
        var line = known ?? Line(message: message, member: 0, recipient: person)
        line.isAnswered = true
        try write(line, insteadOf: known)
    }

    /// Counts an opt-out for the broadcast that the person was reached by last.
    func optOut(of person: Int64) throws {
        let last = try database.cachedStatement(
            sql: """
                SELECT message, member FROM deliveries WHERE recipient = ? AND source = ? AND broadcast IS NOT NULL
                ORDER BY sequence DESC LIMIT 1
                """
        )
        guard let row = try Row.fetchOne(last, arguments: [person, source]), let known = try line(row[0], row[1]) else {
            return
        }
        var line = known
        line.hasOptedOut = true
        try write(line, insteadOf: known)
    }

    private func line(_ message: Int64, _ member: Int64) throws -> Line? {
        let statement = try database.cachedStatement(
            sql: """
                SELECT recipient, stage, errorcode, broadcast, answered, optedout FROM deliveries
                WHERE message = ? AND member = ? AND source = ?
                """
        )
        return try Row.fetchOne(statement, arguments: [message, member, source]).map {
            Line(
                message: message,
                member: member,
                recipient: $0[0],
                rank: $0[1],
                errorCode: $0[2],
                broadcast: $0[3],
                isAnswered: $0[4],
                hasOptedOut: $0[5]
            )
        }
    }

    private func write(_ line: Line, insteadOf known: Line?) throws {
        try database.cachedStatement(
            sql: """
                INSERT OR REPLACE INTO deliveries
                (message, member, source, recipient, stage, errorcode, broadcast, answered, optedout, sequence)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(
            arguments: [
                line.message, line.member, source, line.recipient, line.rank, line.errorCode, line.broadcast,
                line.isAnswered, line.hasOptedOut, sequence,
            ]
        )
        let before = known?.counts ?? []
        let after = line.counts
        guard let broadcast = line.broadcast, before != after else { return }
        for count in before where !after.contains(count) { try add(-1, to: count, of: broadcast) }
        for count in after where !before.contains(count) { try add(1, to: count, of: broadcast) }
        try database.cachedStatement(
            sql: "UPDATE broadcasts SET version = max(version + 1, ?1), sequence = ?1 WHERE number = ?2"
        ).execute(arguments: [sequence, broadcast])
    }

    private func add(_ difference: Int, to count: String, of broadcast: Int64) throws {
        try database.cachedStatement(
            sql: """
                INSERT INTO broadcastcounts (broadcast, name, count) VALUES (?, ?, ?)
                ON CONFLICT (broadcast, name) DO UPDATE SET count = count + excluded.count
                """
        ).execute(arguments: [broadcast, count, difference])
    }

    private func number(of broadcast: ObjectID) throws -> Int64 {
        let find = try database.cachedStatement(sql: "SELECT number FROM broadcasts WHERE object = ? AND source = ?")
        if let number = try Int64.fetchOne(find, arguments: [broadcast.text, source]) { return number }
        try database.cachedStatement(sql: "INSERT INTO broadcasts (object, source, sequence) VALUES (?, ?, ?)").execute(
            arguments: [broadcast.text, source, sequence]
        )
        return database.lastInsertedRowID
    }
}

extension Delivery.Status {
    /// The stage of a rank.
    fileprivate init?(rank: Int) {
        guard let stage = Self.allCases.first(where: { $0.rank == rank }) else { return nil }
        self = stage
    }
}
