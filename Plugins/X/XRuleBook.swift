import Glibc
import JSON
import SocialEvents

/// What is known of the rules that the platform names beside a post: whether they are ours, and how an event tells of them.
///
/// Rules are remembered as they come, so that a stream makes their names once and not for every post.
package struct XRuleBook {
    private struct Entry {
        var id: [UInt8]
        var isOwn: Bool
        var match: Match
        /// The other names of a rule that stands for several.
        var more: [Match] = []
    }

    /// Beyond this many all but the aliases are forgotten.
    private static let most = 2000

    /// How the tags of our rules begin; `nil` where every rule counts as ours.
    private let ownPrefix: String?
    private let aliases: [String: [String]]
    private var entries: [Entry] = []
    /// Positions in ``entries`` by the hash of the id, 0 for none, counted from 1; the next free place follows where two meet.
    private var places = [UInt16](repeating: 0, count: XRuleBook.slots)

    /// A power of two, twice as many as rules are remembered.
    private static let slots = 4096

    /// A book that knows no rules yet.
    ///
    /// - Parameters:
    ///   - ownPrefix: how the tags of the source's own rules begin; what follows is the rule's name. `nil` where every rule counts.
    ///   - aliases: the names of rules whose tags say something else, by their ids; no name for those that are not ours whatever their tags.
    package init(ownPrefix: String? = nil, aliases: [String: [String]] = [:]) {
        self.ownPrefix = ownPrefix
        self.aliases = aliases
        begin()
    }

    /// What a payload's `matching_rules` say.
    ///
    /// - Parameter rules: an array of `{"id", "tag"}`.
    /// - Returns: the matches with rules that count, at most as many as an event may hold, and whether there are any.
    mutating func matches(_ rules: JSONValue?) -> (matches: [Match], hasOwn: Bool) {
        guard let rules else { return ([], ownPrefix == nil) }
        var matches: [Match] = []
        matches.reserveCapacity(min(rules.count, EventLimits.elements))
        for rule in rules.elements.prefix(EventLimits.elements) where matches.count < EventLimits.elements {
            guard let position = position(of: rule), entries[position].isOwn else { continue }
            matches.append(entries[position].match)
            if !entries[position].more.isEmpty {
                matches += entries[position].more.prefix(EventLimits.elements - matches.count)
            }
        }
        return (matches, ownPrefix == nil || !matches.isEmpty)
    }

    /// The position of the entry of a rule, which is made where there is none yet.
    private mutating func position(of rule: JSONValue) -> Int? {
        guard let id = rule["id"] else { return nil }
        if let known = id.withUTF8(find) ?? nil { return known }
        guard let entry = make(id, rule["tag"]?.string) else { return nil }
        if entries.count >= Self.most { begin() }
        remember(entry)
        return entries.count - 1
    }

    /// Forgets all rules but the aliases.
    private mutating func begin() {
        entries = []
        places = [UInt16](repeating: 0, count: Self.slots)
        for (id, names) in aliases.prefix(Self.most / 2) {
            let matches = names.map { Match(name: $0) }
            var entry = Entry(id: Array(id.utf8), isOwn: !names.isEmpty, match: matches.first ?? Match(name: ""))
            entry.more = Array(matches.dropFirst())
            remember(entry)
        }
    }

    private func make(_ id: JSONValue, _ tag: String?) -> Entry? {
        guard let name = id.string ?? id.int.map({ String($0) }) else { return nil }
        let bytes = Array(name.utf8)
        guard let ownPrefix else { return Entry(id: bytes, isOwn: true, match: Self.match(id: name, tag: tag)) }
        guard let short = tag?.prefix(Self.longestTag), short.hasPrefix(ownPrefix) else {
            return Entry(id: bytes, isOwn: false, match: Match(name: ""))
        }
        return Entry(id: bytes, isOwn: true, match: Match(name: String(short.dropFirst(ownPrefix.count))))
    }

    private static let longestTag = 1000

    /// How an event tells of a rule that somebody else has set.
    static func match(id: String, tag: String?) -> Match {
        Match(name: String(id.prefix(100)), tags: tag.map { [String($0.prefix(longestTag))] } ?? [])
    }

    private mutating func remember(_ entry: Entry) {
        entries.append(entry)
        var slot = entry.id.withUnsafeBufferPointer(Self.slot)
        while places[slot] != 0 { slot = (slot + 1) % Self.slots }
        places[slot] = UInt16(entries.count)
    }

    /// The position of the entry of an id.
    private func find(_ id: UnsafeBufferPointer<UInt8>) -> Int? {
        var slot = Self.slot(id)
        while places[slot] != 0 {
            let position = Int(places[slot]) - 1
            let isSame = entries[position].id.withUnsafeBufferPointer { known in
                guard known.count == id.count, let one = known.baseAddress, let other = id.baseAddress else {
                    return false
                }
                return memcmp(one, other, id.count) == 0
            }
            if isSame { return position }
            slot = (slot + 1) % Self.slots
        }
        return nil
    }

    /// Where to look for an id first: FNV-1a with 64 bits.
    private static func slot(_ bytes: UnsafeBufferPointer<UInt8>) -> Int {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return Int((hash ^ hash >> 32) % UInt64(slots))
    }
}
