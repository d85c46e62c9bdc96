import HTTPTypes
import Testing

@testable import PlatformSimulators

/// Limits, tokens and refusals of the simulator of Meta's platforms.
struct MetaErrorTests {
    private static let media = "/v23.0/\(MetaAccount.instagram)/media"

    private static func header(_ name: String, _ headers: HTTPFields) -> String? {
        HTTPField.Name(name).flatMap { headers[$0] }
    }

    @Test(
        "Every throttle has its code, and usage at its end where the platform says so",
        arguments: [4, 17, 32, 613, 80_002, 80_007, 130_429, 131_056] as [Int64]
    )
    func throttles(code: Int64) async {
        let scene = MetaScene()
        scene.simulator.faults.add(Fault(.init(rawValue: "throttle-\(code)"), count: 2))
        for _ in 0..<2 {
            let answer = await scene.ask(.get, Self.media)
            #expect(answer.value["error"]["code"].number == code)
            #expect(answer.status == (code == 130_429 ? 429 : 400))
            let app = Self.header("x-app-usage", answer.headers) ?? ""
            let page = Self.header("x-page-usage", answer.headers) ?? ""
            let business = Self.header("x-business-use-case-usage", answer.headers) ?? ""
            #expect(app.contains("\"call_count\":100") == [4, 17, 613].contains(code))
            #expect(page.contains("\"call_count\":100") == (code == 32))
            #expect(business.contains("\"call_count\":100") == [80_002, 80_007].contains(code))
            #expect(business.contains("\"estimated_time_to_regain_access\":1") == [80_002, 80_007].contains(code))
        }
        #expect(await scene.ask(.get, Self.media).status == 200)
    }

    @Test("What an account is allowed is counted, told of, and refused when it is used up")
    func allowance() async {
        let scene = MetaScene([.instagram], allowance: 10)
        var usage: [String] = []
        for _ in 0..<10 {
            let answer = await scene.ask(.get, Self.media)
            #expect(answer.status == 200)
            usage.append(Self.header("x-app-usage", answer.headers) ?? "")
        }
        #expect(usage[4].contains("\"call_count\":50") && usage[9].contains("\"call_count\":100"))
        #expect(await scene.ask(.get, Self.media).value["error"]["code"] == 80_002)
        scene.pass(3_600_001)
        #expect(await scene.ask(.get, Self.media).status == 200)
    }

    @Test("A token that has ended stays ended until somebody renews it")
    func expired() async {
        let scene = MetaScene()
        scene.simulator.faults.add(Fault(.expireToken))
        for _ in 0..<3 {
            let answer = await scene.ask(.get, Self.media)
            #expect(answer.value["error"]["code"] == 190 && answer.value["error"]["error_subcode"] == 463)
        }
        let info = await scene.ask(
            .get,
            "/debug_token?input_token=\(MetaSimulator.pageToken)",
            token: MetaSimulator.appToken
        )
        #expect(info.value["data"]["is_valid"] == false)
        scene.simulator.renewTokens()
        #expect(await scene.ask(.get, Self.media).status == 200)
        // By itself it ends after sixty days.
        scene.pass(61 * 86_400_000)
        #expect(await scene.ask(.get, Self.media).value["error"]["code"] == 190)
        #expect(await scene.ask(.get, "/\(MetaAccount.phone)", token: MetaSimulator.systemToken).status == 200)
    }

    @Test("A token is exchanged for a new one while it is good")
    func refreshed() async {
        let scene = MetaScene()
        let old = MetaSimulator.instagramToken
        let answer = await scene.ask(
            .get,
            "/refresh_access_token?grant_type=ig_refresh_token&access_token=\(old)",
            token: nil
        )
        let new = answer.value["access_token"].text ?? "?"
        #expect(new != old && answer.value["expires_in"] == 5_184_000)
        #expect(await scene.ask(.get, "/me", token: new).status == 200)
        #expect(await scene.ask(.get, "/me", token: old).status == 200)
        let form = "grant_type=fb_exchange_token&client_id=\(MetaAccount.app)&client_secret=\(MetaSimulator.appSecret)"
        let page = await scene.ask(
            .post,
            "/v23.0/oauth/access_token",
            token: nil,
            body: form + "&fb_exchange_token=\(MetaSimulator.pageToken)"
        )
        #expect(await scene.ask(.get, Self.media, token: page.value["access_token"].text).status == 200)
        let wrong = await scene.ask(
            .post,
            "/oauth/access_token",
            token: nil,
            body: form.replacing("simulated", with: "guessed") + "&fb_exchange_token=a"
        )
        #expect(wrong.status == 400)
        scene.pass(61 * 86_400_000)
        let late = await scene.ask(
            .get,
            "/refresh_access_token?grant_type=ig_refresh_token&access_token=\(old)",
            token: nil
        )
        #expect(late.value["error"]["code"] == 190)
    }

    @Test("Who has no token, a wrong one, or a wrong proof is refused")
    func unauthorized() async {
        let scene = MetaScene()
        #expect(await scene.ask(.get, Self.media, token: nil).value["error"]["code"] == 104)
        #expect(await scene.ask(.get, Self.media, token: "EAAguessed").value["error"]["code"] == 190)
        let proof = MetaSimulator.proof(of: MetaSimulator.pageToken)
        #expect(await scene.ask(.get, "\(Self.media)?appsecret_proof=\(proof)").status == 200)
        let wrong = MetaSimulator.proof(of: "EAAother")
        #expect(await scene.ask(.get, "\(Self.media)?appsecret_proof=\(wrong)").value["error"]["code"] == 100)
        let query = "\(Self.media)?access_token=\(MetaSimulator.pageToken)"
        #expect(await scene.ask(.get, query, token: nil).status == 200)
    }

