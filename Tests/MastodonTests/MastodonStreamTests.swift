import ConnectorKit
import ConnectorTesting
import HTTPTypes
import MastodonConnector
import SocialEvents
import Synchronization
import Testing

struct MastodonStreamTests {
    private static let streamURL = MastodonScript.base + "/api/v1/streaming/user"

    private func stream(_ script: MastodonScript, after cursor: Cursor? = nil) async -> (RecordingSink, ConnectorError?)
    {
        let sink = RecordingSink()
        do {
            try await script.connector.stream(after: cursor, into: sink)
            return (sink, nil)
        } catch {
            return (sink, error as? ConnectorError)
        }
    }

    @Test("The stream is found, opened with the token, and told as what it is")
    func events() async throws {
        let script = try MastodonScript()
        let post = ScriptedTimeline.Post(id: 1001)
        var edited = post
        edited.editedAt = "2026-03-01T09:00:00.700Z"
        script.timeline.update { state in
            state.stream =
                ":)\n\nevent: update\ndata: \(post.json)\n\nevent: update\ndata: \(post.json)\n\n:thump\n\n"
                + "event: status.update\ndata: \(edited.json)\n\nevent: status.update\ndata: \(edited.json)\n\nevent: delete\ndata: 1001\n\n"
        }
        let (sink, error) = await stream(script)
        #expect(error?.code == .unavailable, "a stream never ends by itself")
        #expect(sink.connections == 1)
        #expect(sink.events.facts == ["created 1001", "updated 1001", "deleted 1001"], "what is repeated is told once")
        #expect(sink.events[1].id.text == "\(postID(1001))/updated/1772355600", "as a pull would have told it")
        let request = try #require(script.http.requests.last)
        #expect(request.url == Self.streamURL)
        #expect(request.headers[.authorization] == "Bearer token-of-nora")
        #expect(request.deadlines.total == nil && request.deadlines.idle == .seconds(90))
    }

    @Test("Its cursor is one from which pulling goes on")
    func cursor() async throws {
        let timeline = ScriptedTimeline()
        timeline.post(1001...1040)
        timeline.update { state in
            for id in 1011...1040 { state.stream += "event: update\ndata: \(ScriptedTimeline.Post(id: id).json)\n\n" }
            state.stream += ":thump\n\n"
        }
        let first = try MastodonScript([:], timeline)
        timeline.update { state in state.posts.removeAll { $0.id > 1010 } }
        _ = try await first.pullAll()
        timeline.post(1011...1040)
        let (sink, _) = await stream(first, after: first.cursor)
        #expect(sink.events.count == 30)
        timeline.post(1041...1045)
        let second = try MastodonScript([:], timeline)
        let page = try await second.connector.pull(PullRequest(cursor: sink.cursor))
        #expect(page.events.facts == (1041...1045).map { "created \($0)" })
        // A deletion after a restart: the cursor knows which post it was.
        timeline.update { $0.stream = "event: delete\ndata: 1033\n\n" }
        let third = try MastodonScript([:], timeline)
        #expect(await stream(third, after: sink.cursor).0.events.facts == ["deleted 1033"])
    }

