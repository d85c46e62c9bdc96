/// What people say on a simulated X: posts, answers, quotes and reposts, edits as new versions, deletions, accounts that are protected for a while.
struct XWorld {
    /// What a post is to another.
    enum Relation: Equatable {
        case reply(Int)
        case quote(Int)
        case repost(Int)
    }

    /// One version of a post.
    ///
    /// Edits make new ones.
    struct Post {
        /// The position in ``posts``.
        var index: Int
        /// X's id, which tells the moment in its upper bits.
        var id: Int64
        /// The author.
        var author: Int
        /// What is said; for a repost what the original says.
        var phrase: Phrase
        /// What it is to another post, by position.
        var relation: Relation?
        /// All versions up to this one, oldest first, by id.
        var history: [Int64]
        /// When, in milliseconds since 1970.
        var at: Int64
        /// Whether a later version has taken its place, or it is gone.
        var isCurrent = true
        /// Whether it was deleted.
        var isDeleted = false
        /// How often it was edited.
        var revision: Int { history.count - 1 }
    }

    /// What happened in a step.
    enum Change {
        /// A version of a post appeared.
        case said(Post)
        /// Every version of a post is gone.
        case deleted(Post)
        /// An account is protected, or is not any more.
        case protected(Int, Bool)
    }

    /// The people.
    let people: [Person]
    /// Every version of every post, in the order of their ids.
    private(set) var posts: [Post] = []
    /// Those whose posts nobody may see for now.
    private(set) var protected: Set<Int> = []
    /// The time in milliseconds since 1970.
    var now: Int64
    private var dice: Dice
    private var said = 0
    private var serial: Int64 = 0
    private let ledger: Ledger

    /// X counts from here.
    private static let epoch: Int64 = 1_288_834_974_657

    init(seed: UInt64, people count: Int, now: Int64, ledger: Ledger) {
        people = Person.all(count, seed: seed)
        dice = Dice(seed: seed)
        self.now = now
        self.ledger = ledger
    }

    /// A person's id.
    static func id(of person: Int) -> String { String(2_244_994_900 + person) }

    /// The first moment that an id may stand for.
    static func time(of id: Int64) -> Int64 { (id >> 22) + epoch }

    /// The position of a post.
    func position(of id: Int64) -> Int? {
        var low = 0
        var high = posts.count
        while low < high {
            let middle = (low + high) / 2
            if posts[middle].id < id { low = middle + 1 } else { high = middle }
        }
        return low < posts.count && posts[low].id == id ? low : nil
    }

    /// Whether anybody may see a post.
    func isVisible(_ post: Post) -> Bool {
        post.isCurrent && !post.isDeleted && !protected.contains(post.author)
    }

    // MARK: - Life

    /// One thing that happens.
    mutating func live() -> Change {
        let recent = posts.indices.suffix(40).filter { posts[$0].isCurrent && !posts[$0].isDeleted }
        if !recent.isEmpty {
            if dice.oneIn(12), let change = edit(recent) { return change }
            if dice.oneIn(15) { return delete(dice.pick(recent)) }
            if dice.oneIn(400) { return protect() }
        }
        let author = dice.roll(people.count)
        var relation: Relation?
        if !recent.isEmpty, dice.oneIn(3) {
            let other = dice.pick(recent)
            switch dice.roll(4) {
            case 0: relation = .quote(other)
            case 1: if case .repost = posts[other].relation {} else { relation = .repost(other) }
            default: relation = .reply(other)
            }
        }
        said += 1
        var phrase = Phrase.random(said, people: people.count, dice: &dice)
        // Now and then somebody has more to say than fits.
        if dice.oneIn(9) { phrase.parts.append(.words(String(repeating: " and so on", count: 30))) }
        if case .repost(let original) = relation { phrase = posts[original].phrase }
        return .said(
            append(
                author,
                phrase,
                relation,
                history: [],
                verb: relation.map(Self.isRepost) == true ? "reposted" : "created"
            )
        )
    }

    private static func isRepost(_ relation: Relation) -> Bool {
        if case .repost = relation { true } else { false }
    }

    private mutating func append(
        _ author: Int,
        _ phrase: Phrase,
        _ relation: Relation?,
        history: [Int64],
        verb: String
    ) -> Post {
        serial += 1
        let least = (now - Self.epoch) << 22
        let id = max(least + serial % 4096, (posts.last?.id ?? 0) + 1)
        let post = Post(
            index: posts.count,
            id: id,
            author: author,
            phrase: phrase,
            relation: relation,
            history: history + [id],
            at: now
        )
        posts.append(post)
        record(verb, post)
        return post
    }

    private mutating func edit(_ recent: [Int]) -> Change? {
        let index = dice.pick(recent)
        let old = posts[index]
        if case .repost = old.relation { return nil }
        guard old.revision < 5, now - old.at < 1_800_000 else { return nil }
        posts[index].isCurrent = false
        let phrase = old.phrase.edited(old.revision + 1)
        return .said(append(old.author, phrase, old.relation, history: old.history, verb: "updated"))
    }

    private mutating func delete(_ index: Int) -> Change {
        let post = posts[index]
        for id in post.history {
            if let version = position(of: id) { posts[version].isDeleted = true }
        }
        record("deleted", post)
        return .deleted(post)
    }

    private mutating func protect() -> Change {
        let person = dice.roll(people.count)
        let isProtected = protected.insert(person).inserted
        if !isProtected { protected.remove(person) }
        let verb = isProtected ? "protected" : "unprotected"
        ledger.append(Ledger.Entry(verb, Self.id(of: person), actor: Self.id(of: person), at: now))
        return .protected(person, isProtected)
    }

    /// Where a post shows: its language, its tags, its author, those it mentions.
    ///
    /// What a protected account says shows nowhere.
    func places(_ post: Post) -> [String] {
        guard !protected.contains(post.author) else { return ["protected"] }
        var places = ["public", "lang:\(post.phrase.language)", "user:\(people[post.author].handle)"]
        places += Set(post.phrase.hashtags).sorted().map { "#\($0)" }
        places += Set(mentioned(post)).sorted().map { "mention:\(people[$0].handle)" }
        return places
    }

    /// Those whom a post mentions; a repost mentions its author too.
    func mentioned(_ post: Post) -> [Int] {
        var people = post.phrase.mentions
        if case .repost(let original) = post.relation { people.insert(posts[original].author, at: 0) }
        return people
    }

    /// A phrase as X shows it, its links shortened.
    private func shown(_ phrase: Phrase) -> String {
        let parts = phrase.parts.map { part in
            if case .link(let url) = part { Phrase.Part.words(XRendering.short(url)) } else { part }
        }
        return Phrase(parts, language: phrase.language).plain { "@" + people[$0].handle }
    }

    private func record(_ verb: String, _ post: Post) {
        ledger.append(
            Ledger.Entry(
                verb,
                String(post.history[0]),
                revision: post.revision > 0 && verb == "updated" ? String(post.revision) : "",
                actor: Self.id(of: post.author),
                places: places(post),
                at: now,
                text: verb == "deleted" ? "" : shown(post.phrase)
            )
        )
    }
}
