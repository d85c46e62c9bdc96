import ConnectorKit
import Glibc
import MessageBus
import SQLiteBus
import SocialEvents
import Synchronization

/// Events and logs for the tests of the embedded log.
enum BusFixture {
    static let source = SourceName("source")
    static let platform: Platform = "test"
    static let start = Timestamp(seconds: 1_800_000_000)

    /// A post whose words are `words`, or stand for its number.
    static func post(_ number: Int, words: String? = nil, actor: String? = nil, type: EventType = .postCreated) -> Event
    {
        let object = ObjectID(platform, .post, String(number))
        var event = Event(
            id: EventID(object, type.verb),
            type: type,
            platform: platform,
            subject: object,
            time: start
        )
        if type.verb != .deleted {
            event.data.object = SocialObject(id: object, kind: .post)
            event.data.object?.text = words ?? "words \(number)"
        }
        if let actor { event.data.actor = Actor(id: ObjectID(platform, "actor", actor), handle: actor) }
        return event
    }

    static func batch(_ events: [Event], source: SourceName = source) -> LogBatch {
        LogBatch(source: source, events: events)
    }

    static func open(
        _ path: String,
        _ change: (inout SQLiteBusConfiguration) -> Void = { _ in }
    ) async throws -> SQLiteBus {
        var configuration = SQLiteBusConfiguration { start }
        change(&configuration)
        return try await SQLiteBus(directory: path, configuration)
    }

    /// Words that are found nowhere else, too mixed to be told from noise by chance.
    static func unique(_ name: String, _ number: Int, length: Int = 40) -> String {
        var state = UInt64(number) &* 0x9e37_79b9_7f4a_7c15 &+ 1
        var text = "\(name)-\(number)-"
        while text.utf8.count < length {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            text += String(state >> 33, radix: 36)
        }
        return text
    }
}

extension SQLiteBus {
    /// All that can be read, duplicates too.
    func all(after position: Sequence = .start) async throws -> [(entry: LogEntry, body: String)] {
        var position = position
        var entries: [(LogEntry, String)] = []
        while true {
            let page = try await page(
                after: position,
                filter: EventFilter(includesDuplicates: true),
                limits: PageLimits()
            )
            for entry in page.entries {
                entries.append((entry, String(decoding: page.storage[entry.body], as: UTF8.self)))
            }
            position = page.scannedThrough
            if position == page.head { return entries }
        }
    }
}
