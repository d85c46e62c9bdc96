import Markup
import SocialEvents

extension FeedXMLHandler {
    mutating func enterEntry(_ element: XMLElement) -> XMLContent {
        guard document.entries.count < Self.mostEntries else {
            document.hasUnreadEntries = true
            return .skip
        }
        entry = FeedEntry()
        entry.language = element.language
        sourceAuthors.removeAll(keepingCapacity: true)
        groupText = nil
        linkIsPage = false
        linkIsOriginal = false
        publishedRank = 0
        updatedRank = 0
        if document.format == .rdf {
            element.attributes.forEach { _, local, value in
                if local.equalsIgnoringCase("about"), !value.isBlank { entry.id = value.trimmed.string }
            }
        }
        return enter(.entry, element.depth)
    }

    mutating func startInEntry(_ element: XMLElement) -> XMLContent {
        base = element.base
        guard let name = FeedName.of(element.name.token) else { return .skip }
        guard element.name.isCore else { return startExtension(element, name) }
        switch name {
        case .item, .entry:
            endUnclosedEntry()
            return enterEntry(element)
        case .id: return take(.id)
        case .guid:
            let isPermanent = element.attributes["ispermalink"].map { $0.trimmed.equalsIgnoringCase("false") } != true
            return take(isPermanent ? .permanentGUID : .guid)
        case .title: return take(.title, construct: element)
        case .link: return startLink(element, inEntry: true)
        case .content: return startContent(element)
        case .description: return take(.summary)
        case .summary: return take(.summary, construct: element)
        case .body, .encoded: return take(.content)
        case .pubDate, .published: return take(.published(rank: 4))
        case .issued: return take(.published(rank: 3))
        case .created, .date: return take(.published(rank: 2))
        case .updated: return take(.updated(rank: 4))
        case .modified: return take(.updated(rank: 3))
        case .author: return isPerson(element.name) ? enterPerson(.entryPerson, element.depth) : take(.author)
        case .creator: return take(.author)
        case .category: return startCategory(element)
        case .subject: return take(.category)
        case .enclosure: return startEnclosure(element)
        case .source: return startSource(element)
        case .language: return take(.language)
        default: return .skip
        }
    }

    private mutating func startExtension(_ element: XMLElement, _ name: FeedName) -> XMLContent {
        switch (element.name.feedNamespace, name) {
        case (.content, .encoded): return take(.content)
        case (.dublinCore, .creator), (.dublinCore, .author): return take(.author)
        case (.dublinCore, .date): return take(.published(rank: 2))
        case (.dublinCore, .subject): return take(.category)
        case (.dublinCore, .language): return take(.language)
        case (.dublinCore, .description): return take(.fallbackSummary)
        case (.dublinCore, .title): return take(.fallbackTitle)
        case (.dublinCoreTerms, .created), (.dublinCoreTerms, .issued): return take(.published(rank: 1))
        case (.dublinCoreTerms, .modified): return take(.updated(rank: 2))
        case (.slash, .comments), (.threading, .total): return take(.commentCount)
        case (.threading, .inReplyTo):
            let reference = FeedReference(
                id: trimmed(element.attributes["ref"]),
                url: resolved(element.attributes["href"])
            )
            if entry.inReplyTo == nil, reference.id != nil || reference.url != nil { entry.inReplyTo = reference }
            return .skip
        case (.xhtml, .body), (.xhtml, .div):
            guard entry.content == nil else { return .skip }
            field = .content
            textForm = .html
            return .markup
        case (.feedburner, .originalLink): return take(.originalLink)
        case (.itunes, .author): return take(.fallbackAuthor)
        case (.itunes, .summary): return take(.fallbackSummary)
        case (.itunes, .title): return take(.fallbackTitle)
        case (.itunes, .duration): return take(.mediaDuration)
        case (.itunes, .explicit): return take(.explicit)
        case (.itunes, .image):
            if entry.media.count < Self.mostParts, let url = resolved(element.attributes["href"]) {
                entry.media.append(FeedMedia(url: url, medium: "image"))
            }
            return .skip
        case (.media, _): return startMedia(element, name)
        default: return .skip
        }
    }

    // MARK: - Links, categories, sources

