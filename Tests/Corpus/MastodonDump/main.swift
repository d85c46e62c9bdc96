// Reads payloads of Mastodon and its relatives and prints one line for each file: how many events came of it, and of which types.
//
//     MastodonDump FILE...
//
// A file is a JSON payload, an array of such, an exchange {"request", "response": {"body"}}, a message of the WebSocket {"stream", "event", "payload"}, or
// server-sent events. At the end stand the members of all statuses, with how often each was there and whether it was read. Exits with 1 when a file gave nothing.

import ConnectorKit
import Glibc
import JSON
import MastodonConnector
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

/// Reads payloads whatever they are.
struct Corpus {
    let normalizer = MastodonNormalizer(host: "corpus.example", now: Timestamp(seconds: 1_780_000_000))
    var fields: [String: Int] = [:]

    mutating func events(of bytes: [UInt8], isStream: Bool) -> [Event] {
        if isStream { return stream(bytes) }
        do {
            return try JSONParser().parse(bytes) { root in read(root) }
        } catch {
            return [normalizer.unrecognised(bytes, contentType: "application/octet-stream")]
        }
    }

    private mutating func read(_ value: JSONValue) -> [Event] {
        if value.kind == .array {
            return value.elements.isEmpty ? [normalizer.unrecognised(value)] : value.elements.flatMap { read($0) }
        }
        if value["request"] != nil, let response = value["response"] {
            return response["body"].map { read($0) } ?? [normalizer.unrecognised(value)]
        }
        if value["stream"] != nil, let name = value["event"]?.string {
            return stream(Array("event: \(name)\ndata: \(value["payload"]?.string ?? "undefined")\n\n".utf8))
        }
        var events: [Event] = []
        do throws(JSONError) {
            if value["type"] != nil, value["created_at"] != nil, value["id"] != nil, value["account"] != nil {
                if let status = value["status"] { count(status) }
                try normalizer.notification(value, into: &events)
            } else if value["id"] != nil, value["account"] != nil, value["content"] != nil || value["reblog"] != nil {
                count(value)
                try normalizer.status(value, on: .appearance, into: &events)
            } else {
                for name in ["last_status", "ancestors", "descendants", "statuses", "status"] {
                    guard let part = value[named: name], part.kind != .string, part.count > 0 else { continue }
                    events += read(part)
                }
            }
        } catch {
            events = []
        }
        return events.isEmpty ? [normalizer.unrecognised(value)] : events
    }

    private mutating func stream(_ bytes: [UInt8]) -> [Event] {
        // Timelines and notifications are read by different sources.
        [MastodonConfiguration.Kind.home, .notifications].flatMap { kind -> [Event] in
            var reader = MastodonStreamReader(MastodonCursor(), kind, normalizer)
            let batch = try? reader.read(bytes, now: normalizer.now)
            return batch?.events ?? []
        }
    }

    private mutating func count(_ status: JSONValue) {
        for (key, value) in status.members where !value.isNull { fields[key.string, default: 0] += 1 }
        if let reblog = status["reblog"], reblog.kind == .object { count(reblog) }
    }
}

var corpus = Corpus()
var types: [String: Int] = [:]
var failures = 0
for path in CommandLine.arguments.dropFirst() {
    let name = path.split(separator: "/").last.map(String.init) ?? path
    guard let bytes = content(of: path) else {
        print("\(name)\tcannot be read")
        failures += 1
        continue
    }
    let events = corpus.events(of: bytes, isStream: name.hasPrefix("sse"))
    let problems = events.flatMap { $0.validate() }
    for event in events { types[event.type.rawValue, default: 0] += 1 }
    if !problems.isEmpty { failures += 1 }
    let list = Dictionary(grouping: events, by: \.type.rawValue).map { "\($0.key)×\($0.value.count)" }.sorted()
    print("\(name)\t\(events.count)\t\(list.joined(separator: " "))\(problems.first.map { "\tINVALID \($0)" } ?? "")")
    if events.isEmpty { failures += 1 }
}
print("\nevents")
for (type, count) in types.sorted(by: { $0.key < $1.key }) { print("\(count)\t\(type)") }
print("\nmembers of statuses")
for (name, count) in corpus.fields.sorted(by: { ($1.value, $0.key) < ($0.value, $1.key) }) {
    print("\(count)\t\(name)\t\(MastodonStatusFields.reads(name) ? "read" : "left out")")
}
exit(failures == 0 ? 0 : 1)
