import SocialEvents

/// SplitMix64 (Steele, Lea, Flood, 2014): the same numbers from the same seed, everywhere.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
        return word ^ (word >> 31)
    }
}

/// Makes events that the hub would accept, with every field now present, now absent.
struct EventGenerator {
    var random: SeededGenerator
    /// With this, nothing that may be present is absent.
    var fillsEverything = false

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    /// Words that break careless readers: quotes, control characters, scalars of all lengths, signs that join, turn or compose.
    static let words = [
        "", "word", "two words", "\"quoted\\\"", "line\nbreak\r\n", "tab\tnul\u{0}esc\u{1b}", "déjà", "e\u{301}", "日本語",
        "👩‍👩‍👧‍👦", "🇫🇷🇧🇪", "שלום \u{202e}עולם", "\u{2028}\u{2029}", "\u{10ffff}", "</script>", "#tag @name $CASH",
    ]

    mutating func recorded() -> RecordedEvent {
        RecordedEvent(
            event: event(),
            source: SourceName(pick(["acme-on-x", "läden", "a b/c?d", "%2F"])),
            sequence: Sequence(.random(in: 1...Int64.max, using: &random)),
            recordedTime: time(),
            duplicateOf: maybe { Sequence(.random(in: 1...Int64.max, using: &$0.random)) }
        )
    }

    mutating func event() -> Event { event(pick(EventType.allCases)) }

    mutating func event(_ type: EventType) -> Event {
        let platform = Platform(pick(["x", "feed", "mastodon", "a-1"]))
        let object = ObjectID(platform, pick(ObjectKind.allCases), text() + "!")
        var event = Event(
            id: EventID(object, type.verb, revision: .random(in: 0...3, using: &random)),
            type: type,
            platform: platform,
            subject: object,
            time: time(),
            causationID: maybe { EventID($0.id(), .created) }
        )
        event.data = data(of: object)
        // What a type asks for is there whatever the dice say.
        event.data.object = event.data.object ?? self.object(object)
        event.data.actor = event.data.actor ?? actor()
        event.data.repostOf = event.data.repostOf ?? reference()
        event.data.metrics = event.data.metrics ?? metrics()
        event.data.delivery = event.data.delivery ?? delivery()
        event.data.raw = event.data.raw ?? raw()
        event.data.sourceState = event.data.sourceState ?? sourceState()
        event.data.gap = event.data.gap ?? Gap(reason: text())
        return event
    }

    private mutating func data(of object: ObjectID) -> EventData {
        var data = EventData()
        data.object = maybe { $0.object(object) }
        data.actor = maybe { $0.actor() }
        data.inReplyTo = maybe { $0.reference() }
        data.quoteOf = maybe { $0.reference() }
        data.repostOf = maybe { $0.reference() }
        data.target = maybe { $0.reference() }
        data.conversation = maybe { $0.id() }
        data.channel = maybe { generator in
            Channel(id: generator.id(), name: generator.maybe { $0.text() }, url: generator.maybe { $0.url() })
        }
        data.reaction = maybe { $0.text() }
        data.metrics = maybe { $0.metrics() }
        data.delivery = maybe { $0.delivery() }
        data.matched = list { generator in Match(name: generator.text(), tags: generator.list { $0.text() }) }
        data.loss = list { generator in
            Loss(generator.text(), generator.pick(Loss.Reason.allCases), generator.maybe { $0.text() })
        }
        data.raw = maybe { $0.raw() }
        data.sourceState = maybe { $0.sourceState() }
        data.gap = maybe { generator in
            Gap(after: generator.maybe { $0.time() }, before: generator.maybe { $0.time() }, reason: generator.text())
        }
        return data
    }

    private mutating func object(_ id: ObjectID) -> SocialObject {
        var object = SocialObject(id: id, kind: pick(ObjectKind.allCases))
        object.url = maybe { $0.url() }
        object.createdAt = maybe { $0.time() }
        object.editedAt = maybe { $0.time() }
        object.revision = fillsEverything ? 7 : .random(in: 0...3, using: &random)
        object.language = maybe { $0.pick(["en", "fr-CA", "zh-Hant-TW"]) }
        object.title = maybe { $0.text() }
        object.text = maybe { $0.text() }
        object.html = maybe { $0.text() }
        let length = object.text?.unicodeScalars.count ?? 0
        object.entities = list { $0.entity(within: length) }
        object.media = list { $0.media() }
        object.poll = maybe { $0.poll() }
        object.tags = list { $0.text() }
        object.audience = maybe { $0.pick(Audience.allCases) }
        object.isSensitive = flag()
        object.contentWarning = maybe { $0.text() }
        return object
    }

