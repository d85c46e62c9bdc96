import SocialEvents

/// One plausible event of every type, for the golden file.
enum ExampleEvents {
    static let all = EventType.allCases.enumerated().map { position, type in
        RecordedEvent(
            event: event(type),
            source: SourceName(type.rawValue.hasPrefix("hub.") ? "acme on/x" : "acme-on-x"),
            sequence: Sequence(Int64(position) + 1),
            recordedTime: later,
            duplicateOf: type == .postUpdated ? Sequence(1) : nil
        )
    }

    private static let time = Timestamp(milliseconds: 1_772_353_800_000)
    private static let later = Timestamp(milliseconds: 1_772_353_801_250)
    private static let post = ObjectID("x", .post, "1900000000000000001")
    private static let message = ObjectID("x", .message, "m-17")
    private static let original = Reference(
        id: ObjectID("x", .post, "1899999999999999999"),
        url: "https://x.com/b/status/1899999999999999999",
        actor: ObjectID("x", "actor", "2")
    )

    private static var actor: Actor {
        var actor = Actor(id: ObjectID("x", "actor", "1"), handle: "zoe", name: "Zoë 👋", url: "https://x.com/zoe")
        actor.avatarURL = "https://img.example.org/zoe.png"
        actor.isBot = false
        actor.isVerified = true
        actor.followerCount = 1234
        actor.aliases = [ObjectID("x", "actor", "zoe-1")]
        return actor
    }

    private static func object(_ id: ObjectID, _ kind: ObjectKind) -> SocialObject {
        var object = SocialObject(id: id, kind: kind)
        object.createdAt = time
        object.language = "fr"
        object.text = "Déçu 😞 par \"#Acme\"\nplus de réseau"
        object.entities = [Entity(.hashtag, start: 12, end: 17, value: "Acme", url: "https://x.com/hashtag/Acme")]
        object.audience = .public
        return object
    }

    private static var richObject: SocialObject {
        var object = object(post, .quote)
        object.url = "https://x.com/zoe/status/1900000000000000001"
        object.editedAt = later
        object.revision = 2
        object.title = "Une \"panne\""
        object.html = "<p>Déçu</p>"
        object.tags = ["Réseau", "panne"]
        object.isSensitive = true
        object.contentWarning = "colère"
        object.entities.append(
            Entity(.mention, start: 0, end: 33, value: "b", url: "https://x.com/b", actor: ObjectID("x", "actor", "2"))
        )
        var picture = Media(.image, url: "https://img.example.org/1.jpg")
        picture.contentType = "image/jpeg"
        picture.alt = "Un téléphone"
        picture.previewURL = "https://img.example.org/1-small.jpg"
        picture.width = 1200
        picture.height = 800
        picture.size = 123_456
        picture.expiresAt = later
        var clip = Media(.video)
        clip.durationMilliseconds = 15_000
        object.media = [picture, clip]
        var poll = Poll(options: [Poll.Option(title: "oui", votes: 3), Poll.Option(title: "non")])
        poll.endsAt = later
        poll.allowsMultiple = true
        object.poll = poll
        return object
    }

    private static var metrics: Metrics {
        var metrics = Metrics(observedAt: later)
        metrics.likes = 10
        metrics.reposts = 2
        metrics.replies = 0
        metrics.quotes = 1
        metrics.bookmarks = 4
        metrics.views = 1000
        metrics.score = -3
        metrics.other = [Metrics.NamedCount(name: "profile_visits", count: 7)]
        return metrics
    }

    private static func event(_ type: EventType) -> Event {
        let isHub = type.rawValue.hasPrefix("hub.")
        let subject = subject(of: type)
        var event = Event(
            id: EventID(subject, type.verb, revision: type.verb == .updated ? 2 : 0),
            type: type,
            platform: isHub ? .hub : "x",
            subject: subject,
            time: time
        )
        event.data = data(of: type)
        if type == .deliveryUpdated { event.causationID = EventID(message, .created) }
        return event
    }

    private static func subject(of type: EventType) -> ObjectID {
        switch type {
        case .repostCreated, .repostDeleted: ObjectID("x", .repost, "1900000000000000002")
        case .messageCreated, .messageUpdated, .messageDeleted, .deliveryUpdated: message
        case .broadcastCreated: ObjectID("x", .broadcast, "b-1")
        case .followCreated, .followDeleted, .profileUpdated: ObjectID("x", "actor", "1")
        case .accountUpdated: ObjectID("x", "account", "acme")
        case .unrecognised: ObjectID("x", "payload", "5f2c")
        case .sourceChanged, .gapOpened, .gapClosed: ObjectID(.hub, "source", "acme on/x")
        default: post
        }
    }

    private static func data(of type: EventType) -> EventData {
        var data = EventData()
        switch type {
        case .postCreated:
            data.object = object(post, .post)
            data.actor = actor
            data.matched = [Match(name: "1700000000000000001", tags: ["care", "fr"]), Match(name: "let-down")]
        case .postUpdated:
            data.object = richObject
            data.actor = actor
            data.inReplyTo = original
            data.quoteOf = original
            data.conversation = ObjectID("x", "conversation", "1899999999999999999")
            data.channel = Channel(id: ObjectID("x", "list", "9"), name: "Clients", url: "https://x.com/i/lists/9")
            data.metrics = metrics
            data.loss = [
                Loss("geo.place_id", .dropped), Loss("data.text", .repaired, "a lone surrogate was taken out"),
            ]
            data.raw = RawPayload(contentType: "application/json", bytes: Array(#"{"id":"1"}"#.utf8))
        case .repostCreated:
            data.actor = actor
            data.repostOf = original
        case .reactionCreated, .reactionDeleted:
            data.actor = actor
            data.reaction = "❤️"
        case .messageCreated, .messageUpdated:
            data.object = object(message, .message)
            data.actor = actor
        case .broadcastCreated:
            data.object = object(ObjectID("x", .broadcast, "b-1"), .broadcast)
        case .deliveryUpdated:
            data.delivery = Delivery(
                .failed,
                recipient: ObjectID("x", "actor", "3"),
                errorCode: "131047",
                reason: "More than 24 hours since the last answer"
            )
            data.delivery?.group = ObjectID("x", "group", "4")
            data.delivery?.broadcast = ObjectID("x", .broadcast, "b-1")
        case .followCreated, .followDeleted, .profileUpdated:
            data.actor = actor
            data.target = Reference(id: ObjectID("x", "actor", "2"))
        case .metricsObserved:
            data.metrics = metrics
        case .unrecognised:
            data.raw = RawPayload(contentType: "application/octet-stream", bytes: [0xff, 0x00, 0x7b])
        case .sourceChanged:
            data.sourceState = SourceStateChange(
                state: .retrying,
                previous: .running,
                reason: "the connection was refused",
                until: later,
                attempt: 3
            )
        case .gapOpened, .gapClosed:
            data.gap = Gap(after: time, before: later, reason: "no entry in common with the last fetch")
        case .postDeleted, .repostDeleted, .messageDeleted, .accountUpdated:
            break
        }
        return data
    }
}
