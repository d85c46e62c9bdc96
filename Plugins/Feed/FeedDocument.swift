package import SocialEvents

/// A feed as it was read, in one form for all formats; what is in it is still as strangers wrote it.
package struct FeedDocument: Sendable {
    /// The formats that are told apart.
    package enum Format: String, Sendable {
        /// RSS 0.91 to 2.0.
        case rss
        /// RSS 0.90 and 1.0, which are RDF.
        case rdf
        /// Atom 0.3 and 1.0.
        case atom
        /// JSON Feed 1.0 and 1.1.
        case json
    }

    /// Its format.
    package var format: Format
    /// What it says about itself.
    package var head = FeedHead()
    /// Its entries in the order of the document.
    package var entries: [FeedEntry] = []
    /// Entries that it says are withdrawn (RFC 6721).
    package var withdrawals: [FeedWithdrawal] = []
    /// Entries that could not be read at all.
    package var unreadable: [FeedFragment] = []
    /// What was wrong with the document and read all the same, each once.
    package var problems: [String] = []
    /// Whether it ends before its end.
    package var isTruncated = false
    /// Whether it has more entries than are read at once.
    package var hasUnreadEntries = false

    package init(format: Format) {
        self.format = format
    }
}

/// What a feed says about itself.
package struct FeedHead: Sendable {
    package var id: String?
    package var title: FeedText?
    /// The page it belongs to.
    package var link: String?
    package var language: String?
    package var generator = ""
    package var authors: [FeedPerson] = []
    /// The next older page, if the feed is paged (RFC 5005 §3, JSON Feed `next_url`).
    package var next: String?
    /// The document with the entries before these (RFC 5005 §4).
    package var previousArchive: String?
    /// Whether the document says that it holds all there is (RFC 5005 §2).
    package var isComplete = false
    /// When to ask again.
    package var pace = FeedPace()

    package init() {}
}

/// One entry.
package struct FeedEntry: Sendable {
    package var id: String?
    package var link: String?
    package var title: FeedText?
    package var content: FeedText?
    package var summary: FeedText?
    package var published: Timestamp?
    package var updated: Timestamp?
    /// Whether a date was there that could not be read.
    package var hasUnreadableDate = false
    package var authors: [FeedPerson] = []
    package var categories: [String] = []
    package var media: [FeedMedia] = []
    package var language: String?
    /// How many comments the feed counts.
    package var commentCount: Int?
    /// How long the episode is.
    package var seconds: Double?
    /// How many views the feed counts.
    package var viewCount: Int?
    /// What it answers (RFC 4685).
    package var inReplyTo: FeedReference?
    /// The feed it was taken from.
    package var source: FeedReference?
    package var isExplicit = false
    /// Whether its end tag is missing.
    package var isCut = false
    /// Fields that were left out while reading, in the feed's own words.
    package var dropped: [StaticString] = []

    package init() {}

    /// Whether there is nothing to tell it by and nothing to show.
    package var isEmpty: Bool {
        id == nil && link == nil && title == nil && content == nil && summary == nil && media.isEmpty
    }
}

/// A text and how to read it.
package struct FeedText: Sendable {
    /// How to read it.
    package enum Form: Sendable {
        /// As it stands.
        case plain
        /// As HTML.
        case html
        /// As HTML if it looks like it: RSS does not say what a title is.
        case unclear
    }

    package var form: Form
    /// UTF-8.
    package var bytes: [UInt8]
    /// The URL against which its links are resolved; nil where the feed names none, then they are taken as links of the entry's page.
    package var base: String?

    package init(_ form: Form, _ bytes: [UInt8], base: String? = nil) {
        self.form = form
        self.bytes = bytes
        self.base = base
    }
}

/// Somebody named as an author.
package struct FeedPerson: Sendable, Hashable {
    package var name: String?
    package var email: String?
    package var url: String?
    package var avatar: String?

    package init(name: String? = nil, email: String? = nil, url: String? = nil, avatar: String? = nil) {
        self.name = name
        self.email = email
        self.url = url
        self.avatar = avatar
    }

    var isEmpty: Bool { name == nil && email == nil && url == nil }
}

/// A picture, sound, video or file.
package struct FeedMedia: Sendable {
    package var url: String?
    package var type: String?
    /// `image`, `audio`, `video`, `document` or `executable` (Media RSS).
    package var medium: String?
    package var alt: String?
    package var preview: String?
    package var width: Int?
    package var height: Int?
    package var seconds: Double?
    package var size: Int?

    package init(url: String? = nil, type: String? = nil, medium: String? = nil) {
        self.url = url
        self.type = type
        self.medium = medium
    }
}

/// Something named by an id, an address or a title.
package struct FeedReference: Sendable {
    package var id: String?
    package var url: String?
    package var title: String?

    package init(id: String? = nil, url: String? = nil, title: String? = nil) {
        self.id = id
        self.url = url
        self.title = title
    }
}

/// An Atom tombstone (RFC 6721).
package struct FeedWithdrawal: Sendable {
    package var id: String
    package var when: Timestamp?
}

/// A part of a feed that could not be read.
package struct FeedFragment: Sendable {
    package var reason: String
    package var bytes: [UInt8]
    /// Whether its end is missing.
    package var isCut = false
}