    /// Atom's link with an address in an attribute, or the one of RSS with the address as its text.
    mutating func startLink(_ element: XMLElement, inEntry: Bool) -> XMLContent {
        guard let href = element.attributes["href"] else {
            return document.format == .atom ? .skip : take(inEntry ? .link : .feedLink)
        }
        guard let url = resolved(href) else { return .skip }
        let relation = element.attributes["rel"]?.trimmed ?? .empty
        if inEntry {
            addLink(url, relation, element.attributes)
        } else {
            addFeedLink(url, relation)
        }
        return .skip
    }

    private mutating func addLink(_ url: String, _ relation: ByteView, _ attributes: XMLAttributes) {
        if relation.isEmpty || relation.equalsIgnoringCase("alternate") {
            // An Atom entry may have alternates in several forms: the page for people counts.
            let isPage = attributes["type"].map { $0.trimmed.equalsIgnoringCase("text/html") } ?? true
            if entry.link == nil || (isPage && !linkIsPage && !linkIsOriginal) { entry.link = url }
            linkIsPage = linkIsPage || isPage
        } else if relation.equalsIgnoringCase("enclosure") {
            addEnclosure(url, attributes)
        } else if relation.equalsIgnoringCase("replies") {
            if entry.commentCount == nil, let count = attributes[.threading, "count"] ?? attributes["count"] {
                entry.commentCount = number(count)
            }
        }
    }

    private mutating func addFeedLink(_ url: String, _ relation: ByteView) {
        if relation.isEmpty || relation.equalsIgnoringCase("alternate") {
            if document.head.link == nil { document.head.link = url }
        } else if relation.equalsIgnoringCase("next") {
            if document.head.next == nil { document.head.next = url }
        } else if relation.equalsIgnoringCase("prev-archive"), document.head.previousArchive == nil {
            document.head.previousArchive = url
        }
    }

    private mutating func startCategory(_ element: XMLElement) -> XMLContent {
        guard let term = element.attributes["term"] ?? element.attributes["label"] else { return take(.category) }
        addCategory(element.attributes["label"].flatMap { $0.isBlank ? nil : $0 } ?? term)
        return .skip
    }

    mutating func addCategory(_ view: ByteView) {
        let name = view.trimmed
        guard !name.isEmpty, entry.categories.count < Self.mostParts else { return }
        entry.categories.append(name.string)
    }

    private mutating func startSource(_ element: XMLElement) -> XMLContent {
        if isPerson(element.name) {
            if entry.source == nil { entry.source = FeedReference() }
            return enter(.source, element.depth)
        }
        if entry.source == nil { entry.source = FeedReference(url: resolved(element.attributes["url"])) }
        return take(.sourceTitle)
    }

    mutating func startInSource(_ element: XMLElement) -> XMLContent {
        guard element.name.isCore, let name = FeedName.of(element.name.token) else { return .skip }
        switch name {
        case .id: return take(.sourceID)
        case .title: return take(.sourceTitle)
        case .author: return enterPerson(.sourcePerson, element.depth)
        case .link:
            let relation = element.attributes["rel"]?.trimmed ?? .empty
            if relation.isEmpty || relation.equalsIgnoringCase("alternate"), entry.source?.url == nil {
                let url = resolved(element.attributes["href"])
                entry.source?.url = url
            }
            return .skip
        default: return .skip
        }
    }

    mutating func startInPerson(_ element: XMLElement) -> XMLContent {
        base = element.base
        guard element.name.isCore, let name = FeedName.of(element.name.token) else { return .skip }
        switch name {
        case .name: return take(.personName)
        case .email: return take(.personEmail)
        case .uri, .url, .homepage: return take(.personURL)
        default: return .skip
        }
    }

    // MARK: - Texts

    /// Has a text delivered in the form that Atom's `type` and `mode` say; what has neither is plain in Atom and unclear in RSS.
    mutating func take(_ field: FeedField, construct element: XMLElement) -> XMLContent {
        self.field = field
        guard let type = element.attributes["type"]?.trimmed, !type.isEmpty else {
            textForm = document.format == .atom ? .plain : .unclear
            return .html
        }
        let mode = element.attributes["mode"]
        if type.equalsIgnoringCase("text") || type.equalsIgnoringCase("text/plain") || type.equalsIgnoringCase("plain")
        {
            textForm = .plain
            return .html
        }
        textForm = .html
        if let mode, mode.equalsIgnoringCase("base64") {
            entry.dropped.append("content of mode base64")
            self.field = nil
            return .skip
        }
        let isInline =
            type.equalsIgnoringCase("xhtml") || type.equalsIgnoringCase("application/xhtml+xml")
            || mode.map { $0.equalsIgnoringCase("xml") } == true
        return isInline ? .markup : .html
    }

