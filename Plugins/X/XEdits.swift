import ConnectorKit
import JSON
import SocialEvents

/// A later version of an edited post, and the first, by whose id the post is called.
struct XEdit: Sendable, Hashable {
    var later: UInt64
    var first: UInt64

    /// Versions of one post that are told of; X allows five edits.
    private static let most = 100

    /// The later versions in a history, which begins with the first.
    static func all(_ history: JSONValue) -> [XEdit] {
        let ids = history.elements.prefix(most).compactMap { $0.string.flatMap { UInt64($0) } }
        guard let first = ids.first else { return [] }
        return ids.dropFirst().filter { $0 != first }.map { XEdit(later: $0, first: first) }
    }
}

/// Remembers which posts the later versions belong to, so that the deletion of a later version withdraws what stands under the first version's id.
///
/// Deletions name a version and no history. They may come to another source than the one that read the post, so this is kept with the account:
/// the last 4,000 versions in each of 16 values, spread by id.
struct XEditMemory: Sendable {
    let account: any Account

    private static let parts: UInt64 = 16
    private static let mostInPart = 4000
    private static let key = "x-edits"

    /// Remembers versions; durable when it returns.
    func remember(_ edits: [XEdit]) async throws {
        guard !edits.isEmpty else { return }
        let byPart = Dictionary(grouping: edits) { $0.later % Self.parts }
        for (part, new) in byPart {
            // Sources of one account write the same value.
            try await account.exclusively("\(Self.key).\(part)") {
                var known = try await self.part(part)
                let count = known.count
                for edit in new where !known.contains(edit) { known.append(edit) }
                guard known.count > count else { return }
                let bytes = known.suffix(Self.mostInPart).flatMap { Self.bytes($0.later) + Self.bytes($0.first) }
                try await account.setValue(bytes, for: "\(Self.key).\(part)")
            }
        }
    }

    /// The events, and behind each withdrawal of a later version that of the post it belongs to.
    func completing(_ events: [Event]) async throws -> [Event] {
        var parts: [UInt64: [UInt64: UInt64]] = [:]
        var whole: [Event] = []
        whole.reserveCapacity(events.count)
        for event in events {
            whole.append(event)
            guard event.type == .postDeleted, let subject = event.subject,
                subject.text.hasPrefix(Self.prefix), event.id.text.hasPrefix(subject.text),
                let later = UInt64(subject.text.dropFirst(Self.prefix.count))
            else { continue }
            let part = later % Self.parts
            if parts[part] == nil {
                let edits = try await self.part(part).map { ($0.later, $0.first) }
                parts[part] = Dictionary(edits, uniquingKeysWith: { $1 })
            }
            guard let first = parts[part]?[later] else { continue }
            var other = event
            let object = ObjectID(text: Self.prefix + String(first))
            other.subject = object
            other.id = EventID(text: object.text + event.id.text.dropFirst(subject.text.count))
            whole.append(other)
        }
        return whole
    }

    private static let prefix = "x:post:"

    private func part(_ part: UInt64) async throws -> [XEdit] {
        let bytes = try await account.value(for: "\(Self.key).\(part)") ?? []
        return stride(from: 0, to: bytes.count - bytes.count % 16, by: 16).map { start in
            XEdit(later: Self.number(bytes[start..<(start + 8)]), first: Self.number(bytes[(start + 8)..<(start + 16)]))
        }
    }

    private static func bytes(_ number: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}
