/// The people and posts of a simulated server: a state that grows by what people do, without clock and sockets.
struct MastodonWorld {
    /// A status, or a boost of one.
    struct Status {
        /// Its place in the order of all, made of its time as Mastodon makes its ids.
        var key: Int
        var id: String
        var person: Int
        var createdAt: Int64
        var visibility = "public"
        var phrase: Phrase?
        var edits = 0
        var editedAt: Int64?
        var repliesTo: Int?
        var quotes: Int?
        var boosts: Int?
        var hasPoll = false
        var hasMedia = false
        var warning = ""
        /// How often it was boosted and liked.
        var boosted = 0
        var liked = 0
    }

    /// Something that was done to the account that reads.
    struct Notification {
        var key: Int
        var type: String
        var person: Int
        var status: Int?
        var at: Int64
    }

    /// What changed, for streams.
    enum Change {
        case appeared(Status)
        case edited(Status)
        /// Gone, with where it had stood.
        case withdrawn(Status, places: [String])
        case notified(Notification)
    }

    /// The account that reads.
    static let reader = 0

    let flavour: MastodonFlavour
    /// Most milliseconds that a post of another server comes late.
    let lateness: Int64
    let people: [Person]
    let ledger: Ledger
    private(set) var statuses: [Int: Status] = [:]
    /// Keys of the statuses that are there, ascending.
    private(set) var order: [Int] = []
    /// The same for each place.
    private var shown: [String: [Int]] = [:]
    private(set) var notifications: [Notification] = []
    private(set) var keys: [String: Int] = [:]
    /// Milliseconds since 1970.
    var now: Int64
    private var dice: Dice
    private var said = 0
    private var counter = 0
    private var liked: Set<[Int]> = []

    init(
        seed: UInt64,
        flavour: MastodonFlavour,
        people count: Int,
        now: Int64,
        lateness: Int64,
        ledger: Ledger
    ) {
        self.flavour = flavour
        self.lateness = max(1, lateness)
        people = Person.all(count, seed: seed)
        dice = Dice(seed: seed)
        self.now = now
        self.ledger = ledger
    }

    // MARK: - Names

    /// Every third person lives on another server.
    func host(_ person: Int) -> String { person % 3 == 2 ? "quay.example" : "harbour.example" }
    func isLocal(_ person: Int) -> Bool { host(person) == "harbour.example" }
    func page(_ person: Int) -> String { "https://\(host(person))/@\(people[person].handle)" }

    func acct(_ person: Int) -> String {
        isLocal(person) ? people[person].handle : "\(people[person].handle)@\(host(person))"
    }

    func uri(_ status: Status) -> String {
        let uri = "https://\(host(status.person))/users/\(people[status.person].handle)/statuses/\(status.key)"
        return status.boosts == nil ? uri : uri + "/activity"
    }

    /// Where a status shows.
    func places(_ status: Status) -> [String] {
        guard status.visibility != "direct" else { return [] }
        var places: [String] = []
        if status.person % 5 != 4 { places.append("home") }
        if status.person % 4 == 1 { places.append("list") }
        if status.visibility != "private" { places.append("account:\(acct(status.person))") }
        if status.visibility == "public", status.boosts == nil {
            places += ["public", isLocal(status.person) ? "public/local" : "public/remote"]
            for tag in status.phrase?.hashtags ?? [] { places.append("tag:\(tag.lowercased())") }
        }
        return places
    }

    /// The keys of the statuses of a place, ascending.
    func keys(at place: String) -> [Int] { shown[place] ?? [] }

    // MARK: - What people do

    /// Somebody says something, and around it somebody else edits, withdraws, boosts, likes, follows.
    mutating func live() -> [Change] {
        var changes: [Change] = []
        switch dice.roll(20) {
        case 0, 1: changes += edit()
        case 2: changes += withdraw()
        case 3, 4: changes += boost()
        case 5: changes += like()
        case 6: changes += follow()
        default: break
        }
        return changes + say()
    }

    private mutating func say() -> [Change] {
        said += 1
        let person = dice.roll(people.count)
        // Posts of other servers may arrive late, and then stand where their time says.
        let delay: Int64 = !isLocal(person) && dice.oneIn(6) ? Int64(dice.roll(Int(lateness))) : 0
        var status = newStatus(by: person, at: now - delay)
        status.phrase = .random(said, people: people.count, dice: &dice)
        status.visibility = dice.pick(["public", "public", "public", "public", "unlisted", "private"])
        switch dice.roll(12) {
        case 0, 1: status.repliesTo = recent { $0.boosts == nil && $0.visibility != "direct" }
        case 2: status.quotes = recent { $0.boosts == nil && $0.visibility == "public" }
        case 3: status.hasPoll = true
        case 4:
            status.hasMedia = true
            status.warning = dice.oneIn(2) ? "food & drink" : ""
        case 5:
            status.visibility = "direct"
            status.phrase?.parts.insert(contentsOf: [.mention(Self.reader), .words(" ")], at: 0)
        default: break
        }
        add(status)
        tell("created", status)
        var changes: [Change] = [.appeared(status)]
        if person != Self.reader, status.phrase?.mentions.contains(Self.reader) == true {
            changes.append(notify("mention", person, status))
        }
        return changes
    }

