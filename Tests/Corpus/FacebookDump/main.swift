// Reads payloads of Facebook and prints what becomes of each, a line for a file, and at the end what becomes of each field:
//
//     FacebookDump FILE...
//
// A line is `FILE: N TYPE...`. A field counts as mapped where the events change without it, as noted where only their `loss` does,
// and as left out where nothing does. A file of several lines is read line by line.

import ConnectorKit
import FacebookConnector
import Glibc
import JSON
import MetaGraph
import SocialEvents

/// The whole content of a file.
func content(of path: String) -> [UInt8]? {
    guard let file = fopen(path, "rb") else { return nil }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
        let count = fread(&chunk, 1, chunk.count, file)
        guard count > 0 else { return ferror(file) == 0 ? bytes : nil }
        bytes.append(contentsOf: chunk[..<count])
    }
}

let now = Timestamp(seconds: 1_784_927_750)

/// What is made of a payload, `nil` when it is not JSON.
func intake(of payload: [UInt8]) -> MetaIntake? {
    var intake = MetaIntake()
    let normalizer = FacebookNormalizer(now: now)
    let isJSON: Void? = try? JSONParser().parse(payload) { root in
        intake.read(root, body: payload) { notice, intake in try normalizer.read(notice, into: &intake) }
    }
    return isJSON == nil ? nil : intake
}

/// The events as text, with or without what they say of losses.
func text(_ events: [Event], withLoss: Bool) -> String {
    var writer = JSONWriter()
    for var event in events {
        if !withLoss { event.data.loss = [] }
        EventEncoder.encodeBody(event, source: SourceName("dump"), into: &writer)
        writer.endLine()
    }
    return writer.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
}

/// Writes a payload without one of its members, counted in the order of the document; tells the member's path.
struct Cutter {
    private var left: Int
    private(set) var path: String?

    init(without member: Int) { left = member }

    mutating func write(_ value: JSONValue, _ place: String, to writer: inout JSONWriter) {
        switch value.kind {
        case .object:
            writer.beginObject()
            for (key, member) in value.members {
                let name = key.string.allSatisfy(\.isNumber) ? "ID" : key.string
                let inside = place.isEmpty ? name : "\(place).\(name)"
                left -= 1
                if left == -1 {
                    path = inside
                    continue
                }
                writer.key(key.string)
                write(member, inside, to: &writer)
            }
            writer.endObject()
        case .array:
            writer.beginArray()
            for element in value.elements { write(element, place, to: &writer) }
            writer.endArray()
        default: value.write(into: &writer)
        }
    }
}

struct Count {
    var mapped = 0
    var noted = 0
    var leftOut = 0
}

var fields: [String: Count] = [:]
var failures = 0

/// Finds out for every member of a payload what becomes of it.
func countFields(_ payload: [UInt8], _ found: [Event], into fields: inout [String: Count]) {
    let whole = (text(found, withLoss: true), text(found, withLoss: false))
    var member = 0
    while true {
        var cutter = Cutter(without: member)
        var writer = JSONWriter()
        _ = try? JSONParser().parse(payload) { cutter.write($0, "", to: &writer) }
        guard let path = cutter.path else { return }
        member += 1
        guard let others = intake(of: writer.bytes)?.events else { continue }
        if text(others, withLoss: false) != whole.1 {
            fields[path, default: Count()].mapped += 1
        } else if text(others, withLoss: true) != whole.0 {
            fields[path, default: Count()].noted += 1
        } else {
            fields[path, default: Count()].leftOut += 1
        }
    }
}

for path in CommandLine.arguments.dropFirst() {
    let name = path.split(separator: "/").last.map(String.init) ?? path
    guard let bytes = content(of: path) else {
        print("\(name): cannot be read")
        failures += 1
        continue
    }
    let isWhole = intake(of: bytes) != nil
    let parts = isWhole ? [bytes[...]] : bytes.split { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }
    var types: [String: Int] = [:]
    var problems = 0
    for part in parts {
        guard let taken = intake(of: Array(part)) else {
            types["(not JSON)", default: 0] += 1
            failures += 1
            continue
        }
        let found = taken.events
        for letter in taken.deadLetters { types["DEAD LETTER (\(letter.reason))", default: 0] += 1 }
        if found.isEmpty { failures += 1 }
        for event in found {
            types[event.type.rawValue, default: 0] += 1
            problems += event.validate().count
        }
        // What is kept raw has no fields.
        if !found.contains(where: { $0.type == .unrecognised }), part.count < 64 << 10 {
            countFields(Array(part), found, into: &fields)
        }
    }
    failures += problems
    let list = types.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
    print("\(name): \(list)\(problems > 0 ? ", \(problems) PROBLEMS" : "")")
}
print("\nfield: mapped, noted as a loss, left out")
for (path, count) in fields.sorted(by: { $0.key < $1.key }) {
    print("\(path): \(count.mapped), \(count.noted), \(count.leftOut)")
}
exit(failures == 0 ? 0 : 1)
