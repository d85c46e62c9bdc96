package import JSON
package import SocialEvents

/// Reads values of payloads into what an event may hold; what comes from outside may be anything.
package enum MetaValue {
    /// Words of an utterance, plain, at most as long as an event allows; `nil` for what is none, and for no words at all.
    ///
    /// - Parameters:
    ///   - value: the member.
    ///   - field: the member's name, for the loss.
    ///   - loss: takes a note where the words were cut.
    /// - Returns: the words.
    package static func words(_ value: JSONValue?, _ field: String, _ loss: inout [Loss]) -> String? {
        guard let value, let text = value.string, !text.isEmpty else { return nil }
        guard text.utf8.count > EventLimits.text else { return text }
        loss.append(Loss(field, .truncated, "it has \(text.utf8.count) bytes"))
        return cut(text, EventLimits.text)
    }

    /// A name or title, at most as long as an event allows; `nil` for what is none.
    package static func phrase(_ value: JSONValue?) -> String? {
        guard let value, let text = value.string, !text.isEmpty else { return nil }
        return text.utf8.count <= EventLimits.phrase ? text : cut(text, EventLimits.phrase)
    }

    /// A count, never negative; Meta writes -1 for one that is too small to be told.
    package static func count(_ value: JSONValue?) -> Int? {
        guard let count = value?.int, count >= 0 else { return nil }
        return count
    }

    /// A native id as text, whether it is written as a string or as a number; an empty one and 0 are none.
    package static func id(_ value: JSONValue?) -> String? {
        guard let value else { return nil }
        if let number = value.int { return number == 0 ? nil : String(number) }
        guard let text = value.string, !text.isEmpty, text != "0" else { return nil }
        return text
    }

    /// The id of what a payload names by a value, as ``id(_:)`` reads it; made without the text between.
    package static func objectID(_ platform: Platform, _ namespace: String, _ value: JSONValue?) -> ObjectID? {
        guard let value else { return nil }
        switch value.kind {
        case .string: if value.isString("") || value.isString("0") { return nil }
        case .number: if value.int == 0 { return nil }
        default: return nil
        }
        // A number that is no integer is no id.
        return try? ObjectID(platform, namespace, of: value)
    }

    /// An absolute web address that an event may hold, or `nil`.
    package static func address(_ value: JSONValue?) -> String? {
        guard let value else { return nil }
        let isGood = value.withUTF8 { bytes in
            guard bytes.count >= 9, bytes.count <= EventLimits.url, bytes[0] == UInt8(ascii: "h"),
                bytes[1] == UInt8(ascii: "t"), bytes[2] == UInt8(ascii: "t"), bytes[3] == UInt8(ascii: "p")
            else { return false }
            for byte in bytes where byte <= 0x20 || byte == 0x7F { return false }
            let colon = bytes[4] == UInt8(ascii: "s") ? 5 : 4
            return bytes[colon] == UInt8(ascii: ":") && bytes[colon + 1] == UInt8(ascii: "/")
                && bytes[colon + 2] == UInt8(ascii: "/")
        }
        return isGood == true ? value.string : nil
    }

    private static func cut(_ text: String, _ length: Int) -> String {
        var end = text.utf8.index(text.startIndex, offsetBy: length)
        while String.Index(end, within: text.unicodeScalars) == nil { end = text.utf8.index(before: end) }
        return String(text.unicodeScalars[..<end])
    }
}
