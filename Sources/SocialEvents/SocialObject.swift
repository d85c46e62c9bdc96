/// What kind of utterance an object is.
public enum ObjectKind: String, Sendable, Hashable, CaseIterable {
    /// A short post of one's own.
    case post
    /// An answer to another object.
    case reply
    /// A post that quotes another.
    case quote
    /// A post passed on without words of one's own.
    case repost
    /// A forum topic.
    case topic
    /// A comment under an article, post or media.
    case comment
    /// An article or feed entry.
    case article
    /// A story that expires.
    case story
    /// A message to chosen people.
    case message
    /// A message sent to many by the account itself.
    case broadcast
}

/// An utterance: a post, article, message and so on.
public struct SocialObject: Sendable, Hashable {
    /// Its id.
    public var id: ObjectID
    /// What it is.
    public var kind: ObjectKind
    /// Where a person can see it.
    public var url: String?
    /// When it was made, as its author or platform says.
    public var createdAt: Timestamp?
    /// When it was last edited.
    public var editedAt: Timestamp?
    /// 0 for the first form seen, then rising with each edit.
    public var revision: Int = 0
    /// A BCP 47 language tag.
    public var language: String?
    /// Its title, plain text.
    public var title: String?
    /// Its words, plain text with line breaks.
    public var text: String?
    /// Its words as sanitised HTML.
    public var html: String?
    /// Mentions, hashtags and links in ``text``.
    public var entities: [Entity] = []
    /// Pictures, videos, sounds and files.
    public var media: [Media] = []
    /// A poll.
    public var poll: Poll?
    /// Labels its author gave it: a feed's categories, a forum's tags; hashtags inside the text are entities.
    public var tags: [String] = []
    /// Whom it is for.
    public var audience: Audience?
    /// Marked as sensitive by its author or the platform.
    public var isSensitive: Bool = false
    /// The warning its author put before it.
    public var contentWarning: String?

    /// An object of which only its identity is known.
    public init(id: ObjectID, kind: ObjectKind) {
        self.id = id
        self.kind = kind
    }
}

/// Whom an utterance is for.
public enum Audience: String, Sendable, Hashable, CaseIterable {
    /// Everybody.
    case `public`
    /// Everybody who has the link; not listed.
    case unlisted
    /// Followers only.
    case followers
    /// Chosen people.
    case direct
    /// Many people, each addressed by the account itself.
    case broadcast
}

/// A marked stretch of an object's text.
public struct Entity: Sendable, Hashable {
    /// What is marked.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        /// Somebody's handle.
        case mention
        /// `#word`.
        case hashtag
        /// `$TICKER`.
        case cashtag
        /// A URL.
        case link
        /// A platform's own picture shown for `:name:`.
        case emoji
    }

    /// What is marked.
    public var kind: Kind
    /// First Unicode scalar of the stretch, counted from 0.
    public var start: Int
    /// The scalar after the last one.
    public var end: Int
    /// The hashtag or handle without its sign, the ticker, the emoji's name; for a link what is shown, where it differs from the text.
    public var value: String?
    /// Where it leads.
    public var url: String?
    /// The person a mention means.
    public var actor: ObjectID?

    /// A marked stretch.
    public init(
        _ kind: Kind,
        start: Int,
        end: Int,
        value: String? = nil,
        url: String? = nil,
        actor: ObjectID? = nil
    ) {
        self.kind = kind
        self.start = start
        self.end = end
        self.value = value
        self.url = url
        self.actor = actor
    }
}

/// A picture, video, sound or file that belongs to an object.
public struct Media: Sendable, Hashable {
    /// What it is.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        /// A still picture.
        case image
        /// A moving picture.
        case video
        /// A looping picture without sound.
        case animation
        /// Sound.
        case audio
        /// Any other file.
        case file
    }

    /// What it is.
    public var kind: Kind
    /// Where it lies.
    public var url: String?
    /// Its media type (RFC 6838).
    public var contentType: String?
    /// The description its author gave for those who cannot see it.
    public var alt: String?
    /// A small still picture of it.
    public var previewURL: String?
    /// Pixels.
    public var width: Int?
    /// Pixels.
    public var height: Int?
    /// Milliseconds.
    public var durationMilliseconds: Int?
    /// Bytes.
    public var size: Int?
    /// When its URL stops working.
    public var expiresAt: Timestamp?

    /// A piece of media of which only its kind is known yet.
    public init(_ kind: Kind, url: String? = nil) {
        self.kind = kind
        self.url = url
    }
}

/// A poll that belongs to an object.
public struct Poll: Sendable, Hashable {
    /// One choice.
    public struct Option: Sendable, Hashable {
        /// Its words.
        public var title: String
        /// Votes counted when it was read.
        public var votes: Int?

        /// A choice.
        public init(title: String, votes: Int? = nil) {
            self.title = title
            self.votes = votes
        }
    }

    /// The choices in their order.
    public var options: [Option]
    /// When voting ends.
    public var endsAt: Timestamp?
    /// Whether one person may choose several.
    public var allowsMultiple: Bool = false

    /// A poll.
    public init(options: [Option]) {
        self.options = options
    }
}
