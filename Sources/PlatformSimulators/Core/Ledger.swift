import JSON
import Synchronization

/// Everything that ever happened in a simulated world, in its order.
///
/// A test compares what a hub has with this: every event once, nothing missed, nothing invented.
package final class Ledger: Sendable {
    /// One fact.
    package struct Entry: Sendable, Hashable {
        /// What happened: `created`, `updated`, `deleted`, `reposted`, `unreposted`, `favourited`, `followed`, ...; each platform's own words.
        package var verb: String
        /// The object it happened to, by the id that platform calls it by.
        package var object: String
        /// Which revision an edit made; empty otherwise.
        package var revision: String
        /// Who did it, by the platform's id.
        package var actor: String
        /// Where it shows: names of timelines, tags, lists, kinds of notification.
        package var places: [String]
        /// When, in milliseconds since 1970.
        package var at: Int64
        /// What was said, as plain text; empty where nothing was.
        package var text: String

        /// A fact.
        package init(
            _ verb: String,
            _ object: String,
            revision: String = "",
            actor: String,
            places: [String] = [],
            at: Int64,
            text: String = ""
        ) {
            self.verb = verb
            self.object = object
            self.revision = revision
            self.actor = actor
            self.places = places
            self.at = at
            self.text = text
        }
    }

    private let facts = Mutex<[Entry]>([])

    /// Nothing has happened.
    package init() {}

    /// Writes a fact down.
    package func append(_ entry: Entry) {
        facts.withLock { $0.append(entry) }
    }

    /// What has happened so far.
    package var entries: [Entry] { facts.withLock { $0 } }

    /// How much has happened so far.
    package var count: Int { facts.withLock { $0.count } }

    /// One JSON object a line, from the entry of index `start` on.
    package func ndjson(from start: Int = 0) -> [UInt8] {
        var bytes: [UInt8] = []
        for (index, entry) in entries.enumerated().dropFirst(max(0, start)) {
            var line = JSONWriter()
            line.beginObject()
            line.member("index", index)
            line.member("verb", entry.verb)
            line.member("object", entry.object)
            if !entry.revision.isEmpty { line.member("revision", entry.revision) }
            line.member("actor", entry.actor)
            line.key("places")
            line.beginArray()
            for place in entry.places { line.string(place) }
            line.endArray()
            line.member("at", FeedDates.rfc3339(entry.at))
            if !entry.text.isEmpty { line.member("text", entry.text) }
            line.endObject()
            bytes += line.bytes
            bytes.append(UInt8(ascii: "\n"))
        }
        return bytes
    }
}
