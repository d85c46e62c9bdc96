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
        try contract.describesItself()
        try contract.buildsWithoutEffects()
        try contract.refusesBadSettings()
        try await contract.pullIsDeterministic()
        try await contract.pullResumesFromEveryCursor()
        try await contract.cancelledPullEnds()
        try await contract.pullContainsMalformedPayloads()
        try await contract.pullLosesNothingToCutPayloads()
        try await contract.pullHidesSecrets()
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
