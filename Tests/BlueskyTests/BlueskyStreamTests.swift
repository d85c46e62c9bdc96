import BlueskyConnector
import ConnectorKit
import ConnectorTesting
import HTTPTypes
import JSON
import SocialEvents
import Synchronization
import Testing

/// A client whose first attempts are refused as told, and whose others go to a scripted one.
private final class RefusingClient: WebSocketClient {
    let scripted = ScriptedWebSocketClient()
    private let refusals: Mutex<[WebSocketRefusal]>
    private let urls = Mutex<[String]>([])

    init(_ refusals: [WebSocketRefusal]) {
        self.refusals = Mutex(refusals)
    }

    var requested: [String] { urls.withLock { $0 } }

    func connect(_ request: WebSocketRequest) async throws -> any WebSocketConnection {
        urls.withLock { $0.append(request.url) }
        if let refusal = refusals.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) { throw refusal }
        return try await scripted.connect(request)
    }
}

@Suite("The stream")
struct BlueskyStreamTests {
    private static let start = StreamServer.start

    private func message(_ number: Int, _ key: String? = nil) -> WebSocketMessage { StreamServer.message(number, key) }

    private func second(_ number: Int) -> WebSocketMessage {
        .text(
            Array(
                """
                {"$type":"message","payload":{"$type":"network.bsky.jetstream.subscribeEvents#commit","seq":\(number),\
                "did":"did:plc:aaaaaaaaaaaaaaaaaaaaaaaa","time":"2026-05-28T00:00:00.000001Z","rev":"3mptbypkxkx2g",\
                "operation":"create","collection":"app.bsky.feed.post","rkey":"p\(number)","record":{"text":"x",\
                "createdAt":"2026-05-28T00:00:00Z"}}}
                """.utf8
            )
        )
    }

    private func script(_ more: [String: String] = [:], lists: [String: [String]] = [:]) throws -> BlueskyScript {
        try BlueskyScript(["kind": "jetstream"].merging(more) { $1 }, lists: lists)
    }

