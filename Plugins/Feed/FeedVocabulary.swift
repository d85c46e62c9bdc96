import Markup

/// The namespaces that feeds draw on.
enum FeedNamespace: Int, CaseIterable {
    case atom, rss, rdf, content, dublinCore, dublinCoreTerms, syndication, slash, threading, media, itunes, xhtml
    case tombstones, history, feedburner, admin

    fileprivate var names: XMLVocabulary.Namespace {
        switch self {
        case .atom:
            .init(
                uris: ["http://www.w3.org/2005/Atom", "http://purl.org/atom/ns"],
                prefixes: ["atom", "atom10", "a10"]
            )
        case .rss:
            .init(
                uris: [
                    "http://purl.org/rss/1.0/", "http://my.netscape.com/rdf/simple/0.9/",
                    "http://channel.netscape.com/rdf/simple/0.9/",
                    "http://my.netscape.com/publish/formats/rss-0.91.dtd",
                    "http://purl.org/net/rss1.1", "http://backend.userland.com/rss2", "http://backend.userland.com/rss",
                    "http://blogs.law.harvard.edu/tech/rss", "http://cyber.law.harvard.edu/rss/rss.html",
                    "http://www.rssboard.org/rss-specification",
                ],
                prefixes: ["rss"]
            )
        case .rdf: .init(uris: ["http://www.w3.org/1999/02/22-rdf-syntax-ns"], prefixes: ["rdf"])
        case .content: .init(uris: ["http://purl.org/rss/1.0/modules/content/"], prefixes: ["content"])
        case .dublinCore:
            .init(uris: ["http://purl.org/dc/elements/1.1/", "http://purl.org/dc/elements/1.0/"], prefixes: ["dc"])
        case .dublinCoreTerms: .init(uris: ["http://purl.org/dc/terms/"], prefixes: ["dcterms"])
        case .syndication: .init(uris: ["http://purl.org/rss/1.0/modules/syndication/"], prefixes: ["sy"])
        case .slash: .init(uris: ["http://purl.org/rss/1.0/modules/slash/"], prefixes: ["slash"])
        case .threading: .init(uris: ["http://purl.org/syndication/thread/1.0"], prefixes: ["thr"])
        case .media:
            .init(uris: ["http://search.yahoo.com/mrss", "http://video.search.yahoo.com/mrss"], prefixes: ["media"])
        case .itunes:
            .init(
                uris: ["http://www.itunes.com/dtds/podcast-1.0.dtd", "http://example.com/dtds/podcast-1.0.dtd"],
                prefixes: ["itunes"]
            )
        case .xhtml: .init(uris: ["http://www.w3.org/1999/xhtml"], prefixes: ["xhtml"])
        case .tombstones: .init(uris: ["http://purl.org/atompub/tombstones/1.0"], prefixes: ["at"])
        case .history: .init(uris: ["http://purl.org/syndication/history/1.0"], prefixes: ["fh"])
        case .feedburner: .init(uris: ["http://rssnamespace.org/feedburner/ext/1.0"], prefixes: ["feedburner"])
        case .admin: .init(uris: ["http://webns.net/mvcb/"], prefixes: ["admin"])
        }
    }

    fileprivate static let vocabulary = allCases.map(\.names)
}

/// The element names that mean something in a feed.
enum FeedName: String, CaseIterable {
    case rss, rdf, feed, channel, item, entry, html, opml, body, link
    case id, guid, title, subtitle, tagline, description, summary, content, encoded, div
    case pubDate = "pubdate"
    case published, issued, created, updated, modified, date
    case author, creator, name, uri, url, homepage, email, category, subject, language, generator
    case generatorAgent = "generatoragent"
    case enclosure, source, comments, total
    case inReplyTo = "in-reply-to"
    case group, thumbnail, player, rating, statistics, community, image, duration, explicit
    case deletedEntry = "deleted-entry"
    case complete, ttl, hour, day
    case skipHours = "skiphours"
    case skipDays = "skipdays"
    case updatePeriod = "updateperiod"
    case updateFrequency = "updatefrequency"
    case originalLink = "origlink"

    private static let all = allCases

    /// The name behind a token of ``FeedVocabulary/shared``.
    @inline(__always)
    static func of(_ token: Int) -> FeedName? { token < 0 ? nil : all[token] }

    fileprivate static let words = allCases.map(\.rawValue)
}

enum FeedVocabulary {
    /// What the XML reader tells apart for feeds.
    static let shared = XMLVocabulary(namespaces: FeedNamespace.vocabulary, names: FeedName.words)
}

extension XMLName {
    /// Its namespace, if it is one that feeds draw on.
    var feedNamespace: FeedNamespace? { FeedNamespace(rawValue: namespace.rawValue) }

    /// Whether it is a name of the feed formats themselves: RSS has no namespace or one of many, Atom has two, and
    /// feeds that declare a wrong one as their default are read by their names.
    var isCore: Bool {
        switch namespace {
        case .none: true
        case .unknown: prefix.isEmpty
        default: namespace.rawValue == FeedNamespace.atom.rawValue || namespace.rawValue == FeedNamespace.rss.rawValue
        }
    }
}
