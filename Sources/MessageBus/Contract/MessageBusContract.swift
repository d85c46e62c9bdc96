package import SocialEvents
import Synchronization

/// What every ``MessageBus`` keeps to, as checks that an implementation runs in its tests.
///
/// Each check opens a log of its own and throws ``ContractFailure`` when a promise is broken. Time is the contract's own clock; nothing waits on the
/// wall clock, and what is random is seeded.
package struct MessageBusContract: Sendable {
    /// Opens the log that the environment names, anew or again.
    package typealias Open = @Sendable (ContractEnvironment) async throws -> any MessageBus

    /// One promise.
    package struct Check: Sendable, CustomStringConvertible {
        /// What is promised.
        package var name: String
        /// Throws when it is not kept.
        package var run: @Sendable (@escaping Open) async throws -> Void

        /// What is promised.
        package var description: String { name }

        init(_ name: String, run: @escaping @Sendable (ContractBench) async throws -> Void) {
            self.name = name
            self.run = { open in
                let bench = ContractBench(open: open, environment: ContractEnvironment(name: name))
                try await run(bench)
                await bench.close()
            }
        }
    }

    /// All promises.
    package static var checks: [Check] {
        appending + reading + waiting + forgetting + keeping + delivering + rereading + interleavings
    }
}

/// Which log a check opens, and with what clock.
package struct ContractEnvironment: Sendable {
    /// Tells the log of one check from that of another; the same name is the same data.
    package var name: String
    /// The time that the log is to believe.
    package var clock: ContractClock

    init(name: String) {
        self.name = String(name.map { $0.isLetter && $0.isASCII ? $0 : "-" })
        clock = ContractClock()
    }
}

/// A clock that stands still until it is set.
package final class ContractClock: Sendable {
    private let time = Mutex(Timestamp(seconds: 1_800_000_000))

    /// The time.
    package var now: Timestamp {
        get { time.withLock { $0 } }
        set { time.withLock { $0 = newValue } }
    }
}

/// A promise that was broken.
package struct ContractFailure: Error, CustomStringConvertible {
    /// What was expected and what came.
    package var description: String
}

/// The log under check, and the small tools of the checks.
final class ContractBench: Sendable {
    let environment: ContractEnvironment
    private let open: MessageBusContract.Open
    private let opened: Mutex<(any MessageBus)?> = Mutex(nil)

    init(open: @escaping MessageBusContract.Open, environment: ContractEnvironment) {
        self.open = open
        self.environment = environment
    }

    /// The log, opened at the first use.
    func bus() async throws -> any MessageBus {
        if let bus = opened.withLock({ $0 }) { return bus }
        let bus = try await open(environment)
        opened.withLock { $0 = bus }
        return bus
    }

    /// Closes the log and opens it again.
    func reopen() async throws -> any MessageBus {
        await close()
        return try await bus()
    }

    func close() async {
        let bus = opened.withLock { bus in
            defer { bus = nil }
            return bus
        }
        await bus?.close()
    }

    /// All entries after a position, page by page.
    func entries(
        after position: Sequence = .start,
        filter: EventFilter = EventFilter(),
        limits: PageLimits = PageLimits()
    ) async throws -> [ReadEvent] {
        let bus = try await bus()
        var position = position
        var all: [ReadEvent] = []
        while true {
            let page = try await bus.page(after: position, filter: filter, limits: limits)
            try expect(page.scannedThrough >= position, "a page leads back, from \(position) to \(page.scannedThrough)")
            all += page.entries.map { ReadEvent($0, in: page) }
            if page.scannedThrough == page.head { return all }
            try expect(page.scannedThrough > position, "a page does not lead on from \(position)")
            position = page.scannedThrough
        }
    }
}

/// An entry with its body.
struct ReadEvent: Sendable, Hashable {
    var entry: LogEntry
    var body: String

    init(_ entry: LogEntry, in page: LogPage) {
        body = String(decoding: page.storage[entry.body], as: UTF8.self)
        self.entry = entry
        // Where it lay in its page says nothing.
        self.entry.body = 0..<0
    }

    var sequence: Sequence { entry.sequence }
}

/// Throws unless `condition` holds.
func expect(_ condition: Bool, _ message: @autoclosure () -> String) throws {
    if !condition { throw ContractFailure(description: message()) }
}

/// Throws unless both are equal.
func expectEqual<Value: Equatable>(_ found: Value, _ expected: Value, _ what: @autoclosure () -> String) throws {
    if found != expected { throw ContractFailure(description: "\(what()): found \(found), expected \(expected)") }
}

/// Throws unless `work` throws `expected`.
func expectError(_ expected: BusError, _ what: String, _ work: () async throws -> Void) async throws {
    do {
        try await work()
    } catch let error as BusError where error == expected {
        return
    } catch {
        throw ContractFailure(description: "\(what): threw \(error), expected \(expected)")
    }
    throw ContractFailure(description: "\(what): nothing thrown, expected \(expected)")
}

/// Events for checks.
enum ContractEvents {
    static let first = SourceName("first")
    static let second = SourceName("second")
    static let platform: Platform = "contract"

    /// The event that post number `number` was made, or another fact about it.
    static func post(
        _ number: Int,
        _ type: EventType = .postCreated,
        revision: Int = 0,
        platform: Platform = platform,
        actor: String? = nil,
        size: Int = 0
    ) -> Event {
        let object = self.object(number, platform: platform)
        var event = Event(
            id: EventID(object, type.verb, revision: revision),
            type: type,
            platform: platform,
            subject: object,
            time: Timestamp(seconds: 1_790_000_000 + Int64(number))
        )
        if type.verb != .deleted {
            var post = SocialObject(id: object, kind: .post)
            post.revision = revision
            post.text = text(number) + String(repeating: " x", count: size / 2)
            event.data.object = post
        }
        if let actor {
            event.data.actor = Actor(id: self.actor(actor), handle: "handle-of-\(actor)")
        }
        return event
    }

    static func object(_ number: Int, platform: Platform = platform) -> ObjectID {
        ObjectID(platform, .post, String(number))
    }

    static func actor(_ name: String) -> ObjectID { ObjectID(platform, "actor", name) }

    /// The words of a post, which no other event contains.
    static func text(_ number: Int) -> String { "words of post <\(number)>" }

    static func posts(_ numbers: Range<Int>) -> [Event] { numbers.map { post($0) } }
}
