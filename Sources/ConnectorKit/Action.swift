public import SocialEvents

/// Something to do on a platform.
public struct Action: Sendable, Hashable {
    /// What to do.
    public enum Verb: Sendable, Hashable {
        /// Say something new.
        case publish(Content)
        /// Answer an object.
        case reply(to: ObjectID, Content)
        /// Write to chosen people.
        case message(to: [ObjectID], Content)
        /// Pass an object on.
        case repost(ObjectID)
        /// Like an object, or react to it with an emoji.
        case react(to: ObjectID, emoji: String?)
        /// Withdraw one's own object.
        case delete(ObjectID)
    }

    /// What is said.
    public struct Content: Sendable, Hashable {
        /// Plain text.
        public var text: String
        /// A BCP 47 language tag.
        public var language: String?

        /// Words.
        public init(text: String, language: String? = nil) {
            self.text = text
            self.language = language
        }
    }

    /// What to do.
    public var verb: Verb
    /// Chosen by the caller; the same key never acts twice.
    public var idempotencyKey: String

    /// An action.
    public init(_ verb: Verb, idempotencyKey: String) {
        self.verb = verb
        self.idempotencyKey = idempotencyKey
    }
}

/// What is known after an action.
public struct Receipt: Sendable, Hashable {
    /// What came of it.
    public enum Outcome: Sendable, Hashable {
        /// Done; the object made or touched.
        case done(ObjectID?)
        /// Taken by the platform, to be done later.
        case accepted(ObjectID?)
        /// The answer was lost on the way: it may or may not have been done.
        case unknown(reason: String)
    }

    /// What came of it.
    public var outcome: Outcome
    /// Where a person can see it.
    public var url: String?

    /// A receipt.
    public init(_ outcome: Outcome, url: String? = nil) {
        self.outcome = outcome
        self.url = url
    }
}
