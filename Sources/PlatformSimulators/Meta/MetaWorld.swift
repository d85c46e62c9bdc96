/// What happens around accounts on Meta's platforms: media, comments, mentions, messages, broadcasts, posts, and what becomes of them.
///
/// ``Ledger/Entry/places`` of an entry says first what kind of thing it is (`media`, `comment`, `mention`, `story`, `message`, `status`, ...), and
/// has `webhook` where a webhook tells of it. Everything else shows in lists, or is missing there.
struct MetaWorld {
    /// The people.
    let people: [Person]
    let products: [MetaProduct]
    let login: InstagramLogin
    let ledger: Ledger
    /// The time in milliseconds since 1970.
    var now: Int64
    var dice: Dice
    /// Decides what time brings, so that it matters to nothing else when time is looked at.
    var timeDice: Dice
    /// The products whose webhooks somebody listens to.
    var told: Set<MetaProduct> = []
    /// What webhooks have to tell, those that wait included.
    private var news: [MetaNews] = []
    /// Where things happen just now.
    private var scene = MetaProduct.instagram
    private var serial: Int64 = 0
    private var said = 0

    // Instagram
    var media: [Media] = []
    /// The stories whose day has not been summed up.
    var openStories: [Int] = []
    var comments: [Comment] = []
    /// What has been said in private on Instagram and Messenger, by product.
    var messages: [MetaProduct: [Message]] = [:]
    // WhatsApp
    var chats: [Chat] = []
    var sendings: [Sending] = []
    /// Those of which something is still to become.
    var openSendings: [Int] = []
    var templates: [Template] = []
    var campaigns = 0
    /// When templates or the account changed last.
    var changedAt: Int64 = 0
    // Facebook
    var posts: [Post] = []
    var pageComments: [PageComment] = []
    var reactions: [Reaction] = []

    init(
        seed: UInt64,
        people count: Int,
        now: Int64,
        products: [MetaProduct],
        login: InstagramLogin,
        ledger: Ledger
    ) {
        people = Person.all(count, seed: seed)
        dice = Dice(seed: seed)
        timeDice = Dice(seed: seed ^ 0x7469_6d65)
        self.now = now
        self.products = products
        self.login = login
        self.ledger = ledger
        on(.instagram) { world in for _ in 0..<3 { world.publishMedia() } }
        on(.whatsapp) { $0.settleWhatsApp() }
        on(.facebook) { world in for _ in 0..<2 { world.publishPost(by: nil) } }
    }

    /// One thing that happens.
    mutating func live() {
        switch dice.pick(products) {
        case .instagram: on(.instagram) { $0.liveOnInstagram() }
        case .whatsapp: on(.whatsapp) { $0.liveOnWhatsApp() }
        case .facebook: on(.facebook) { $0.liveOnFacebook() }
        }
    }

    /// What time brings by itself: the ends of stories, and what becomes of messages.
    mutating func age() {
        on(.instagram) { $0.sumUpStories() }
        on(.whatsapp) { $0.meetFates() }
    }

    /// Lets something happen on a product, if it is lived in.
    mutating func on(_ product: MetaProduct, _ happen: (inout MetaWorld) -> Void) {
        guard products.contains(product) else { return }
        scene = product
        happen(&self)
    }

    // MARK: - Common

    /// A new id of digits, beginning with those of `base`.
    mutating func nextID(_ base: Int64) -> String {
        serial += 1
        return String(base + serial * 16 + Int64(dice.roll(16)))
    }

    /// A new serial number for ids of letters.
    mutating func nextSerial() -> String {
        serial += 1
        return String(1_000_000 + serial * 16 + Int64(dice.roll(16)), radix: 36, uppercase: true)
    }

    /// Something to say; people are called `@handle`, one's own account now and then too.
    mutating func words(naming account: String? = nil) -> (text: String, tags: [String]) {
        said += 1
        let phrase = Phrase.random(said, people: people.count, dice: &dice)
        let text = phrase.plain { "@" + people[$0].handle }
        return (account.map { "@\($0) \(text)" } ?? text, phrase.hashtags)
    }

    /// Writes down what happened.
    @discardableResult
    mutating func record(
        _ verb: String,
        _ object: String,
        revision: String = "",
        actor: String,
        _ places: [String],
        at moment: Int64? = nil,
        text: String = ""
    ) -> Ledger.Entry {
        let fact = Ledger.Entry(
            verb,
            object,
            revision: revision,
            actor: actor,
            places: told.contains(scene) ? places : places.filter { $0 != "webhook" },
            at: moment ?? now,
            text: text
        )
        ledger.append(fact)
        return fact
    }

    /// Lets a webhook tell of a fact, after a while.
    mutating func tell(
        _ fact: Ledger.Entry,
        _ product: MetaProduct,
        _ entry: String,
        _ shape: MetaNews.Shape,
        after delay: Int64 = 0
    ) {
        guard told.contains(product) else { return }
        news.append(
            MetaNews(product: product, entry: entry, at: fact.at, due: now + delay, shape: shape, fact: fact)
        )
    }

    /// What is to be told by now, in the order in which it is.
    mutating func takeNews() -> [MetaNews] {
        let due = news.filter { $0.due <= now }
        guard !due.isEmpty else { return [] }
        news.removeAll { $0.due <= now }
        return due.enumerated().sorted { ($0.element.due, $0.offset) < ($1.element.due, $1.offset) }.map(\.element)
    }

    /// One of the newest of a list that satisfy a condition, by index.
    mutating func recent<Element>(_ list: [Element], _ isMeant: (Element) -> Bool) -> Int? {
        let found = list.indices.suffix(60).filter { isMeant(list[$0]) }
        return found.isEmpty ? nil : dice.pick(found)
    }

    /// A person's id on Instagram, which is theirs for this account alone.
    static func instagramID(_ person: Int) -> String { String(5_614_879_045_000_000 + Int64(person)) }

    /// A person's id on the Page.
    static func facebookID(_ person: Int) -> String { String(7_012_345_678_000_000 + Int64(person)) }
}
