import ConnectorKit
import SocialEvents

/// One step of reading a feed, without I/O: takes a document and gives events, the next cursor and what became of gaps.
struct FeedReading {
    /// What became of fetching an older page.
    enum Page {
        /// It was read; `url` is where it was.
        case read(FeedDocument, url: String)
        /// There are no older ones.
        case end
        /// It could not be had; whether asking again may help.
        case failed(isFinal: Bool)
    }

    /// Most older pages read for one gap.
    static let mostPages = 50
    /// A page is asked for so often before the gap is left open.
    private static let mostFailures = 3
    /// Most gaps that one repair may close.
    private static let mostKeys = 8

    private(set) var cursor: FeedCursor
    private(set) var events: [Event] = []
    private(set) var gaps: [GapReport] = []
    private var unreadable: [FeedFragment] = []
    private var hasUnreadEntries = false
    private var format = FeedDocument.Format.rss
    private let configuration: FeedConfiguration
    private let now: Timestamp

    init(_ cursor: FeedCursor, _ configuration: FeedConfiguration, now: Timestamp) {
        self.cursor = cursor
        self.configuration = configuration
        self.now = now
    }

    /// What could not be read, for a person to look at.
    var deadLetters: [DeadLetter] {
        let contentType = FeedRereading.contentType(format)
        var letters = unreadable.map {
            DeadLetter(reason: $0.reason, contentType: contentType, payload: $0.bytes, isCut: $0.isCut)
        }
        if hasUnreadEntries {
            let reason = "the feed has more than \(FeedXMLHandler.mostEntries) entries; the others were not read"
            letters.append(DeadLetter(reason: reason, contentType: contentType, payload: [], isCut: true))
        }
        return letters
    }

    // MARK: - The feed itself

    /// Reads the feed as it is now.
    mutating func read(_ document: FeedDocument, url: String) {
        let normalizer = FeedNormalizer(url: configuration.url, language: configuration.language, now: now)
        let items = normalizer.items(of: document)
        let before = cursor.memory
        format = document.format
        let news = cursor.memory.absorb(
            items,
            withdrawals: normalizer.withdrawals(of: document),
            unreadable: document.unreadable,
            channel: DocumentContext(document, normalizer).channel,
            now: now
        )
        events = inOrder(news.events)
        unreadable = news.unreadable
        hasUnreadEntries = document.hasUnreadEntries
        let mayMiss = cursor.hasRead && !before.isEmpty && !items.isEmpty && !news.sharesEntry
        if mayMiss, !document.head.isComplete { openGap(items, document, url: url, before: before) }
        cursor.repair?.isDue = true
        cursor.memory.trim(isFillingGap: cursor.repair != nil)
        cursor.hasRead = true
        noteNewest(items)
    }

    /// Oldest first; entries of one time in the reverse order of the document, since feeds begin with the newest.
    private func inOrder(_ events: [Event]) -> [Event] {
        let reversed = Array(events.reversed())
        let isSorted = zip(reversed, reversed.dropFirst()).allSatisfy { $0.time <= $1.time }
        if isSorted { return reversed }
        return reversed.enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }.map(
            \.element
        )
    }

    private mutating func noteNewest(_ items: [FeedItem]) {
        guard let newest = items.lazy.compactMap(\.time).max() else { return }
        cursor.newest = max(newest, cursor.newest ?? newest)
    }

    // MARK: - Gaps

    private mutating func openGap(_ items: [FeedItem], _ document: FeedDocument, url: String, before: FeedMemory) {
        let oldest = items.lazy.compactMap(\.time).min()
        let key = "window-" + String(items.last?.key ?? 0, radix: 16)
        let gap = Gap(
            after: cursor.newest,
            before: oldest,
            reason: "the feed has no entry in common with what was read before; some may have come and gone in between"
        )
        gaps.append(.opened(key: key, gap))
        guard configuration.archives == .follow, let (way, page) = older(than: document, url: url, page: 1) else {
            return
        }
        let keys = (cursor.repair?.keys ?? []) + [key]
        if cursor.repair == nil { cursor.memory.markBeforeGap(of: before) }
        cursor.repair = FeedCursor.Repair(
            keys: Array(keys.suffix(Self.mostKeys)),
            way: way,
            url: page,
            after: cursor.repair?.after ?? cursor.newest,
            before: oldest
        )
    }

    /// Where the entries before those of a document are, if it says.
    private func older(than document: FeedDocument, url: String, page: Int) -> (FeedCursor.Repair.Way, String)? {
        if let archive = document.head.previousArchive, usable(archive, after: url) { return (.archive, archive) }
        if let next = document.head.next, usable(next, after: url) { return (.next, next) }
        guard document.head.generator.contains("wordpress.org"), document.format != .json else { return nil }
        // Its comment feeds have no pages: they answer 404, which would pass for their end, or the same comments again.
        guard !document.entries.contains(where: { $0.link?.contains("#comment-") == true }) else { return nil }
        return (.wordPress, Self.wordPressPage(page + 1, of: url))
    }

    private func usable(_ page: String, after url: String) -> Bool {
        page != url && page != configuration.url && WebAddress.isValid(page)
    }

    /// The address of a page of a WordPress feed, which any of its feeds has under `?paged=N`.
    static func wordPressPage(_ page: Int, of url: String) -> String {
        let fragmentless = url.prefix { $0 != "#" }
        let path = fragmentless.prefix { $0 != "?" }
        let query = fragmentless.dropFirst(path.count + 1).split(separator: "&").filter { !$0.hasPrefix("paged=") }
        return path + "?" + (query + ["paged=\(page)"]).joined(separator: "&")
    }

    /// Takes in an older page, or that there is none.
    mutating func readOlder(_ page: Page) {
        guard var repair = cursor.repair else { return }
        switch page {
        case .end: close(repair, "read back to the first entry")
        case .failed(let isFinal):
            repair.failures += 1
            repair.isDue = false
            cursor.repair = isFinal || repair.failures >= Self.mostFailures ? nil : repair
        case .read(let document, let url):
            let normalizer = FeedNormalizer(url: configuration.url, language: configuration.language, now: now)
            let items = normalizer.items(of: document)
            let (new, reachesBack) = cursor.memory.absorbArchive(items, now: now)
            events = inOrder(new)
            unreadable = document.unreadable
            format = document.format
            repair.pages += 1
            repair.failures = 0
            if reachesBack {
                close(repair, "filled from older pages of the feed")
            } else if new.isEmpty && !items.isEmpty && repair.way == .wordPress {
                // The same page again: this server does not page, and what is missing stays missing.
                cursor.repair = nil
            } else if items.isEmpty && repair.way == .wordPress {
                close(repair, "read back to the first entry")
            } else if let (way, next) = older(than: document, url: url, page: repair.pages + 1), way == repair.way {
                repair.url = next
                cursor.repair = repair.pages < Self.mostPages ? repair : nil
            } else {
                close(repair, "read back to the first entry")
            }
        }
        if cursor.repair == nil { cursor.memory.clearGap() }
        cursor.memory.trim(isFillingGap: cursor.repair != nil)
    }

    private mutating func close(_ repair: FeedCursor.Repair, _ reason: String) {
        for key in repair.keys {
            gaps.append(.closed(key: key, Gap(after: repair.after, before: repair.before, reason: reason)))
        }
        cursor.repair = nil
    }
}
