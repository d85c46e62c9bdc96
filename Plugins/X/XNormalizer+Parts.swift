import ConnectorKit
import JSON
package import SocialEvents

// What the events of all kinds of payloads have in common: ids, times, addresses, payloads that are no facts.

extension XNormalizer {
    /// The id of a post; one namespace for all of them, whatever kind they are.
    static func postID(_ value: JSONValue) throws(JSONError) -> ObjectID { try id("post", value) }

    /// The id of a person.
    static func actorID(_ value: JSONValue) throws(JSONError) -> ObjectID { try id("actor", value) }

    /// The id of something, in a namespace; an empty one is none.
    static func id(_ namespace: String, _ value: JSONValue) throws(JSONError) -> ObjectID {
        if value.isString("") { throw value.mismatch("an id") }
        return try ObjectID(platform, namespace, of: value)
    }

    /// A member that is an id, a string or an integer; the older forms give both, and the integer is rounded by some readers.
    static func legacyID(_ value: JSONValue?, _ name: StaticString, _ textName: StaticString) -> JSONValue? {
        guard let value else { return nil }
        return value[textName] ?? value[name]
    }

    /// An event of which all but its data is known.
    func event(
        _ object: ObjectID,
        _ type: EventType,
        revision: Int = 0,
        subject: ObjectID? = nil,
        at time: Timestamp?
    ) -> Event {
        Event(
            type,
            of: object,
            on: Self.platform,
            revision: revision,
            subject: subject,
            at: time,
            readAt: now,
            saidBy: "created_at"
        )
    }

    /// That all a person said must be forgotten: a deletion whose subject is the person.
    func withdrawal(of person: ObjectID, why: String, at time: Timestamp?) -> Event {
        var event = event(
            person,
            .postDeleted,
            revision: Int(max(0, time?.milliseconds ?? now.milliseconds)),
            at: time
        )
        event.data.actor = Actor(id: person)
        event.data.loss.append(Loss("data", .inferred, why))
        return event
    }

    /// What is no fact that events know, kept as it came.
    func unrecognised(_ value: JSONValue, why: JSONError? = nil) -> Event {
        var writer = JSONWriter(reserving: 2048)
        value.write(into: &writer)
        return unrecognised(writer.bytes, loss: why.map { Loss("payload", .dropped, $0.description) })
    }

    /// A payload, kept as it came, that is no fact that events know.
    package func unrecognised(_ payload: [UInt8], loss: Loss? = nil) -> Event {
        var event = Event.unrecognised(payload, platform: Self.platform, time: now)
        event.data.loss.append(Loss("created_at", .inferred, "the time of reading"))
        if let loss { event.data.loss.append(loss) }
        return event
    }
}

// MARK: - Values

/// Reads values into what an event may hold.
enum XValue {
    /// An RFC 3339 time.
    static func time(_ value: JSONValue?) -> Timestamp? {
        value?.withUTF8 { Timestamp(rfc3339: $0) } ?? nil
    }

    /// Milliseconds since 1970, as a number or as its digits.
    static func milliseconds(_ value: JSONValue?) -> Timestamp? {
        guard let value, let number = value.int.map({ Int64($0) }) ?? value.string.flatMap({ Int64($0) }) else {
            return nil
        }
        let time = Timestamp(milliseconds: number)
        return Timestamp.writable.contains(time) ? time : nil
    }

    /// A time as v1.1 writes it: `Wed Oct 10 20:19:24 +0000 2018`.
    static func legacyTime(_ value: JSONValue?, now: Timestamp) -> Timestamp? {
        guard let text = value?.string, text.utf8.count < 40 else { return nil }
        let words = text.split(separator: " ")
        guard words.count == 6, words[4] == "+0000" else { return Timestamp(rfc3339: text) }
        return HTTPDate.parse("\(words[0]) \(words[1]) \(words[2]) \(words[3]) \(words[5])", now: now)
    }

    /// The moment in which an id was made: ids since November 2010 count milliseconds in their upper bits.
    ///
    /// Only for a payload that says no time; ids are compared and taken apart nowhere else.
    static func time(ofID value: JSONValue?) -> Timestamp? {
        (value?.string).flatMap(XSnowflake.time)
    }

    /// A count, never negative.
    static func count(_ value: JSONValue?) -> Int? {
        guard let count = value?.int, count >= 0 else { return nil }
        return count
    }

    /// Words that a person reads, at most as long as an event allows.
    static func phrase(_ value: JSONValue?) -> String? {
        guard let value, let text = value.string else { return nil }
        return text.utf8.count <= EventLimits.phrase ? text : cut(text)
    }

    private static func cut(_ text: String) -> String {
        var end = text.utf8.index(text.startIndex, offsetBy: EventLimits.phrase)
        while String.Index(end, within: text.unicodeScalars) == nil { end = text.utf8.index(before: end) }
        return String(text.unicodeScalars[..<end])
    }

    /// A web address that an event may hold, or `nil`.
    static func address(_ value: JSONValue?) -> String? {
        guard let value else { return nil }
        let isGood = value.withUTF8 { bytes in
            guard bytes.count >= 8, bytes.count <= EventLimits.url, bytes[0] == UInt8(ascii: "h"),
                bytes[1] == UInt8(ascii: "t"), bytes[2] == UInt8(ascii: "t"), bytes[3] == UInt8(ascii: "p")
            else { return false }
            var found: UInt8 = 0
            for byte in bytes { found |= (byte <= 0x20 ? 1 : 0) | (byte == 0x7F ? 1 : 0) }
            guard found == 0 else { return false }
            let separator = bytes[4] == UInt8(ascii: "s") ? 5 : 4
            return bytes[separator] == UInt8(ascii: ":") && bytes[separator + 1] == UInt8(ascii: "/")
        }
        return isGood == true ? value.string : nil
    }

    /// A BCP 47 tag; X's own marks for no language are none, and two withdrawn codes are written as today.
    static func language(_ value: JSONValue?) -> String? {
        guard let value, let tag = value.string, tag.utf8.count >= 2, tag.utf8.count <= 35 else { return nil }
        switch tag {
        case "und", "zxx", "art", "qam", "qct", "qht", "qme", "qst": return nil
        case "in": return "id"
        case "iw": return "he"
        default:
            let isTag = tag.utf8.allSatisfy { byte in
                (byte | 0x20) &- UInt8(ascii: "a") < 26 || byte &- UInt8(ascii: "0") < 10 || byte == UInt8(ascii: "-")
            }
            return isTag ? tag : nil
        }
    }
}

/// X's ids, which say when they were made.
package enum XSnowflake {
    private static let epoch: Int64 = 1_288_834_974_657

    /// The moment in which an id was made; `nil` for ids from before November 2010 and for what is none.
    package static func time(_ id: String) -> Timestamp? {
        guard id.utf8.count <= 19, let number = Int64(id), number >= 1 << 35 else { return nil }
        return Timestamp(milliseconds: (number >> 22) + epoch)
    }
}
