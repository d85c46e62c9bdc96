// Reads payloads as a connector would and prints what becomes of each, a line for a file, and at the end what becomes of each field:
//
//     PayloadReport CONNECTOR FILE...
//
// A line is `FILE: N TYPE...`. A field counts as mapped where the events change without it, as noted where only their `loss` does, and as left out
// where nothing does. A file that is no JSON as a whole is read line by line. It ends with 1 where nothing comes of a payload, and where an event is
// not fit for the log.

import Glibc
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

let arguments = CommandLine.arguments.dropFirst()
guard let name = arguments.first, let reader = Reader.all[name.lowercased()] else {
    print("the first argument is one of \(Reader.all.keys.sorted().joined(separator: ", "))")
    exit(2)
}

var report = FieldReport(reader)
var failures = 0
for path in arguments.dropFirst() {
    let name = path.split(separator: "/").last.map(String.init) ?? path
    guard let bytes = content(of: path) else {
        print("\(name): cannot be read")
        failures += 1
        continue
    }
    let isWhole = reader.read(bytes) != nil
    let parts = isWhole ? [bytes[...]] : bytes.split { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }
    var counts: [String: Int] = [:]
    for part in parts {
        guard let reading = reader.read(Array(part)) else {
            counts["NOT JSON", default: 0] += 1
            failures += 1
            continue
        }
        if reading.events.isEmpty && reading.deadLetters.isEmpty {
            counts["NOTHING", default: 0] += 1
            failures += 1
        }
        for reason in reading.deadLetters { counts["dead letter (\(reason))", default: 0] += 1 }
        for event in reading.events {
            counts[event.type.rawValue, default: 0] += 1
            for problem in event.validate() {
                counts["UNFIT \(event.id): \(problem)", default: 0] += 1
                failures += 1
            }
        }
        // What is kept raw has no fields.
        if part.count < 64 << 10, !reading.events.contains(where: { $0.type == .unrecognised }) {
            report.count(Array(part), reading.events)
        }
    }
    let list = counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
    print("\(name): \(list)")
}
print("\nfield: mapped, noted as a loss, left out")
for line in report.lines { print(line) }
exit(failures == 0 ? 0 : 1)
