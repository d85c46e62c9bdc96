package import ConnectorKit
import JSON
package import SocialEvents

/// Where a feed source stopped reading: validators, the feed's own wishes, what was read, and a gap being filled.
package struct FeedCursor: Sendable, Hashable {
    /// A gap that is being filled from older pages.
    package struct Repair: Sendable, Hashable {
        /// How older pages are found.
        package enum Way: String, Sendable {
            /// `prev-archive` (RFC 5005 §4).
            case archive
            /// `next` (RFC 5005 §3, JSON Feed).
            case next
            /// `?paged=N` of WordPress.
            case wordPress
        }

        /// The gaps, by the keys they were reported under.
        package var keys: [String]
        package var way: Way
        /// The page to read next.
        package var url: String
        /// How many pages were read.
        package var pages = 0
        /// How often in a row a page could not be fetched.
        package var failures = 0
        /// Whether the next pull reads a page, rather than the feed itself.
        package var isDue = true
        /// The newest entry before the gap, and the oldest behind it.
        package var after: Timestamp?
        package var before: Timestamp?
    }

    /// The digest of the configured address; validators of another are worthless.
    package var feed: String
    /// Where the feed has moved for good, if it has.
    package var url: String?
    /// What the server gave to ask with whether the feed has changed.
    package var validators = Validators()
    /// A digest of the last document, since many servers give no validators.
    package var body: String?
    /// Least seconds between fetches that the feed asked for.
    package var interval = 0
    package var pace = FeedPace()
    /// The newest time of an entry.
    package var newest: Timestamp?
    /// Whether the feed was ever read.
    package var hasRead = false
    package var memory = FeedMemory()
    package var repair: Repair?

    /// The version of the form.
    package static let version = 1

    package init(url: String) {
        feed = Self.digest(url)
    }

    static func digest(_ url: String) -> String {
        var hasher = FeedHasher()
        hasher.combine(url)
        return hasher.hexadecimal
    }

    /// A digest of a whole document.
    static func digest(of body: [UInt8]) -> String {
        var hasher = FeedHasher()
        body.withUnsafeBufferPointer { hasher.combine($0) }
        return hasher.hexadecimal
    }
}

// MARK: - The form

extension FeedCursor {
    /// The cursor as the host keeps it.
    package func encoded() -> Cursor {
        .json(version: Self.version) { writer in
            writer.member("feed", feed)
            writer.member("url", url)
            validators.write(into: &writer)
            writer.member("body", body)
            if interval > 0 { writer.member("interval", interval) }
            if pace.skippedHours != 0 { writer.member("skip_hours", pace.skippedHours) }
            if pace.skippedDays != 0 { writer.member("skip_days", pace.skippedDays) }
            writer.member("newest", newest?.milliseconds)
            writer.member("read", hasRead)
            writer.member("window", memory.windowCount)
            writer.member("known", Base64.encode(memory.bytes))
            if let repair { write(repair, to: &writer) }
        }
    }

    private func write(_ repair: Repair, to writer: inout JSONWriter) {
        writer.key("repair")
        writer.beginObject()
        writer.key("keys")
        writer.beginArray()
        for key in repair.keys { writer.string(key) }
        writer.endArray()
        writer.member("way", repair.way.rawValue)
        writer.member("url", repair.url)
        writer.member("pages", repair.pages)
        writer.member("failures", repair.failures)
        writer.member("due", repair.isDue)
        writer.member("after", repair.after?.milliseconds)
        writer.member("before", repair.before?.milliseconds)
        writer.endObject()
    }

    /// Reads the host's cursor for the feed at `url`.
    ///
    /// A cursor of another address keeps what it knows of entries and forgets what belongs to the address.
    ///
    /// - Throws: ``ConnectorError`` of code `rejected` for a cursor that cannot be read.
    package init(_ cursor: Cursor?, url: String) throws {
        self.init(url: url)
        guard let cursor else { return }
        let own = feed
        let stored = try cursor.json(upTo: Self.version) { root in
            guard let stored = Self.read(root) else { throw root.mismatch("the cursor of a feed") }
            return stored
        }
        if stored.feed == own {
            self = stored
        } else {
            memory = stored.memory
        }
    }

    private static func read(_ root: JSONValue) -> FeedCursor? {
        guard let feed = root["feed"]?.string, let known = root["known"]?.string, let bytes = Base64.decode(known),
            let memory = FeedMemory(bytes: bytes, windowCount: root["window"]?.int ?? 0)
        else { return nil }
        var cursor = FeedCursor(url: "")
        cursor.feed = feed
        cursor.url = root["url"]?.string
        cursor.validators = Validators(root)
        cursor.body = root["body"]?.string
        cursor.interval = min(max(root["interval"]?.int ?? 0, 0), Int(FeedPace.longestWait.components.seconds))
        cursor.pace = FeedPace(skippedHours: root["skip_hours"]?.int ?? 0, skippedDays: root["skip_days"]?.int ?? 0)
        cursor.newest = root["newest"]?.int.map { Timestamp(milliseconds: Int64($0)) }
        cursor.hasRead = root["read"]?.bool ?? false
        cursor.memory = memory
        cursor.repair = root["repair"].flatMap(repair)
        return cursor
    }

    private static func repair(_ value: JSONValue) -> Repair? {
        guard let way = value["way"]?.string.flatMap(Repair.Way.init(rawValue:)), let url = value["url"]?.string,
            let keys = value["keys"]
        else { return nil }
        return Repair(
            keys: keys.elements.compactMap(\.string),
            way: way,
            url: url,
            pages: value["pages"]?.int ?? 0,
            failures: value["failures"]?.int ?? 0,
            isDue: value["due"]?.bool ?? true,
            after: value["after"]?.int.map { Timestamp(milliseconds: Int64($0)) },
            before: value["before"]?.int.map { Timestamp(milliseconds: Int64($0)) }
        )
    }
}

/// Base 64 (RFC 4648 §4) of what a cursor remembers.
enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 0xFF, count: 256)
        for (value, character) in alphabet.enumerated() { values[Int(character)] = UInt8(value) }
        return values
    }()

    static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let count = min(3, bytes.count - start)
            var group = UInt32(bytes[start]) << 16
            if count > 1 { group |= UInt32(bytes[start + 1]) << 8 }
            if count > 2 { group |= UInt32(bytes[start + 2]) }
            for index in 0..<4 {
                let isPadding = index > count
                text.append(isPadding ? UInt8(ascii: "=") : alphabet[Int(group >> UInt32(18 - 6 * index)) & 63])
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    static func decode(_ text: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count / 4 * 3)
        var group: UInt32 = 0
        var count = 0
        for character in text.utf8 where character != UInt8(ascii: "=") {
            let value = values[Int(character)]
            guard value != 0xFF else { return nil }
            group = group << 6 | UInt32(value)
            count += 1
            if count % 4 == 0 {
                bytes.append(UInt8(truncatingIfNeeded: group >> 16))
                bytes.append(UInt8(truncatingIfNeeded: group >> 8))
                bytes.append(UInt8(truncatingIfNeeded: group))
                group = 0
            }
        }
        switch count % 4 {
        case 1: return nil
        case 2: bytes.append(UInt8(truncatingIfNeeded: group >> 4))
        case 3:
            bytes.append(UInt8(truncatingIfNeeded: group >> 10))
            bytes.append(UInt8(truncatingIfNeeded: group >> 2))
        default: break
        }
        return bytes
    }
}