    @Test("What comes is told in order, with the last event's time as the cursor")
    func events() async throws {
        let script = try script()
        script.webSockets.script((0..<500).map { message($0) })
        let sink = RecordingSink()
        try await script.connector.stream(after: nil, into: sink)
        #expect(sink.events.map(\.key) == (0..<500).map { "p\($0)" })
        #expect(sink.connections == 1)
        let cursor = try JetstreamCursor(try #require(sink.cursor))
        #expect(cursor.microseconds == Self.start + 499_000_000)
        let url = try #require(script.webSockets.requests.first?.url)
        #expect(url.hasPrefix("wss://jetstream2.us-east.bsky.network/subscribe?wantedCollections=app.bsky.feed.post&"))
        #expect(!url.contains("cursor="))
    }

    @Test("The cursor is rewound, and what comes twice has the same id")
    func rewind() async throws {
        let script = try script()
        script.webSockets.script([message(0), message(1)])
        script.webSockets.script([message(1), message(2)])
        let sink = RecordingSink()
        try await script.connector.stream(after: nil, into: sink)
        try await script.connector.stream(after: sink.cursor, into: sink)
        #expect(script.webSockets.requests[1].url.contains("cursor=\(Self.start + 1_000_000 - 5_000_000)"))
        #expect(Set(sink.events.map(\.id)).count == 3)
        #expect(sink.batches.flatMap(\.gaps).isEmpty)
    }

    @Test("A cursor that the server cannot know any more opens a gap up to the first event")
    func tooLong() async throws {
        let script = try script()
        script.clock.setWallTime(to: BlueskyScript.now.advanced(by: .seconds(40 * 3600)))
        script.webSockets.script([message(5000)])
        let sink = RecordingSink()
        let known = JetstreamCursor(microseconds: Self.start, server: "https://jetstream2.us-east.bsky.network")
        try await script.connector.stream(after: known.encoded(), into: sink)
        guard case .opened(_, let gap) = sink.batches.flatMap(\.gaps).first else {
            Issue.record("no gap was opened")
            return
        }
        #expect(gap.after == Timestamp(milliseconds: Int64(Self.start / 1000)))
        #expect(gap.before == Timestamp(milliseconds: Int64(Self.start / 1000) + 5_000_000))
    }

    @Test("The second wire goes on from its sequence, and from the time at another server")
    func sequence() async throws {
        let script = try script(["wire": "v2"])
        script.webSockets.script([second(7), second(8)])
        script.webSockets.script([second(8), second(9)])
        let sink = RecordingSink()
        try await script.connector.stream(after: nil, into: sink)
        try await script.connector.stream(after: sink.cursor, into: sink)
        let request = script.webSockets.requests[1]
        #expect(request.url.contains("/xrpc/network.bsky.jetstream.subscribeEvents?collections="))
        #expect(request.url.hasSuffix("cursor=8"))
        #expect(request.headers[.secWebSocketProtocol] == "xrpc.v1.json")

        let other = try self.script(["wire": "v2", "base_url": "https://other.example"])
        other.webSockets.script([])
        try await other.connector.stream(after: sink.cursor, into: sink)
        let cursor = try JetstreamCursor(try #require(sink.cursor))
        #expect(other.webSockets.requests[0].url.hasSuffix("cursor=\(cursor.microseconds - 5_000_000)"))
    }

    @Test("A sequence below what the server keeps is followed by its time, and the gap is told")
    func cursorTooOld() async throws {
        let client = RefusingClient([
            WebSocketRefusal(status: 400, body: Array("{\"error\":\"CursorTooOld\",\"message\":\"floor 900\"}".utf8))
        ])
        let info = "{\"$type\":\"message\",\"payload\":{\"$type\":\"x#info\",\"name\":\"OutdatedCursor\"}}"
        client.scripted.script([.text(Array(info.utf8)), second(901)])
        let script = try BlueskyScript(["kind": "jetstream", "wire": "v2"], webSockets: client)
        let known = JetstreamCursor(
            microseconds: Self.start,
            sequence: 3,
            server: "https://jetstream2.us-east.bsky.network"
        )
        let sink = RecordingSink()
        try await script.connector.stream(after: known.encoded(), into: sink)
        #expect(client.requested.map { $0.contains("cursor=3") } == [true, false])
        #expect(client.requested[1].hasSuffix("cursor=\(Self.start)"))
        #expect(sink.batches.flatMap(\.gaps).count == 1)
    }

    @Test(
        "Refused handshakes tell the host what to do",
        arguments: [
            (404, ConnectorError.Code.unsupported), (400, .rejected), (429, .rateLimited), (503, .unavailable),
            (301, .unsupported),
        ]
    )
    func refusals(status: Int, code: ConnectorError.Code) async throws {
        let script = try BlueskyScript(
            ["kind": "jetstream"],
            webSockets: RefusingClient([WebSocketRefusal(status: status)])
        )
        let sink = RecordingSink()
        let error = await #expect(throws: ConnectorError.self) {
            try await script.connector.stream(after: nil, into: sink)
        }
        #expect(error?.code == code)
        #expect(sink.connections == 0)
    }

    @Test("A connection that breaks tells what came before it broke")
    func breaks() async throws {
        let script = try script()
        script.webSockets.script([message(0), message(1)], then: .failure(HTTPClientError(.connection, "reset")))
        let sink = RecordingSink()
        let error = await #expect(throws: ConnectorError.self) {
            try await script.connector.stream(after: nil, into: sink)
        }
        #expect(error?.code == .unavailable)
        #expect(sink.events.count == 2)
        #expect(script.webSockets.closes == [1000])
    }

