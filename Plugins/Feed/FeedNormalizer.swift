import Markup
package import SocialEvents

/// Turns what a feed says into what an event says.
///
/// Pure: no I/O, no clock, no memory of earlier fetches.
///
/// Not `Sendable`: it keeps the buffers of its HTML reader from entry to entry; make one for each document.
package final class FeedNormalizer {
    let identity: FeedIdentity
    let fallbackLanguage: String?
    let now: Timestamp
    let reader: HTMLReader
    private var actors: [String: (person: FeedPerson, actor: Actor)] = [:]

    private static let mostKnownActors = 100
    /// Longest title, author name and tag, in bytes.
    static let longestWord = (title: 4096, name: 512, tag: 256)
    /// Longest address, in bytes.
    static let longestAddress = 8192
    /// How far in the future a date may lie before it is doubted.
    private static let clockSkew = Duration.seconds(600)

    /// A normaliser for documents of the feed at `url`.
    ///
    /// - Parameters:
    ///   - url: the address that the feed is configured with, which makes its ids unique.
    ///   - language: the language of entries that do not say theirs.
    ///   - now: when the feed was read.
    package init(url: String, language: String? = nil, now: Timestamp) {
        identity = FeedIdentity(url: url)
        fallbackLanguage = language
        self.now = now
        var options = HTMLReader.Options()
        options.inputBytes = EventLimits.text
        options.outputBytes = EventLimits.text
        options.listed = FeedXMLHandler.mostParts
        reader = HTMLReader(options: options)
    }

    /// The entries of a document in its order, each once.
    package func items(of document: FeedDocument) -> [FeedItem] {
        let context = DocumentContext(document, self)
        let shared = identifiersSharedByDifferentEntries(document.entries)
        var items: [FeedItem] = []
        items.reserveCapacity(document.entries.count)
        // By index, since a loop over the elements would copy each.
        for index in document.entries.indices {
            let isShared = !shared.isEmpty && document.entries[index].id.map { shared.contains($0) } == true
            items.append(item(document.entries[index], context, ignoringID: isShared))
        }
        return newestVersions(items)
    }

    /// Withdrawn entries as the feed names them.
    package func withdrawals(of document: FeedDocument) -> [(object: ObjectID, when: Timestamp?)] {
        document.withdrawals.map { (identity.entry($0.id), $0.when) }
    }

    // MARK: - One entry

    private func item(_ entry: FeedEntry, _ context: DocumentContext, ignoringID: Bool) -> FeedItem {
        var data = EventData()
        data.loss = context.loss
        let link = webAddress(entry.link)
        if link == nil, entry.link != nil { data.loss.append(Loss("link", .dropped, "not an address of the web")) }
        if ignoringID { data.loss.append(Loss("id", .inferred, "several entries of the feed have the same id")) }
        let id = objectID(entry, link: link, ignoringID: ignoringID)

        var object = SocialObject(id: id, kind: .article)
        object.url = link
        object.audience = .public
        object.isSensitive = entry.isExplicit
        object.language = entry.language.flatMap(FeedLanguage.tag) ?? context.language
        data.channel = context.channel
        setThread(entry, context, &object, &data)
        setTitle(entry, &object, &data)
        setContent(entry, &object, &data)
        setMedia(entry, &object)
        object.tags = tags(entry.categories, &data)
        setActor(entry, context, &data)
        setMetrics(entry, &data)
        let time = setTimes(entry, &object, &data)
        for field in entry.dropped { data.loss.append(Loss(field.description, .dropped)) }
        if entry.isCut { data.loss.append(Loss("entry", .repaired, "it has no end tag")) }

        let digest = digest(object, data)
        data.object = object
        return FeedItem(digest: digest, time: time, editedAt: object.editedAt, data: data, object: id)
    }

    private func objectID(_ entry: FeedEntry, link: String?, ignoringID: Bool) -> ObjectID {
        if let id = entry.id, !ignoringID { return identity.entry(id) }
        if let link { return identity.entry(link) }
        var hasher = FeedHasher()
        hasher.combine(entry.title)
        if let date = entry.published ?? entry.updated, entry.title != nil {
            hasher.combine(date.milliseconds)
        } else {
            hasher.combine(entry.content ?? entry.summary)
            if let url = entry.media.first?.url { hasher.combine(url) }
        }
        return identity.entry(saying: hasher)
    }

    /// Sets what the author says of times, and returns when the fact happened as far as it can be believed.
    private func setTimes(_ entry: FeedEntry, _ object: inout SocialObject, _ data: inout EventData) -> Timestamp? {
        object.createdAt = entry.published
        if let updated = entry.updated, entry.published.map({ $0 < updated }) ?? true { object.editedAt = updated }
        guard let date = entry.published ?? entry.updated else {
            let reason = entry.hasUnreadableDate ? "its date cannot be read" : "it has no date"
            data.loss.append(Loss("date", .inferred, "\(reason); the event bears the time it was first seen"))
            return nil
        }
        guard date > now else { return date }
        if date > now.advanced(by: Self.clockSkew) {
            data.loss.append(
                Loss("date", .inferred, "it lies in the future; the event bears the time it was first seen")
            )
        }
        return nil
    }

    private func setActor(_ entry: FeedEntry, _ context: DocumentContext, _ data: inout EventData) {
        guard let first = entry.authors.first else {
            if let source = entry.source, source.title != nil {
                data.actor = actor(FeedPerson(name: source.title, url: source.url))
            } else {
                data.actor = context.author
            }
            return
        }
        data.actor = actor(first)
        if entry.authors.count > 1 {
            data.loss.append(Loss("author", .dropped, "\(entry.authors.count - 1) more"))
        }
        if entry.source != nil { data.loss.append(Loss("source", .dropped)) }
    }

    func actor(_ person: FeedPerson) -> Actor? {
        // Most feeds have a few authors only.
        if let name = person.name, let known = actors[name], known.person == person { return known.actor }
        guard let actor = newActor(person) else { return nil }
        if let name = person.name, actors.count < Self.mostKnownActors { actors[name] = (person, actor) }
        return actor
    }

    private func newActor(_ person: FeedPerson) -> Actor? {
        let name = (person.name ?? person.email).flatMap { plainWord($0, longest: Self.longestWord.name) }
        let url = webAddress(person.url)
        guard name != nil || url != nil else { return nil }
        var actor = Actor(id: identity.actor(url: url, name: name), name: name, url: url)
        actor.avatarURL = webAddress(person.avatar)
        return actor
    }

    private func setMetrics(_ entry: FeedEntry, _ data: inout EventData) {
        guard entry.commentCount != nil || entry.viewCount != nil else { return }
        var metrics = Metrics(observedAt: now)
        metrics.replies = entry.commentCount
        metrics.views = entry.viewCount
        data.metrics = metrics
    }

    private func tags(_ categories: [String], _ data: inout EventData) -> [String] {
        guard !categories.isEmpty else { return [] }
        var tags: [String] = []
        tags.reserveCapacity(categories.count)
        for category in categories {
            guard let tag = plainWord(category, longest: Self.longestWord.tag), !tags.contains(tag) else { continue }
            tags.append(tag)
        }
        return tags
    }

    // MARK: - Entries among each other

    /// Ids that entries with different links have in common: some feeds give every entry the address of the site.
    private func identifiersSharedByDifferentEntries(_ entries: [FeedEntry]) -> Set<String> {
        var links: [String: String?] = [:]
        var shared: Set<String> = []
        links.reserveCapacity(entries.count)
        for index in entries.indices {
            guard let id = entries[index].id else { continue }
            if let known = links.updateValue(entries[index].link, forKey: id), known != entries[index].link {
                shared.insert(id)
            }
        }
        return shared
    }

    /// Of several versions of an entry in one document the newest, or else the first, since feeds begin with the newest.
    private func newestVersions(_ items: [FeedItem]) -> [FeedItem] {
        var positions: [UInt64: Int] = [:]
        positions.reserveCapacity(items.count)
        var kept: [FeedItem] = []
        kept.reserveCapacity(items.count)
        for item in items {
            if let position = positions[item.key] {
                if let edited = item.editedAt, edited > kept[position].editedAt ?? Timestamp(milliseconds: .min) {
                    kept[position] = item
                }
            } else {
                positions[item.key] = kept.count
                kept.append(item)
            }
        }
        return kept
    }
}

