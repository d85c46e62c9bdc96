import BlueskyConnector
import ConnectorKit
import ConnectorTesting
import CurlTransport
import FoundationEssentials
import HTTPTypes
import JSON
import Logging
import PlatformSimulators
import SocialEvents
import Synchronization
import Testing
import WebSocketTransport

/// As much of a host as these tests need: a log that drops what it has, and a cursor that moves with it.
private actor Log: EventSink {
    private(set) var events: [EventID: Event] = [:]
    private(set) var cursor: Cursor?
    private(set) var gaps: [GapReport] = []
    private(set) var deadLetters = 0

    func connected() async {}

    func emit(_ batch: EventBatch) async throws {
        try Task.checkCancellation()
        for event in batch.events where events[event.id] == nil { events[event.id] = event }
        deadLetters += batch.deadLetters.count
        gaps += batch.gaps
        if let next = batch.cursor { cursor = next }
    }

    func take(_ page: PullPage) async throws {
        try await emit(
            EventBatch(events: page.events, deadLetters: page.deadLetters, cursor: page.cursor, gaps: page.gaps)
        )
    }

    func count(_ type: EventType) -> Int { events.values.filter { $0.type == type }.count }

    /// Whether all of these are there.
    func has(_ ids: [String]) -> Bool { ids.allSatisfy { events[EventID(text: $0)] != nil } }
}

/// Waits for what lies on the other side of a socket, and fails after a minute in which nothing moved.
private func wait(for what: String, in log: Log, until isDone: () async -> Bool) async throws {
    var count = -1
    var end = ContinuousClock.now
    while await !isDone() {
        let now = await log.events.count
        if now != count { (count, end) = (now, .now + .seconds(60)) }
        guard ContinuousClock.now < end else { throw Overdue(description: "\(what) did not come") }
        try await Task.sleep(for: .milliseconds(2))
    }
}

private struct Overdue: Error, CustomStringConvertible {
    var description: String
}

/// A running server and the real transports to it.
private struct Wire: Sendable {
    let simulator: BlueskySimulator
    let clock = ManualClock(now: Timestamp(seconds: 1_780_000_000))
    let http: CurlTransport
    let webSockets: WebSocketTransport
    let account = EphemeralAccount(name: "reader")
    private let port = Port()

    /// Where the server listens, once it does.
    private final class Port: Sendable {
        let value = Mutex(0)
    }

    init(seed: UInt64, history: Int = 60) throws {
        simulator = BlueskySimulator(
            seed: seed,
            now: 1_780_000_000_000,
            history: history,
            requests: 1_000_000
        )
        http = try CurlTransport()
        webSockets = WebSocketTransport()
    }

    /// Serves while `body` runs.
    func serve(_ body: @Sendable @escaping (Wire) async throws -> Void) async throws {
        let (ports, found) = AsyncStream.makeStream(of: Int.self)
        let server = SimulatorServer(
            simulator,
            port: 0,
            logger: Logger(label: "simulator") { _ in SwiftLogNoOpLogHandler() },
            now: { [clock] in clock.now.milliseconds }
        ) { found.yield($0) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            for await number in ports {
                port.value.withLock { $0 = number }
                break
            }
            defer { group.cancelAll() }
            try await body(self)
        }
        await webSockets.shutdown()
        await http.shutdown()
    }

    var base: String { "http://127.0.0.1:\(port.value.withLock { $0 })" }

    func connector(_ settings: [String: String], signedIn: Bool = false, lists: [String: [String]] = [:]) throws
        -> BlueskyConnector
    {
        var settings = settings
        settings["base_url"] = base
        if signedIn { settings["identifier"] = BlueskySimulator.identifier }
        let members = SettingNode.members(
            settings,
            lists: lists,
            password: signedIn ? BlueskySimulator.password : nil
        )
        return try BlueskyConnector(
            settings: Settings(members),
            context: ConnectorContext(
                source: SourceName("chaos"),
                http: http.client(policy: .allowPrivate),
                clock: clock,
                logger: Logger(label: "chaos") { _ in SwiftLogNoOpLogHandler() },
                webSockets: webSockets.client(policy: .allowPrivate),
                account: account
            )
        )
    }

    /// Lets the time pass in the world.
    func pass(_ duration: Duration) {
        clock.advance(by: duration)
        simulator.advance(to: clock.now.milliseconds)
    }
}

