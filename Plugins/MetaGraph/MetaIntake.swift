package import ConnectorKit
package import JSON
package import SocialEvents

/// What is made of a delivery: events, and what of it could not be read.
package struct MetaIntake: Sendable {
    /// The facts, in the order told.
    package var events: [Event] = []
    /// The parts that could not be read.
    package var deadLetters: [DeadLetter] = []

    /// Nothing yet.
    package init() {}

    /// Reads every notice of a document, whatever envelope it has: an object or an array of `{object, entry: [...]}`, with `changes`,
    /// `messaging`, `standby` or flat entries, in any mixture.
    ///
    /// At least one notice comes of each document.
    ///
    /// - Parameters:
    ///   - root: the document.
    ///   - body: its bytes, kept by a notice that is alone in it.
    ///   - read: reads one notice; a `JSONError` that it throws makes a dead letter of what it has not read yet, with no event of that notice.
    package mutating func read(
        _ root: JSONValue,
        body: [UInt8]? = nil,
        _ read: (MetaNotice, inout MetaIntake) throws -> Void
    ) {
        MetaEnvelope.forEach(in: root, body: body) { notice in
            attempt(payload: { notice.payload }) { try read(notice, &$0) }
        }
    }

    /// Reads a part of a notice, such as one of a change's `messages`: when that fails, the part becomes a dead letter and nothing else of it
    /// stays.
    ///
    /// - Parameters:
    ///   - payload: the part's bytes; asked for when it cannot be read. See ``MetaNotice/payload(only:of:leavingOut:)``.
    ///   - read: reads it.
    package mutating func attempt(
        payload: () -> [UInt8],
        _ read: (inout MetaIntake) throws -> Void
    ) {
        let events = events.count
        let letters = deadLetters.count
        do {
            try read(&self)
        } catch {
            self.events.removeSubrange(events...)
            deadLetters.removeSubrange(letters...)
            let reason = (error as? JSONError)?.description ?? "it cannot be read"
            deadLetters.append(DeadLetter(reason: reason, contentType: "application/json", payload: payload()))
        }
    }
}

extension MetaIntake {
    /// Reads the bytes of a dead letter as a delivery, without asking for a signature.
    ///
    /// - Parameters:
    ///   - letter: a letter that ``MetaWebhook`` or an intake made.
    ///   - read: reads one notice, as at first.
    /// - Returns: what came of it.
    /// - Throws: ``ConnectorError`` `malformed` when it is no JSON.
    package static func reread(
        _ letter: DeadLetter,
        _ read: (MetaNotice, inout MetaIntake) throws -> Void
    ) throws -> Rereading {
        var intake = MetaIntake()
        do {
            try JSONParser().parse(letter.payload) { intake.read($0, body: letter.payload, read) }
        } catch let error as JSONError {
            throw ConnectorError.malformed(error, payload: letter.payload, what: "the dead letter")
        }
        return Rereading(events: intake.events, deadLetters: intake.deadLetters)
    }
}

/// The envelopes of Meta's webhooks.
enum MetaEnvelope {
    /// What all notices of a document have.
    private struct Document {
        let root: JSONValue
        let body: [UInt8]?
    }

    /// Calls a closure for every notice of a document.
    static func forEach(in root: JSONValue, body: [UInt8]?, _ take: (MetaNotice) -> Void) {
        let document = Document(root: root, body: body)
        guard root.kind == .array, !root.elements.isEmpty else { return envelope(root, document, take) }
        for element in root.elements { envelope(element, document, take) }
    }

    /// Whether a document has one notice.
    static func isSingle(_ root: JSONValue) -> Bool {
        var count = 0
        forEach(in: root, body: nil) { _ in count += 1 }
        return count == 1
    }

    private static func envelope(_ value: JSONValue, _ document: Document, _ take: (MetaNotice) -> Void) {
        var object: JSONValue?
        var entries: JSONValue?
        for (key, member) in value.members where !member.isNull {
            switch key {
            case "object": object = member
            case "entry": entries = member
            default: break
            }
        }
        func notice(_ kind: MetaNotice.Kind, field: JSONValue? = nil, _ value: JSONValue) -> MetaNotice {
            MetaNotice(
                kind,
                object: object,
                entry: nil,
                field: field,
                value: value,
                root: document.root,
                body: document.body
            )
        }
        guard let entries else {
            // The dashboard shows and copies changes without an envelope.
            let change = value["sample"] ?? value
            if let field = change["field"], field.kind == .string, let inner = change["value"] {
                take(notice(.change, field: field, inner))
            } else {
                take(notice(.other, value))
            }
            return
        }
        guard entries.kind == .array else { return entry(entries, object, document, take) }
        if entries.elements.isEmpty { take(notice(.other, value)) }
        for element in entries.elements { entry(element, object, document, take) }
    }

    private static func entry(
        _ entry: JSONValue,
        _ object: JSONValue?,
        _ document: Document,
        _ take: (MetaNotice) -> Void
    ) {
        var changes: JSONValue?
        var field: JSONValue?
        var value: JSONValue?
        var messaging: JSONValue?
        var standby: JSONValue?
        for (key, member) in entry.members where !member.isNull {
            switch key {
            case "changes": changes = member
            case "field": field = member
            case "value": value = member
            case "messaging": messaging = member
            case "standby": standby = member
            default: break
            }
        }
        var isRead = false
        func tell(_ kind: MetaNotice.Kind, field: JSONValue? = nil, _ value: JSONValue, change: JSONValue? = nil) {
            isRead = true
            take(
                MetaNotice(
                    kind,
                    object: object,
                    entry: entry,
                    field: field,
                    value: value,
                    change: change,
                    root: document.root,
                    body: document.body
                )
            )
        }
        if let changes, changes.kind == .array {
            for change in changes.elements {
                // A change without a value tells that something changed, and is its own value.
                tell(.change, field: change["field"], change["value"] ?? change, change: change)
            }
        }
        if let field, field.kind == .string, let value { tell(.change, field: field, value) }
        if let messaging, messaging.kind == .array {
            for item in messaging.elements { tell(.messaging, item) }
        }
        if let standby, standby.kind == .array {
            for item in standby.elements { tell(.standby, item) }
        }
        if !isRead { tell(.other, entry) }
    }
}
