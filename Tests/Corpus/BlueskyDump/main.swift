// Reads payloads of the AT Protocol and says what became of them:
//
//     BlueskyDump FILE...
//
// One line a file: its name, how many events of which types, dead letters. Files that end in `.jsonl` hold a payload a line. At the end, each field
// met, how often, and whether an event tells it. A payload that becomes nothing at all ends the program with status 1.

import BlueskyConnector
import ConnectorKit
import Glibc
import JSON
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

/// Fields that events tell, by where they stand in a record, a commit or a view; what lies below one of them counts as told.
let told: Set<String> = [
    "did", "time_us", "kind", "commit.rev", "commit.operation", "commit.collection", "commit.rkey", "identity.handle",
    "identity.time", "identity.did", "account.active", "account.status", "account.time", "account.did",
    "record.$type", "record.createdAt", "record.text", "record.langs", "record.reply.parent.uri",
    "record.reply.root.uri", "record.facets.index", "record.facets.features", "record.tags", "record.labels.values",
    "record.embed.$type", "record.embed.images.alt", "record.embed.images.aspectRatio", "record.embed.images.image",
    "record.embed.video", "record.embed.alt", "record.embed.aspectRatio", "record.embed.external.uri",
    "record.embed.external.title", "record.embed.external.description", "record.embed.external.thumb",
    "record.embed.record.uri", "record.embed.record.record.uri", "record.embed.media", "record.subject",
    "record.displayName", "record.avatar", "error",
]

/// The path of a field in the words of ``told``: lists fall away, and a record stands for itself wherever it is.
func name(_ path: [String]) -> String {
    guard let record = path.lastIndex(of: "record"), record == 0 || path[record - 1] == "commit" else {
        return path.joined(separator: ".")
    }
    return path[record...].joined(separator: ".")
}

func isTold(_ field: String) -> Bool {
    var parts = field.split(separator: ".")
    while !parts.isEmpty {
        if told.contains(parts.joined(separator: ".")) { return true }
        parts.removeLast()
    }
    return false
}

/// Wraps a bare record as its author's server would send it.
func commit(_ record: JSONValue, _ type: String) -> [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    writer.member("did", "did:web:sample.example")
    writer.member("time_us", 1_783_175_888_000_000)
    writer.member("kind", "commit")
    writer.key("commit")
    writer.beginObject()
    writer.member("rev", "3mptbypkxkx2g")
    writer.member("operation", "create")
    writer.member("collection", type)
    writer.member("rkey", "3mptbypkpqx2g")
    writer.member("record", record)
    writer.endObject()
    writer.endObject()
    return writer.bytes
}

/// Reads payloads and counts their fields.
struct Survey {
    private let parser = JSONParser()
    let now = Timestamp(seconds: 1_783_200_000)
    private(set) var fields: [String: Int] = [:]

    private mutating func count(_ value: JSONValue, _ path: [String]) {
        switch value.kind {
        case .object: for (key, member) in value.members { count(member, path + [key.string]) }
        case .array: for element in value.elements { count(element, path) }
        case .null: break
        case .string, .number, .boolean: fields[name(path), default: 0] += 1
        }
    }

    /// What a payload becomes.
    mutating func read(_ payload: [UInt8]) -> BlueskyNormalizer {
        var normalizer = BlueskyNormalizer(now: now)
        var wrapped: [UInt8]?
        do {
            try parser.parse(payload) { root in
                if let list = root["posts"] {
                    for view in list.elements { _ = normalizer.postView(view) }
                } else if let list = root["feed"] {
                    for item in list.elements { _ = normalizer.feedEntry(item) }
                } else if let list = root["notifications"] {
                    for item in list.elements { _ = normalizer.notification(item) }
                } else if root["kind"] == nil {
                    let type = root["$type"]?.string ?? (root["text"] == nil ? nil : "app.bsky.feed.post")
                    if let type, type != "message", type != "error" { wrapped = commit(root, type) }
                }
                count(root, wrapped == nil ? [] : ["record"])
            }
        } catch {
            print("  not JSON: \(error)")
        }
        if normalizer.events.isEmpty, normalizer.deadLetters.isEmpty {
            _ = normalizer.jetstream(wrapped ?? payload, with: parser)
        }
        if normalizer.events.isEmpty {
            normalizer.removeAll()
            normalizer.keep(payload)
        }
        return normalizer
    }
}

var survey = Survey()
var failures = 0
var totals: [String: Int] = [:]
for path in CommandLine.arguments.dropFirst() {
    guard let bytes = content(of: path) else {
        print("\(path): cannot be read")
        failures += 1
        continue
    }
    let payloads = path.hasSuffix(".jsonl") ? bytes.split(separator: UInt8(ascii: "\n")).map(Array.init) : [bytes]
    var types: [String: Int] = [:]
    var letters = 0
    for payload in payloads {
        let normalizer = survey.read(payload)
        letters += normalizer.deadLetters.count
        if normalizer.events.isEmpty, normalizer.deadLetters.isEmpty { failures += 1 }
        for event in normalizer.events {
            types[event.type.rawValue, default: 0] += 1
            totals[event.type.rawValue, default: 0] += 1
            for problem in event.validate() {
                print("  \(event.id): \(problem)")
                failures += 1
            }
        }
    }
    let list = types.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
    print("\(path.split(separator: "/").last ?? ""): \(list)\(letters > 0 ? ", dead letters \(letters)" : "")")
}

print("\nevents: " + totals.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", "))
print("\nfields, how often, and whether an event tells them:")
for (field, times) in survey.fields.sorted(by: { ($1.value, $0.key) < ($0.value, $1.key) }) {
    print("  \(times)\t\(isTold(field) ? "told" : "-")\t\(field)")
}
exit(failures == 0 ? 0 : 1)
