import JSON
import Testing

/// SplitMix64: the same documents in every run.
private struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }
}

/// A JSON value held apart from any parser, to compare with.
private indirect enum Model: Equatable {
    case object([Member])
    case array([Model])
    case string(String)
    case signed(Int64)
    case unsigned(UInt64)
    case double(Double)
    case bool(Bool)
    case null

    struct Member: Equatable {
        var name: String
        var value: Model
    }

    init(_ value: JSONValue) {
        switch value.kind {
        case .object: self = .object(value.members.map { Member(name: $0.key.string, value: Model($0.value)) })
        case .array: self = .array(value.elements.map(Model.init))
        case .string: self = .string(value.string ?? "")
        case .boolean: self = .bool(value.bool == true)
        case .null: self = .null
        case .number:
            if let int = value.int {
                self = .signed(Int64(int))
            } else if let uint64 = value.uint64 {
                self = .unsigned(uint64)
            } else {
                self = .double(value.double ?? .nan)
            }
        }
    }

    static func random(depth: Int, _ random: inout Seeded) -> Model {
        switch Int.random(in: 0..<(depth > 0 ? 12 : 9), using: &random) {
        case 0: return .null
        case 1: return .bool(.random(using: &random))
        case 2: return .signed(Int64(bitPattern: random.next()) >> Int64.random(in: 0..<64, using: &random))
        case 3: return .unsigned(random.next() | 1 << 63)
        case 4:
            // A fraction, so that it does not read as an integer.
            let number = Double(bitPattern: random.next())
            return .double(number.isFinite && number != number.rounded() ? number : 0.5)
        case 5...8: return .string(string(&random))
        case 9:
            return .array((0..<Int.random(in: 0...6, using: &random)).map { _ in .random(depth: depth - 1, &random) })
        default:
            return .object(
                (0..<Int.random(in: 0...8, using: &random)).map { _ in
                    Member(name: string(&random), value: .random(depth: depth - 1, &random))
                }
            )
        }
    }

    private static func string(_ random: inout Seeded) -> String {
        var string = ""
        for _ in 0..<Int.random(in: 0...20, using: &random) {
            let bound: UInt32 = [0x20, 0x80, 0x80, 0x800, 0xFFFF, 0x10FFFF].randomElement(using: &random) ?? 0x80
            string.unicodeScalars.append(Unicode.Scalar(UInt32.random(in: 0...bound, using: &random)) ?? "x")
        }
        return string
    }

    func write(into writer: inout JSONWriter) {
        switch self {
        case .object(let members):
            writer.beginObject()
            for member in members {
                writer.key(member.name)
                member.value.write(into: &writer)
            }
            writer.endObject()
        case .array(let elements):
            writer.beginArray()
            for element in elements { element.write(into: &writer) }
            writer.endArray()
        case .string(let string): writer.string(string)
        case .signed(let number): writer.integer(number)
        case .unsigned(let number): writer.integer(number)
        case .double(let number): writer.double(number)
        case .bool(let bool): writer.bool(bool)
        case .null: writer.null()
        }
    }
}

@Suite("JSON round trips")
struct JSONRoundTripTests {
    @Test("what is written is read as it was, and written back byte for byte", arguments: 0..<16 as Range<UInt64>)
    func roundTrip(seed: UInt64) throws {
        var random = Seeded(state: seed)
        let parser = JSONParser()
        var writer = JSONWriter(reserving: 0)
        for _ in 0..<150 {
            let model = Model.random(depth: 5, &random)
            writer.removeAll()
            model.write(into: &writer)
            let bytes = writer.bytes
            try parser.parse(bytes) { value in
                #expect(Model(value) == model)
                var again = JSONWriter(reserving: 0)
                value.write(into: &again)
                #expect(again.bytes == bytes)
            }
        }
    }

    @Test("every element of a random document knows its place", arguments: 0..<4 as Range<UInt64>)
    func paths(seed: UInt64) throws {
        var random = Seeded(state: seed)
        let parser = JSONParser()
        for _ in 0..<50 {
            var writer = JSONWriter()
            Model.random(depth: 4, &random).write(into: &writer)
            try parser.parse(writer.bytes) { value in
                check(value, "")
            }
        }
    }

    private func check(_ value: JSONValue, _ path: String) {
        #expect(value.path.hasPrefix(path))
        for (position, element) in value.elements.enumerated() {
            #expect(element.path == "\(value.path)[\(position)]")
            check(element, value.path)
        }
        for member in value.members { check(member.value, value.path) }
    }
}