/// The connector against servers that misbehave, over real connections: what the log has in the end is held against the ledger.
///
/// `ROOST_CHAOS=100000` sets how much happens.
@Suite("Chaos")
struct BlueskyChaosTests {
    private static let size = ProcessInfo.processInfo.environment["ROOST_CHAOS"].flatMap { Int($0) } ?? 2000
    private static let collections = [
        "app.bsky.feed.post", "app.bsky.feed.repost", "app.bsky.feed.like", "app.bsky.graph.follow",
    ]

    /// The event that a fact of the ledger becomes.
    private static func id(_ entry: Ledger.Entry) -> String? {
        let object = entry.object
        return switch entry.verb {
        case "created": "bluesky:post:\(object)/created"
        case "updated": "bluesky:post:\(object)/updated/\(entry.revision)"
        case "deleted": "bluesky:post:\(object)/deleted"
        case "reposted": "bluesky:repost:\(object)/created"
        case "unreposted": "bluesky:repost:\(object)/deleted"
        case "liked": "bluesky:like:\(object)/created"
        case "unliked": "bluesky:like:\(object)/deleted"
        case "followed": "bluesky:follow:\(object)/created"
        case "unfollowed": "bluesky:follow:\(object)/deleted"
        default: nil
        }
    }

    @Test(
        "The stream tells all that happened, once, whatever goes wrong and however often the hub dies",
        .timeLimit(.minutes(20)),
        arguments: ["v1", "v2"]
    )
    func stream(wire: String) async throws {
        let trial = try Wire(seed: 3)
        let log = Log()
        try await trial.serve { trial in
            let life: @Sendable () -> Task<Void, Never> = {
                // Ended and awaited below.
                Task {
                    while !Task.isCancelled {
                        do {
                            let connector = try trial.connector(
                                ["kind": "jetstream", "wire": wire],
                                lists: ["collections": Self.collections]
                            )
                            try await connector.stream(after: await log.cursor, into: log)
                        } catch {}
                        // A host would wait; this one lets others run.
                        try? await Task.sleep(for: .milliseconds(2))
                    }
                }
            }
            var dice = Dice(seed: 11)
            var faults: [Fault.Kind] = [
                .drop, .close, .repeated, .garbage, .unknownType, .endlessLine, .serverError, .unavailable, .notJSON,
                .truncated, .throttle,
            ]
            // A sequence only rises: one that came late would be lost with the connection, whatever the reader does.
            if wire == "v1" { faults.append(.reorder) }
            var running = life()
            // Without a cursor a stream begins now: what happens before it is open is nobody's.
            try await wait(for: "a stream", in: log) { trial.simulator.openStreams > 0 }
            try await wait(for: "a cursor", in: log) {
                trial.simulator.publish(1)
                return await log.cursor != nil
            }
            let start = trial.simulator.ledger.count
            var done = 0
            var deaths = 0
            while done < Self.size {
                let count = min(1 + dice.roll(max(Self.size / 60, 2)), Self.size - done)
                for _ in 0..<dice.roll(3) { trial.simulator.faults.add(Fault(dice.pick(faults), after: dice.roll(3))) }
                trial.simulator.publish(count)
                done += count
                trial.pass(.milliseconds(700))
                if dice.oneIn(3) {
                    // But for what is held back to be sent after its successor.
                    let told = trial.simulator.ledger.entries.dropFirst(start).dropLast(2).compactMap(Self.id)
                    try await wait(for: "what happened so far", in: log) { await log.has(told) }
                }
                if done > (deaths + 1) * Self.size / 6 {
                    deaths += 1
                    running.cancel()
                    await running.value
                    running = life()
                }
            }
            trial.simulator.faults.clear()
            // What was held back to be sent after its successor.
            trial.simulator.publish(2)
            let entries = trial.simulator.ledger.entries.dropFirst(start).compactMap(Self.id)
            let expected = Set(entries)
            try? await wait(for: "all that happened", in: log) { await log.has(entries) }
            running.cancel()
            await running.value
            let told = await log.events.values.filter { $0.type != .profileUpdated && $0.type != .unrecognised }
            let ids = Set(told.map(\.id.text))
            #expect(expected.subtracting(ids).sorted().first == nil, "missed \(expected.subtracting(ids).count)")
            // Where the cursor is rewound to before the start, what happened then may come too.
            let invented = ids.subtracting(trial.simulator.ledger.entries.compactMap(Self.id))
            #expect(invented.sorted().first == nil, "invented \(invented.count)")
            #expect(await log.gaps.isEmpty)
        }
    }

