import Markup
import SocialEvents

/// Builds a ``FeedDocument`` from the elements of an XML document, whatever kind of feed it turns out to be.
///
/// One place is kept for each element that holds others with a meaning of their own; a text goes to the field that its
/// element stands for in the innermost place. RSS and Atom share one list of names, since feeds mix them.
struct FeedXMLHandler: XMLHandler {
    /// An element with fields inside, and how deep it lies.
    struct Place {
        enum Kind {
            case feed, entry, entryPerson, feedPerson, source, sourcePerson, mediaGroup, mediaContent
            case skipHours, skipDays, withdrawal
        }

        var kind: Kind
        var depth: Int
    }

    /// More entries than this are not read from one document.
    static let mostEntries = 20_000
    /// More of a kind than this are not kept for one entry.
    static let mostParts = 64
    /// A fragment that is set aside is cut to this many bytes.
    static let longestFragment = 64 << 10

    /// What was read so far; its format counts once the root has told it.
    var document = FeedDocument(format: .rss)
    /// Whether the root is that of a feed.
    private(set) var isFeed = false
    /// The name of the root element when it is that of no feed.
    private(set) var foreignRoot: String?
    /// Addresses of feeds that an HTML page names as its alternates.
    private(set) var alternates: [String] = []
    private var isPage = false

    /// The last entry as far as it goes, if it was never closed.
    var cutSource: [UInt8]?

    var places: [Place] = []
    var field: FeedField?
    var entry = FeedEntry()
    var person = FeedPerson()
    var media = FeedMedia()
    /// Media of a group, which belong together.
    var groupStart = 0
    var groupPreview: String?
    var groupAlt: String?
    var groupText: FeedText?
    var sourceAuthors: [FeedPerson] = []
    var withdrawal = FeedWithdrawal(id: "")
    /// How far the elements `published` and `updated` outrank other dates of the entry; higher wins.
    var publishedRank = 0
    var updatedRank = 0
    /// The address of the document.
    let url: String?
    /// The base in effect at the element whose text comes next.
    var base: String?
    var textForm = FeedText.Form.html
    /// Whether the entry's link is known to lead to a page for people, and to none that only counts its readers.
    var linkIsPage = false
    var linkIsOriginal = false

    init(url: String?) {
        self.url = url
    }

    mutating func start(_ element: XMLElement) -> XMLContent {
        field = nil
        guard isFeed else { return startRoot(element) }
        switch places.last?.kind {
        case .feed: return startInFeed(element)
        case .entry: return startInEntry(element)
        case .entryPerson, .feedPerson, .sourcePerson: return startInPerson(element)
        case .source: return startInSource(element)
        case .mediaGroup, .mediaContent: return startInMedia(element)
        case .skipHours: return take(.skipHour, when: element.name, is: .hour)
        case .skipDays: return take(.skipDay, when: element.name, is: .day)
        case .withdrawal, nil: return .skip
        }
    }

    mutating func text(_ text: ByteView) {
        guard let field else { return }
        self.field = nil
        store(text, in: field)
    }

    mutating func end(_ element: XMLElementEnd) {
        field = nil
        guard let place = places.last, place.depth == element.depth else { return }
        places.removeLast()
        switch place.kind {
        case .entry: endEntry(element)
        case .entryPerson: if entry.authors.count < Self.mostParts, !person.isEmpty { entry.authors.append(person) }
        case .feedPerson: if !person.isEmpty { appendFeedAuthor(person) }
        case .sourcePerson: if sourceAuthors.count < Self.mostParts, !person.isEmpty { sourceAuthors.append(person) }
        case .mediaContent: endMedia()
        case .mediaGroup: endMediaGroup()
        case .withdrawal: if !withdrawal.id.isEmpty { document.withdrawals.append(withdrawal) }
        case .feed, .source, .skipHours, .skipDays: break
        }
    }

    // MARK: - The root

    private mutating func startRoot(_ element: XMLElement) -> XMLContent {
        if isPage { return startInPage(element) }
        let name = FeedName.of(element.name.token)
        switch name {
        case .rss, .channel: document.format = .rss
        case .rdf: document.format = .rdf
        case .feed: document.format = .atom
        case .entry where element.name.feedNamespace == .atom:
            document.format = .atom
            isFeed = true
            return enterEntry(element)
        case .html:
            isPage = true
            return .events
        default:
            if foreignRoot == nil { foreignRoot = element.name.local[0..<min(element.name.local.count, 40)].string }
            return .events
        }
        isFeed = true
        document.head.language = element.language
        enter(.feed, element.depth)
        return .events
    }

