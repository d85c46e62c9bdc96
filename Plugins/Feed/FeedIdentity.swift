package import SocialEvents

extension Platform {
    /// The platform of everything read from feeds.
    package static let feed: Platform = "feed"
}

/// Gives entries, people and the feed itself their ids.
///
/// An entry's own id (`guid`, `id`) that is an absolute IRI is unique in the world, so that the same entry has one id in
/// whichever feed it is read. Every other id is only unique within the feed and gets the feed's address before it.
struct FeedIdentity: Sendable {
    /// The feed's address without scheme; a query stands in it as a digest, since it may hold a key to the feed.
    let scope: String

    init(url: String) {
        var rest = url[...]
        if let scheme = rest.firstRange(of: "://") { rest = rest[scheme.upperBound...] }
        if let fragment = rest.firstIndex(of: "#") { rest = rest[..<fragment] }
        let query = rest.firstIndex(of: "?").map { rest[rest.index(after: $0)...] } ?? ""
        rest = rest.prefix { $0 != "?" }
        let host = rest.prefix { $0 != "/" }
        var scope = host.lowercased() + rest.dropFirst(host.count)
        if scope.hasSuffix("/") { scope.removeLast() }
        if !query.isEmpty {
            var hasher = FeedHasher()
            hasher.combine(String(query))
            scope += "~" + hasher.hexadecimal
        }
        self.scope = scope
    }

    /// The feed as a channel.
    var channel: ObjectID { ObjectID(.feed, "channel", scope) }

    /// An entry by its own id.
    ///
    /// The id does not say what kind of utterance the entry is, since not every feed that has it tells.
    func entry(_ native: String) -> ObjectID {
        ObjectID(.feed, .article, Self.isGlobal(native) ? native : "\(scope)#\(native)")
    }

    /// An entry that has neither an id nor a link, by what it says.
    func entry(saying hasher: FeedHasher) -> ObjectID {
        ObjectID(.feed, .article, "\(scope)#~\(hasher.hexadecimal)")
    }

    /// Somebody by their page, else by their name within the feed.
    func actor(url: String?, name: String?) -> ObjectID? {
        if let url { return ObjectID(.feed, "actor", url) }
        return name.map { ObjectID(.feed, "actor", "\(scope)#\($0)") }
    }

    /// Whether an id is an absolute IRI of a scheme whose names are unique in the world (RFC 4287 §4.2.6).
    static func isGlobal(_ native: String) -> Bool {
        let bytes = native.utf8
        guard let colon = bytes.prefix(32).firstIndex(of: UInt8(ascii: ":")) else { return false }
        let rest = bytes[bytes.index(after: colon)...]
        if rest.starts(with: "//".utf8) { return rest.dropFirst(2).first != nil }
        switch native[..<colon].lowercased() {
        // `yt:` is YouTube's own, the same in all its feeds.
        case "tag", "urn", "yt", "doi", "info": return !rest.isEmpty
        default: return false
        }
    }
}

/// A digest of 64 bits that stays the same across versions and machines.
///
/// White space does not count but where it is said to; parts are told apart.
///
/// It tells the entries and edits of one feed apart. It is no protection against somebody who wants two texts to meet: who
/// writes a feed can hide only entries of their own.
struct FeedHasher {
    private var state: UInt64 = 0x9E37_79B9_7F4A_7C15
    private var word: UInt64 = 0
    private var filled = 0

    mutating func combine(_ text: String) {
        var text = text
        text.withUTF8 { combine($0) }
    }

    mutating func combine(_ bytes: UnsafeBufferPointer<UInt8>) {
        // In registers: this runs over every byte of every entry.
        var word = word
        var filled = filled
        for byte in bytes where byte > 0x20 {
            word = word << 8 | UInt64(byte)
            filled += 1
            if filled == 8 {
                state = Self.mixed(state, word)
                word = 0
                filled = 0
            }
        }
        self.word = word
        self.filled = filled
        // No text has this byte, so it ends the part.
        add(0xFF)
    }

    /// Takes text in whose white space is single already, eight bytes at a time: white space counts.
    mutating func combine(tidy text: String?) {
        guard var text else { return combine("") }
        text.withUTF8 { bytes in
            let raw = UnsafeRawBufferPointer(bytes)
            var offset = 0
            while offset + 8 <= raw.count {
                let word = UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
                state = Self.mixed(state, word)
                offset += 8
            }
            while offset < raw.count {
                add(raw[offset])
                offset += 1
            }
        }
        add(0xFF)
    }

    mutating func combine(_ text: String?) {
        combine(text ?? "")
    }

    mutating func combine(_ number: Int64) {
        for shift in stride(from: 0, to: 64, by: 8) { add(UInt8(truncatingIfNeeded: number >> Int64(shift))) }
    }

    @inline(__always)
    private mutating func add(_ byte: UInt8) {
        word = word << 8 | UInt64(byte)
        filled += 1
        if filled == 8 { mix() }
    }

    private mutating func mix() {
        state = Self.mixed(state, word)
        word = 0
        filled = 0
    }

    @inline(__always)
    private static func mixed(_ state: UInt64, _ word: UInt64) -> UInt64 {
        let product = (state ^ word) &* 0xFF51_AFD7_ED55_8CCD
        return product ^ (product >> 32)
    }

    /// The digest.
    var value: UInt64 {
        var copy = self
        copy.word = copy.word << 8 | UInt64(copy.filled)
        copy.mix()
        var value = copy.state
        value = (value ^ (value >> 33)) &* 0xC4CE_B9FE_1A85_EC53
        return value ^ (value >> 33)
    }

    /// The digest as 16 digits.
    var hexadecimal: String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
