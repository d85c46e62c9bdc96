import JSON

/// People on a network of the AT Protocol, and all they ever wrote into their repositories.
struct BlueskyWorld {
    /// A record as it stands now.
    struct Record {
        var author: Int
        var collection: String
        var key: String
        var json: [UInt8]
        /// When the network saw it, in milliseconds.
        var at: Int64
        /// For posts.
        var text = ""
        /// The records or people it is about, by address or DID.
        var subjects: [String] = []
        /// Whom a notification of it goes to, and why.
        var notices: [(person: Int, reason: String, subject: String?)] = []
        var likes = 0
        var reposts = 0
        var replies = 0
        var quotes = 0
    }

    /// Something that happened in a repository, as the stream tells it.
    struct Happening {
        var microseconds: Int
        var sequence: Int
        var did: String
        var collection: String?
        /// The members after `did` and `time_us` on the first wire.
        var first: [UInt8]
        /// The whole payload on the second.
        var second: [UInt8]
    }

    /// The person whose credentials the simulator knows.
    static let reader = 0

    let people: [Person]
    /// By address.
    private(set) var records: [String: Record] = [:]
    /// Addresses in the order of creation, deleted ones included.
    private(set) var order: [String] = []
    private(set) var happenings: [Happening] = []
    /// Milliseconds since 1970.
    var now: Int64
    private var dice: Dice
    private var lastMicroseconds = 0
    private var utterances = 0
    private let ledger: Ledger

    init(seed: UInt64, people count: Int, now: Int64, ledger: Ledger) {
        people = Person.all(count, seed: seed)
        dice = Dice(seed: seed)
        self.now = now
        self.ledger = ledger
    }

    // MARK: - Names

    /// A person's DID.
    func did(_ person: Int) -> String {
        let digits = Array("abcdefghijklmnopqrstuvwxyz234567".utf8)
        var text = Array("did:plc:".utf8)
        var number = UInt64(person + 1) &* 0x9e37_79b9_7f4a_7c15
        for _ in 0..<24 {
            text.append(digits[Int(number & 31)])
            number = number >> 5 | number << 59
        }
        return String(decoding: text, as: UTF8.self)
    }

    func handle(_ person: Int) -> String {
        people[person].handle.replacing("_", with: "-") + ".harbour.example"
    }

    /// Whoever has that DID or handle.
    func person(_ name: String) -> Int? {
        people.indices.first { did($0) == name || handle($0) == name }
    }

    static func address(_ did: String, _ collection: String, _ key: String) -> String {
        "at://\(did)/\(collection)/\(key)"
    }

    /// Microseconds that rise with every event.
    private mutating func tick() -> Int {
        lastMicroseconds = max(lastMicroseconds + 1, Int(now) * 1000)
        return lastMicroseconds
    }

    static func tid(_ microseconds: Int) -> String {
        let digits = Array("234567abcdefghijklmnopqrstuvwxyz".utf8)
        let number = UInt64(microseconds) << 10
        return String(decoding: (0..<13).map { digits[Int(number >> UInt64(60 - 5 * $0)) & 31] }, as: UTF8.self)
    }

