/// A small publishing house whose state is a function of time alone.
///
/// Articles appear one after another, some are edited, some are withdrawn, and people comment on them. Since nothing is stored, a simulator that was
/// stopped and started again shows what it would have shown all along, and a test can ask ``history(through:)`` what a reader must have seen.
package struct FeedWorld: Sendable {
    /// Which world; the same seed tells the same story.
    package var seed: UInt64
    /// Milliseconds since 1970 at which article 0 appears.
    package var epoch: Int64
    /// Milliseconds between two articles.
    package var pace: Int64
    /// How many of the newest articles a feed shows.
    package var window: Int

    /// A world.
    package init(seed: UInt64 = 1, epoch: Int64, pace: Int64 = 1_500, window: Int = 20) {
        self.seed = seed
        self.epoch = epoch
        self.pace = max(1, pace)
        self.window = max(1, window)
    }

    /// An article as it stands at some moment.
    package struct Article: Sendable, Hashable {
        /// Counts from 0 in the order of appearance.
        package var index: Int
        /// 0 when first published, 1 after its edit.
        package var revision: Int
        /// Milliseconds since 1970.
        package var publishedAt: Int64
        /// Milliseconds since 1970; equals ``publishedAt`` before the edit.
        package var updatedAt: Int64
        /// Its headline.
        package var title: String
        /// Its words, one string a paragraph, plain.
        package var paragraphs: [String]
        /// Who wrote it.
        package var author: String
        /// Its categories.
        package var categories: [String]
    }

    /// Something that happened, as a reader of the feeds can know it.
    package struct Change: Sendable, Hashable {
        /// What happened.
        package enum Kind: Sendable, Hashable {
            /// It appeared.
            case published
            /// It was edited.
            case edited
            /// It was withdrawn.
            case withdrawn
        }

        /// What happened.
        package var kind: Kind
        /// To which article.
        package var article: Int
        /// Milliseconds since 1970.
        package var at: Int64
    }

    /// How many articles have appeared by `now` (milliseconds since 1970), counting withdrawn ones.
    package func published(by now: Int64) -> Int {
        now < epoch ? 0 : Int((now - epoch) / pace) + 1
    }

    /// The article of that index as it stands at `now`; `nil` when it has not appeared yet or was withdrawn.
    package func article(_ index: Int, at now: Int64) -> Article? {
        guard index >= 0, index < published(by: now), withdrawal(of: index).map({ $0 > now }) ?? true else {
            return nil
        }
        let publishedAt = epoch + Int64(index) * pace
        let editedAt = edit(of: index).flatMap { $0 <= now ? $0 : nil }
        return Article(
            index: index,
            revision: editedAt == nil ? 0 : 1,
            publishedAt: publishedAt,
            updatedAt: editedAt ?? publishedAt,
            title: FeedPhrases.title(dice: die(index, 1), edited: editedAt != nil),
            paragraphs: FeedPhrases.paragraphs(dice: die(index, 2), edited: editedAt != nil),
            author: FeedPhrases.author(dice: die(index, 3)),
            categories: FeedPhrases.categories(dice: die(index, 4))
        )
    }

    /// When the article of that index is edited: every fourth one, three articles' time after it appeared.
    package func edit(of index: Int) -> Int64? {
        die(index, 5) % 4 == 0 ? epoch + Int64(index + 3) * pace : nil
    }

    /// When the article of that index is withdrawn: every ninth one, six articles' time after it appeared.
    package func withdrawal(of index: Int) -> Int64? {
        die(index, 6) % 9 == 0 ? epoch + Int64(index + 6) * pace : nil
    }

    /// Everything that has happened by `now`, in the order of time.
    package func history(through now: Int64) -> [Change] {
        var changes: [Change] = []
        for index in 0..<published(by: now) {
            changes.append(Change(kind: .published, article: index, at: epoch + Int64(index) * pace))
            if let at = edit(of: index), at <= now { changes.append(Change(kind: .edited, article: index, at: at)) }
            if let at = withdrawal(of: index), at <= now {
                changes.append(Change(kind: .withdrawn, article: index, at: at))
            }
        }
        return changes.sorted { ($0.at, $0.article) < ($1.at, $1.article) }
    }

    /// The indices of the articles that a feed of `channel` shows on `page` at `now`, newest first; withdrawn ones are among them.
    ///
    /// Page 0 is the feed itself. Page 1 and beyond are what lies before it, with ``window`` articles each.
    package func indices(of channel: FeedChannel, page: Int, at now: Int64) -> [Int] {
        let count = published(by: now)
        let total = (count - channel.remainder + FeedChannel.allCases.count - 1) / FeedChannel.allCases.count
        let upper = total - page * window
        guard page >= 0, upper > 0 else { return [] }
        return (max(0, upper - window)..<upper).reversed().map { $0 * FeedChannel.allCases.count + channel.remainder }
    }

    /// The last change among `indices` by `now`, the basis of a page's validators; the epoch when nothing has happened.
    package func lastChange(of indices: [Int], by now: Int64) -> Int64 {
        indices.reduce(epoch) { last, index in
            [epoch + Int64(index) * pace, edit(of: index), withdrawal(of: index)]
                .compactMap { $0 }
                .filter { $0 <= now }
                .reduce(last, max)
        }
    }

    /// An evenly spread number that depends on seed, article and purpose alone (SplitMix64's finaliser).
    private func die(_ index: Int, _ purpose: UInt64) -> UInt64 {
        var mixed =
            seed &+ (UInt64(bitPattern: Int64(index)) &+ 1) &* 0x9e37_79b9_7f4a_7c15 &+ purpose &* 0xd1b5_4a32_d192_ed03
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}

/// The feeds of the simulated publishing house; each article belongs to one.
package enum FeedChannel: String, Sendable, CaseIterable {
    /// Atom 1.0, with tombstones for what was withdrawn and archives for what has left the window.
    case news
    /// RSS 2.0, where what was withdrawn is simply gone; archives as in Atom.
    case blog
    /// JSON Feed 1.1, older pages by `next_url`.
    case notes

    var remainder: Int {
        switch self {
        case .news: 0
        case .blog: 1
        case .notes: 2
        }
    }

    /// The path it is served at.
    package var path: String {
        switch self {
        case .news: "/news.atom"
        case .blog: "/blog.rss"
        case .notes: "/notes.json"
        }
    }

    var contentType: String {
        switch self {
        case .news: "application/atom+xml; charset=utf-8"
        case .blog: "application/rss+xml; charset=utf-8"
        case .notes: "application/feed+json; charset=utf-8"
        }
    }

    var title: String {
        switch self {
        case .news: "Harbour News"
        case .blog: "The Quay Blog"
        case .notes: "Notes from the Pier"
        }
    }
}
