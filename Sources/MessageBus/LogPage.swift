package import SocialEvents

/// Which events a reader asks for.
///
/// Empty sets ask for all.
package struct EventFilter: Sendable, Hashable {
    /// Only of these sources.
    ///
    /// Naming a source includes its events that another source had brought before.
    package var sources: Set<SourceName>
    /// Only of these platforms.
    package var platforms: Set<Platform>
    /// Only of these types.
    package var types: Set<EventType>
    /// Whether events that another source had brought before are included.
    package var includesDuplicates: Bool

    /// A filter; without arguments, everything but duplicates.
    package init(
        sources: Set<SourceName> = [],
        platforms: Set<Platform> = [],
        types: Set<EventType> = [],
        includesDuplicates: Bool = false
    ) {
        self.sources = sources
        self.platforms = platforms
        self.types = types
        self.includesDuplicates = includesDuplicates
    }

    /// Whether an event with these attributes passes.
    package func admits(source: SourceName, platform: Platform, type: EventType, isDuplicate: Bool) -> Bool {
        (!isDuplicate || includesDuplicates || !sources.isEmpty)
            && (sources.isEmpty || sources.contains(source))
            && (platforms.isEmpty || platforms.contains(platform))
            && (types.isEmpty || types.contains(type))
    }
}

/// How much one page may hold and cost.
package struct PageLimits: Sendable, Hashable {
    /// Most events.
    package var count: Int
    /// Most bytes of bodies; the first event is given however large.
    package var bytes: Int
    /// Most events looked at; a page that stops here says how far it came.
    package var scanned: Int

    /// Limits.
    package init(count: Int = 1_000, bytes: Int = 4 << 20, scanned: Int = 50_000) {
        self.count = count
        self.bytes = bytes
        self.scanned = scanned
    }
}

/// A stretch of the log.
///
/// The bodies lie one after another in ``storage``, so that a page costs few allocations.
package struct LogPage: Sendable {
    /// The events that passed, in order.
    package var entries: [LogEntry]
    /// The bytes that the entries' body ranges lie in.
    package var storage: [UInt8]
    /// Everything up to here was looked at: the position to go on from.
    package var scannedThrough: Sequence
    /// The last position in the log when the page was made.
    package var head: Sequence

    /// A page.
    package init(entries: [LogEntry], storage: [UInt8], scannedThrough: Sequence, head: Sequence) {
        self.entries = entries
        self.storage = storage
        self.scannedThrough = scannedThrough
        self.head = head
    }
}

/// One event of a page.
package struct LogEntry: Sendable, Hashable {
    /// Its position.
    package var sequence: Sequence
    /// When it was recorded.
    package var recordedTime: Timestamp
    /// The source that brought it.
    package var source: SourceName
    /// Its platform.
    package var platform: Platform
    /// Its type.
    package var type: EventType
    /// The position of the event of the same id that another source had brought.
    package var duplicateOf: Sequence?
    /// Where in the page's storage its JSON lies, as ``EventEncoder`` wrote it, without the stamps above.
    package var body: Range<Int>

    /// An entry.
    package init(
        sequence: Sequence,
        recordedTime: Timestamp,
        source: SourceName,
        platform: Platform,
        type: EventType,
        duplicateOf: Sequence?,
        body: Range<Int>
    ) {
        self.sequence = sequence
        self.recordedTime = recordedTime
        self.source = source
        self.platform = platform
        self.type = type
        self.duplicateOf = duplicateOf
        self.body = body
    }
}

/// What the log holds.
package struct LogBounds: Sendable, Hashable {
    /// Everything up to here was retained away; 0 when nothing was.
    package var trimmedThrough: Sequence
    /// The last position; equal to ``trimmedThrough`` in an empty log.
    package var head: Sequence
    /// Bytes on disk.
    package var size: Int64

    /// Bounds.
    package init(trimmedThrough: Sequence, head: Sequence, size: Int64) {
        self.trimmedThrough = trimmedThrough
        self.head = head
        self.size = size
    }
}
