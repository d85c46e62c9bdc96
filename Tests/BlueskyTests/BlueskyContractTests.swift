import BlueskyConnector
import ConnectorKit
import ConnectorTesting
import HTTPTypes
import SocialEvents
import Testing

struct BlueskyContractTests {
    @Test("It keeps the contract of connectors", .timeLimit(.minutes(3)), arguments: ["author", "search"])
    func contract(kind: String) async throws {
        let server = PostServer()
        server.page(size: 10)
        for number in 0..<35 {
            server.publish("p\(number)", at: BlueskyScript.now.advanced(by: .seconds(number * 60 - 3600)))
        }
        let settings = kind == "author" ? ["kind": kind, "actor": "anna.example"] : ["kind": kind, "query": "harbour"]
        let contract = ConnectorContract(
            BlueskyConnector.self,
            settings: SettingNode.members(settings),
            now: BlueskyScript.now,
            eventCount: 35
        ) { http in
            http.handle { server.answer($0) }
        }
        try await contract.check()
    }

    @Test("It hides credentials", .timeLimit(.minutes(1)))
    func secrets() async throws {
        let contract = ConnectorContract(
            BlueskyConnector.self,
            settings: SettingNode.members(["kind": "notifications", "identifier": "anna.example"], password: "p"),
            now: BlueskyScript.now
        ) { http in
            http.handle { _ in .response(text: "{}") }
        }
        try contract.buildsWithoutEffects()
        try await contract.pullHidesSecrets()
        try await contract.pullContainsMalformedPayloads()
        try await contract.cancelledPullEnds()
    }

    @Test("A stream keeps the contract of stream sources", .timeLimit(.minutes(3)))
    func streamContract() async throws {
        // An instance that goes on from where it is asked, the moment itself included; enough for several batches.
        let server = StreamServer(count: 2500)
        let contract = ConnectorContract(
            BlueskyConnector.self,
            settings: SettingNode.members(["kind": "jetstream", "overlap": "0s"]),
            now: BlueskyScript.now,
            webSockets: { sockets in sockets.handle { server.answer($0) } },
            script: { _ in }
        )
        try await contract.check()
    }

    @Test(
        "A setting that is for another kind is refused at its place",
        arguments: [
            ("author", "language", "fr"), ("author", "wire", "v2"), ("author", "maximum_message_size", "1MiB"),
            ("author", "list", "at://did:plc:x/app.bsky.graph.list/y"), ("search", "filter", "media"),
            ("search", "actor", "a.example"), ("jetstream", "watched", "5"), ("jetstream", "watch_every", "5m"),
            ("jetstream", "identifier", "a.example"), ("feed", "overlap", "5m"), ("feed", "backfill", "5m"),
        ]
    )
    func foreignSettings(kind: String, name: String, value: String) throws {
        let own = [
            "author": ["actor": "a.example"], "search": ["query": "x"],
            "feed": ["feed": "at://did:plc:x/app.bsky.feed.generator/y"],
        ]
        let settings = (own[kind] ?? [:]).merging(["kind": kind]) { $1 }
        _ = try BlueskyScript(settings)
        let error = #expect(throws: SettingsError.self) { try BlueskyScript(settings.merging([name: value]) { $1 }) }
        #expect(error?.path == name)
        #expect(error?.description.contains("`\(kind)`") == true)
    }

    @Test("Lists for the stream are refused elsewhere", arguments: ["dids", "collections"])
    func foreignLists(name: String) {
        let settings = ["kind": "author", "actor": "a.example"]
        let error = #expect(throws: SettingsError.self) { try BlueskyScript(settings, lists: [name: ["did:plc:x"]]) }
        #expect(error?.path == name)
    }

    @Test(
        "Settings that do not fit together are refused at their place",
        arguments: [
            (["kind": "search"], "query"), (["kind": "author"], "actor"), (["kind": "notifications"], "identifier"),
            (["kind": "list", "list": "https://bsky.app/profile/x/lists/y"], "list"),
            (["kind": "feed", "feed": "at://did:plc:x/app.bsky.graph.list/y"], "feed"),
            (["kind": "author", "actor": "a.example", "query": "x"], "query"),
            (["kind": "author", "actor": "a.example", "identifier": "x"], "app_password"),
            (["kind": "author", "actor": "a.example", "base_url": "ftp://x"], "base_url"), (["kind": "posts"], "kind"),
        ]
    )
    func settings(settings: [String: String], name: String) {
        let error = #expect(throws: SettingsError.self) { try BlueskyScript(settings) }
        #expect(error?.path == name)
    }
}
