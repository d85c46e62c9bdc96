package import SocialEvents

/// What a source remembers of the entries it has read: 16 bytes for each, so that it tells new ones from edited and known ones.
///
/// Entries that left the feed are kept for a while, the latest longest, so that one that returns is not taken for new.
package struct FeedMemory: Sendable, Hashable {
    struct Record: Sendable, Hashable {
        var key: UInt64
        /// 48 bits of digest.
        var digest: UInt64
        /// At most ``FeedMemory/mostRevisions``.
        var revision: Int
        /// The feed said that the entry is withdrawn, or it was never readable.
        var isWithdrawn = false
        /// The entry was known before the gap that is being filled.
        var isBeforeGap = false
    }

    /// The latest seen first; those of the last fetch in its order at the front.
    private(set) var records: [Record] = []
    /// How many of them the last fetch had.
    private(set) var windowCount = 0

    static let mostRevisions = (1 << 14) - 1
    /// Most entries remembered; with them the cursor has less than 1 MiB.
    static let mostRecords = 40_000
    /// At least so many entries that left the feed are remembered.
    private static let leastDeparted = 200

    package init() {}

    /// Whether nothing was ever read.
    var isEmpty: Bool { records.isEmpty }

    // MARK: - A fetch of the feed itself

    /// What a fetch brought that was not known.
    package struct News {
        /// Entries that are new, edited or withdrawn, in the order of the document.
        package var events: [Event] = []
        /// Parts of the feed that could not be read and were not seen before.
        package var unreadable: [FeedFragment] = []
        /// Whether the fetch has an entry that was known before it.
        package var sharesEntry = false
    }

    /// Takes in what the feed says now.
    package mutating func absorb(
        _ items: [FeedItem],
        withdrawals: [(object: ObjectID, when: Timestamp?)] = [],
        unreadable: [FeedFragment] = [],
        channel: Channel? = nil,
        now: Timestamp
    ) -> News {
        var news = News()
        let index = positions()
        var taken: Set<UInt64> = []
        taken.reserveCapacity(items.count)
        news.events.reserveCapacity(isEmpty ? items.count : 0)
        var window: [Record] = []
        window.reserveCapacity(items.count + withdrawals.count)
        let withdrawn = Dictionary(
            withdrawals.map { (FeedItem.key(of: $0.object), $0.when) },
            uniquingKeysWith: { first, _ in first }
        )
        for item in items {
            let known = index[item.key].map { records[$0] }
            if known.map({ !$0.isWithdrawn }) == true { news.sharesEntry = true }
            // A tombstone counts unless the entry was changed after it (RFC 6721 §3).
            if let when = withdrawn[item.key], when.map({ item.editedAt ?? item.time ?? now <= $0 }) ?? true {
                continue
            }
            let (record, event) = Self.compare(item, with: known, now: now)
            if let event { news.events.append(event) }
            taken.insert(item.key)
            window.append(record)
        }
        for withdrawal in withdrawals {
            let key = FeedItem.key(of: withdrawal.object)
            guard taken.insert(key).inserted else { continue }
            var record = index[key].map { records[$0] } ?? Record(key: key, digest: 0, revision: 0)
            if !record.isWithdrawn {
                record.isWithdrawn = true
                news.events.append(Self.withdrawal(withdrawal, record.revision, channel, now: now))
            }
            window.append(record)
        }
        for fragment in unreadable {
            let key = Self.key(of: fragment)
            guard taken.insert(key).inserted else { continue }
            if index[key] == nil { news.unreadable.append(fragment) }
            window.append(Record(key: key, digest: 0, revision: 0, isWithdrawn: true))
        }
        windowCount = window.count
        records = window + records.lazy.filter { !taken.contains($0.key) }
        return news
    }

    /// Tells whether an entry is new, edited, returned or known, and what to remember of it.
    private static func compare(_ item: FeedItem, with known: Record?, now: Timestamp) -> (Record, Event?) {
        guard var record = known else {
            return (Record(key: item.key, digest: item.digest, revision: 0), item.created(now: now))
        }
        guard record.digest != item.digest || record.isWithdrawn else { return (record, nil) }
        record.digest = item.digest
        record.isWithdrawn = false
        record.revision = min(record.revision + 1, mostRevisions)
        return (record, item.updated(revision: record.revision, now: now))
    }

    private static func withdrawal(
        _ withdrawal: (object: ObjectID, when: Timestamp?),
        _ revision: Int,
        _ channel: Channel?,
        now: Timestamp
    ) -> Event {
        var data = EventData()
        data.channel = channel
        let when = withdrawal.when.flatMap { $0 <= now ? $0 : nil }
        if when == nil {
            data.loss.append(Loss("when", .inferred, "the event bears the time the withdrawal was seen"))
        }
        return Event(
            id: EventID(withdrawal.object, .deleted, revision: revision),
            type: .postDeleted,
            platform: .feed,
            subject: withdrawal.object,
            time: when ?? now,
            data: data
        )
    }

    private static func key(of fragment: FeedFragment) -> UInt64 {
        var hasher = FeedHasher()
        hasher.combine(fragment.reason)
        fragment.bytes.withUnsafeBufferPointer { hasher.combine($0) }
        return hasher.value
    }

    private func positions() -> [UInt64: Int] {
        Dictionary(records.enumerated().map { ($1.key, $0) }, uniquingKeysWith: { first, _ in first })
    }

    // MARK: - Filling a gap

    /// Marks what an earlier memory knows as known before a gap.
    mutating func markBeforeGap(of earlier: FeedMemory) {
        let known = Set(earlier.records.lazy.map(\.key))
        for index in records.indices where known.contains(records[index].key) { records[index].isBeforeGap = true }
    }

    /// Forgets which entries were known before a gap.
    mutating func clearGap() {
        for index in records.indices { records[index].isBeforeGap = false }
    }

    /// Takes in an older page: entries that are not known are new; what it says otherwise of known ones may be out of date.
    ///
    /// - Returns: the new entries, and whether the page reaches back to what was known before the gap.
    mutating func absorbArchive(_ items: [FeedItem], now: Timestamp) -> (events: [Event], reachesBack: Bool) {
        let index = positions()
        var events: [Event] = []
        var added: [Record] = []
        var reachesBack = false
        for item in items {
            if let position = index[item.key] {
                reachesBack = reachesBack || records[position].isBeforeGap
            } else if records.count + added.count < Self.mostRecords {
                added.append(Record(key: item.key, digest: item.digest, revision: 0))
                events.append(item.created(now: now))
            }
        }
        records.insert(contentsOf: added, at: windowCount)
        return (events, reachesBack)
    }

    /// Forgets entries that left the feed long ago; none while a gap is being filled, since the page that closes it has them.
    mutating func trim(isFillingGap: Bool) {
        let departed = isFillingGap ? Self.mostRecords : max(4 * windowCount, Self.leastDeparted)
        let most = min(windowCount + departed, Self.mostRecords)
        if records.count > most { records.removeLast(records.count - most) }
        windowCount = min(windowCount, records.count)
    }

    // MARK: - The form in a cursor

    /// Bytes of one record: key, digest, revision and marks, each with its highest byte first.
    private static let recordSize = 16

    /// All records in their order.
    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(records.count * Self.recordSize)
        for record in records {
            append(record.key, count: 8, to: &bytes)
            append(record.digest, count: 6, to: &bytes)
            let marks = (record.isWithdrawn ? 1 << 15 : 0) | (record.isBeforeGap ? 1 << 14 : 0)
            append(UInt64(record.revision | marks), count: 2, to: &bytes)
        }
        return bytes
    }

    private func append(_ number: UInt64, count: Int, to bytes: inout [UInt8]) {
        for shift in (0..<count).reversed() { bytes.append(UInt8(truncatingIfNeeded: number >> UInt64(8 * shift))) }
    }

    /// Reads what ``bytes`` wrote; nil for anything else.
    init?(bytes: [UInt8], windowCount: Int) {
        guard bytes.count % Self.recordSize == 0, bytes.count / Self.recordSize <= Self.mostRecords else { return nil }
        func number(_ start: Int, _ count: Int) -> UInt64 {
            bytes[start..<start + count].reduce(0) { $0 << 8 | UInt64($1) }
        }
        records = stride(from: 0, to: bytes.count, by: Self.recordSize).map { start in
            let marks = Int(number(start + 14, 2))
            return Record(
                key: number(start, 8),
                digest: number(start + 8, 6),
                revision: marks & Self.mostRevisions,
                isWithdrawn: marks & 1 << 15 != 0,
                isBeforeGap: marks & 1 << 14 != 0
            )
        }
        guard (0...records.count).contains(windowCount) else { return nil }
        self.windowCount = windowCount
    }
}

extension FeedItem {
    /// The event of its first appearance.
    func created(now: Timestamp) -> Event {
        event(.created, .postCreated, revision: 0, time: time ?? now, data: data)
    }

    /// The event of an edit.
    func updated(revision: Int, now: Timestamp) -> Event {
        var data = data
        var time = now
        if let editedAt, editedAt <= now {
            time = editedAt
        } else {
            data.loss.append(Loss("updated", .inferred, "the event bears the time the edit was seen"))
        }
        data.object?.revision = revision
        return event(.updated, .postUpdated, revision: revision, time: time, data: data)
    }

    private func event(
        _ verb: EventType.Verb,
        _ type: EventType,
        revision: Int,
        time: Timestamp,
        data: EventData
    ) -> Event {
        Event(
            id: EventID(object, verb, revision: revision),
            type: type,
            platform: .feed,
            subject: object,
            time: time,
            data: data
        )
    }
}