    private mutating func startContent(_ element: XMLElement) -> XMLContent {
        let type = element.attributes["type"]?.trimmed ?? .empty
        if let source = element.attributes["src"], !source.isBlank {
            // Content that lies elsewhere (RFC 4287 §4.1.3.2).
            let isPage = type.isEmpty || type.startsIgnoringCase(with: "text/")
            if let url = resolved(source) {
                if !isPage, entry.media.count < Self.mostParts {
                    entry.media.append(FeedMedia(url: url, type: type.string))
                } else if entry.link == nil {
                    entry.link = url
                }
            }
            return .skip
        }
        guard type.isText else {
            entry.dropped.append("content of another type than text")
            return .skip
        }
        return take(.content, construct: element)
    }

    // MARK: - Values

    func trimmed(_ view: ByteView?) -> String? {
        guard let view = view?.trimmed, !view.isEmpty else { return nil }
        return view.string
    }

    func resolved(_ view: ByteView?) -> String? {
        guard let view = view?.trimmed, !view.isEmpty else { return nil }
        return URLReference.resolve(view.string, against: base)
    }

    /// A count; nil for anything but a few digits.
    func number(_ view: ByteView) -> Int? {
        let digits = view.trimmed
        guard (1...15).contains(digits.count) else { return nil }
        var number = 0
        for index in 0..<digits.count {
            let digit = digits[index] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            number = number * 10 + Int(digit)
        }
        return number
    }

    // MARK: - The end

    mutating func endEntry(_ element: XMLElementEnd) {
        if !element.isClosed {
            entry.isCut = true
            cutSource = Array(element.source.bytes.prefix(Self.longestFragment))
        }
        finishEntry(element.source)
    }

    /// Ends an entry that was never closed, since another begins inside of it.
    mutating func endUnclosedEntry() {
        entry.isCut = true
        finishEntry(.empty)
        // What follows the inner entry belongs to the feed.
        places[places.count - 1].kind = .feed
    }

    private mutating func finishEntry(_ source: ByteView) {
        if entry.content == nil { entry.content = groupText }
        if entry.authors.isEmpty { entry.authors = sourceAuthors }
        guard entry.isEmpty else {
            document.entries.append(entry)
            return
        }
        guard document.unreadable.count < Self.mostParts, !source.isEmpty else { return }
        let bytes = Array(source.bytes.prefix(Self.longestFragment))
        document.unreadable.append(
            FeedFragment(
                reason: "an entry without id, link, title, content and media",
                bytes: bytes,
                isCut: bytes.count < source.count
            )
        )
    }

    /// Sets the last entry aside if the document ended inside of it, since its last field may be cut; the next fetch may have it whole.
    mutating func setAsideCutEntry() {
        guard let cutSource, document.entries.last?.isCut == true else { return }
        document.entries.removeLast()
        document.unreadable.append(
            FeedFragment(reason: "the document ends inside of this entry", bytes: cutSource, isCut: true)
        )
    }
}

extension ByteView {
    /// Whether a media type, or Atom's word for one, is of text that can be read: `text`, `html`, `xhtml`, `text/…`.
    fileprivate var isText: Bool {
        if isEmpty || equalsIgnoringCase("text") || equalsIgnoringCase("html") || equalsIgnoringCase("xhtml") {
            return true
        }
        return startsIgnoringCase(with: "text/") || equalsIgnoringCase("application/xhtml+xml")
            || !contains(UInt8(ascii: "/"))
    }

    private func contains(_ byte: UInt8) -> Bool {
        for index in 0..<count where self[index] == byte { return true }
        return false
    }

    fileprivate func startsIgnoringCase(with literal: StaticString) -> Bool {
        let length = literal.utf8CodeUnitCount
        return count >= length && self[0..<length].equalsIgnoringCase(literal)
    }
}

extension XMLNamespace {
    /// The namespace of Atom threading extensions.
    static let threading = XMLNamespace(rawValue: FeedNamespace.threading.rawValue)
}
