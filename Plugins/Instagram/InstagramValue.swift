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

    /// Two ids joined by a full stop, as the name of what two have in common; `nil` where either is none.
    static func pair(_ one: JSONValue?, _ other: JSONValue?) -> String? {
        guard let one = native(one), let other = native(other) else { return nil }
        return String(unsafeUninitializedCapacity: one.utf8.count + other.utf8.count + 1) { buffer in
            var end = 0
            for byte in one.utf8 { buffer[end] = byte; end += 1 }
            buffer[end] = UInt8(ascii: ".")
            end += 1
            for byte in other.utf8 { buffer[end] = byte; end += 1 }
            return end
        }
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
            // Looks at where the name's last character could stand, and skips as far as the one that does allows (Boyer, Moore 1977).
            var place = 3
            while place < bytes.count {
                switch bytes[place] {
                case UInt8(ascii: "="):
                    let first = bytes[place - 3]
                    if bytes[place - 1] == UInt8(ascii: "e"), bytes[place - 2] == UInt8(ascii: "o"),
                        first == UInt8(ascii: "&") || first == UInt8(ascii: "?")
                    {
                        return seconds(bytes[(place + 1)...])
                    }
                    place += 4
                case UInt8(ascii: "e"): place += 1
                case UInt8(ascii: "o"): place += 2
                case UInt8(ascii: "&"), UInt8(ascii: "?"): place += 3
                default: place += 4
                }
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