    /// A hash that looks like one.
    static func cid(_ address: String, _ at: Int) -> String {
        var dice = Dice(seed: address.utf8.reduce(UInt64(at)) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 })
        let digits = Array("abcdefghijklmnopqrstuvwxyz234567".utf8)
        return "bafyrei" + String(decoding: (0..<52).map { _ in digits[dice.roll(32)] }, as: UTF8.self)
    }

    // MARK: - Life

    /// Lets somebody do something.
    mutating func live() {
        let who = dice.roll(people.count)
        switch dice.roll(20) {
        case 0..<9: say(who)
        case 9..<11: repost(who)
        case 11..<15: like(who)
        case 15: follow(who)
        case 16: edit()
        case 17..<19: withdraw()
        default: rename(who)
        }
    }

    /// Lets somebody say something: alone, as an answer, or with a quote.
    mutating func say(_ who: Int) {
        utterances += 1
        let phrase = Phrase.random(utterances, people: people.count, dice: &dice)
        let other = dice.oneIn(3) ? recentPost() : nil
        let quotes = other != nil && dice.oneIn(3)
        let at = tick()
        let key = Self.tid(at)
        var writer = JSONWriter()
        let text = write(phrase, answering: quotes ? nil : other, quoting: quotes ? other : nil, at: at, &writer)
        var record = Record(author: who, collection: Self.post, key: key, json: writer.bytes, at: now, text: text)
        for person in phrase.mentions { record.notices.append((person, "mention", nil)) }
        if let other, let target = records[other] {
            record.subjects = [other]
            record.notices.removeAll { $0.person == target.author }
            record.notices.append((target.author, quotes ? "quote" : "reply", other))
            if quotes { records[other]?.quotes += 1 } else { records[other]?.replies += 1 }
        }
        add(record, verb: "created", microseconds: at, text: text)
    }

    private static let post = "app.bsky.feed.post"

    private mutating func recentPost() -> String? {
        let recent = order.suffix(60).filter { records[$0]?.collection == Self.post }
        return recent.isEmpty ? nil : dice.pick(Array(recent))
    }

    private mutating func repost(_ who: Int) { deed(who, "app.bsky.feed.repost", "repost", verb: "reposted") }

    private mutating func like(_ who: Int) { deed(who, "app.bsky.feed.like", "like", verb: "liked") }

    private mutating func deed(_ who: Int, _ collection: String, _ reason: String, verb: String) {
        guard let post = recentPost(), let target = records[post] else { return say(who) }
        let at = tick()
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("$type", collection)
        writer.member("createdAt", FeedDates.rfc3339(now))
        writer.key("subject")
        writer.strongReference(post, at)
        writer.endObject()
        var record = Record(author: who, collection: collection, key: Self.tid(at), json: writer.bytes, at: now)
        record.subjects = [post]
        record.notices = [(target.author, reason, post)]
        if reason == "like" { records[post]?.likes += 1 } else { records[post]?.reposts += 1 }
        add(record, verb: verb, microseconds: at)
    }

    private mutating func follow(_ who: Int) {
        let other = dice.roll(people.count)
        let at = tick()
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("$type", "app.bsky.graph.follow")
        writer.member("createdAt", FeedDates.rfc3339(now))
        writer.member("subject", did(other))
        writer.endObject()
        var record = Record(
            author: who,
            collection: "app.bsky.graph.follow",
            key: Self.tid(at),
            json: writer.bytes,
            at: now
        )
        record.subjects = [did(other)]
        record.notices = [(other, "follow", nil)]
        add(record, verb: "followed", microseconds: at)
    }

    /// Changes a recent post; the AppView goes on showing what it said at first.
    mutating func edit() {
        guard let address = recentPost(), let record = records[address] else { return }
        let at = tick()
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("$type", Self.post)
        writer.member("createdAt", FeedDates.rfc3339(record.at))
        writer.member("text", record.text + " [edited]")
        writer.endObject()
        happen(record, "update", at: at, record: writer.bytes)
        note("updated", record, address, revision: String(at), text: record.text + " [edited]")
    }

    /// Takes something back that was done lately.
    mutating func withdraw() {
        let recent = order.suffix(80).filter { records[$0] != nil }
        guard !recent.isEmpty else { return }
        let address = dice.pick(Array(recent))
        guard let record = records.removeValue(forKey: address) else { return }
        happen(record, "delete", at: tick(), record: nil)
        let verb =
            switch record.collection {
            case Self.post: "deleted"
            case "app.bsky.feed.repost": "unreposted"
            case "app.bsky.feed.like": "unliked"
            default: "unfollowed"
            }
        note(verb, record, address)
    }

    /// The network tells that somebody's handle changed.
    private mutating func rename(_ who: Int) {
        let at = tick()
        var body = JSONWriter()
        body.beginObject()
        body.member("did", did(who))
        body.member("handle", handle(who))
        body.member("seq", at % 1_000_000)
        body.member("time", FeedDates.rfc3339(now))
        body.endObject()
        happen("identity", did(who), nil, at: at, body: body.bytes)
        ledger.append(Ledger.Entry("renamed", did(who), actor: did(who), places: ["stream"], at: now))
    }

    // MARK: - Writing down

    private mutating func add(_ record: Record, verb: String, microseconds: Int, text: String = "") {
        let address = Self.address(did(record.author), record.collection, record.key)
        records[address] = record
        order.append(address)
        happen(record, "create", at: microseconds, record: record.json)
        note(verb, record, address, text: text)
    }

    private func note(_ verb: String, _ record: Record, _ address: String, revision: String = "", text: String = "") {
        var places = ["stream", "author:\(did(record.author))"]
        if record.notices.contains(where: { $0.person == Self.reader }), record.author != Self.reader {
            places.append("notifications")
        }
        ledger.append(
            Ledger.Entry(
                verb,
                address,
                revision: revision,
                actor: did(record.author),
                places: places,
                at: now,
                text: text
            )
        )
    }

    private mutating func happen(_ record: Record, _ operation: StaticString, at: Int, record json: [UInt8]?) {
        let did = did(record.author)
        let address = Self.address(did, record.collection, record.key)
        var commit = JSONWriter()
        commit.beginObject()
        commit.member("rev", Self.tid(at))
        commit.member("operation", "\(operation)")
        commit.member("collection", record.collection)
        commit.member("rkey", record.key)
        if let json {
            commit.key("record")
            commit.raw(json)
            commit.member("cid", Self.cid(address, at))
        }
        commit.endObject()
        happen("commit", did, record.collection, at: at, body: commit.bytes)
    }

    private mutating func happen(_ kind: String, _ did: String, _ collection: String?, at: Int, body: [UInt8]) {
        let sequence = happenings.count + 1
        var first = JSONWriter()
        first.beginObject()
        first.member("did", did)
        first.member("time_us", at)
        first.member("kind", kind)
        first.key(kind)
        first.raw(body)
        first.endObject()
        let time = FeedDates.rfc3339(Int64(at / 1000)).dropLast()
        let rest = String(at % 1000 + 1000).dropFirst()
        var second = Array(
            """
            {"$type":"network.bsky.jetstream.subscribeEvents#\(kind)","seq":\(sequence),"did":"\(did)",\
            "time":"\(time)\(rest)Z",
            """.utf8
        )
        if kind == "commit" {
            // On this wire a commit's members stand beside the others.
            second += body.dropFirst()
        } else {
            second += Array("\"\(kind)\":".utf8) + body + [UInt8(ascii: "}")]
        }
        happenings.append(
            Happening(
                microseconds: at,
                sequence: sequence,
                did: did,
                collection: collection,
                first: first.bytes,
                second: second
            )
        )
    }

    // MARK: - Posts

    /// Writes a post's record; returns its text.
    private func write(
        _ phrase: Phrase,
        answering parent: String?,
        quoting quoted: String?,
        at: Int,
        _ writer: inout JSONWriter
    ) -> String {
        var text = ""
        var facets: [(start: Int, end: Int, type: String, name: StaticString, value: String)] = []
        for part in phrase.parts {
            let start = text.utf8.count
            switch part {
            case .words(let words): text += words
            case .paragraph: text += "\n\n"
            case .hashtag(let tag):
                text += "#\(tag)"
                facets.append((start, text.utf8.count, "tag", "tag", tag))
            case .mention(let person):
                text += "@\(handle(person))"
                facets.append((start, text.utf8.count, "mention", "did", did(person)))
            case .link(let url):
                text += "harbour.example.org/a…"
                facets.append((start, text.utf8.count, "link", "uri", url))
            }
        }
        writer.beginObject()
        writer.member("$type", Self.post)
        writer.member("createdAt", FeedDates.rfc3339(now))
        writer.member("text", text)
        writer.key("langs")
        writer.beginArray()
        writer.string(phrase.language)
        writer.endArray()
        if !facets.isEmpty {
            writer.key("facets")
            writer.beginArray()
            for facet in facets {
                writer.facet(facet.start, facet.end, facet.type, facet.name, facet.value)
            }
            writer.endArray()
        }
        if let parent {
            writer.key("reply")
            writer.beginObject()
            writer.key("root")
            writer.strongReference(root(of: parent), at)
            writer.key("parent")
            writer.strongReference(parent, at)
            writer.endObject()
        }
        if let quoted {
            writer.key("embed")
            writer.beginObject()
            writer.member("$type", "app.bsky.embed.record")
            writer.key("record")
            writer.strongReference(quoted, at)
            writer.endObject()
        }
        writer.endObject()
        return text
    }

    private func root(of post: String) -> String {
        var place = post
        for _ in 0..<100 {
            guard let parent = records[place]?.subjects.first else { return place }
            place = parent
        }
        return place
    }
}

extension JSONWriter {
    mutating func strongReference(_ address: String, _ at: Int) {
        beginObject()
        member("uri", address)
        member("cid", BlueskyWorld.cid(address, at))
        endObject()
    }

    fileprivate mutating func facet(_ start: Int, _ end: Int, _ type: String, _ name: StaticString, _ value: String) {
        beginObject()
        key("index")
        beginObject()
        member("byteStart", start)
        member("byteEnd", end)
        endObject()
        key("features")
        beginArray()
        beginObject()
        member("$type", "app.bsky.richtext.facet#\(type)")
        member(name, value)
        endObject()
        endArray()
        endObject()
    }
}
