import ConnectorKit
import JSON
import SocialEvents

/// What of a step's result may enter the log.
struct EventIntake {
    private(set) var events: [Event] = []
    private(set) var deadLetters: [DeadLetter]
    private(set) var invalid = 0

    /// The media type of a dead letter that is an event.
    static let eventType = "application/cloudevents+json"

    /// Parts good events from those that break the format, which become dead letters naming the field; the rest goes on.
    init(events: [Event], deadLetters: [DeadLetter], source: SourceName) {
        self.deadLetters = deadLetters.map(Self.bounded)
        // Nearly always all are good: then nothing is copied.
        guard let first = events.firstIndex(where: { !Self.problems(of: $0).isEmpty }) else {
            self.events = events
            return
        }
        self.events.append(contentsOf: events[..<first])
        for event in events[first...] {
            let problems = Self.problems(of: event)
            if problems.isEmpty {
                self.events.append(event)
            } else {
                invalid += 1
                self.deadLetters.append(Self.letter(event, problems, source))
            }
        }
    }

    private static func problems(of event: Event) -> [EventProblem] {
        if event.platform == .hub { return [EventProblem(field: "platform", message: "`hub` is the hub's own")] }
        switch event.type {
        case .sourceChanged, .gapOpened, .gapClosed:
            return [EventProblem(field: "type", message: "events of the hub itself are made by the hub")]
        default: return event.validate()
        }
    }

    private static func letter(_ event: Event, _ problems: [EventProblem], _ source: SourceName) -> DeadLetter {
        let reason =
            "the connector made an event that breaks the format: " + problems.map(\.description).joined(separator: "; ")
        if let raw = event.data.raw {
            return bounded(DeadLetter(reason: reason, contentType: raw.contentType, payload: raw.bytes))
        }
        var writer = JSONWriter()
        EventEncoder.encodeBody(event, source: source, into: &writer)
        return bounded(
            DeadLetter(reason: reason, contentType: eventType, payload: writer.bytes)
        )
    }

    private static func bounded(_ letter: DeadLetter) -> DeadLetter {
        guard letter.payload.count > EventLimits.raw || letter.reason.utf8.count > EventLimits.phrase else {
            return letter
        }
        var cut = letter
        cut.reason = String(letter.reason.unicodeScalars.prefix(1000))
        if letter.payload.count > EventLimits.raw {
            cut.reason += " (the first \(EventLimits.raw) of \(letter.payload.count) bytes)"
            cut.payload = Array(letter.payload.prefix(EventLimits.raw))
            cut.isCut = true
        }
        return cut
    }
}