    private mutating func entity(within length: Int) -> Entity {
        let start = Int.random(in: 0...length, using: &random)
        return Entity(
            pick(Entity.Kind.allCases),
            start: start,
            end: .random(in: start...length, using: &random),
            value: maybe { $0.text() },
            url: maybe { $0.url() },
            actor: maybe { $0.id() }
        )
    }

    private mutating func media() -> Media {
        var media = Media(pick(Media.Kind.allCases), url: maybe { $0.url() })
        media.contentType = maybe { $0.pick(["image/png", "video/mp4"]) }
        media.alt = maybe { $0.text() }
        media.previewURL = maybe { $0.url() }
        media.width = maybe { $0.count() }
        media.height = maybe { $0.count() }
        media.durationMilliseconds = maybe { $0.count() }
        media.size = maybe { $0.count() }
        media.expiresAt = maybe { $0.time() }
        return media
    }

    private mutating func poll() -> Poll {
        var poll = Poll(options: [Poll.Option(title: text())])
        poll.options += list { generator in
            Poll.Option(title: generator.text(), votes: generator.maybe { $0.count() })
        }
        poll.endsAt = maybe { $0.time() }
        poll.allowsMultiple = flag()
        return poll
    }

    private mutating func actor() -> Actor {
        var actor = Actor(
            id: maybe { $0.id() },
            handle: maybe { $0.text() },
            name: maybe { $0.text() },
            url: maybe { $0.url() }
        )
        actor.avatarURL = maybe { $0.url() }
        actor.isBot = maybe { $0.flag() }
        actor.isVerified = maybe { $0.flag() }
        actor.followerCount = maybe { $0.count() }
        actor.aliases = list { $0.id() }
        return actor
    }

    private mutating func reference() -> Reference {
        Reference(id: maybe { $0.id() }, url: maybe { $0.url() }, actor: maybe { $0.id() })
    }

    private mutating func metrics() -> Metrics {
        var metrics = Metrics(observedAt: time())
        metrics.likes = maybe { $0.count() }
        metrics.reposts = maybe { $0.count() }
        metrics.replies = maybe { $0.count() }
        metrics.quotes = maybe { $0.count() }
        metrics.bookmarks = maybe { $0.count() }
        metrics.views = maybe { $0.count() }
        metrics.score = maybe { -$0.count() }
        let names = Self.words.filter { !$0.isEmpty }
        metrics.other = Array(list { Metrics.NamedCount(name: $0.pick(names), count: $0.count()) }.prefix(1))
        return metrics
    }

    private mutating func delivery() -> Delivery {
        var delivery = Delivery(
            pick(Delivery.Status.allCases),
            recipient: maybe { $0.id() },
            errorCode: maybe { $0.pick(["131047", "130429"]) },
            reason: maybe { $0.text() }
        )
        delivery.group = maybe { $0.id() }
        delivery.broadcast = maybe { $0.id() }
        return delivery
    }

    private mutating func raw() -> RawPayload {
        if flag() { return RawPayload(contentType: "text/plain", bytes: Array(text().utf8)) }
        return RawPayload(
            contentType: "application/octet-stream",
            bytes: list { UInt8.random(in: 0...255, using: &$0.random) }
        )
    }

    private mutating func sourceState() -> SourceStateChange {
        SourceStateChange(
            state: pick(SourceState.allCases),
            previous: maybe { $0.pick(SourceState.allCases) },
            reason: maybe { $0.text() },
            until: maybe { $0.time() },
            attempt: maybe { $0.count() }
        )
    }
}

extension EventGenerator {
    mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[Int.random(in: 0..<elements.count, using: &random)]
    }

    mutating func text() -> String {
        (0..<Int.random(in: 0...3, using: &random)).reduce(into: "") { text, _ in text += pick(Self.words) }
    }

    private mutating func maybe<Value>(_ make: (inout Self) -> Value) -> Value? {
        fillsEverything || Bool.random(using: &random) ? make(&self) : nil
    }

    private mutating func list<Element>(_ make: (inout Self) -> Element) -> [Element] {
        (0..<Int.random(in: fillsEverything ? 1...3 : 0...3, using: &random)).map { _ in make(&self) }
    }

    private mutating func flag() -> Bool { fillsEverything || Bool.random(using: &random) }

    private mutating func count() -> Int { Int.random(in: 0...pick([1, 1000, .max]), using: &random) }

    private mutating func url() -> String { "https://example.org/\(pick(["", "a?b=c&d", "日本"]))" }

    private mutating func id() -> ObjectID {
        ObjectID(Platform("x"), pick(["actor", "conversation", "post"]), text() + "1")
    }

    private mutating func time() -> Timestamp {
        let range = Timestamp.writable
        return Timestamp(
            milliseconds: .random(in: range.lowerBound.milliseconds...range.upperBound.milliseconds, using: &random)
        )
    }
}
