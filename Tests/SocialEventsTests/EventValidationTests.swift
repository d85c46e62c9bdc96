import SocialEvents
import Testing

@Suite struct EventValidationTests {
    @Test("Good events have no problem")
    func goodEvents() {
        #expect(ExampleEvents.all.allSatisfy { $0.event.validate().isEmpty })
        var generator = EventGenerator(seed: 5)
        for _ in 0..<1000 {
            let event = generator.event()
            let problems = event.validate()
            #expect(problems == [], "\(event.id)")
        }
    }

    struct Fault: Sendable, CustomTestStringConvertible {
        var field: String
        var spoil: @Sendable (inout Event) -> Void

        init(_ field: String, _ spoil: @escaping @Sendable (inout Event) -> Void) {
            self.field = field
            self.spoil = spoil
        }

        var testDescription: String { field }
    }

    private static let longPhrase = String(repeating: "a", count: EventLimits.phrase + 1)
    private static let longURL = "https://" + String(repeating: "a", count: EventLimits.url)
    private static let longText = String(repeating: "a", count: EventLimits.text + 1)
    private static let never = Timestamp(milliseconds: .max)

    @Test(
        "Each fault is named by its field",
        arguments: [
            Fault("id") { $0.id = EventID(text: "") },
            Fault("id") { $0.id = EventID(text: "x:post:1") },
            Fault("id") { $0.id = EventID(text: "x:post:1/deleted") },
            Fault("id") { $0.id = EventID(text: "x:post:1/updated/") },
            Fault("id") { $0.id = EventID(text: "x:post:1updated") },
            Fault("id") { $0.id = EventID(text: "mastodon:post:1/updated") },
            Fault("id") { $0.id = EventID(text: "x:post:1\n/updated") },
            Fault("id") { $0.id = EventID(text: "x:post:" + String(repeating: "1", count: 1024) + "/updated") },
            Fault("platform") { $0.platform = "X" },
            Fault("platform") { $0.platform = "" },
            Fault("subject") { $0.subject = nil },
            Fault("subject") { $0.subject = ObjectID(text: "1") },
            Fault("subject") { $0.subject = ObjectID(text: "x:post:") },
            Fault("subject") { $0.subject = ObjectID(text: "x::1") },
            Fault("subject") { $0.subject = ObjectID(text: "x:post:a\u{2028}b") },
            Fault("subject") { $0.subject = ObjectID(text: "x:post:\u{7f}") },
            Fault("time") { $0.time = never },
            Fault("causationid") { $0.causationID = EventID(text: longPhrase) },
            Fault("data.object") { $0.data.object = nil },
            Fault("data.object.id") { $0.data.object?.id = ObjectID(text: "") },
            Fault("data.object.url") { $0.data.object?.url = longURL },
            Fault("data.object.url") { $0.data.object?.url = "https://example.org/\n" },
            Fault("data.object.url") { $0.data.object?.url = "JavaScript:alert(1)" },
            Fault("data.object.created_at") { $0.data.object?.createdAt = never },
            Fault("data.object.edited_at") { $0.data.object?.editedAt = never },
            Fault("data.object.revision") { $0.data.object?.revision = -1 },
            Fault("data.object.language") { $0.data.object?.language = longPhrase },
            Fault("data.object.title") { $0.data.object?.title = longPhrase },
            Fault("data.object.html") { $0.data.object?.html = longText },
            Fault("data.object.text") { $0.data.object?.text = longText },
            Fault("data.object.content_warning") { $0.data.object?.contentWarning = longPhrase },
            Fault("data.object.tags") { $0.data.object?.tags = Array(repeating: "", count: 1001) },
            Fault("data.object.tags[1]") { $0.data.object?.tags = ["", longPhrase] },
            Fault("data.object.entities[0]") { $0.data.object?.entities[0].start = -1 },
            Fault("data.object.entities[0]") { $0.data.object?.entities[0].start = 18 },
            Fault("data.object.entities[1]") { $0.data.object?.entities[1].end = 34 },
            Fault("data.object.entities[1].actor") { $0.data.object?.entities[1].actor = ObjectID(text: "?") },
            Fault("data.object.media[0].url") { $0.data.object?.media[0].url = "data:text/html,1" },
            Fault("data.object.media[0].alt") { $0.data.object?.media[0].alt = longPhrase },
            Fault("data.object.media[1].duration_ms") { $0.data.object?.media[1].durationMilliseconds = -1 },
            Fault("data.object.poll.options") { $0.data.object?.poll?.options = [] },
            Fault("data.object.poll.options[0].votes") { $0.data.object?.poll?.options[0].votes = -1 },
            Fault("data.actor.id") { $0.data.actor?.id = ObjectID(text: "zoe") },
            Fault("data.actor.name") { $0.data.actor?.name = longPhrase },
            Fault("data.actor.followers") { $0.data.actor?.followerCount = -1 },
            Fault("data.actor.aliases[1]") { $0.data.actor?.aliases.append(ObjectID(text: "")) },
            Fault("data.in_reply_to.url") { $0.data.inReplyTo?.url = longURL },
            Fault("data.quote_of.id") { $0.data.quoteOf?.id = ObjectID(text: "") },
            Fault("data.conversation") { $0.data.conversation = ObjectID(text: "") },
            Fault("data.channel.id") { $0.data.channel?.id = ObjectID(text: "") },
            Fault("data.reaction") { $0.data.reaction = longPhrase },
            Fault("data.metrics.likes") { $0.data.metrics?.likes = -1 },
            Fault("data.metrics.other[1]") { $0.data.metrics?.other += [.init(name: "profile_visits", count: 1)] },
            Fault("data.delivery.recipient") { $0.data.delivery = Delivery(.sent, recipient: ObjectID(text: "")) },
            Fault("data.delivery.group") {
                $0.data.delivery = Delivery(.sent)
                $0.data.delivery?.group = ObjectID(text: "")
            },
            Fault("data.delivery.broadcast") {
                $0.data.delivery = Delivery(.sent)
                $0.data.delivery?.broadcast = ObjectID(text: "")
            },
            Fault("data.matched[0].tags[0]") { $0.data.matched = [Match(name: "", tags: [longPhrase])] },
            Fault("data.loss") { $0.data.loss = Array(repeating: Loss("", .dropped), count: 1001) },
            Fault("data.raw") { $0.data.raw?.bytes = Array(repeating: 0, count: EventLimits.raw + 1) },
            Fault("data.source_state.attempt") { $0.data.sourceState = .init(state: .failed, attempt: -1) },
            Fault("data.gap.after") { $0.data.gap = Gap(after: never, reason: "") },
        ]
    )
    func faults(_ fault: Fault) throws {
        var event = try #require(ExampleEvents.all.first { $0.event.type == .postUpdated }).event
        fault.spoil(&event)
        #expect(event.validate().map(\.field) == [fault.field])
    }

    @Test("A type's parts are asked for", arguments: EventType.allCases)
    func requirements(type: EventType) throws {
        let example = try #require(ExampleEvents.all.first { $0.event.type == type }).event
        var bare = example
        bare.data = EventData()
        bare.subject = nil
        let isFree = type == .accountUpdated
        #expect(bare.validate().isEmpty == isFree)
    }

    @Test("The report of a hopeless event is bounded and shows nothing of its values")
    func boundedReport() {
        var generator = EventGenerator(seed: 9)
        var event = generator.event(.postCreated)
        let secret = "javascript:secret"
        event.data.object?.media = Array(repeating: Media(.image, url: secret), count: 100)
        let problems = event.validate()
        #expect(problems.count == 20)
        #expect(!problems.description.contains("secret"))
    }
}
