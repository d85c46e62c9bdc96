import Markup
import SocialEvents

/// Where the text of an element goes.
enum FeedField {
    case feedID, feedTitle, feedLink, feedLanguage, feedAuthor, generator
    case ttl, skipHour, skipDay, updatePeriod, updateFrequency
    case id, guid, permanentGUID, link, originalLink, title, fallbackTitle, content, summary, fallbackSummary
    case published(rank: Int)
    case updated(rank: Int)
    case author, fallbackAuthor, category, language, commentCount, explicit
    case sourceID, sourceTitle
    case personName, personEmail, personURL
    case mediaTitle, mediaText, mediaDuration, mediaRating
}

extension FeedXMLHandler {
    mutating func store(_ text: ByteView, in field: FeedField) {
        switch field {
        case .feedID, .feedTitle, .feedLink, .feedLanguage, .feedAuthor, .generator, .ttl, .skipHour, .skipDay,
            .updatePeriod, .updateFrequency:
            storeInHead(text, field)
        case .mediaTitle, .mediaText, .mediaDuration, .mediaRating: storeInMedia(text, field)
        case .id: if let id = trimmed(text) { entry.id = id }
        case .guid, .permanentGUID: storeGUID(text, isPermanent: field.isPermanent)
        case .link: if !linkIsOriginal, let url = resolved(text) { entry.link = url }
        case .originalLink:
            guard let url = resolved(text) else { return }
            entry.link = url
            linkIsOriginal = true
        case .title: if entry.title == nil, !text.isBlank { entry.title = FeedText(textForm, text) }
        case .fallbackTitle: if entry.title == nil, !text.isBlank { entry.title = FeedText(.unclear, text) }
        case .content: if !text.isBlank { entry.content = FeedText(contentForm, text, base: contentBase) }
        case .summary: if !text.isBlank { entry.summary = FeedText(contentForm, text, base: contentBase) }
        case .fallbackSummary:
            if entry.summary == nil, !text.isBlank { entry.summary = FeedText(.html, text, base: contentBase) }
        case .published(let rank): storePublished(text, rank)
        case .updated(let rank): storeUpdated(text, rank)
        case .author: storeAuthor(text)
        case .fallbackAuthor: if entry.authors.isEmpty { storeAuthor(text) }
        case .category: addCategory(text)
        case .language: if let language = trimmed(text) { entry.language = language }
        case .commentCount: entry.commentCount = number(text) ?? entry.commentCount
        case .explicit:
            let word = text.trimmed
            entry.isExplicit =
                word.equalsIgnoringCase("yes") || word.equalsIgnoringCase("true") || word.equalsIgnoringCase("explicit")
        case .sourceID:
            let id = trimmed(text)
            entry.source?.id = id
        case .sourceTitle:
            let title = trimmed(text)
            entry.source?.title = title
        case .personName: storePersonName(text)
        case .personEmail: person.email = trimmed(text)
        case .personURL: person.url = resolved(text)
        }
    }

    private mutating func storeInHead(_ text: ByteView, _ field: FeedField) {
        switch field {
        case .feedID: document.head.id = trimmed(text)
        case .feedTitle:
            if document.head.title == nil, !text.isBlank { document.head.title = FeedText(textForm, text) }
        case .feedLink: if document.head.link == nil { document.head.link = resolved(text) }
        case .feedLanguage: if let language = trimmed(text) { document.head.language = language }
        case .feedAuthor:
            if let person = FeedPerson(text: text), document.head.authors.isEmpty { appendFeedAuthor(person) }
        case .generator: note(generator: text.trimmed)
        case .ttl: document.head.pace.ttlMinutes = number(text)
        case .skipHour: if let hour = number(text) { document.head.pace.skip(hour: hour) }
        case .skipDay: document.head.pace.skip(day: text.trimmed)
        case .updatePeriod: document.head.pace.period = FeedPace.Period(text.trimmed)
        case .updateFrequency: document.head.pace.frequency = number(text)
        default: break
        }
    }

    /// The base that the document names for a text, or Atom's rule that it is the document's address; RSS has no rule.
    private var contentBase: String? { base == url && document.format != .atom ? nil : base }

    /// What a text construct's own attributes said, or HTML.
    private var contentForm: FeedText.Form { textForm == .plain ? .plain : .html }

    private mutating func storeGUID(_ text: ByteView, isPermanent: Bool) {
        guard let guid = trimmed(text) else { return }
        entry.id = guid
        if isPermanent, entry.link == nil, text.trimmed.isWebAddress { entry.link = guid }
    }

    private mutating func storePublished(_ text: ByteView, _ rank: Int) {
        guard let moment = date(text), rank >= publishedRank else { return }
        entry.published = moment
        publishedRank = rank
    }

    private mutating func storeUpdated(_ text: ByteView, _ rank: Int) {
        guard let moment = date(text), rank >= updatedRank else { return }
        entry.updated = moment
        updatedRank = rank
    }

    private mutating func date(_ text: ByteView) -> Timestamp? {
        let moment = FeedDate.parse(text.bytes)
        if moment == nil, !text.isBlank { entry.hasUnreadableDate = true }
        return moment
    }

    private mutating func storePersonName(_ text: ByteView) {
        // MyBB writes a link to the profile where the name belongs.
        guard let named = FeedPerson(text: text) else { return }
        person.name = named.name ?? named.email
        if person.url == nil { person.url = named.url }
    }

    private mutating func storeAuthor(_ text: ByteView) {
        guard entry.authors.count < Self.mostParts, let person = FeedPerson(text: text) else { return }
        if let name = person.name, entry.authors.contains(where: { $0.name == name }) { return }
        entry.authors.append(person)
    }
}

extension FeedField {
    fileprivate var isPermanent: Bool {
        if case .permanentGUID = self { true } else { false }
    }
}

extension FeedText {
    init(_ form: Form, _ view: ByteView, base: String? = nil) {
        self.init(form, Array(view.bytes), base: base)
    }
}

extension ByteView {
    /// Whether it begins like an address of the web.
    var isWebAddress: Bool {
        let scheme = self[0..<min(count, 8)]
        return scheme.equalsIgnoringCase("https://") || (count > 7 && self[0..<7].equalsIgnoringCase("http://"))
    }
}
