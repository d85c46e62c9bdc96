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
        let isAlone = MetaEnvelope.isSingle(root)
        MetaEnvelope.forEach(in: root, body: isAlone ? body : nil) { notice in
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
    /// Calls a closure for every notice of a document.
    static func forEach(in root: JSONValue, body: [UInt8]?, _ take: (MetaNotice) -> Void) {
        guard root.kind == .array, !root.elements.isEmpty else { return envelope(root, body, take) }
        for element in root.elements { envelope(element, body, take) }
    }

    /// Whether a document has one notice; counted without making any.
    static func isSingle(_ root: JSONValue) -> Bool {
        var count = 0
        forEach(in: root, body: nil) { _ in count += 1 }
        return count == 1
    }

    private static func envelope(_ root: JSONValue, _ body: [UInt8]?, _ take: (MetaNotice) -> Void) {
        let object = root["object"]
        guard let entries = root["entry"] else {
            // The dashboard shows and copies changes without an envelope.
            let change = root["sample"] ?? root
            if let field = change["field"], field.kind == .string, let value = change["value"] {
                take(MetaNotice(.change, object: object, entry: nil, field: field, value: value, body: body))
            } else {
                take(MetaNotice(.other, object: object, entry: nil, value: root, body: body))
            }
            return
        }
        guard entries.kind == .array else { return entry(entries, root, object, body, take) }
        if entries.elements.isEmpty {
            take(MetaNotice(.other, object: object, entry: nil, value: root, body: body))
        }
        for element in entries.elements { entry(element, root, object, body, take) }
    }

    private static func entry(
        _ entry: JSONValue,
        _ root: JSONValue,
        _ object: JSONValue?,
        _ body: [UInt8]?,
        _ take: (MetaNotice) -> Void
    ) {
        var isRead = false
        if let changes = entry["changes"], changes.kind == .array {
            for change in changes.elements {
                isRead = true
                let value = change["value"]
                // A change without a value tells that something changed, and is its own value.
                take(
                    MetaNotice(
                        .change,
                        object: object,
                        entry: entry,
                        field: change["field"],
                        value: value ?? change,
                        change: change,
                        body: body
                    )
                )
            }
        }
        if let field = entry["field"], field.kind == .string, let value = entry["value"] {
            isRead = true
            take(MetaNotice(.change, object: object, entry: entry, field: field, value: value, body: body))
        }
        if let items = entry["messaging"], items.kind == .array {
            for item in items.elements {
                isRead = true
                take(MetaNotice(.messaging, object: object, entry: entry, value: item, body: body))
            }
        }
        if let items = entry["standby"], items.kind == .array {
            for item in items.elements {
                isRead = true
                take(MetaNotice(.standby, object: object, entry: entry, value: item, body: body))
            }
        }
        if !isRead { take(MetaNotice(.other, object: object, entry: entry, value: entry, body: body)) }
    }
}
