import ConnectorKit
import ConnectorTesting
import HubCore
import MessageBus
import SocialEvents
import Synchronization
import Testing

/// What a scripted stream does when it is opened.
enum StreamAct: Sendable {
    /// Emits posts one batch each, the cursor after each, then returns.
    case emit([String])
    /// Emits posts, then fails.
    case emitThenFail([String], any Error)
    /// Emits posts, then holds the connection until it is told to end.
    case hold([String])
}

/// A source that streams, and pulls to fill what it missed.
struct StreamingConnector: PullSource, StreamSource {
    static let descriptor = ConnectorDescriptor(
        name: "streaming",
        summary: "Follows a script.",
        settings: [ScriptedConnector.script]
    )

    static let acts = Mutex<[String: [StreamAct]]>([:])
    static let opened = Mutex<[String: [Cursor?]]>([:])

    private let puller: ScriptedConnector
    private let key: String

    init(settings: Settings, context: ConnectorContext) throws {
        puller = try ScriptedConnector(settings: settings, context: context)
        key = try settings.required(ScriptedConnector.script)
    }

    func pull(_ request: PullRequest) async throws -> PullPage { try await puller.pull(request) }

    func stream(after cursor: Cursor?, into sink: any EventSink) async throws {
        Self.opened.withLock { $0[key, default: []].append(cursor) }
        let act = Self.acts.withLock { acts -> StreamAct in
            acts[key]?.isEmpty == false ? acts[key]?.removeFirst() ?? .hold([]) : .hold([])
        }
        func emit(_ names: [String]) async throws {
            for name in names { try await sink.emit([post(name)], cursor: Cursor(bytes: Array(name.utf8))) }
        }
        switch act {
        case .emit(let names): try await emit(names)
        case .emitThenFail(let names, let error):
            try await emit(names)
            throw error
        case .hold(let names):
            try await emit(names)
            // Longer than any test; ended by its cancellation.
            try await Task.sleep(for: .seconds(86_400))
        }
    }
}

@Suite("Sources that stream", .serialized, .timeLimit(.minutes(2)))
struct StreamTests {
    private func stage(_ pulls: [Act], _ streams: [StreamAct], bus: MemoryBus = MemoryBus()) throws -> (Stage, String) {
        let script = Script(["s": pulls])
        let stage = try Stage(["s"], script: script, bus: bus, connector: StreamingConnector.self)
        let key = stage.key
        StreamingConnector.acts.withLock { $0[key] = streams }
        return (stage, key)
    }

    private func cursors(_ key: String) -> [String?] {
        StreamingConnector.opened.withLock { $0[key] ?? [] }.map {
            $0.map { String(decoding: $0.bytes, as: UTF8.self) }
        }
    }

    @Test("What was missed is pulled after every connection, then the stream goes on from there")
    func fillsThenStreams() async throws {
        let (stage, key) = try stage(
            [.posts(["1"], hasMore: true), .posts(["2"]), .posts(["5"])],
            [.emit(["3", "4"]), .hold(["6"])]
        )
        try await stage.play {
            try await stage.until("s", has: ids("1", "2", "3", "4"))
            try await stage.until("waiting to connect again", { stage.isAsleep(1) })
            #expect(try stage.status("s").state == .running, "an end after data is no failure")
            try stage.advanceToNext()
            try await stage.until("s", has: ids("1", "2", "3", "4", "5", "6"))
            #expect(cursors(key) == ["2", "5"])
        }
        #expect(try stage.status("s").state == .stopped)
    }

    @Test("A stream that breaks before it brings anything backs off longer each time; data ends the count")
    func backsOff() async throws {
        let broken = ConnectorError(.unavailable, "connection reset")
        let (stage, _) = try stage(
            [],
            [.emitThenFail([], broken), .emitThenFail([], broken), .emitThenFail(["1"], broken), .hold(["2"])]
        )
        try await stage.play {
            // The third connection brings something before it breaks, so its failure is counted as a first one.
            for attempt in [1, 2, 1] {
                try await stage.until("attempt \(attempt)") {
                    try stage.status("s").attempt == attempt && stage.isAsleep(1)
                }
                try stage.advanceToNext()
            }
            try await stage.until("s", has: ids("1", "2"))
            #expect(try stage.status("s").attempt == 0)
            #expect(try stage.status("s").counts.failures == 3)
        }
    }

    @Test("A stream waits while the log is full and goes on by itself, nothing lost or doubled")
    func logFull() async throws {
        let bus = MemoryBus()
        let (stage, _) = try stage([], [.hold(["1", "2", "3"])], bus: bus)
        bus.state.update { $0.condition = .full("no room") }
        try await stage.play {
            try await stage.until("s", is: .retrying)
            for _ in 0..<3 {
                try await stage.until("asleep", { stage.isAsleep(1) })
                try stage.advanceToNext()
            }
            try await stage.until("asleep", { stage.isAsleep(1) })
            bus.state.update { $0.condition = .ready }
            try stage.advanceToNext()
            try await stage.until("s", has: ids("1", "2", "3"))
            try await stage.until("s", is: .running)
        }
    }

    @Test("Pausing ends a connection, resuming makes another from the durable cursor")
    func pauses() async throws {
        let (stage, key) = try stage([], [.hold(["1"]), .hold(["2"])])
        try await stage.play {
            try await stage.until("s", has: ids("1"))
            try await stage.hub.pause(SourceName("s"))
            try await stage.until("told", { stage.bus.states(of: "s").last == .paused })
            try await stage.hub.resume(SourceName("s"))
            try await stage.until("s", has: ids("1", "2"))
            #expect(cursors(key) == [nil, "1"])
        }
    }
}
