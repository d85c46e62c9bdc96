import JSON

/// A value that stands as a JSON object inside an event.
///
/// What it writes and what it reads are kept side by side.
protocol EventPart {
    /// Writes the members, without the braces. What is absent writes nothing.
    func encodeMembers(into writer: inout JSONWriter)

    /// Reads the members of an object; unknown ones are passed over.
    init(json: JSONValue) throws(JSONError)
}

extension JSONWriter {
    mutating func part(_ part: some EventPart) {
        beginObject()
        part.encodeMembers(into: &self)
        endObject()
    }

    mutating func member(_ name: StaticString, _ part: (some EventPart)?) {
        guard let part else { return }
        key(name)
        self.part(part)
    }

    mutating func member(_ name: StaticString, _ parts: [some EventPart]) {
        guard !parts.isEmpty else { return }
        key(name)
        beginArray()
        for part in parts { self.part(part) }
        endArray()
    }

    mutating func member(_ name: StaticString, _ strings: [String]) {
        guard !strings.isEmpty else { return }
        key(name)
        beginArray()
        for text in strings { string(text) }
        endArray()
    }

    mutating func member(_ name: StaticString, _ id: ObjectID?) {
        guard let id else { return }
        member(name, id.text)
    }

    mutating func member(_ name: StaticString, _ time: Timestamp?) {
        guard let time else { return }
        key(name)
        time.append(to: &self)
    }

    /// Writes a flag only where it is set.
    mutating func flag(_ name: StaticString, _ isSet: Bool) {
        if isSet { member(name, true) }
    }
}

extension JSONValue {
    func requiredPart<Part: EventPart>(_ name: StaticString) throws(JSONError) -> Part {
        try Part(json: requiredObject(name))
    }

    func optionalPart<Part: EventPart>(_ name: StaticString) throws(JSONError) -> Part? {
        guard let value = self[name] else { return nil }
        return try Part(json: value.expectObject())
    }

    func parts<Part: EventPart>(_ name: StaticString) throws(JSONError) -> [Part] {
        guard let values = try optionalArray(name) else { return [] }
        var parts: [Part] = []
        parts.reserveCapacity(values.count)
        for value in values { parts.append(try Part(json: value.expectObject())) }
        return parts
    }

    func strings(_ name: StaticString) throws(JSONError) -> [String] {
        guard let values = try optionalArray(name) else { return [] }
        var strings: [String] = []
        strings.reserveCapacity(values.count)
        for value in values { strings.append(try value.expectString()) }
        return strings
    }

    func requiredID(_ name: StaticString) throws(JSONError) -> ObjectID {
        try ObjectID(text: requiredString(name))
    }

    func optionalID(_ name: StaticString) throws(JSONError) -> ObjectID? {
        guard let text = try optionalString(name) else { return nil }
        return ObjectID(text: text)
    }

    func requiredTime(_ name: StaticString) throws(JSONError) -> Timestamp {
        guard let time = try optionalTime(name) else { throw missing(name, "an RFC 3339 time") }
        return time
    }

    func optionalTime(_ name: StaticString) throws(JSONError) -> Timestamp? {
        guard let value = self[name] else { return nil }
        guard let time = value.withUTF8({ Timestamp(rfc3339: $0) }) ?? nil else {
            throw value.mismatch("an RFC 3339 time")
        }
        return time
    }

    /// A member that is one of an enumeration's words.
    func required<Word: RawRepresentable<String>>(
        _ name: StaticString,
        _ expected: StaticString
    ) throws(JSONError) -> Word {
        guard let word: Word = try optional(name, expected) else { throw missing(name, expected) }
        return word
    }

    /// A member that is one of an enumeration's words, or nil when it is absent.
    func optional<Word: RawRepresentable<String>>(
        _ name: StaticString,
        _ expected: StaticString
    ) throws(JSONError) -> Word? {
        guard let value = self[name] else { return nil }
        guard let word = value.string.flatMap(Word.init(rawValue:)) else { throw value.mismatch(expected) }
        return word
    }

    /// An error for a member that must be there.
    func missing(_ name: StaticString, _ expected: StaticString) -> JSONError {
        let place = path.isEmpty ? "\(name)" : "\(path).\(name)"
        return JSONError(.missing, "expected \(expected), found nothing", path: place)
    }
}
