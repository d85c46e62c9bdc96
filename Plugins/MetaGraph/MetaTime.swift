package import JSON
package import SocialEvents

/// Times as Meta writes them: in seconds or milliseconds, as numbers or their digits, or as `2018-02-23T21:32:16+0000`.
package enum MetaTime {
    /// A time in any of these forms; `nil` for what is none.
    ///
    /// Numbers of twelve digits and more are milliseconds: read as seconds they would lie beyond the year 5000.
    package static func read(_ value: JSONValue) -> Timestamp? {
        if let number = value.int { return number == 0 ? nil : time(number) }
        return value.withUTF8 { text -> Timestamp? in
            guard let number = number(text) else { return Timestamp(rfc3339: text) }
            return number == 0 ? nil : time(number)
        } ?? nil
    }

    private static func time(_ number: Int) -> Timestamp? {
        let isMilliseconds = number >= 100_000_000_000 || number <= -100_000_000_000
        let time = isMilliseconds ? Timestamp(milliseconds: Int64(number)) : Timestamp(seconds: Int64(number))
        return Timestamp.writable.contains(time) ? time : nil
    }

    private static func number(_ text: UnsafeBufferPointer<UInt8>) -> Int? {
        guard (1...18).contains(text.count) else { return nil }
        var number = 0
        for byte in text {
            guard byte >= 0x30, byte <= 0x39 else { return nil }
            number = number * 10 + Int(byte - 0x30)
        }
        return number
    }
}
