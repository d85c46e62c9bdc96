import ConnectorKit
import ConnectorTesting
import HTTPTypes
import SocialEvents
import Testing

@testable import FacebookConnector

struct FacebookContractTests {
    @Test("A Page that is asked keeps the contract of pull sources", .timeLimit(.minutes(2)))
    func pull() async throws {
        let world = FacebookWorld(posts: [
            .init(id: 3, age: 60, comments: [10, 20, 30]), .init(id: 2, age: 600, comments: [40]),
            .init(id: 1, age: 900),
        ])
        let contract = ConnectorContract(
            FacebookConnector.self,
            settings: FacebookScript.pulling + FacebookScript.called,
            now: FacebookScript.start,
            eventCount: 7
        ) { http in
            http.handle { world.answer($0) }
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

    @Test("Deliveries keep the contract of webhooks", .timeLimit(.minutes(1)))
    func webhook() async throws {
        let contract = ConnectorContract(FacebookConnector.self, settings: FacebookScript.called) { _ in }
        let fixtures = Fixture("../../Plugins/Facebook/Fixtures")
        let deliveries = try [
            "feed-comments.json", "messenger-conversation.json", "array-with-standby-and-change.json",
        ]
        .map { name in
            let body = try fixtures.bytes(name)
            let signature = Signature.hubSHA256.make(body, key: ConnectorContract.secret)
            return WebhookDelivery(
                method: .post,
                headers: HTTPFields([HTTPField(name: try #require(.init("X-Hub-Signature-256")), value: signature)]),
                body: body,
                receivedAt: FacebookScript.start
            )
        }
        try await contract.webhook(deliveries, isSigned: true)
    }

    @Test(
        "Settings that do not fit together are refused by name",
        arguments: [
            ([], "access_token"),
            ([.secret("access_token", "t")], "page"),
            ([.plain("page", "acme"), .secret("access_token", "t")], "page"),
            ([.secret("app_secret", "s"), .plain("history", "1h")], "history"),
            ([.secret("app_secret", "s"), .plain("comments", "true")], "comments"),
            ([.secret("verify_token", "v"), .secret("access_token", "t"), .plain("page", "1")], "verify_token"),
            ([.secret("app_secret", "s"), .plain("graph_version", "24")], "graph_version"),
        ] as [([SettingNode.Member], String)]
    )
    func settings(members: [SettingNode.Member], name: String) {
        #expect { try FacebookScript(members) } throws: { ($0 as? SettingsError)?.path == name }
    }

    @Test("What was set aside is read again as it would have been at first")
    func rereading() async throws {
        let contract = ConnectorContract(
            FacebookConnector.self,
            settings: FacebookScript.called,
            now: FacebookScript.start
        ) { _ in }
        func letter(_ payload: [UInt8], _ parameters: String = "") -> DeadLetter {
            DeadLetter(reason: "an older version", contentType: "application/json\(parameters)", payload: payload)
        }
        let element = Array(#"{"id":"901_7","message":"words","created_time":"2026-07-24T20:00:00+0000"}"#.utf8)
        let delivery = try Fixture("../../Plugins/Facebook/Fixtures").bytes("feed-comments.json")
        let events = try await contract.rereading([
            letter(delivery), letter(element, "; form=post; page=108"),
            letter(element, "; form=comment; post=108_901; page=108"),
        ])
        #expect(events.map(\.count) == [4, 1, 1])
        #expect(events[1].map(\.id.text) == ["facebook:post:901_7/created"])
        #expect(events[2].map(\.id.text) == ["facebook:comment:901_7/created"])
        #expect(events[2].map { $0.data.channel?.id.text } == ["facebook:actor:108"])
    }

    @Test("A source is asked where it has a token, and called where it has the app's secret")
    func modes() {
        #expect(FacebookConnector.modes(of: Settings(FacebookScript.pulling)) == .pull)
        #expect(FacebookConnector.modes(of: Settings(FacebookScript.called)) == .webhook)
        let both = FacebookScript.pulling + FacebookScript.called
        #expect(FacebookConnector.modes(of: Settings(both)) == [.pull, .webhook])
    }
}
