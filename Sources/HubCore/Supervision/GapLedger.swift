import ConnectorKit
import JSON
import SocialEvents

/// The holes a source has reported, so that each is told once and the right one is closed, over restarts too.
///
/// The hub keeps the ledger *before* it writes the events that follow from it. Since the ids depend on the ledger alone, a page that is read
/// again after a crash gives the same events again, which the log skips.
struct GapLedger: Sendable, Equatable {
    private struct Entry: Equatable {
        var key: String
        /// When it was opened, in milliseconds; tells apart openings of the same key.
        var opening: Int64
        var isOpen: Bool
    }

    /// More than any source has; the oldest closed, then the oldest open ones give way.
    static let longest = 100
    private var entries: [Entry] = []

    /// No holes.
    init() {}

    /// Takes up what a page reports and returns the events that tell it.
    mutating func events(for reports: [GapReport], source: SourceName, now: Timestamp) -> [Event] {
        reports.map { report in
            switch report {
            case .opened(let key, let gap):
                let subject = ObjectID(.hub, "gap", "\(source.name)/\(key)")
                var event = Self.event(.gapOpened, .opened, subject, open(key, now: now), gap, now: now)
                event.causationID = nil
                return event
            case .closed(let key, let gap):
                let subject = ObjectID(.hub, "gap", "\(source.name)/\(key)")
                let opening = close(key, now: now)
                var event = Self.event(.gapClosed, .closed, subject, opening, gap, now: now)
                event.causationID = EventID(subject, .opened, revision: Int(opening))
                return event
            }
        }
    }

    private static func event(
        _ type: EventType,
        _ verb: EventType.Verb,
        _ subject: ObjectID,
        _ opening: Int64,
        _ gap: Gap,
        now: Timestamp
    ) -> Event {
        var event = Event(
            id: EventID(subject, verb, revision: Int(opening)),
            type: type,
            platform: .hub,
            subject: subject,
            time: now
        )
        event.data.gap = gap
        return event
    }

    private mutating func open(_ key: String, now: Timestamp) -> Int64 {
        if let index = entries.firstIndex(where: { $0.key == key }) {
            if entries[index].isOpen { return entries[index].opening }
            let opening = max(entries[index].opening + 1, now.milliseconds)
            entries.remove(at: index)
            entries.append(Entry(key: key, opening: opening, isOpen: true))
            return opening
        }
        makeRoom()
        entries.append(Entry(key: key, opening: now.milliseconds, isOpen: true))
        return now.milliseconds
    }

    private mutating func close(_ key: String, now: Timestamp) -> Int64 {
        if let index = entries.firstIndex(where: { $0.key == key }) {
            entries[index].isOpen = false
            return entries[index].opening
        }
        makeRoom()
        entries.append(Entry(key: key, opening: now.milliseconds, isOpen: false))
        return now.milliseconds
    }

    private mutating func makeRoom() {
        guard entries.count >= Self.longest else { return }
        entries.remove(at: entries.firstIndex { !$0.isOpen } ?? 0)
    }

    // MARK: Keeping

    /// Reads what ``bytes`` wrote; a ledger that cannot be read is empty.
    init(bytes: [UInt8]) {
        let parsed = try? JSONParser(maximumDepth: 4, maximumSize: 1 << 20).parse(bytes) { value in
            try value.expectArray().map { entry in
                Entry(
                    key: try entry.requiredString("key"),
                    opening: Int64(try entry.requiredInt("opening")),
                    isOpen: try entry.requiredBool("open")
                )
            }
        }
        entries = parsed ?? []
    }

    /// The ledger as JSON.
    var bytes: [UInt8] {
        var writer = JSONWriter()
        writer.beginArray()
        for entry in entries {
            writer.beginObject()
            writer.member("key", entry.key)
            writer.member("opening", entry.opening)
            writer.member("open", entry.isOpen)
            writer.endObject()
        }
        writer.endArray()
        return writer.bytes
    }
}
