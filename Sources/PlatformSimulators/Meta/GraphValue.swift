/// JSON as Meta's platforms send it: members in the order in which they were given, and all that is not ASCII escaped.
enum GraphValue: Hashable, Sendable {
    case string(String)
    case integer(Int64)
    case decimal(Double)
    case bool(Bool)
    case array([GraphValue])
    case object([Member])
    /// A member that is left out.
    case absent

    /// A name and its value.
    struct Member: Hashable, Sendable {
        var name: String
        var value: GraphValue
    }

    /// The text, or nothing where there is none.
    static func optional(_ text: String?) -> GraphValue { text.map { .string($0) } ?? .absent }

    /// The member of that name; absent where there is none, or where this is no object.
    subscript(_ name: String) -> GraphValue {
        guard case .object(let members) = self else { return .absent }
        return members.first { $0.name == name }?.value ?? .absent
    }

    /// The text of a string.
    var text: String? { if case .string(let text) = self { text } else { nil } }

    /// The elements of an array, none where this is no array.
    var elements: [GraphValue] { if case .array(let elements) = self { elements } else { [] } }

    /// The same object with a further member.
    func adding(_ name: String, _ value: GraphValue) -> GraphValue {
        guard case .object(let members) = self else { return self }
        return .object(members + [Member(name: name, value: value)])
    }

    // MARK: - Bytes

    /// The JSON text in ASCII, as Meta signs and sends it: `é` is `\u00e9`, `/` is `\/`.
    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        write(into: &bytes)
        return bytes
    }

    private func write(into bytes: inout [UInt8]) {
        switch self {
        case .string(let text): Self.write(text, into: &bytes)
        case .integer(let number): bytes += Array(String(number).utf8)
        case .decimal(let number): bytes += Array(String(number).utf8)
        case .bool(let isTrue): bytes += Array((isTrue ? "true" : "false").utf8)
        case .absent: bytes += Array("null".utf8)
        case .array(let elements):
            bytes.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                element.write(into: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case .object(let members):
            bytes.append(UInt8(ascii: "{"))
            var isFirst = true
            for member in members where member.value != .absent {
                if !isFirst { bytes.append(UInt8(ascii: ",")) }
                isFirst = false
                Self.write(member.name, into: &bytes)
                bytes.append(UInt8(ascii: ":"))
                member.value.write(into: &bytes)
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }

    private static let digits = Array("0123456789abcdef".utf8)

    private static func write(_ text: String, into bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        for unit in text.utf16 {
            switch unit {
            case 0x22, 0x2F, 0x5C: bytes += [UInt8(ascii: "\\"), UInt8(unit)]
            case 0x0A: bytes += [UInt8(ascii: "\\"), UInt8(ascii: "n")]
            case 0x20...0x7E: bytes.append(UInt8(unit))
            default:
                bytes += [UInt8(ascii: "\\"), UInt8(ascii: "u")]
                for shift in [12, 8, 4, 0] { bytes.append(digits[Int(unit >> shift) & 15]) }
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}

extension GraphValue: ExpressibleByStringInterpolation, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    init(stringLiteral value: String) { self = .string(value) }
    init(integerLiteral value: Int64) { self = .integer(value) }
    init(booleanLiteral value: Bool) { self = .bool(value) }
    init(arrayLiteral elements: GraphValue...) { self = .array(elements) }
    init(dictionaryLiteral elements: (String, GraphValue)...) {
        self = .object(elements.map { Member(name: $0.0, value: $0.1) })
    }
}