    @Test(
        "A source that asks tells every post that stands, once, and none that never was",
        .timeLimit(.minutes(20)),
        arguments: [
            ("author", false), ("search", false), ("notifications", false), ("list", false), ("author", true),
            ("search", true),
        ]
    )
    func pulls(kind: String, isDefault: Bool) async throws {
        let trial = try Wire(seed: 5)
        let log = Log()
        try await trial.serve { trial in
            var settings = ["kind": kind]
            if !isDefault {
                settings.merge(["overlap": "2h", "backfill": "1d", "watched": "2000", "watch_every": "60s"]) { $1 }
            }
            let author = trial.simulator.did(2)
            switch kind {
            case "author": settings["actor"] = author
            case "search": settings["query"] = "("
            case "list": settings["list"] = "at://\(author)/app.bsky.graph.list/all"
            default: break
            }
            let isSignedIn = kind == "search" || kind == "notifications"
            let faults: [Fault.Kind] = [
                .serverError, .unavailable, .notJSON, .truncated, .gzipBomb, .throttle, .expireToken, .unknownFields,
                .rejectCursor,
            ]
            var dice = Dice(seed: 13)
            var done = 0
            var connector = try trial.connector(settings, signedIn: isSignedIn)
            func catchUp() async throws {
                var failures = 0
                while true {
                    do {
                        let page = try await connector.pull(PullRequest(cursor: await log.cursor))
                        // Now and then the process dies between the answer and the log.
                        if dice.oneIn(40) {
                            connector = try trial.connector(settings, signedIn: isSignedIn)
                            continue
                        }
                        try await log.take(page)
                        if !page.hasMore { return }
                    } catch let error as ConnectorError {
                        failures += 1
                        guard failures < 100 else { throw error }
                        let wait = error.retryAt.map { trial.clock.now.duration(to: $0) } ?? .seconds(1)
                        trial.pass(max(wait, .seconds(1)))
                    }
                }
            }
            let size = Self.size / 6
            while done < size {
                let count = min(1 + dice.roll(max(size / 30, 2)), size - done)
                for _ in 0..<dice.roll(4) {
                    let fault = Fault(dice.pick(faults), after: dice.roll(3))
                    // A server that never takes its cursors is another story.
                    let waits =
                        fault.kind == .rejectCursor && trial.simulator.faults.waiting.contains { $0.kind == fault.kind }
                    if !waits { trial.simulator.faults.add(fault) }
                }
                trial.simulator.publish(count)
                done += count
                trial.pass(.seconds(40))
                try await catchUp()
            }
            trial.simulator.faults.clear()
            for _ in 0..<4 {
                trial.pass(.seconds(isDefault ? 910 : 70))
                try await catchUp()
            }
            let members = Set((0..<24).filter { $0.isMultiple(of: 2) }.map(trial.simulator.did))
            try await Self.check(
                log,
                trial.simulator.ledger.entries,
                kind: kind,
                authors: kind == "author" ? [author] : members
            )
            if isSignedIn { #expect(trial.simulator.signIns == 1) }
        }
    }

    private static func check(
        _ log: Log,
        _ entries: [Ledger.Entry],
        kind: String,
        authors: Set<String>
    ) async throws {
        let wanted = entries.filter { entry in
            switch kind {
            case "author", "list": authors.contains(entry.actor) && ["created", "deleted"].contains(entry.verb)
            case "notifications": entry.places.contains("notifications") && !entry.verb.hasPrefix("un")
            case "search": ["created", "deleted"].contains(entry.verb)
            default: false
            }
        }
        #expect(wanted.count > 5)
        let gone = Set(entries.filter { $0.verb == "deleted" || $0.verb.hasPrefix("un") }.map(\.object))
        let ids = Set(await log.events.keys.map(\.text))
        let standing = Set(
            wanted.filter { !gone.contains($0.object) && $0.verb != "deleted" && $0.verb != "updated" }.compactMap(id)
        )
        #expect(standing.subtracting(ids).sorted().first == nil, "missed \(standing.subtracting(ids).count)")
        // Whatever is told has happened.
        let happened = Set(entries.compactMap(id))
        let told = Set(await log.events.values.filter { $0.type != .metricsObserved }.map(\.id.text))
        #expect(told.subtracting(happened).sorted().first == nil, "invented \(told.subtracting(happened).count)")
        // What was told and then withdrawn is told to be withdrawn.
        if kind != "notifications" {
            let withdrawn = Set(wanted.filter { $0.verb == "deleted" }.map(\.object))
            let missing = withdrawn.filter { object in
                ids.contains("bluesky:post:\(object)/created") && !ids.contains("bluesky:post:\(object)/deleted")
            }
            #expect(missing.sorted().first == nil, "\(missing.count) deletions were not noticed")
        }
        #expect(await log.gaps.isEmpty)
        #expect(await log.count(.postCreated) > 0 || kind == "notifications")
    }
}