    @Test("An error in the stream ends it, and what cannot be read becomes a dead letter")
    func inStream() async throws {
        let script = try script(["wire": "v2"])
        let slow = "{\"$type\":\"error\",\"error\":\"ConsumerTooSlow\",\"message\":\"reconnect\"}"
        script.webSockets.script([
            second(1), .text(Array("{".utf8)), .binary([0, 1]), .text(Array(slow.utf8)), second(2),
        ])
        let sink = RecordingSink()
        let error = await #expect(throws: ConnectorError.self) {
            try await script.connector.stream(after: nil, into: sink)
        }
        #expect(error?.code == .unavailable)
        #expect(error?.message.contains("ConsumerTooSlow") == true)
        #expect(sink.deadLetters.count == 2)
        #expect(sink.events.count >= 1)
    }

    @Test("A failing sink ends the stream, and the next one loses nothing", arguments: 1...4)
    func failingSink(call: Int) async throws {
        let count = 5000
        let script = try script(["overlap": "0s"])
        // More than four times what waits for the sink at most, so that there are as many batches.
        script.webSockets.handle { StreamServer(count: count).answer($0) }
        let failing = RecordingSink(failing: .calls([call]))
        await #expect(throws: RecordingSink.Failure.self) {
            try await script.connector.stream(after: nil, into: failing)
        }
        let durable = failing.events.count
        if let cursor = try failing.cursor.map({ try JetstreamCursor($0) }) {
            #expect(cursor.microseconds == Self.start + (durable - 1) * 1_000_000)
        } else {
            #expect(durable == 0)
        }
        let rest = RecordingSink()
        try await script.connector.stream(after: failing.cursor, into: rest)
        #expect(Set((failing.events + rest.events).map(\.key)) == Set((0..<count).map { "p\($0)" }))
    }

    @Test("A stream that is silent but well moves its cursor, so that its silence is no gap", .timeLimit(.minutes(1)))
    func quiet() async throws {
        let script = try script()
        script.webSockets.script([message(0)], then: .silence)
        let sink = RecordingSink()
        // Awaited below.
        let task = Task { try await script.connector.stream(after: nil, into: sink) }
        try await sink.waitForEvents(1)
        for round in 1...250 {
            try await script.clock.waitForSleepers()
            script.clock.advance(by: .seconds(600))
            try await sink.waitForCalls(round + 1)
        }
        task.cancel()
        _ = await task.result
        #expect(sink.events.count == 1)
        let cursor = try JetstreamCursor(try #require(sink.cursor))
        let expected = script.clock.now.advanced(by: .seconds(-600))
        #expect(cursor.microseconds == Int(expected.milliseconds) * 1000)
        // The next connection comes more than 36 hours after the last event, and opens no gap.
        script.webSockets.script([message(160_000)])
        let next = RecordingSink()
        try await script.connector.stream(after: sink.cursor, into: next)
        #expect(next.batches.flatMap(\.gaps).isEmpty)
        #expect(next.events.count == 1)
    }

    @Test("A server that may still be looking through what it kept is not taken for silent", .timeLimit(.minutes(1)))
    func replaying() async throws {
        let script = try script()
        let age = 20 * 3600
        let known = JetstreamCursor(
            microseconds: (Int(BlueskyScript.now.milliseconds) - age * 1000) * 1000,
            server: "https://jetstream2.us-east.bsky.network"
        )
        script.webSockets.script([], then: .silence)
        let sink = RecordingSink()
        // Awaited below.
        let task = Task { try await script.connector.stream(after: known.encoded(), into: sink) }
        // A tenth of the absence, and of the overlap.
        for _ in 0...age / 10 / 600 {
            try await script.clock.waitForSleepers()
            #expect(sink.callCount == 0)
            script.clock.advance(by: .seconds(600))
        }
        try await sink.waitForCalls(1)
        task.cancel()
        _ = await task.result
        #expect(sink.callCount == 1)
    }

    @Test("A silent stream ends when it is cancelled", .timeLimit(.minutes(1)))
    func cancelled() async throws {
        let script = try script()
        script.webSockets.script([message(0)], then: .silence)
        let sink = RecordingSink()
        // Awaited below.
        let task = Task { try await script.connector.stream(after: nil, into: sink) }
        try await sink.waitForEvents(1)
        task.cancel()
        let result = await task.result
        #expect(throws: (any Error).self) { try result.get() }
    }

    @Test("Many accounts are sent in a message instead of the address")
    func options() async throws {
        let dids = (0..<60).map { "did:plc:\($0)aaaaaaaaaaaaaaaaaaaaaa" }
        let script = try script(lists: ["dids": dids])
        script.webSockets.script([])
        try await script.connector.stream(after: nil, into: RecordingSink())
        let url = try #require(script.webSockets.requests.first?.url)
        #expect(url.contains("requireHello=true"))
        #expect(!url.contains("wantedDids"))
        let sent = try #require(script.webSockets.sent.first)
        let count = try JSONParser().parse(sent.bytes) { $0["payload"]?["wantedDids"]?.elements.count }
        #expect(count == 60)
    }

    @Test("The clock of a server that is far ahead does not carry the cursor away")
    func clock() async throws {
        let script = try script()
        script.webSockets.script([message(1_000_000_000)])
        let sink = RecordingSink()
        try await script.connector.stream(after: nil, into: sink)
        let cursor = try JetstreamCursor(try #require(sink.cursor))
        #expect(cursor.microseconds <= Int(BlueskyScript.now.milliseconds) * 1000 + 600_000_000)
    }

    @Test("A source holds a stream or is pulled, as its kind says")
    func modes() {
        let stream = Settings(SettingNode.members(["kind": "jetstream"]))
        let pull = Settings(SettingNode.members(["kind": "author", "actor": "a.example"]))
        #expect(BlueskyConnector.modes(of: stream) == .stream)
        #expect(BlueskyConnector.modes(of: pull) == .pull)
    }
}