    private mutating func edit() -> [Change] {
        guard flavour != .pixelfed, let key = recent({ $0.boosts == nil && $0.visibility != "direct" }),
            var status = statuses[key]
        else {
            return []
        }
        status.edits += 1
        // No two edits of a post in one second: servers tell each other no more than seconds.
        status.editedAt = max(now, (status.editedAt ?? status.createdAt) / 1000 * 1000 + 1000)
        status.phrase = status.phrase?.edited(status.edits)
        statuses[key] = status
        tell("updated", status)
        return [.edited(status)]
    }

    private mutating func withdraw() -> [Change] {
        guard let key = recent({ $0.visibility != "direct" }) else { return [] }
        let boosts = order.suffix(400).filter { statuses[$0]?.boosts == key }
        return (boosts + [key]).compactMap { key in
            guard let status = statuses.removeValue(forKey: key) else { return nil }
            let places = places(status)
            Self.remove(key, from: &order)
            for place in places { Self.remove(key, from: &shown[place, default: []]) }
            tell("deleted", status, places)
            return .withdrawn(status, places: places)
        }
    }

    private mutating func boost() -> [Change] {
        guard let key = recent({ $0.boosts == nil && $0.visibility == "public" }), let original = statuses[key] else {
            return []
        }
        let person = dice.roll(people.count)
        guard liked.insert([2, person, key]).inserted else { return [] }
        var status = newStatus(by: person, at: now)
        status.boosts = key
        statuses[key]?.boosted += 1
        add(status)
        tell("reposted", status)
        var changes: [Change] = [.appeared(status)]
        if original.person == Self.reader, person != Self.reader {
            changes.append(notify("reblog", person, original))
        }
        return changes
    }

    private mutating func like() -> [Change] {
        let person = 1 + dice.roll(people.count - 1)
        guard let key = recent({ $0.person == Self.reader && $0.boosts == nil }), let status = statuses[key],
            liked.insert([1, person, key]).inserted
        else { return [] }
        statuses[key]?.liked += 1
        return [notify("favourite", person, status)]
    }

    private mutating func follow() -> [Change] {
        [notify("follow", 1 + dice.roll(people.count - 1), nil)]
    }

    // MARK: - Keeping it

    /// One of the last forty statuses that is fit.
    private mutating func recent(_ isFit: (Status) -> Bool) -> Int? {
        let fit = order.suffix(40).filter { statuses[$0].map(isFit) == true }
        return fit.isEmpty ? nil : dice.pick(fit)
    }

    private mutating func newStatus(by person: Int, at time: Int64) -> Status {
        counter = (counter + 1) % 65_536
        var key = Int(time) << 16 | counter
        while statuses[key] != nil { key += 1 }
        return Status(key: key, id: flavour.id(key), person: person, createdAt: time)
    }

    private mutating func add(_ status: Status) {
        statuses[status.key] = status
        keys[status.id] = status.key
        Self.insert(status.key, into: &order)
        for place in places(status) { Self.insert(status.key, into: &shown[place, default: []]) }
    }

    /// Nearly always at the end, or close to it.
    private static func insert(_ key: Int, into keys: inout [Int]) {
        var place = keys.count
        while place > 0, keys[place - 1] > key { place -= 1 }
        keys.insert(key, at: place)
    }

    private static func remove(_ key: Int, from keys: inout [Int]) {
        if let place = keys.lastIndex(of: key) { keys.remove(at: place) }
    }

    private mutating func notify(_ type: String, _ person: Int, _ status: Status?) -> Change {
        let notification = Notification(
            key: notifications.count + 1,
            type: type,
            person: person,
            status: status?.key,
            at: now
        )
        notifications.append(notification)
        ledger.append(
            Ledger.Entry(
                type,
                status.map(uri) ?? String(notification.key),
                actor: page(person),
                places: ["notifications"],
                at: now
            )
        )
        return .notified(notification)
    }

    private func tell(_ verb: String, _ status: Status, _ places: [String]? = nil) {
        ledger.append(
            Ledger.Entry(
                verb,
                uri(status),
                revision: verb == "updated" ? String((status.editedAt ?? 0) / 1000) : "",
                actor: page(status.person),
                places: places ?? self.places(status),
                at: verb == "created" || verb == "reposted" ? status.createdAt : now,
                text: status.phrase.map { $0.plain { "@" + people[$0].handle } } ?? ""
            )
        )
    }
}