    @Test("Every fault of requests happens, once for each time it is asked for")
    func faults() async {
        let expected: [(Fault.Kind, Int, Int64)] = [
            ("password-changed", 401, 190), ("permission", 403, 10), ("transient", 500, 2), ("unknown-error", 500, 1),
            ("gone", 400, 100), (.throttle, 400, 80_002),
        ]
        let scene = MetaScene([.instagram], history: 30)
        for (kind, status, code) in expected {
            scene.simulator.faults.add(Fault(kind, route: "/v23.0/"))
            let answer = await scene.ask(.get, Self.media)
            #expect(answer.status == status && answer.value["error"]["code"].number == code, "\(kind)")
            #expect((answer.value["error"]["is_transient"] == true) == (kind == "transient"))
            #expect(await scene.ask(.get, Self.media).status == 200)
        }
        scene.simulator.faults.add(Fault(.unknownFields))
        #expect(await scene.ask(.get, Self.media).value["simulated_novelty"] != .absent)
        let next = await scene.ask(.get, "\(Self.media)?limit=1").value["paging"]["cursors"]["after"].text ?? "?"
        scene.simulator.faults.add(Fault(.rejectCursor))
        #expect(await scene.ask(.get, "\(Self.media)?limit=1&after=\(next)").value["error"]["code"] == 100)
        #expect(await scene.ask(.get, "\(Self.media)?limit=1&after=\(next)").status == 200)
        #expect(await scene.ask(.get, "\(Self.media)?after=made-up").status == 400)
    }

    @Test("Every fault is known by name, those of requests and those of deliveries")
    func names() async {
        let seen: Set<Fault.Kind> = [
            "password-changed", "permission", "transient", "unknown-error", "gone", .throttle, .expireToken,
            "empty-page",
            .rejectCursor, .unknownFields, .repeated, .reorder, "lost-answer", "silent", "test-event", "forged",
            "unsigned",
            .garbage, "malformed-item", .unknownType, "throttle-4", "throttle-17", "throttle-32", "throttle-613",
            "throttle-80002", "throttle-80007", "throttle-130429", "throttle-131056",
        ]
        #expect(MetaSimulator.ownFaults == seen, "a fault without a test, or a test without a fault")
    }

    @Test("Thirty hashtags in seven days, and no more")
    func hashtags() async {
        let scene = MetaScene([.instagram])
        func search(_ tag: String) async -> GraphValue {
            await scene.ask(.get, "/ig_hashtag_search?user_id=\(MetaAccount.instagram)&q=\(tag)").value
        }
        for number in 0..<30 { #expect(await search("tag\(number)")["data"].elements.count == 1) }
        #expect(await search("another")["error"]["code"] == 18)
        #expect(await search("tag3")["data"].elements.count == 1)
        scene.pass(7 * 86_400_000 + 1)
        #expect(await search("another")["data"].elements.count == 1)
    }

    @Test("A batch answers each of its requests, and says nothing to what takes too long")
    func batch() async {
        let scene = MetaScene([.instagram], history: 30)
        scene.simulator.faults.add(Fault(.hang, route: "/v23.0/\(MetaAccount.instagram)/stories"))
        let parts =
            #"[{"method":"GET","relative_url":"v23.0/me?fields=id"},{"relative_url":"v23.0/\#(MetaAccount.instagram)/stories"},{"method":"GET","relative_url":"v23.0/1"}]"#
        let answer = await scene.ask(.post, "/v23.0/", body: "batch=\(GraphPaging.escaped(parts))")
        let answers = answer.value.elements
        #expect(answers.map { $0["code"].number } == [200, nil, 400])
        #expect(answers[0]["body"].text == "{\"id\":\"\(MetaAccount.page)\"}")
        let several = await scene.ask(.get, "/v23.0/?ids=\(MetaAccount.instagram)&fields=username").value
        #expect(several[MetaAccount.instagram]["username"].text == MetaAccount.username)
        #expect(await scene.ask(.post, "/", body: "batch=%5B%5D").status == 400)
    }

    @Test("Webhooks go where an app says, to this machine alone")
    func subscriptions() async {
        let scene = MetaScene([.facebook], isListening: false)
        func subscribe(_ url: String) async -> Int {
            let form = "object=page&verify_token=\(MetaSimulator.verifyToken)&callback_url=\(GraphPaging.escaped(url))"
            return await scene.ask(
                .post,
                "/v23.0/\(MetaAccount.app)/subscriptions",
                token: MetaSimulator.appToken,
                body: form
            ).status
        }
        for url in ["https://127.0.0.1/a", "http://example.org/a", "http://127.example.org/a", "http://10.0.0.1/a"] {
            #expect(await subscribe(url) == 400, "\(url)")
        }
        scene.live(10)
        #expect(scene.came.isEmpty)
        #expect(await subscribe("http://127.0.0.1:8081/page") == 200)
        scene.live(30)
        #expect(!scene.came.isEmpty && Set(scene.told) == Set(scene.toTell))
        let form = "object=page"
        _ = await scene.ask(.delete, "/\(MetaAccount.app)/subscriptions", token: MetaSimulator.appToken, body: form)
        let count = scene.came.count
        scene.live(10)
        #expect(scene.came.count == count)
    }
}
