import JSON
import MetaGraph
import SocialEvents
import Synchronization

/// The comments that webhooks told of since the last round, so that a round sees which of them were edited or deleted before it first read them.
///
/// Kept in memory alone: writing each down would cost more than the comment itself. What a crash takes away is that edits and deletions of the last
/// minutes go unnoticed; the comments themselves are in the log.
final class InstagramHeard: Sendable {
    /// A comment of a webhook.
    struct Comment: Sendable, Hashable {
        var id: String
        var media: String
        var digest: Int
        /// Seconds since 1970.
        var time: Int64
        var isReply: Bool
    }

    private struct State {
        var comments: [Comment] = []
        /// How many were forgotten from the front.
        var dropped = 0
    }

    /// More are not kept: the oldest give way.
    private static let most = 10_000

    private let state = Mutex(State())
    /// Tells the numbers of this value from those of an earlier one.
    private let token = UInt64.random(in: .min ... .max)

    /// Notes a comment.
    func note(_ comment: Comment) {
        state.withLock { state in
            state.comments.append(comment)
            // Not one by one: the array moves each time.
            guard state.comments.count > Self.most + 1000 else { return }
            state.comments.removeFirst(1000)
            state.dropped += 1000
        }
    }

    /// The comments that were noted, and a mark that stands for all of them.
    func all() -> (comments: [Comment], mark: String) {
        state.withLock { ($0.comments, "\(token).\($0.dropped + $0.comments.count)") }
    }

    /// Forgets what a mark stands for, once the cursor that has it is durable.
    func forget(through mark: String?) {
        let parts = (mark ?? "").split(separator: ".")
        guard parts.count == 2, UInt64(parts[0]) == token, let number = Int(parts[1]) else { return }
        state.withLock { state in
            let count = min(max(0, number - state.dropped), state.comments.count)
            state.comments.removeFirst(count)
            state.dropped += count
        }
    }
}

extension InstagramHeard.Comment {
    /// The comment of a webhook; `nil` where it is none, or one of which the media is not known.
    init?(_ notice: MetaNotice, now: Timestamp) {
        guard notice.isChange(of: "comments"),
            let id = InstagramValue.native(notice.value["id"] ?? notice.value["comment_id"]),
            let place = notice.value["media"],
            let media = InstagramValue.native(place["original_media_id"] ?? place["id"])
        else { return nil }
        self.id = id
        self.media = media
        digest = InstagramValue.digest(of: notice.value["text"])
        time = (notice.entryTime ?? now).milliseconds / 1000
        isReply = notice.value["parent_id"] != nil
    }
}
