import ConnectorKit
import ConnectorTesting
import HTTPTypes
import SocialEvents
import Testing

@testable import XConnector

struct XContractTests {
    private static let search: [SettingNode.Member] = [
        .plain("kind", "search"), .plain("query", "acme"), .secret("bearer_token", "token"),
    ]

    @Test("A search keeps the contract of pull sources", .timeLimit(.minutes(2)))
    func pull() async throws {
        let contract = ConnectorContract(XConnector.self, settings: Self.search, now: XScript.start, eventCount: 5) {
            http in
            http.handle { request in
                let query = Query.parse(request.url)
                if query["since_id"] != nil { return .response(text: Sample.page([])) }
                switch query["pagination_token"] {
                case nil: return .response(text: Sample.page([9, 8], next: "b"))
                case "b": return .response(text: Sample.page([7, 6], next: "c"))
                default: return .response(text: Sample.page([5]))
                }
            }
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

    @Test("A stream keeps the contract of stream sources", .timeLimit(.minutes(1)))
    func stream() async throws {
        let settings: [SettingNode.Member] = [.plain("kind", "stream"), .secret("bearer_token", "token")]
        let text = (1...9).map { Sample.line($0) + "\r\n" }.joined()
        let contract = ConnectorContract(XConnector.self, settings: settings, now: XScript.start) { http in
            http.handle { request in
                Query.path(request.url) == "/2/tweets/search/stream"
                    ? .response(text: text).chunked(200) : .response(text: "{\"meta\":{}}")
            }
        }
        try contract.buildsWithoutEffects()
        try await contract.streamResumesAfterFailedSinks()
        try await contract.cancelledStreamEnds()
    }

    @Test(
        "Settings that do not fit together are refused by name",
        arguments: [
            ([SettingNode.Member.plain("kind", "search")], "query"),
            ([.plain("kind", "user")], "user"),
            ([.plain("kind", "mentions"), .plain("user", "a b")], "user"),
            ([.plain("kind", "search"), .plain("query", "a"), .plain("user", "a")], "user"),
            ([.plain("kind", "activity")], "api_secret"),
            ([.plain("kind", "stream"), .rules(["a/b": "x"])], "rules.a/b"),
            ([.plain("kind", "stream"), .rules(["a": ""])], "rules.a"),
        ]
    )
    func settings(members: [SettingNode.Member], name: String) {
        #expect { try XScript(members) } throws: { ($0 as? SettingsError)?.path == name }
    }

    @Test("Streams need the app's own token")
    func streamsNeedBearer() {
        let members: [SettingNode.Member] = [
            .plain("kind", "stream"), .plain("client_id", "a"), .secret("refresh_token", "b"),
        ]
        #expect { try XScript(members, bearer: false) } throws: { ($0 as? SettingsError)?.path == "bearer_token" }
    }

    @Test("Cursors survive being written and read")
    func cursors() throws {
        var cursor = XCursor(from: XScript.start)
        cursor.since = "1900000000000000001"
        cursor.user = "7"
        cursor.restarts = 2
        cursor.scope = "a"
        cursor.isGone = true
        cursor.round = XCursor.Round(
            token: "t",
            newest: "9",
            oldest: "5",
            count: 3,
            until: XScript.start,
            rule: 4,
            rules: "digest",
            begun: XScript.start
        )
        #expect(try XCursor(cursor.encoded()) == cursor)
        #expect(try XCursor(nil) == XCursor())
        #expect(try XCursor(cursor.encoded(), scope: "a") == cursor)
        #expect(try XCursor(cursor.encoded(), scope: "b").since == nil)
        #expect(throws: ConnectorError.self) { try XCursor(Cursor(version: 2, bytes: Array("{}".utf8))) }
        #expect(throws: ConnectorError.self) { try XCursor(Cursor(bytes: Array("{\"from\":\"x\"}".utf8))) }
    }
}
