/// What kind of fact an event tells; the CloudEvents `type` attribute.
public enum EventType: String, Sendable, Hashable, CaseIterable {
    /// An utterance in the open: post, reply, quote, topic, comment, article, story.
    case postCreated = "social.post.created"
    /// An utterance in the open was edited.
    case postUpdated = "social.post.updated"
    /// An utterance in the open was withdrawn.
    case postDeleted = "social.post.deleted"
    /// A repost, boost or share without words of one's own.
    case repostCreated = "social.repost.created"
    /// A repost was taken back.
    case repostDeleted = "social.repost.deleted"
    /// A like, favourite or emoji.
    case reactionCreated = "social.reaction.created"
    /// A reaction was taken back.
    case reactionDeleted = "social.reaction.deleted"
    /// An utterance to chosen people.
    case messageCreated = "social.message.created"
    /// A message was edited.
    case messageUpdated = "social.message.updated"
    /// A message was withdrawn.
    case messageDeleted = "social.message.deleted"
    /// One message sent to many by the account itself.
    case broadcastCreated = "social.broadcast.created"
    /// Sent, delivered, read or failed, for a message or broadcast; only ever moves forward.
    case deliveryUpdated = "social.delivery.updated"
    /// A follow, subscription or opt-in.
    case followCreated = "social.follow.created"
    /// An unfollow or opt-out.
    case followDeleted = "social.follow.deleted"
    /// A person changed their profile.
    case profileUpdated = "social.profile.updated"
    /// The platform changed something about our own account: template status, quality, a revoked token.
    case accountUpdated = "social.account.updated"
    /// Counts at a time.
    case metricsObserved = "social.metrics.observed"
    /// Anything else, kept raw.
    case unrecognised = "social.unrecognised"
    /// A source changed its state.
    case sourceChanged = "hub.source.changed"
    /// A hole in what a source has read became known.
    case gapOpened = "hub.gap.opened"
    /// A known hole was filled.
    case gapClosed = "hub.gap.closed"

    /// The last word of a type, which is also the verb in an event's id.
    public enum Verb: String, Sendable, Hashable, CaseIterable {
        /// Something came to be.
        case created
        /// Something changed.
        case updated
        /// Something was withdrawn.
        case deleted
        /// Something was counted.
        case observed
        /// Something could not be read.
        case unrecognised
        /// A state changed.
        case changed
        /// A gap was found.
        case opened
        /// A gap was filled.
        case closed
    }

    /// What happened, as it stands in ids of events of this type.
    public var verb: Verb {
        switch self {
        case .postCreated, .repostCreated, .reactionCreated, .messageCreated, .broadcastCreated, .followCreated:
            .created
        case .postUpdated, .messageUpdated, .deliveryUpdated, .profileUpdated, .accountUpdated: .updated
        case .postDeleted, .repostDeleted, .reactionDeleted, .messageDeleted, .followDeleted: .deleted
        case .metricsObserved: .observed
        case .unrecognised: .unrecognised
        case .sourceChanged: .changed
        case .gapOpened: .opened
        case .gapClosed: .closed
        }
    }
}
