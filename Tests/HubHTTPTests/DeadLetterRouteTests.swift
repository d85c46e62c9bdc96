import ConnectorKit
import HTTPTypes
import HubCore
import JSON
import MessageBus
import SocialEvents
import Testing

extension HookConnector: DeadLetterReader {
    /// Reads what names posts; anything else is still unreadable.
    func reread(_ request: RereadRequest) async throws -> Rereading {
        let names = String(decoding: request.letter.payload, as: UTF8.self).split(separator: "\n").map { Int($0) }
        guard !names.isEmpty, !names.contains(nil) else { throw ConnectorError(.malformed, "still no names") }
        return Rereading(events: names.compactMap { $0 }.map { RunningHub.event($0) })
    }
}

@Suite("Dead letters over HTTP", .timeLimit(.minutes(5)))
struct DeadLetterRouteTests {
    /// A source that has nothing to say and reads nothing again.
    private struct Silent: PullSource {
        static let descriptor = ConnectorDescriptor(name: "silent", summary: "Says nothing.", settings: [])
        init(settings: Settings, context: ConnectorContext) {}
        func pull(_ request: PullRequest) async throws -> PullPage { PullPage() }
    }

    private static let sources = [
        SourceConfiguration(
            name: SourceName("hook"),
            connector: HookConnector.self,
            interval: .seconds(60) ... .seconds(60)
        ),
        SourceConfiguration(
            name: SourceName("silent"),
            connector: Silent.self,
            interval: .seconds(60) ... .seconds(60)
        ),
    ]

    /// Runs `body` against a hub whose log holds dead letters with these payloads, numbered from 1.
    private func run(
        _ letters: [(source: String, payload: String)],
        _ body: @escaping @Sendable (RunningHub) async throws -> Void
    ) async throws {
        try await RunningHub.run(sources: Self.sources) { hub in
            for (source, payload) in letters {
                let letter = DeadLetter(reason: "no names", contentType: "text/plain", payload: Array(payload.utf8))
                _ = try await hub.bus.append(LogBatch(source: SourceName(source), deadLetters: [letter]))
            }
            try await body(hub)
        }
    }

    private func ids(_ answer: RunningHub.Answer, _ list: StaticString = "dead_letters") throws -> [Int] {
        try answer.json { $0[list]?.elements.compactMap { $0["id"]?.int } ?? [] }
    }

    @Test("They are listed oldest first, page by page, by source, with how many each source has")
    func list() async throws {
        let letters = (1...40).map { (source: $0 == 7 ? "silent" : "hook", payload: "!\($0)") }
        try await run(letters) { hub in
            let first = try await hub.get("/v1/deadletters?limit=30")
            #expect(first.status == 200)
            #expect(try ids(first) == Array(1...30))
            #expect(try first.json { $0["next"]?.int } == 30)
            let counts = try first.json { answer in
                answer["counts"]?.elements.map { "\($0["source"]?.string ?? "") \($0["count"]?.int ?? 0)" }
            }
            #expect(counts == ["hook 39", "silent 1"])
            let letter = try first.json { answer in
                let letter = answer["dead_letters"]?[6]
                #expect(letter?["text"] == nil, "payloads are not listed")
                return [letter?["source"]?.string, letter?["reason"]?.string, letter?["content_type"]?.string]
            }
            #expect(letter == ["silent", "no names", "text/plain"])
            let second = try await hub.get("/v1/deadletters?after=30&limit=10")
            #expect(try ids(second) == Array(31...40))
            #expect(try second.json { $0["next"] == nil })
            #expect(try ids(await hub.get("/v1/deadletters?source=silent")) == [7])
        }
    }

    @Test("One is shown with its payload, as text or in base64")
    func show() async throws {
        try await run([("hook", "!a \u{1b}[2J")]) { hub in
            let binary = DeadLetter(reason: "", contentType: "", payload: [0xff, 0x00], isCut: true)
            _ = try await hub.bus.append(LogBatch(source: SourceName("hook"), deadLetters: [binary]))
            let text = try await hub.get("/v1/deadletters/1")
            #expect(try text.json { $0["text"]?.string } == "!a \u{1b}[2J")
            #expect(try text.json { $0["attempts"]?.int } == 0)
            #expect(try text.json { $0["cut"] == nil })
            let bytes = try await hub.get("/v1/deadletters/2")
            #expect(try bytes.json { $0["base64"]?.string } == "/wA=")
            #expect(try bytes.json { $0["cut"]?.bool } == true)
        }
    }

