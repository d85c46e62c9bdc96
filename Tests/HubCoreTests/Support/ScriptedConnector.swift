import ConnectorKit
import ConnectorTesting
import HubCore
import Logging
import MessageBus
import SocialEvents
import Synchronization
import Testing

/// What a scripted source does when it is asked.
enum Act: Sendable {
    /// Brings posts of these names; the cursor is the last of them.
    case posts([String], hasMore: Bool = false, notBefore: Timestamp? = nil)
    /// Brings a page made by the test.
    case page(PullPage)
    /// Fails.
    case fail(any Error)
    /// Does not answer, but ends when it is told to.
    case hang
    /// Does not answer and does not end either, until the test lets it.
    case hangForGood
}

/// What the scripted sources of one test do and have been asked.
final class Script: Sendable {
    struct State: Sendable {
        var acts: [String: [Act]] = [:]
        var requests: [String: [PullRequest]] = [:]
        var inFlight: [String: Int] = [:]
        var mostInFlight: [String: Int] = [:]
        var mostInFlightTogether = 0
        /// Sources with a step that does not come back by itself.
        var hanging: Set<String> = []
    }

    let state = Shared(State())
    private let latch = Latch()

    init(_ acts: [String: [Act]] = [:]) {
        state.update { $0.acts = acts }
    }

    /// What the source is to do when it is asked the next times; after the last it brings nothing new.
    func add(_ acts: [Act], to source: String) {
        state.update { $0.acts[source, default: []] += acts }
    }

    /// How often a source has been asked.
    func pulls(of source: String) -> Int { state.current.requests[source]?.count ?? 0 }

    /// Does not come back until ``release()``, whoever cancels it.
    func hold() async { await latch.wait() }

    /// Lets steps that hang for good come to their late end.
    func release() { latch.open() }

    func perform(_ source: String, _ request: PullRequest) async throws -> PullPage {
        let act = state.update { state -> Act in
            state.requests[source, default: []].append(request)
            state.inFlight[source, default: 0] += 1
            state.mostInFlight[source] = max(state.mostInFlight[source] ?? 0, state.inFlight[source] ?? 0)
            state.mostInFlightTogether = max(state.mostInFlightTogether, state.inFlight.values.reduce(0, +))
            return state.acts[source]?.isEmpty == false ? state.acts[source]?.removeFirst() ?? .posts([]) : .posts([])
        }
        defer { state.update { $0.inFlight[source, default: 1] -= 1 } }
        // Lets others in, as waiting for a network does: else no two steps would ever be seen at once.
        for _ in 0..<20 { await Task.yield() }
        switch act {
        case .posts(let names, let hasMore, let notBefore):
            var page = PullPage(events: names.map(post), hasMore: hasMore, notBefore: notBefore)
            page.cursor = names.last.map { Cursor(bytes: Array($0.utf8)) }
            return page
        case .page(let page): return page
        case .fail(let error): throw error
        case .hang:
            state.update { _ = $0.hanging.insert(source) }
            defer { state.update { _ = $0.hanging.remove(source) } }
            // Longer than any test; ended by its cancellation.
            try await Task.sleep(for: .seconds(86_400))
            return PullPage()
        case .hangForGood:
            state.update { _ = $0.hanging.insert(source) }
            defer { state.update { _ = $0.hanging.remove(source) } }
            await latch.wait()
            return PullPage(events: [post("late")], cursor: Cursor(bytes: Array("late".utf8)))
        }
    }
}

/// A good event.
func post(_ name: String) -> Event {
    let id = ObjectID("demo", .post, name)
    var event = Event(
        id: EventID(id, .created),
        type: .postCreated,
        platform: "demo",
        subject: id,
        time: Timestamp(seconds: 1_700_000_000)
    )
    event.data.object = SocialObject(id: id, kind: .post)
    return event
}

/// The ids that ``post(_:)`` gives.
func ids(_ names: String...) -> [String] { names.map { post($0).id.text } }

/// Finds the script of the running test: the connector is made from its settings alone.
enum Scripts {
    private static let all = Mutex<[String: Script]>([:])

    static func register(_ script: Script) -> String {
        all.withLock {
            let key = "script-\($0.count)"
            $0[key] = script
            return key
        }
    }

    static subscript(key: String) -> Script? { all.withLock { $0[key] } }
}

/// A source that follows its script.
struct ScriptedConnector: PullSource {
    static let script = Setting.text("script", summary: "Which script.", isRequired: true)
    static let descriptor = ConnectorDescriptor(name: "scripted", summary: "Follows a script.", settings: [script])

    private let source: String
    let script: Script

    init(settings: Settings, context: ConnectorContext) throws {
        source = context.source.name
        let key = try settings.required(Self.script)
        guard let script = Scripts[key] else { throw settings.error("script", "there is none") }
        self.script = script
    }

