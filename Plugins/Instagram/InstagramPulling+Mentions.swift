import ConnectorKit
import JSON
import MetaGraph
import SocialEvents

// The words of mentions, of which webhooks tell the ids alone.

extension InstagramPulling {
    /// An answer that cannot be read so often is set aside.
    private static let mostFailures = 3

    /// Reads some of the mentions that the account was told of.
    ///
    /// A mention is taken off the account's list by the pull after the one that read it: by then its words are durable.
    func mentions(_ cursor: inout InstagramCursor) async throws -> PullPage {
        var harvest = Harvest()
        let box = InstagramMentionBox(account: context.account, user: configuration.user)
        let waiting = try await box.take(done: cursor.done)
        cursor.done = []
        for mention in waiting.prefix(Self.mostQuestions) {
            do {
                try await read(mention, &harvest)
            } catch let error as ConnectorError where error.code == .malformed {
                // A broken answer may come whole next time; one that never does must not stand before the others.
                guard try await box.fail(mention.key) >= Self.mostFailures else { continue }
                harvest.deadLetters.append(error.deadLetter ?? mention.deadLetter(why: error.message))
            } catch is ConnectorError where !cursor.done.isEmpty {
                // What was read is kept; the next pull meets the failure.
                return harvest.page(cursor, hasMore: true)
            }
            cursor.done.append(mention.key)
        }
        guard !cursor.done.isEmpty else {
            return PullPage(cursor: cursor.encoded(), hasMore: false)
        }
        // One more pull takes off the list what this one read.
        return harvest.page(cursor, hasMore: true)
    }

    private func read(_ mention: InstagramMention, _ harvest: inout Harvest) async throws {
        guard let request = InstagramAPI.mention(mention, user: configuration.user) else { return }
        do {
            let answer = try await client.fetch(request)
            harvest.notBefore = answer.notBefore ?? harvest.notBefore
            let events = try answer.read { root in
                var events: [Event] = []
                try normalizer.mentioned(root, into: &events)
                return events
            }
            harvest.events += events
        } catch let error as ConnectorError where error.graph?.meaning == .gone {
            harvest.events.append(normalizer.event(mention.object, .postDeleted, at: nil))
        } catch let error as ConnectorError where error.code == .rejected {
            // Comments may be switched off below the media: what was told stays, and a person can look.
            harvest.deadLetters.append(mention.deadLetter(why: error.message))
        }
    }
}

extension InstagramMention {
    /// What the mention is: a comment or a media.
    fileprivate var object: ObjectID {
        let platform = InstagramNormalizer.platform
        return comment.map { ObjectID(platform, "comment", $0) } ?? ObjectID(platform, "media", media ?? "")
    }

    /// The ids, for a person to look at.
    fileprivate func deadLetter(why: String) -> DeadLetter {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("media_id", media)
        writer.member("comment_id", comment)
        writer.endObject()
        return DeadLetter(reason: why, contentType: "application/json; form=mention", payload: writer.bytes)
    }
}
