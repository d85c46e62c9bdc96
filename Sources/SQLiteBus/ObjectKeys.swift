import SocialEvents

/// How the events about an object are found without an index of objects.
///
/// An event's id nearly always is its object's id, a verb and a revision (see `EventID`), so that the unique index of ids serves for objects
/// too: one index less to write for every event. Only where an id says something else is the object stored, in an index of its own.
enum ObjectKeys {
    private static let verbs = EventType.Verb.allCases.map { (text: $0.rawValue, utf8: Array($0.rawValue.utf8)) }

    /// Whether `id` is `object`, a slash, a verb and perhaps a slash and a revision.
    static func derives(_ object: ObjectID, from id: EventID) -> Bool {
        guard id.text.utf8.starts(with: object.text.utf8) else { return false }
        var rest = id.text.utf8.dropFirst(object.text.utf8.count)
        guard rest.popFirst() == UInt8(ascii: "/") else { return false }
        return verbs.contains { verb in rest.starts(with: verb.utf8) && isRevision(rest.dropFirst(verb.utf8.count)) }
    }

    /// The ids that events about `object` may have: each verb alone, and with a slash behind it the start of those with a revision.
    static func ids(of object: ObjectID) -> [String] {
        verbs.map { "\(object.text)/\($0.text)" }
    }

    /// Whether `rest` is nothing, or a slash and digits.
    private static func isRevision(_ rest: Substring.UTF8View) -> Bool {
        guard let slash = rest.first else { return true }
        let digits = rest.dropFirst()
        return slash == UInt8(ascii: "/") && !digits.isEmpty
            && digits.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }
}