    @Test("What is pulled while a stream is connected stands in the stream's cursors too, and its deletion is noticed")
    func sharedItems() async throws {
        let script = try MastodonScript()
        script.timeline.post(1001...1005)
        _ = try await script.pullAll()
        // Said while the source was away; the stream then brings one more.
        script.timeline.post(1006...1009)
        script.timeline.update { $0.stream = "event: update\ndata: \(ScriptedTimeline.Post(id: 1010).json)\n\n" }
        let filling = FillingSink(script)
        await #expect { try await script.connector.stream(after: script.cursor, into: filling) } throws: {
            ($0 as? ConnectorError)?.code == .unavailable
        }
        #expect(filling.pulled.facts == (1006...1009).map { "created \($0)" })
        #expect(filling.streamed.facts == ["created 1010"])
        script.timeline.post([1010])
        script.timeline.delete(1007)
        let next = try MastodonScript([:], script.timeline)
        let page = try await next.connector.pull(PullRequest(cursor: filling.cursor))
        #expect(page.events.facts.contains("deleted 1007"), "\(page.events.facts)")
    }

    @Test("What a stream brought before it broke off stands in the cursors of pulls, and its deletion is noticed")
    func heardItems() async throws {
        let script = try MastodonScript()
        script.timeline.post(1001...1005)
        _ = try await script.pullAll()
        script.timeline.update { $0.stream = "event: update\ndata: \(ScriptedTimeline.Post(id: 1006).json)\n\n" }
        // Its cursors do not count yet.
        #expect(await stream(script, after: script.cursor).0.events.facts == ["created 1006"])
        script.timeline.post([1007])
        let facts = try await script.pullAll().facts + script.pullAll().facts
        #expect(facts == ["created 1007", "deleted 1006"])
    }

    @Test("What the stream says beside facts is kept as it came, such as that filters were changed")
    func filters() async throws {
        let script = try MastodonScript()
        script.timeline.update { $0.stream = "event: filters_changed\ndata: undefined\n\nevent: tide\ndata: 1\n\n" }
        let (sink, _) = await stream(script)
        #expect(sink.events.map(\.type) == [.unrecognised, .unrecognised])
        let raw = sink.events.map { String(decoding: $0.data.raw?.bytes ?? [], as: UTF8.self) }
        #expect(raw == ["event: filters_changed\ndata: undefined", "event: tide\ndata: 1"])
    }

    @Test("A deletion of what was never seen is kept as it came")
    func unknownDeletion() async throws {
        let script = try MastodonScript()
        script.timeline.update { $0.stream = "event: delete\ndata: 9999\n\n" }
        let (sink, _) = await stream(script)
        let event = try #require(sink.events.first)
        #expect(event.type == .unrecognised)
        #expect(event.data.raw.map { String(decoding: $0.bytes, as: UTF8.self) } == "event: delete\ndata: 9999")
    }

    @Test(
        "A server without the stream is read by pulling",
        arguments: [
            ScriptedAnswer.response(404, text: "<h1>404 Not Found (snac/2.94)</h1>"), .response(400), .response(426),
            .response(text: "[]"), .response(headers: [.contentType: "text/html"], text: "<p>hello</p>"),
        ]
    )
    func missing(answer: ScriptedAnswer) async throws {
        let script = try MastodonScript()
        script.http.route(.get, Self.streamURL, answer)
        let (sink, error) = await stream(script)
        #expect(error?.code == .unsupported && error?.message.contains("mastodon") == true)
        #expect(sink.connections == 0 && sink.callCount == 0)
    }

    @Test("A server that describes itself in no form has no stream")
    func undescribed() async throws {
        let script = try MastodonScript()
        script.http.handle { _ in .response(404) }
        #expect(await stream(script).1?.code == .unsupported)
    }

    @Test("The token goes to no stream without encryption when the server itself has it")
    func downgrade() async throws {
        let script = try MastodonScript()
        script.http.route(
            .get,
            MastodonScript.base + "/api/v2/instance",
            .response(text: "{\"configuration\":{\"urls\":{\"streaming\":\"ws://harbour.example\"}}}")
        )
        #expect(await stream(script).1?.code == .unsupported)
        #expect(!script.http.requests.contains { $0.url.hasPrefix("http:") })
    }

    @Test(
        "Refusals of the stream say what the host shall do",
        arguments: [
            (401, ConnectorError.Code.unsupported), (403, .unsupported), (429, .rateLimited), (503, .unavailable),
        ]
    )
    func refusals(status: Int, code: ConnectorError.Code) async throws {
        let script = try MastodonScript()
        script.http.route(.get, Self.streamURL, .response(status))
        #expect(await stream(script).1?.code == code)
    }

    @Test("A payload that cannot be read is set aside, and the stream goes on")
    func garbage() async throws {
        let script = try MastodonScript()
        script.timeline.update { state in
            state.stream =
                "event: update\ndata: {\"id\":\n\nevent: update\ndata: [1,2]\n\nevent: update\ndata: \(ScriptedTimeline.Post(id: 1001).json)\n\n"
        }
        let (sink, _) = await stream(script)
        #expect(sink.deadLetters.count == 2)
        #expect(sink.events.facts == ["created 1001"])
    }

    @Test("A line without an end is an end")
    func endless() async throws {
        let script = try MastodonScript()
        let line = String(repeating: "x", count: 5 << 20)
        script.timeline.update { $0.stream = "data: \(line)" }
        let (_, error) = await stream(script)
        #expect(error?.code == .unavailable && error?.underlying is ServerSentEventParser.TooLong)
    }

    @Test("Each kind of source has its stream, or none")
    func paths() async throws {
        let cases: [([String: String], String?)] = [
            (["kind": "home"], "user"), (["kind": "notifications"], "user/notification"),
            (["kind": "public"], "public"),
            (["kind": "public", "scope": "local"], "public/local"),
            (["kind": "public", "scope": "remote"], "public/remote"),
            (["kind": "hashtag", "hashtag": "#été"], "hashtag?tag=%C3%A9t%C3%A9"),
            (["kind": "hashtag", "hashtag": "quay", "scope": "local"], "hashtag/local?tag=quay"),
            (["kind": "hashtag", "hashtag": "quay", "scope": "remote"], nil),
            (["kind": "list", "list": "12"], "list?list=12"),
            (["kind": "account", "user": "nora@harbour.example"], nil),
            (["kind": "home", "stream": "off"], nil),
        ]
        for (settings, path) in cases {
            let modes = MastodonConnector.modes(of: Settings(MastodonScript.members(settings)))
            #expect(modes == (path == nil ? [.pull] : [.pull, .stream]), "\(settings)")
            guard let path else { continue }
            let script = try MastodonScript(settings)
            let url = MastodonScript.base + "/api/v1/streaming/" + path
            script.http.route(.get, url, .response(headers: [.contentType: "text/event-stream"], text: ":)\n\n"))
            #expect(await stream(script).0.connections == 1, "\(settings)")
        }
    }
}

/// A sink whose host pulls when the stream is connected, as hosts do.
private final class FillingSink: EventSink {
    private struct State {
        var pulled: [Event] = []
        var streamed: [Event] = []
        var cursor: Cursor?
    }

    private let connector: MastodonConnector
    private let start: Cursor?
    private let state = Mutex(State())

    var pulled: [Event] { state.withLock { $0.pulled } }
    var streamed: [Event] { state.withLock { $0.streamed } }
    var cursor: Cursor? { state.withLock { $0.cursor } }

    init(_ script: MastodonScript) {
        connector = script.connector
        start = script.cursor
    }

    func connected() async {
        var cursor = start
        for _ in 0..<20 {
            guard let page = try? await connector.pull(PullRequest(cursor: cursor)) else { return }
            cursor = page.cursor ?? cursor
            state.withLock { $0.pulled += page.events }
            if !page.hasMore { return }
        }
    }

    func emit(_ batch: EventBatch) async throws {
        state.withLock { state in
            state.streamed += batch.events
            state.cursor = batch.cursor ?? state.cursor
        }
    }
}