    @Test("One that is read again becomes its events; one that cannot be read stays")
    func retry() async throws {
        try await run([("hook", "1\n2"), ("hook", "!")]) { hub in
            let read = try await hub.send(.post, "/v1/deadletters/1/retry")
            #expect(read.text == #"{"id":1,"outcome":"read","events":2}"#)
            #expect(try await hub.get("/v1/events?platform=feed").json { $0["events"]?.count } == 2)
            let kept = try await hub.send(.post, "/v1/deadletters/2/retry")
            #expect(kept.status == 200)
            #expect(kept.text == #"{"id":2,"outcome":"kept","reason":"still no names","events":0}"#)
            #expect(try await hub.get("/v1/deadletters/2").json { $0["attempts"]?.int } == 1)
            #expect(try await hub.send(.post, "/v1/deadletters/1/retry").status == 404)
        }
    }

    @Test("All of a source are read again, some at a time")
    func retryAll() async throws {
        let letters = [("hook", "1"), ("silent", "x"), ("hook", "!"), ("hook", "2")]
        try await run(letters.map { (source: $0.0, payload: $0.1) }) { hub in
            let first = try await hub.send(.post, "/v1/deadletters/retry?source=hook&limit=2")
            #expect(try ids(first, "results") == [1, 3])
            #expect(try first.json { $0["next"]?.int } == 3)
            let second = try await hub.send(.post, "/v1/deadletters/retry?source=hook&after=3")
            #expect(try ids(second, "results") == [4])
            #expect(try second.json { $0["next"] == nil })
            #expect(try ids(await hub.get("/v1/deadletters")) == [2, 3])
        }
    }

    @Test("One that is discarded is gone")
    func discard() async throws {
        try await run([("hook", "1"), ("hook", "2")]) { hub in
            var statuses: [Int] = []
            for _ in 0..<2 { statuses.append(try await hub.send(.delete, "/v1/deadletters/1").status) }
            #expect(statuses == [204, 404])
            #expect(try ids(await hub.get("/v1/deadletters")) == [2])
        }
    }

    @Test("What is asked wrongly is answered as a problem that says how to mend it")
    func problems() async throws {
        try await run([("silent", "1"), ("former", "2")]) { hub in
            let wrong: [(HTTPRequest.Method, String, Int, String)] = [
                (.get, "/v1/deadletters/9", 404, "no-such-dead-letter"),
                (.get, "/v1/deadletters/x", 400, "bad-parameter"),
                (.get, "/v1/deadletters?limit=0", 400, "bad-parameter"),
                (.get, "/v1/deadletters?sorce=hook", 400, "unknown-parameter"),
                (.get, "/v1/deadletters?source=hok", 404, "no-such-source"),
                (.post, "/v1/deadletters/1/retry", 409, "cannot-reread"),
                (.post, "/v1/deadletters/2/retry", 404, "no-such-source"),
                (.post, "/v1/deadletters/retry", 400, "missing-parameter"),
                (.post, "/v1/deadletters/retry?source=silent&limit=101", 400, "bad-parameter"),
            ]
            for (method, path, status, kind) in wrong {
                let answer = try await hub.send(method, path)
                #expect(answer.status == status, "\(path)")
                #expect(answer.headers[.contentType] == "application/problem+json", "\(path)")
                #expect(try answer.json { $0["type"]?.string } == "urn:roost:problem:\(kind)", "\(path)")
            }
            #expect(
                try ids(await hub.get("/v1/deadletters?source=former")) == [2],
                "a source that is no longer configured"
            )
            let foreign = try await hub.send(.delete, "/v1/deadletters/1", headers: [.origin: "https://evil.example"])
            #expect(foreign.status == 403)
        }
    }
}