/// An entry ready to become an event, once it is known whether it is new, edited or neither.
package struct FeedItem {
    /// The entry's id in 64 bits.
    package let key: UInt64
    /// A digest of what an edit would change.
    package let digest: UInt64
    /// When it was said, if the feed can be believed.
    package let time: Timestamp?
    /// When it was edited, as the feed says.
    package let editedAt: Timestamp?
    /// All that is said.
    package let data: EventData
    /// Its id.
    package let object: ObjectID

    init(digest: UInt64, time: Timestamp?, editedAt: Timestamp?, data: EventData, object: ObjectID) {
        key = FeedItem.key(of: object)
        self.digest = digest & 0xFFFF_FFFF_FFFF
        self.time = time
        self.editedAt = editedAt
        self.data = data
        self.object = object
    }

    /// The key of an object's id.
    static func key(of object: ObjectID) -> UInt64 {
        var hasher = FeedHasher()
        hasher.combine(object.text)
        return hasher.value
    }
}

/// What all entries of one document have in common.
struct DocumentContext {
    var channel: Channel
    var author: Actor?
    var language: String?
    /// MyBB's feeds list topics.
    var isMyBB: Bool
    var loss: [Loss]

    init(_ document: FeedDocument, _ normalizer: FeedNormalizer) {
        channel = Channel(
            id: normalizer.identity.channel,
            name: document.head.title.flatMap { normalizer.title($0) },
            url: normalizer.webAddress(document.head.link)
        )
        author = document.head.authors.first.flatMap { normalizer.actor($0) }
        language = document.head.language.flatMap(FeedLanguage.tag) ?? normalizer.fallbackLanguage
        isMyBB = document.head.generator.contains("MyBB")
        loss = []
        if !document.problems.isEmpty {
            loss.append(Loss("feed", .repaired, document.problems.joined(separator: "; ")))
        }
    }
}

extension FeedHasher {
    mutating func combine(_ text: FeedText?) {
        guard let text else { return combine("") }
        text.bytes.withUnsafeBufferPointer { combine($0) }
    }
}
