public import SocialEvents

/// A connector that reads dead letters again, once it has learned what it could not read before.
///
/// An operator asks for it after an upgrade, with `roost deadletters retry`. What a connector's author does:
///
/// - Call the same pure normaliser that read the payload the first time, over the kept bytes. The events must have the ids that they would have had
///   then, so that one that came by another way meanwhile is not told twice.
/// - Where payloads of several forms are set aside, say which form one has in its media type when it is made, as a parameter that this method reads
///   again: `application/json; form=status`.
/// - Give the parts that still cannot be read back as dead letters, as a pull or a webhook does. The hub keeps them; what is not given back is forgotten
///   together with the letter. Throw `malformed` to have the letter stay as it is, with the error's message as its new reason.
/// - Take nothing to be recent. The bytes may be weeks old, and neither the platform's signature nor the cursor of that time is there any more: a cursor
///   is neither read nor moved.
public protocol DeadLetterReader: Connector {
    /// Reads a kept payload again.
    ///
    /// May be called while the source reads its platform, paused or not, in any mode it has. One call at a time, run under a deadline and cancelled
    /// when it passes. Returning hands the result to the log: in one commit the events are stored and the letter is gone, or it is replaced by those
    /// that were given back.
    func reread(_ request: RereadRequest) async throws -> Rereading
}

/// What a host asks of a connector that reads a dead letter again.
public struct RereadRequest: Sendable {
    /// The payload as it was set aside, and why.
    public var letter: DeadLetter
    /// When it was set aside: for a normaliser the time to fall back on where a payload tells none.
    public var receivedAt: Timestamp

    /// A request.
    public init(letter: DeadLetter, receivedAt: Timestamp) {
        self.letter = letter
        self.receivedAt = receivedAt
    }
}

/// What came of reading a dead letter again.
public struct Rereading: Sendable {
    /// The facts in it, oldest first.
    public var events: [Event]
    /// Parts that still cannot be read.
    public var deadLetters: [DeadLetter]

    /// A reading.
    public init(events: [Event] = [], deadLetters: [DeadLetter] = []) {
        self.events = events
        self.deadLetters = deadLetters
    }
}

extension DeadLetter {
    /// What its media type says of a parameter (RFC 9110 §8.3.1), without quotes; `nil` when it says nothing.
    public func parameter(_ name: String) -> String? {
        for part in contentType.split(separator: ";").dropFirst() {
            let pair = part.split(separator: "=", maxSplits: 1)
            guard pair.count == 2, pair[0].trimmed.lowercased() == name else { continue }
            let value = pair[1].trimmed
            return value.count >= 2 && value.hasPrefix("\"") && value.hasSuffix("\"")
                ? String(value.dropFirst().dropLast()) : String(value)
        }
        return nil
    }
}

extension Substring {
    /// Without the spaces and tabs around it.
    fileprivate var trimmed: Substring {
        let end = lastIndex { $0 != " " && $0 != "\t" }.map(index(after:)) ?? startIndex
        return self[..<end].drop { $0 == " " || $0 == "\t" }
    }
}
