import JSON
import MetaGraph
import SocialEvents

/// Reads values of Instagram's payloads into what an event may hold.
enum InstagramValue {
    /// The id of something, in a namespace; an empty one is none.
    static func id(_ namespace: String, _ value: JSONValue) throws(JSONError) -> ObjectID {
        if value.isString("") { throw value.mismatch("an id") }
        return try ObjectID(InstagramNormalizer.platform, namespace, of: value)
    }

    /// An id as it stands, no longer than Instagram's longest, which are those of messages.
    static func native(_ value: JSONValue?) -> String? {
        MetaValue.id(value).flatMap { $0.utf8.count <= 400 ? $0 : nil }
    }

    /// The elements of an array; none where it is none.
    static func list(_ value: JSONValue?) -> [JSONValue] {
        value.map { Array($0.elements) } ?? []
    }

    /// The first hundred elements of an array, several times more than Instagram lets anybody have.
    static func list(_ value: JSONValue?, _ name: String, _ loss: inout [Loss]) -> [JSONValue] {
        guard let value else { return [] }
        let most = 100
        if value.count > most { loss.append(Loss(name, .truncated, "more than \(most)")) }
        return Array(value.elements.prefix(most))
    }

    /// When an address of Meta's content network stops working: its parameter `oe` has the seconds since 1970, in hexadecimal.
    static func expiry(of address: String) -> Timestamp? {
        var address = address
        return address.withUTF8 { bytes in
            var place = 0
            while place + 4 < bytes.count {
                let isParameter = bytes[place] == UInt8(ascii: "?") || bytes[place] == UInt8(ascii: "&")
                if isParameter, bytes[place + 1] == UInt8(ascii: "o"), bytes[place + 2] == UInt8(ascii: "e"),
                    bytes[place + 3] == UInt8(ascii: "=")
                {
                    return seconds(bytes[(place + 4)...])
                }
                place += 1
            }
            return nil
        }
    }

    private static func seconds(_ digits: Slice<UnsafeBufferPointer<UInt8>>) -> Timestamp? {
        var number: Int64 = 0
        var count = 0
        for byte in digits {
            let digit: Int64
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = Int64(byte - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = Int64(byte - UInt8(ascii: "a")) + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = Int64(byte - UInt8(ascii: "A")) + 10
            case UInt8(ascii: "&"): return moment(number, count)
            default: return nil
            }
            count += 1
            guard count <= 10 else { return nil }
            number = number << 4 | digit
        }
        return moment(number, count)
    }

    private static func moment(_ seconds: Int64, _ digits: Int) -> Timestamp? {
        let time = Timestamp(seconds: seconds)
        return digits > 0 && Timestamp.writable.contains(time) ? time : nil
    }

    /// A short digest of a text, to see that it has changed.
    static func digest(of text: JSONValue?) -> Int {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        text?.withUTF8 { bytes in
            for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        }
        return Int(hash >> 32)
    }
}
