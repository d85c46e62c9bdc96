import ConnectorKit
import HTTPTypes
import HubCore
import JSON
import SocialEvents
import Testing

@Suite("Sources, health and who may ask", .timeLimit(.minutes(5)))
struct SourceRouteTests {
    /// A source that has nothing to say.
    private struct Silent: PullSource {
        static let descriptor = ConnectorDescriptor(name: "silent", summary: "Says nothing.", settings: [])
        init(settings: Settings, context: ConnectorContext) {}
        func pull(_ request: PullRequest) async throws -> PullPage { PullPage() }
    }

    private static let sources = ["blog", "planet/1"].map {
        SourceConfiguration(name: SourceName($0), connector: Silent.self, interval: .seconds(60) ... .seconds(60))
    }

    @Test("Sources are listed, paused and resumed by name")
    func pause() async throws {
        try await RunningHub.run(sources: Self.sources) { hub in
            let names = try await hub.get("/v1/sources").json { $0["sources"]?.elements.map { $0["name"]?.string } }
            #expect(names == ["blog", "planet/1"])
            let paused = try await hub.send(.post, "/v1/sources/planet%2F1/pause")
            #expect(paused.status == 200)
            #expect(try paused.json { $0["name"]?.string } == "planet/1")
            #expect(try await hub.get("/v1/sources/planet%2F1").json { $0["state"]?.string } == "paused")
            let resumed = try await hub.send(.post, "/v1/sources/planet%2F1/resume")
            #expect(try resumed.json { $0["state"]?.string } != "paused")
        }
    }

    @Test("Accounts are listed, none where none is configured")
    func accounts() async throws {
        try await RunningHub.run(sources: Self.sources) { hub in
            let answer = try await hub.get("/v1/accounts")
            #expect(answer.status == 200)
            #expect(answer.text == #"{"accounts":[]}"#)
        }
    }

    @Test("An unknown source is answered with the nearest one")
    func unknown() async throws {
        try await RunningHub.run(sources: Self.sources) { hub in
            let answer = try await hub.send(.post, "/v1/sources/blgo/pause")
            #expect(answer.status == 404)
            #expect(answer.text.contains("`blog`"))
        }
    }

    @Test("The hub says that it lives and that it is ready")
    func health() async throws {
        try await RunningHub.run { hub in
            let statuses = [try await hub.get("/healthz").status, try await hub.get("/readyz").status]
            #expect(statuses == [200, 200])
        }
    }

    @Test("The schema is the one the events follow")
    func schema() async throws {
        try await RunningHub.run { hub in
            let answer = try await hub.get("/v1/schemas/event")
            #expect(answer.text == EventSchema.text)
        }
    }

    @Test("Paths that are not there are answered as problems")
    func notFound() async throws {
        try await RunningHub.run { hub in
            let answer = try await hub.get("/v2/events")
            #expect(answer.status == 404)
            #expect(answer.headers[.contentType] == "application/problem+json")
        }
    }

    @Test("A foreign name pointed at loopback opens nothing")
    func rebinding() async throws {
        try await RunningHub.run { hub in
            let host = try #require(HTTPField.Name("Host"))
            #expect(try await hub.get("/v1/events", headers: [host: "evil.example"]).status == 421)
            #expect(try await hub.get("/v1/events", headers: [host: "localhost:1"]).status == 200)
        }
    }

    @Test("A page of another origin changes nothing")
    func foreignOrigin() async throws {
        try await RunningHub.run(sources: Self.sources) { hub in
            let answer = try await hub.send(.post, "/v1/sources/blog/pause", headers: [.origin: "https://evil.example"])
            #expect(answer.status == 403)
            #expect(try await hub.get("/v1/sources/blog").json { $0["state"]?.string } != "paused")
        }
    }
}
