import JSON
import MetaGraph
import SocialEvents

/// Reads values of WhatsApp's payloads into what an event may hold.
enum WhatsAppValue {
    /// The id of something, in a namespace; an empty one is none.
    ///
    /// - Throws: `JSONError` where the member is missing, empty, or neither a string nor an integer.
    static func id(_ namespace: String, _ object: JSONValue, _ key: StaticString) throws(JSONError) -> ObjectID {
        if let value = object[key], value.isString("") { throw value.mismatch("an id") }
        return try ObjectID(WhatsAppNormalizer.platform, namespace, in: object, key)
    }

    /// An id as it stands: a string, or the digits of an integer; an empty one is none.
    static func native(_ value: JSONValue?) -> String? {
        guard let value else { return nil }
        if let text = value.string { return text.isEmpty ? nil : text }
        return value.int.map { String($0) }
    }

    /// A telephone number as ids have it: its digits, where it is written for people (`+1 555-078-3881`); anything else stays as it is.
    static func number(_ value: JSONValue?) -> String? {
        guard let value, let text = native(value) else { return nil }
        let isDigits = value.withUTF8 { bytes in
            var found: UInt8 = 0
            for byte in bytes { found |= byte &- 0x30 > 9 ? 1 : 0 }
            return found == 0
        }
        guard isDigits == false, text.utf8.count <= 64, text.utf8.allSatisfy(\.isPartOfNumber) else { return text }
        let digits = text.unicodeScalars.filter { $0 >= "0" && $0 <= "9" }
        return digits.isEmpty ? text : String(String.UnicodeScalarView(digits))
    }

    /// A text, cut between characters where it has more than `most` bytes; `nil` where it is empty or none.
    static func text(_ value: JSONValue?, most: Int = EventLimits.text) -> (text: String, isCut: Bool)? {
        guard let value else { return nil }
        let read = value.withUTF8 { bytes -> (text: String, isCut: Bool)? in
            guard !bytes.isEmpty else { return nil }
            guard bytes.count > most else { return (String(decoding: bytes, as: UTF8.self), false) }
            var end = most
            while end > 0, bytes[end] & 0xC0 == 0x80 { end -= 1 }
            return (String(decoding: bytes[..<end], as: UTF8.self), true)
        }
        return read ?? nil
    }

    /// Words that a person reads, at most as long as an event allows.
    static func phrase(_ value: JSONValue?, most: Int = EventLimits.phrase) -> String? { text(value, most: most)?.text }

    /// A text made of pieces, cut where it is longer than an event allows.
    static func bounded(_ text: String, most: Int = EventLimits.phrase) -> String {
        guard text.utf8.count > most else { return text }
        var end = text.utf8.index(text.startIndex, offsetBy: most)
        while end.samePosition(in: text.unicodeScalars) == nil { end = text.utf8.index(before: end) }
        return String(text.unicodeScalars[..<end])
    }

    /// A number as people write it: without a fraction where it has none.
    static func decimal(_ value: JSONValue?) -> String? {
        guard let value else { return nil }
        return value.int.map { String($0) } ?? value.double.map { "\($0)" } ?? phrase(value, most: EventLimits.name)
    }

    /// What an element of `errors` says: its code, the platform's word for it, and what to do.
    static func failure(_ error: JSONValue) -> (code: String?, reason: String)? {
        guard error.kind == .object else { return nil }
        let read = GraphError(error)
        let title = phrase(error["title"] ?? error["message"], most: 1000)
        let words = read?.advice ?? phrase(error["error_data"]?["details"], most: 1000)
        let reason = [title, words].compactMap { $0 }.joined(separator: ": ")
        return (read.map { String($0.code) }, reason.isEmpty ? "no reason given" : reason)
    }
}

extension UInt8 {
    /// Whether this may stand in a telephone number that is written for people.
    fileprivate var isPartOfNumber: Bool {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: " "),
            UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "."), UInt8(ascii: "/"):
            true
        default: false
        }
    }
}

/// When something happened, and whether the payload says so itself.
struct WhatsAppMoment {
    /// The moment.
    var time: Timestamp
    /// Whether the item says it; otherwise it is the entry's time, or that of reading.
    var isTold: Bool

    /// Seconds since 1970, to tell one time from another in ids; 0 where the item tells no time, so that repeated deliveries make the same id.
    var second: Int { isTold ? Int(max(0, time.milliseconds) / 1000) : 0 }
}
