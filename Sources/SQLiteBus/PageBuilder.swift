import MessageBus
import SocialEvents

/// A page while it is being filled: what passes the filter, up to the limits.
struct PageBuilder {
    private let filter: EventFilter
    private let limits: PageLimits
    private var entries: [LogEntry] = []
    private var storage: [UInt8] = []
    private var bodyBytes = 0
    private var scanned = 0
    private var scannedThrough: Sequence

    /// An empty page that begins after `position`.
    init(filter: EventFilter, limits: PageLimits, position: Sequence) {
        self.filter = filter
        self.limits = limits
        scannedThrough = position
    }

    /// Adds what one batch brought; false when a limit is reached.
    mutating func add(_ chunk: RecentEvents.Chunk) -> Bool {
        // The first chunk's storage is shared; it is copied only if a second one joins it.
        let shares = storage.isEmpty
        for entry in chunk.entries where entry.sequence > scannedThrough {
            guard hasRoom else { return false }
            if filter.admits(entry) {
                guard hasRoom(forBody: entry.body.count) else { return false }
                var entry = entry
                if shares {
                    if storage.isEmpty { storage = chunk.storage }
                } else {
                    let start = storage.count
                    storage.append(contentsOf: chunk.storage[entry.body])
                    entry.body = start..<storage.count
                }
                append(entry)
            }
            pass(entry.sequence)
        }
        scannedThrough = max(scannedThrough, chunk.last)
        return true
    }

    /// Whether another event may be looked at.
    var hasRoom: Bool { entries.count < max(1, limits.count) && scanned < max(1, limits.scanned) }

    /// Whether a body of so many bytes may join; the first one always may.
    func hasRoom(forBody size: Int) -> Bool { entries.isEmpty || bodyBytes + size <= limits.bytes }

    /// Adds an event whose body is copied from `body`.
    mutating func append(_ entry: LogEntry, body: UnsafeRawBufferPointer) {
        if storage.isEmpty {
            let expected = (body.count + 64) * min(limits.count, limits.scanned)
            storage.reserveCapacity(max(body.count, min(limits.bytes, expected)))
        }
        var entry = entry
        let start = storage.count
        storage.append(contentsOf: body)
        entry.body = start..<storage.count
        append(entry)
    }

    /// Notes that everything up to `sequence` was looked at.
    mutating func pass(_ sequence: Sequence) {
        scanned += 1
        scannedThrough = sequence
    }

    /// Notes that there is nothing more up to `head`.
    mutating func reachEnd(_ head: Sequence) { scannedThrough = max(scannedThrough, head) }

    /// The page; `head` is the last position in the log.
    func finish(head: Sequence) -> LogPage {
        LogPage(entries: entries, storage: storage, scannedThrough: scannedThrough, head: head)
    }

    private mutating func append(_ entry: LogEntry) {
        bodyBytes += entry.body.count
        entries.append(entry)
    }
}

extension EventFilter {
    /// Whether an entry of the log passes.
    fileprivate func admits(_ entry: LogEntry) -> Bool {
        admits(source: entry.source, platform: entry.platform, type: entry.type, isDuplicate: entry.duplicateOf != nil)
    }
}
