import JSON

/// Payloads that nobody should send, made of good ones: whatever comes, a normaliser has to make events of it that the log takes, or set it aside.
public enum HostilePayloads {
    /// What may stand where something else is expected, as JSON.
    public static let values = [
        "null", "{}", "[]", "[[]]", "\"\"", "\"\\u0000\\u202e\\n\"", "-1", "1e300", "99999999999999999", "true",
        "\"javascript:alert(1)\"", "\"http://\\u0001\"", "[null,null]", "{\"a\":{\"b\":[]}}", "{\"id\":{}}",
        "\"+-() \"",
        "\"\(String(repeating: "9", count: 2000))\"",
    ]

    /// Puts something else in the place of each value of a payload, one after the other, and has each result checked.
    ///
    /// - Parameters:
    ///   - payload: a good payload, in JSON.
    ///   - values: what takes their place.
    ///   - part: a value meets one in so many of them, which is enough for every kind of value to meet all; 1 for all.
    ///   - check: reads a payload and checks what becomes of it.
    /// - Throws: what `check` throws, and `JSONError` when the payload is no JSON.
    public static func forEach(
        of payload: [UInt8],
        with values: [String] = values,
        part: Int = 3,
        _ check: ([UInt8]) throws -> Void
    ) throws {
        for (index, value) in values.enumerated() {
            var place = index % part
            while let changed = try replace(place, by: value, in: payload) {
                try check(changed)
                place += part
            }
        }
    }

    /// The payload with something else in the place of a value, counted in the order of the document; `nil` when it has no so many.
    private static func replace(_ place: Int, by other: String, in payload: [UInt8]) throws -> [UInt8]? {
        var left = place
        func write(_ value: JSONValue, _ writer: inout JSONWriter) {
            left -= 1
            if left == -1 { return writer.raw(Array(other.utf8)) }
            switch value.kind {
            case .object:
                writer.beginObject()
                for (key, member) in value.members {
                    writer.key(key.string)
                    write(member, &writer)
                }
                writer.endObject()
            case .array:
                writer.beginArray()
                for element in value.elements { write(element, &writer) }
                writer.endArray()
            default: value.write(into: &writer)
            }
        }
        var writer = JSONWriter()
        try JSONParser().parse(payload) { write($0, &writer) }
        return left < 0 ? writer.bytes : nil
    }
}
