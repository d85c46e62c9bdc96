import ConnectorKit
import JSON
import SocialEvents

/// A mention as a webhook tells of it: ids alone, which come only once.
package struct InstagramMention: Sendable, Hashable {
    /// The media, or the media of the comment.
    package var media: String?
    /// The comment; `nil` for a caption.
    package var comment: String?
    /// The account that is mentioned.
    package var account: String?
    /// How often its answer could not be read.
    var failures = 0

    /// A name for it, the same however often it is told.
    var key: String { comment.map { "c\($0)" } ?? "m\(media ?? "")" }
}

/// The mentions of one professional account whose words were not read yet, kept with the hub's account: webhooks put in, pulls take out.
///
/// Their events are stored before anything is read; here stand only the ids that are left to read.
struct InstagramMentionBox: Sendable {
    /// More are not kept; their events say that no update follows.
    static let most = 500

    private let account: any Account
    private let key: String

    /// The box of a professional account.
    ///
    /// - Parameters:
    ///   - account: where it is kept.
    ///   - user: the professional account's id.
    init(account: any Account, user: String) {
        self.account = account
        key = "instagram-mentions-\(user)"
    }

    /// Puts mentions in.
    ///
    /// - Parameter mentions: the mentions; one that is there already is put in once.
    /// - Returns: the keys of those that there was no room for.
    /// - Throws: what the account throws.
    func put(_ mentions: [InstagramMention]) async throws -> Set<String> {
        try await account.exclusively(key) {
            var kept = try await all()
            var known = Set(kept.map(\.key))
            var left: Set<String> = []
            for mention in mentions where !known.contains(mention.key) {
                guard kept.count < Self.most, mention.isShort else {
                    left.insert(mention.key)
                    continue
                }
                known.insert(mention.key)
                kept.append(mention)
            }
            try await keep(kept)
            return left
        }
    }

    /// Those that were not read yet, the oldest first.
    ///
    /// - Parameter done: keys whose events are durable; they are taken out.
    /// - Returns: those that are left.
    /// - Throws: what the account throws.
    func take(done: [String]) async throws -> [InstagramMention] {
        try await account.exclusively(key) {
            let kept = try await all()
            guard !done.isEmpty else { return kept }
            let gone = Set(done)
            let rest = kept.filter { !gone.contains($0.key) }
            if rest.count < kept.count { try await keep(rest) }
            return rest
        }
    }

    /// Counts that an answer could not be read, and lets the others go before.
    ///
    /// - Parameter key: whose answer.
    /// - Returns: how often that was so.
    /// - Throws: what the account throws.
    func fail(_ key: String) async throws -> Int {
        try await account.exclusively(self.key) {
            var kept = try await all()
            guard let index = kept.firstIndex(where: { $0.key == key }) else { return 1 }
            var mention = kept.remove(at: index)
            mention.failures += 1
            kept.append(mention)
            try await keep(kept)
            return mention.failures
        }
    }

    private func all() async throws -> [InstagramMention] {
        guard let bytes = try await account.value(for: key) else { return [] }
        // What cannot be read is as good as nothing: the events of the mentions are in the log.
        let mentions = try? JSONParser().parse(bytes) { json in
            var mentions: [InstagramMention] = []
            for mention in try json.requiredArray("mentions") {
                var read = InstagramMention(
                    media: try mention.optionalString("media"),
                    comment: try mention.optionalString("comment")
                )
                read.failures = try mention.optionalInt("failures") ?? 0
                mentions.append(read)
            }
            return mentions
        }
        return mentions ?? []
    }

    private func keep(_ mentions: [InstagramMention]) async throws {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("mentions")
        writer.beginArray()
        for mention in mentions {
            writer.beginObject()
            writer.member("media", mention.media)
            writer.member("comment", mention.comment)
            if mention.failures > 0 { writer.member("failures", mention.failures) }
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
        try await account.setValue(writer.bytes, for: key)
    }
}

extension InstagramMention {
    /// Whether the ids are no longer than Instagram's, so that all that are kept have room.
    fileprivate var isShort: Bool {
        [media, comment].allSatisfy { ($0?.utf8.count ?? 0) <= 32 }
    }
}
