import JSON

/// JSON as it stands in a schema: members keep their order, so that the text is the same each time.
indirect enum SchemaNode: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    case text(String)
    case number(Int)
    case flag(Bool)
    case list([SchemaNode])
    case object([(name: String, value: SchemaNode)])

    init(stringLiteral value: String) { self = .text(value) }
    init(integerLiteral value: Int) { self = .number(value) }
    init(booleanLiteral value: Bool) { self = .flag(value) }
    init(arrayLiteral elements: SchemaNode...) { self = .list(elements) }
    init(dictionaryLiteral elements: (String, SchemaNode)...) { self = .object(elements.map { ($0, $1) }) }

    /// The JSON text, indented; what fits on a line stands on one.
    func text(indentation: String = "") -> String {
        let line = singleLine
        if line.utf8.count <= 100 { return line }
        let inner = indentation + "  "
        let lines: [String]
        switch self {
        case .text, .number, .flag:
            return line
        case .list(let elements):
            lines = elements.map { inner + $0.text(indentation: inner) }
            return "[\n" + lines.joined(separator: ",\n") + "\n" + indentation + "]"
        case .object(let members):
            lines = members.map { inner + Self.quoted($0.name) + ": " + $0.value.text(indentation: inner) }
            return "{\n" + lines.joined(separator: ",\n") + "\n" + indentation + "}"
        }
    }

    private var singleLine: String {
        switch self {
        case .text(let text): Self.quoted(text)
        case .number(let number): String(number)
        case .flag(let flag): flag ? "true" : "false"
        case .list(let elements): "[" + elements.map(\.singleLine).joined(separator: ", ") + "]"
        case .object(let members):
            "{ " + members.map { Self.quoted($0.name) + ": " + $0.value.singleLine }.joined(separator: ", ") + " }"
        }
    }

    private static func quoted(_ text: String) -> String {
        var writer = JSONWriter()
        writer.string(text)
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}

extension SchemaNode {
    /// An object of which all members are known.
    static func closed(
        _ description: String,
        required: [String] = [],
        _ properties: KeyValuePairs<String, SchemaNode>
    ) -> SchemaNode {
        var members: [(name: String, value: SchemaNode)] = [
            ("description", .text(description)), ("type", "object"),
        ]
        if !required.isEmpty { members.append(("required", .list(required.map { .text($0) }))) }
        members.append(("properties", .object(properties.map { ($0.key, $0.value) })))
        members.append(("additionalProperties", false))
        return .object(members)
    }

    /// A definition of the same schema.
    static func definition(_ name: String) -> SchemaNode {
        ["$ref": .text("#/$defs/" + name)]
    }

    /// A list that is left out when it is empty.
    static func list(of element: SchemaNode, most: Int = EventLimits.elements) -> SchemaNode {
        ["type": "array", "minItems": 1, "maxItems": .number(most), "items": element]
    }

    /// Text of at most so many UTF-8 bytes, which is also the most code points it can have.
    static func string(_ most: Int) -> SchemaNode {
        ["type": "string", "maxLength": .number(most)]
    }

    /// One of the words of an enumeration.
    static func word<Word: CaseIterable & RawRepresentable<String>>(_ type: Word.Type) -> SchemaNode {
        ["enum": .list(Word.allCases.map { .text($0.rawValue) })]
    }

    /// A flag that is left out when it is not set.
    static let set: SchemaNode = ["const": true]
    /// True, false or unknown.
    static let boolean: SchemaNode = ["type": "boolean"]
    /// Any number of 64 bits.
    static let integer: SchemaNode = ["type": "integer"]
    /// A number of things.
    static let count: SchemaNode = ["type": "integer", "minimum": 0]
    static let phrase = string(EventLimits.phrase)
    static let url = string(EventLimits.url)
    static let name = string(EventLimits.name)
    static let time = definition("time")
    static let objectID = definition("objectID")
}