    func pull(_ request: PullRequest) async throws -> PullPage {
        try await script.perform(source, request)
    }
}

/// A hub whose sources follow a script, on a clock held by the test.
struct Stage: Sendable {
    let clock: ManualClock
    let alarm: Alarm
    let bus: MemoryBus
    let script: Script
    /// What the script is registered under.
    let key: String
    let hub: Hub

    static let interval: ClosedRange<Duration> = .seconds(60) ... .seconds(600)

    init(
        _ sources: [String],
        script: Script = Script(),
        bus: MemoryBus = MemoryBus(),
        connector: any Connector.Type = ScriptedConnector.self,
        settings: [(key: String, value: String)] = [],
        retention: RetentionPolicy = RetentionPolicy(),
        logger: Logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
        limits: HubLimits = HubLimits()
    ) throws {
        let clock = ManualClock()
        self.clock = clock
        alarm = Alarm(clock: clock) { clock.elapsed }
        self.bus = bus
        self.script = script
        key = Scripts.register(script)
        let settings = Settings(
            ([("script", key)] + settings).map { key, value in
                SettingNode.Member(
                    key: key,
                    position: SettingPosition(),
                    value: SettingNode(.scalar(value, isQuoted: false))
                )
            }
        )
        let configuration = HubConfiguration(
            retention: retention,
            sources: sources.map {
                SourceConfiguration(
                    name: SourceName($0),
                    connector: connector,
                    settings: settings,
                    interval: Self.interval
                )
            }
        )
        hub = try Hub(
            configuration: configuration,
            bus: bus,
            http: { _ in ScriptedHTTPClient() },
            clock: clock,
            alarm: alarm,
            logger: logger,
            limits: limits
        )
    }

    /// Runs the hub while `body` plays, then stops it.
    func play(_ body: () async throws -> Void) async throws {
        let hub = hub
        // Awaited below, whether the body throws or not.
        let running = Task { await hub.run() }
        do {
            try await body()
        } catch {
            running.cancel()
            script.release()
            await running.value
            throw error
        }
        running.cancel()
        await running.value
    }

    /// Whether every source waits or hangs, so many waits are pending, and the alarm sleeps no longer than until the next of them.
    func isAsleep(_ count: Int) -> Bool {
        let now = clock.now
        let hanging = script.state.current.hanging
        let areSettled = hub.sources().allSatisfy { status in
            switch status.state {
            case .unauthorized, .paused, .failed, .stopped: true
            case .starting, .backfilling, .running, .throttled, .retrying:
                hanging.contains(status.name.name)
                    || [status.nextPullAt, status.until].contains { $0.map { $0 > now } == true }
            }
        }
        return areSettled && alarm.count == count && (count == 0 || isSet)
    }

    /// Whether there is a wait, and the clock will wake the alarm in time for it.
    var isSet: Bool {
        guard let untilNext = alarm.untilNext, let untilWake = clock.untilNextWake else { return false }
        return untilWake <= untilNext
    }

    /// Lets the time pass that the next wait has to go.
    func advanceToNext() throws {
        clock.advance(by: try #require(alarm.untilNext))
    }

    func status(_ source: String) throws -> SourceStatus {
        try #require(hub.source(SourceName(source)))
    }

    /// Returns when `condition` holds.
    ///
    /// What it waits for happens on other tasks without any clock, so it only lets them run.
    func until(
        _ what: Comment,
        sourceLocation: SourceLocation = #_sourceLocation,
        _ condition: () throws -> Bool
    ) async throws {
        // The minute is for machines so busy that the other tasks do not get their turn; nothing is decided by it.
        let patience = ContinuousClock.now + .seconds(60)
        while ContinuousClock.now < patience {
            if try condition() { return }
            await Task.yield()
        }
        Issue.record("did not come: \(what)", sourceLocation: sourceLocation)
        throw CancellationError()
    }

    /// Returns when the source has settled in `state` and sleeps there.
    func until(
        _ source: String,
        is state: SourceState,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        try await until("\(source) \(state)", sourceLocation: sourceLocation) { try status(source).state == state }
    }

    /// Returns when the log holds these posts of the source, and no others.
    func until(
        _ source: String,
        has posts: [String],
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        try await until("posts of \(source)", sourceLocation: sourceLocation) {
            bus.posts(of: source).count >= posts.count
        }
        #expect(bus.posts(of: source) == posts, sourceLocation: sourceLocation)
    }

    /// Returns when somebody sleeps for exactly `duration` from now.
    func untilSleeping(for duration: Duration, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        try await until("a sleep of \(duration)", sourceLocation: sourceLocation) {
            alarm.untilNext == duration && isSet
        }
    }
}