    /// Looks for `<link rel="alternate" type="application/rss+xml" href="…">` in the head of an HTML page.
    private mutating func startInPage(_ element: XMLElement) -> XMLContent {
        switch FeedName.of(element.name.token) {
        case .body: return .stop
        case .link:
            if let rel = element.attributes["rel"], rel.equalsIgnoringCase("alternate"), alternates.count < 8,
                let type = element.attributes["type"]?.string.lowercased(), Self.feedTypes.contains(type),
                let href = element.attributes["href"], !href.isBlank
            {
                alternates.append(URLReference.resolve(href.string, against: element.base))
            }
            return .events
        default: return .events
        }
    }

    /// Whether the document turned out to be an HTML page.
    var isHTMLPage: Bool { isPage }

    private static let feedTypes: Set<String> = [
        "application/rss+xml", "application/atom+xml", "application/feed+json", "application/json",
        "application/rdf+xml", "application/xml", "text/xml",
    ]

    // MARK: - The feed

    private mutating func startInFeed(_ element: XMLElement) -> XMLContent {
        base = element.base
        guard let name = FeedName.of(element.name.token) else { return .skip }
        guard element.name.isCore else { return startFeedExtension(element, name) }
        switch name {
        case .channel:
            if let language = element.language { document.head.language = language }
            return .events
        case .item, .entry: return enterEntry(element)
        case .id: return take(.feedID)
        case .title: return take(.feedTitle, construct: element)
        case .link: return startLink(element, inEntry: false)
        case .language: return take(.feedLanguage)
        case .generator:
            // Atom has the generator's address in an attribute, and the words in the text.
            if let uri = element.attributes["uri"] ?? element.attributes["url"] { note(generator: uri) }
            return take(.generator)
        case .author:
            if isPerson(element.name) { return enterPerson(.feedPerson, element.depth) }
            return .skip
        case .ttl: return take(.ttl)
        case .skipHours: return enter(.skipHours, element.depth)
        case .skipDays: return enter(.skipDays, element.depth)
        default: return .skip
        }
    }

    private mutating func startFeedExtension(_ element: XMLElement, _ name: FeedName) -> XMLContent {
        switch (element.name.feedNamespace, name) {
        case (.dublinCore, .language): return take(.feedLanguage)
        case (.dublinCore, .creator), (.itunes, .author): return take(.feedAuthor)
        case (.syndication, .updatePeriod): return take(.updatePeriod)
        case (.syndication, .updateFrequency): return take(.updateFrequency)
        case (.history, .complete):
            document.head.isComplete = true
            return .skip
        case (.admin, .generatorAgent):
            element.attributes.forEach { _, local, value in
                if local.equalsIgnoringCase("resource") { note(generator: value) }
            }
            return .skip
        case (.tombstones, .deletedEntry):
            guard let ref = element.attributes["ref"]?.trimmed, !ref.isEmpty,
                document.withdrawals.count < Self.mostEntries
            else { return .skip }
            let when = element.attributes["when"].flatMap { FeedDate.parse($0.bytes) }
            withdrawal = FeedWithdrawal(id: ref.string, when: when)
            return enter(.withdrawal, element.depth)
        default: return .skip
        }
    }

    mutating func note(generator view: ByteView) {
        guard document.head.generator.utf8.count < 200 else { return }
        document.head.generator += view[0..<min(view.count, 100)].string + " "
    }

    mutating func appendFeedAuthor(_ person: FeedPerson) {
        guard document.head.authors.count < Self.mostParts else { return }
        document.head.authors.append(person)
    }

    // MARK: - Places

    @discardableResult
    mutating func enter(_ kind: Place.Kind, _ depth: Int) -> XMLContent {
        places.append(Place(kind: kind, depth: depth))
        return .events
    }

    mutating func enterPerson(_ kind: Place.Kind, _ depth: Int) -> XMLContent {
        person = FeedPerson()
        return enter(kind, depth)
    }

    /// Atom's authors have elements inside, those of RSS a text.
    func isPerson(_ name: XMLName) -> Bool {
        document.format == .atom || name.feedNamespace == .atom
    }

    /// Has the element's text delivered for a field, as HTML where it may be that.
    mutating func take(_ field: FeedField) -> XMLContent {
        self.field = field
        textForm = .html
        return .html
    }

    private mutating func take(_ field: FeedField, when name: XMLName, is expected: FeedName) -> XMLContent {
        FeedName.of(name.token) == expected ? take(field) : .skip
    }
}
