// Reads feeds and prints what was read of each as a line of JSON, for `compare_feeds.py` to hold against another parser:
//
//     FeedDump FILE...
//
// A line is {"file", "format", "entries": [{"id", "title", "published", "updated", "link", "events"}], "problems", "error"}.

import FeedConnector
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

/// Dates that are not in the future are compared, so the time of reading lies far ahead.
let now = Timestamp.writable.upperBound

func describe(_ document: FeedDocument, to writer: inout JSONWriter) {
    let normalizer = FeedNormalizer(url: "http://corpus.example/feed", now: now)
    writer.member("format", document.format.rawValue)
    writer.key("entries")
    writer.beginArray()
    for entry in document.entries {
        writer.beginObject()
        writer.member("id", entry.id)
        writer.member("title", entry.title.flatMap { normalizer.title($0) })
        writer.member("published", entry.published?.description)
        writer.member("updated", entry.updated?.description)
        writer.member("link", entry.link)
        writer.endObject()
    }
    writer.endArray()
    writer.member("events", normalizer.items(of: document).count)
    writer.key("problems")
    writer.beginArray()
    for problem in document.problems { writer.string(problem) }
    writer.endArray()
}

var writer = JSONWriter()
for path in CommandLine.arguments.dropFirst() {
    writer.beginObject()
    writer.member("file", path)
    if let bytes = content(of: path) {
        do throws(FeedParserError) {
            describe(try FeedParser.parse(bytes, url: "http://corpus.example/feed"), to: &writer)
        } catch {
            writer.member("error", error.description)
        }
    } else {
        writer.member("error", "the file cannot be read")
    }
    writer.endObject()
    writer.endLine()
    print(writer.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }, terminator: "")
    writer.removeAll()
}
