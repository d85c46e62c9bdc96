import ConnectorKit
import ConnectorTesting
import HTTPTypes
import SocialEvents
import Testing

@Suite("Manual clock", .timeLimit(.minutes(1)))
struct ManualClockTests {
    @Test("a sleeper wakes when its time has passed and not before")
    func waking() async throws {
        let clock = ManualClock(now: Timestamp(seconds: 1000))
        async let sleeper: Void = clock.sleep(for: .seconds(10))
        try await clock.waitForSleepers()
        #expect(clock.untilNextWake == .seconds(10))
        clock.advance(by: .seconds(9))
        #expect(clock.sleeperCount == 1)
        clock.advance(by: .seconds(1))
        #expect(clock.sleeperCount == 0)
        try await sleeper
        #expect(clock.now == Timestamp(seconds: 1010))
        #expect(clock.elapsed == .seconds(10))
    }

    @Test("setting the time of day wakes nobody")
    func wallTime() async throws {
        let clock = ManualClock(now: Timestamp(seconds: 1000))
        async let sleeper: Void = clock.sleep(for: .seconds(10))
        try await clock.waitForSleepers()
        clock.setWallTime(to: Timestamp(seconds: 9_999_999))
        #expect(clock.sleeperCount == 1)
        #expect(clock.now == Timestamp(seconds: 9_999_999))
        clock.setWallTime(to: Timestamp(seconds: 10))
        clock.advance(by: .seconds(10))
        try await sleeper
        #expect(clock.now == Timestamp(seconds: 20))
    }

    @Test("a cancelled sleeper throws and is no longer counted")
    func cancellation() async throws {
        let clock = ManualClock()
        // Awaited below.
        let task = Task { try await clock.sleep(for: .seconds(10)) }
        try await clock.waitForSleepers()
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(clock.sleeperCount == 0)
    }

    @Test("waiting in a task that is already cancelled throws")
    func cancelledBefore() async throws {
        let clock = ManualClock()
        // Awaited below.
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try await clock.waitForSleepers()
        }
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    @Test("many sleepers all wake, whatever the moment they come in")
    func many() async throws {
        let clock = ManualClock()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 1...200 { group.addTask { try await clock.sleep(for: .milliseconds(index)) } }
            for _ in 1...200 { clock.advance(by: .milliseconds(1)) }
            try await withThrowingTaskGroup(of: Void.self) { helper in
                // Whoever came late still sleeps: move on until all are through.
                helper.addTask {
                    while !Task.isCancelled {
                        try await clock.waitForSleepers()
                        clock.advance(by: .milliseconds(200))
                    }
                }
                try await group.waitForAll()
                helper.cancelAll()
            }
        }
        #expect(clock.sleeperCount == 0)
    }
}

@Suite("Scripted HTTP client", .timeLimit(.minutes(1)))
struct ScriptedHTTPClientTests {
    let url = "https://example.org/feed"

    @Test("expectations answer once and in order, routes as often as asked")
    func order() async throws {
        let http = ScriptedHTTPClient()
        http.expect(.get, url, .response(200, text: "one"))
        http.expect(.get, url, .response(304))
        http.route(.get, url, .response(500))
        let first = try await http.send(HTTPClientRequest(.get, url))
        #expect(first.status == 200)
        #expect(try await first.body.collect() == Array("one".utf8))
        #expect(http.unmetExpectations == ["GET https://example.org/feed"])
        #expect(try await http.send(HTTPClientRequest(.get, url)).status == 304)
        #expect(try await http.send(HTTPClientRequest(.get, url)).status == 500)
        #expect(try await http.send(HTTPClientRequest(.get, url)).status == 500)
        #expect(http.requests.count == 4)
    }

    @Test("a request without an answer fails and is remembered")
    func unexpected() async throws {
        let http = ScriptedHTTPClient()
        http.expect(.post, url, .response())
        await #expect(throws: HTTPClientError.self) { try await http.send(HTTPClientRequest(.get, url)) }
        #expect(http.unexpectedRequests.map(\.url) == [url])
    }

    @Test("a body comes in pieces, and breaks or stays open when told")
    func bodies() async throws {
        let http = ScriptedHTTPClient { _ in .response(text: "abcdefgh").chunked(3).breaking(.connection) }
        let response = try await http.send(HTTPClientRequest(.get, url))
        var chunks: [String] = []
        await #expect(throws: HTTPClientError(.connection, "scripted")) {
            for try await chunk in response.body { chunks.append(String(decoding: chunk, as: UTF8.self)) }
        }
        #expect(chunks == ["abc", "def", "gh"])
    }

    @Test("a body larger than allowed is refused")
    func limit() async throws {
        let http = ScriptedHTTPClient { _ in .response(body: [UInt8](repeating: 0, count: 100)) }
        let response = try await http.send(HTTPClientRequest(.get, url, maximumBodySize: 99))
        await #expect {
            try await response.body.collect()
        } throws: { ($0 as? HTTPClientError)?.code == .bodyTooLarge }
    }

    @Test("a hanging request ends when its caller is cancelled", arguments: [true, false])
    func hanging(inBody: Bool) async throws {
        let http = ScriptedHTTPClient { _ in inBody ? .response(text: "a").stayingOpen() : .hang }
        let url = url
        // Awaited below.
        let task = Task { try await http.send(HTTPClientRequest(.get, url)).body.collect() }
        try await http.waitForRequests()
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    @Test("redirects are told, and the last one answers")
    func redirects() async throws {
        let hop = HTTPRedirect(status: 301, location: "https://example.org/new")
        let http = ScriptedHTTPClient { _ in .response().redirected(hop) }
        let response = try await http.send(HTTPClientRequest(.get, url))
        #expect(response.redirects == [hop])
        #expect(response.url == "https://example.org/new")
    }
}

@Suite("Recording sink", .timeLimit(.minutes(1)))
struct RecordingSinkTests {
    let event = Event(
        id: EventID(text: "feed:article:1/created"),
        type: .postCreated,
        platform: "feed",
        time: Timestamp(seconds: 0)
    )

    @Test(
        "it fails when told and keeps nothing of a failed batch",
        arguments: [
            (RecordingSink.Failing.never, [true, true, true]), (.first(2), [false, false, true]),
            (.always, [false, false, false]),
            (.calls([2]), [true, false, true]),
        ]
    )
    func failing(mode: RecordingSink.Failing, succeeds: [Bool]) async throws {
        let sink = RecordingSink(failing: mode)
        for (index, expected) in succeeds.enumerated() {
            let cursor = Cursor(bytes: [UInt8(index)])
            do {
                try await sink.emit([event], cursor: cursor)
                #expect(expected)
                #expect(sink.cursor == cursor)
            } catch let error as RecordingSink.Failure {
                #expect(!expected)
                #expect(error.call == index + 1)
            }
        }
        #expect(sink.callCount == 3)
        #expect(sink.events.count == succeeds.count { $0 })
        #expect(sink.batches.count == succeeds.count { $0 })
    }

    @Test("waiting for events ends when they are there")
    func waiting() async throws {
        let sink = RecordingSink()
        let event = event
        async let waiting: Void = sink.waitForEvents(3)
        for _ in 1...3 { try await sink.emit([event], cursor: nil) }
        try await waiting
        #expect(sink.events.count == 3)
        #expect(sink.cursor == nil)
    }
}
