import ConnectorKit
import ConnectorTesting
import HTTPTypes
import SocialEvents
import Testing

@testable import InstagramConnector

struct InstagramContractTests {
    /// A world with five media on three pages, each with a comment.
    private static func script(_ http: ScriptedHTTPClient) {
        let world = InstagramWorld()
        world.change { state in
            state.lists[Sample.mediaPath] = (1...5).reversed().map { id in
                Sample.commented(id, age: 1000 - id * 10, [Sample.comment(100 + id, age: 500 - id)])
            }
        }
        http.handle { world.answer($0) }
    }

    @Test(
        "Media and comments keep the contract of pull sources",
        .timeLimit(.minutes(2)),
        arguments: ["media", "comments"]
    )
    func pull(kind: String) async throws {
        let settings = InstagramScript.facebookSettings(kind)
        let contract = ConnectorContract(
            InstagramConnector.self,
            settings: settings,
            now: InstagramScript.start,
            eventCount: 5,
            script: Self.script
        )
        try await contract.check()
    }

    @Test("A token of Instagram Login is hidden too", .timeLimit(.minutes(1)))
    func instagramLogin() async throws {
        let settings: [SettingNode.Member] = [.plain("kind", "media"), .secret("access_token", "t")]
        let contract = ConnectorContract(InstagramConnector.self, settings: settings, script: Self.script)
        try contract.buildsWithoutEffects()
        try contract.refusesBadSettings()
        try await contract.pullHidesSecrets()
    }

    @Test("Deliveries keep the contract of webhooks", .timeLimit(.minutes(1)))
    func webhook() async throws {
        let settings: [SettingNode.Member] = [
            .plain("kind", "messages"), .secret("app_secret", "a"), .secret("verify_token", "b"),
        ]
        let contract = ConnectorContract(InstagramConnector.self, settings: settings) { _ in }
        let fixtures = Fixture("../../Plugins/Instagram/Fixtures")
        let deliveries = try ["webhook-mixed-batch.json", "webhook-comment-facebook-login.json"].map { name in
            let body = try fixtures.bytes(name)
            let signature = Signature.hubSHA256.make(body, key: ConnectorContract.secret)
            return WebhookDelivery(
                method: .post,
                headers: headers(["x-hub-signature-256": signature]),
                body: body,
                receivedAt: InstagramScript.start
            )
        }
        try await contract.webhook(deliveries, isSigned: true)
    }

    private static let misfits: [(members: [SettingNode.Member], name: String)] = {
        let token = SettingNode.Member.secret("access_token", "a")
        let hashtag = InstagramScript.facebookSettings("hashtag")
        let media = InstagramScript.facebookSettings("media")
        let comments = SettingNode.Member.plain("kind", "comments")
        let many = (0..<31).map { "t\($0)" }
        return [
            ([.plain("kind", "media")], "access_token"),
            ([comments, .secret("app_secret", "a")], "access_token"),
            ([comments, .secret("verify_token", "a")], "verify_token"),
            ([.plain("kind", "mentions"), token], "login"),
            ([.plain("kind", "media"), .plain("login", "facebook"), token], "user"),
            ([.plain("kind", "media"), .plain("user", "acme"), token], "user"),
            (hashtag, "hashtags"),
            (hashtag + [.list("hashtags", ["a b"])], "hashtags"),
            (hashtag + [.list("hashtags", ["🌊"])], "hashtags"),
            (hashtag + [.list("hashtags", many)], "hashtags"),
            (media + [.list("hashtags", ["a"])], "hashtags"),
            (media + [.plain("watch", "2d")], "watch"),
            (media + [.plain("graph_version", "24")], "graph_version"),
        ]
    }()

    @Test("Settings that do not fit together are refused by name", arguments: misfits.indices)
    func settings(index: Int) {
        let misfit = Self.misfits[index]
        #expect { try InstagramScript(misfit.members) } throws: { ($0 as? SettingsError)?.path == misfit.name }
    }

    @Test("A source's modes follow from what it was given")
    func modes() {
        let told: [SettingNode.Member] = [.secret("app_secret", "a"), .secret("verify_token", "b")]
        let asks: [SettingNode.Member] = [.secret("access_token", "t")]
        let kind: [SettingNode.Member] = [.plain("kind", "comments")]
        #expect(InstagramConnector.modes(of: Settings(kind + told)) == .webhook)
        #expect(InstagramConnector.modes(of: Settings(kind + asks)) == .pull)
        #expect(InstagramConnector.modes(of: Settings(kind + asks + told)) == [.pull, .webhook])
    }

    @Test("Cursors survive being written and read, and another account's are the beginning")
    func cursors() throws {
        var cursor = InstagramCursor(scope: "a")
        cursor.user = "17"
        cursor.turn = 1
        cursor.isListed = true
        cursor.heard = "7.9"
        cursor.done = ["c1", "m2"]
        cursor.round = InstagramList.Round(begun: InstagramScript.start, after: "x", pages: 2)
        var list = InstagramList(name: "acme", from: InstagramScript.start)
        list.node = "5"
        list.isRefused = true
        list.missing = ["8"]
        list.round = InstagramList.Round(
            begun: InstagramScript.start,
            after: "y",
            pages: 3,
            oldest: 7,
            restarts: 1,
            isRead: true
        )
        list.items = [
            InstagramList.Item(id: "9", digest: 77, revision: 2, time: 1_784_927_000, marks: [.seen, .isReply])
        ]
        cursor.lists = [list, InstagramList(name: "b", from: InstagramScript.start)]
        #expect(try InstagramCursor(cursor.encoded(), scope: "a") == cursor)
        #expect(try InstagramCursor(cursor.encoded(), scope: "b") == InstagramCursor(scope: "b"))
        #expect(throws: ConnectorError.self) {
            try InstagramCursor(Cursor(version: 2, bytes: Array("{}".utf8)), scope: "a")
        }
        #expect(throws: ConnectorError.self) {
            try InstagramCursor(Cursor(bytes: Array("{\"lists\":[{}]}".utf8)), scope: "a")
        }
    }

    @Test("A cursor stays within its bounds, and forgets the oldest of the longest list")
    func bounds() {
        var cursor = InstagramCursor(scope: "a")
        for (name, count) in [("long", 60_000), ("short", 10)] {
            var list = InstagramList(name: name, from: InstagramScript.start)
            list.items = (0..<count).map {
                InstagramList.Item(id: "1800000000000\($0)", digest: 1, time: Int64($0), marks: [])
            }
            cursor.lists.append(list)
        }
        cursor.bound()
        #expect(cursor.encoded().bytes.count < Cursor.maximumSize)
        #expect(cursor.lists[1].items.count == 10)
        #expect(cursor.lists[0].items.count > 5000 && cursor.lists[0].items.last?.time == 59_999)
    }
}
