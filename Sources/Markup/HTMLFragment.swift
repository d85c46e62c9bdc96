/// What one reading of a piece of HTML yields.
public struct HTMLFragment: Sendable, Equatable {
    /// A link, with the place of its words in the text.
    public struct Link: Sendable, Equatable {
        /// The URL as it stands in ``HTMLFragment/html``, absolute where a base was given.
        public var url: String
        /// Where its words are in ``HTMLFragment/text``, in Unicode scalars; empty for a link around a picture.
        public var range: Range<Int>

        /// Describes a link.
        public init(url: String, range: Range<Int>) {
            self.url = url
            self.range = range
        }
    }

    /// Something to look at or listen to.
    public struct Media: Sendable, Equatable {
        /// What it is.
        public enum Kind: String, Sendable {
            /// An `img`, or the poster of a video.
            case image
            /// A `video`, or a `source` inside one.
            case video
            /// An `audio`, or a `source` inside one.
            case audio
            /// The document of an `iframe`; it is listed here and not in ``HTMLFragment/html``.
            case embed
        }

        /// What it is.
        public var kind: Kind
        /// Its URL, absolute where a base was given.
        public var url: String
        /// Its description (`alt`); nil if the author gave none.
        public var alt: String?

        /// Describes something to look at or listen to.
        public init(kind: Kind, url: String, alt: String? = nil) {
            self.kind = kind
            self.url = url
            self.alt = alt
        }
    }

    /// What was left out, for a report of losses.
    public struct Removals: OptionSet, Sendable {
        /// One bit for each kind.
        public let rawValue: UInt8

        /// Makes a set from its bits.
        public init(rawValue: UInt8) {
            self.rawValue = rawValue
        }

        /// Scripts, event handlers and URLs of other schemes than the allowed ones.
        public static let scripts = Removals(rawValue: 1)
        /// Style sheets and `style` attributes.
        public static let styles = Removals(rawValue: 2)
        /// `iframe`, `object`, `embed`, `svg`, `math` and the like.
        public static let embeds = Removals(rawValue: 4)
        /// Parts of forms.
        public static let forms = Removals(rawValue: 8)
        /// Tags outside the allow-list; their content stayed.
        public static let elements = Removals(rawValue: 16)
        /// Attributes outside the allow-list.
        public static let attributes = Removals(rawValue: 32)
        /// Whatever came after a limit.
        public static let excess = Removals(rawValue: 64)
    }

    /// Well-formed HTML of allowed elements and attributes alone; safe to show (see ``HTMLSanitizer``).
    public var html = ""
    /// Plain text: blocks on lines of their own, paragraphs with an empty line between, items with `- `, pictures as their `alt`.
    public var text = ""
    /// The links, in order.
    public var links: [Link] = []
    /// Pictures, sound and video, in order.
    public var media: [Media] = []
    /// What was left out.
    public var removed: Removals = []

    /// The fragment of nothing.
    public init() {}
}
