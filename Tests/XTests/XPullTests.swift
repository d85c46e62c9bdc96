import ConnectorKit
import ConnectorTesting
import HTTPTypes
import SocialEvents
import Testing

@testable import XConnector

struct XPullTests {
    private func search(_ more: SettingNode.Member...) throws -> XScript {
        try XScript([.plain("kind", "search"), .plain("query", "acme lang:fr")] + more)
    }

    /// The snowflake of a moment so long before the script's start.
    private func id(_ age: Duration) -> Int {
        let moment = XScript.start.advanced(by: .zero - age)
        return Int((moment.milliseconds - 1_288_834_974_657) << 22)
    }

    @Test("The first round begins as far back as configured, and asks for all fields")
    func firstRound() async throws {
        let script = try search(.plain("history", "2h"))
        script.http.handle { _ in .response(text: Sample.page([])) }
        let page = try await script.pull()
        #expect(!page.hasMore)
        #expect(script.query(0)["start_time"] == "2026-07-24T19:15:50Z")
        #expect(script.query(0)["query"] == "acme lang:fr")
        let fields = Set(script.query(0)["tweet.fields"]?.split(separator: ",").map(String.init) ?? [])
        #expect(fields.isSuperset(of: ["note_tweet", "community_id", "article", "media_metadata", "scopes"]))
        // Events have no place for these.
        #expect(fields.isDisjoint(with: ["geo", "context_annotations"]))
        #expect(script.http.requests[0].headers[.authorization] == "Bearer app-token")
        #expect(script.query(0)["since_id"] == nil)
    }

    @Test("Pages follow one another, and the next round begins at the newest id of the first page")
    func paging() async throws {
        let script = try search()
        let (a, b, c) = (id(.seconds(60)), id(.seconds(120)), id(.seconds(180)))
        script.http.handle { request in
            let query = Query.parse(request.url)
            if query["since_id"] != nil { return .response(text: Sample.page([])) }
            switch query["pagination_token"] {
            case nil: return .response(text: Sample.page([a, b], next: "t2"))
            case "t2": return .response(text: Sample.page([c]))
            default: return nil
            }
        }
        let first = try await script.pull()
        #expect(first.hasMore)
        #expect(first.events.map(\.subject) == [postID(b), postID(a)])
        let second = try await script.pull(first.cursor)
        #expect(!second.hasMore)
        #expect(second.events.map(\.subject) == [postID(c)])
        _ = try await script.pull(second.cursor)
        #expect(script.query(2)["since_id"] == String(a))
        #expect(script.query(2)["start_time"] == nil)
    }

    @Test("A mark older than X's index becomes a start time, and the hole is told")
    func expiredMark() async throws {
        let script = try search()
        let old = id(.seconds(8 * 86_400))
        script.http.handle { _ in .response(text: Sample.page([])) }
        var cursor = XCursor(from: XScript.start.advanced(by: .seconds(-8 * 86_400)))
        cursor.since = String(old)
        let page = try await script.pull(cursor.encoded())
        #expect(script.query(0)["since_id"] == nil)
        #expect(script.query(0)["start_time"] == "2026-07-17T21:17:50Z")
        #expect(page.gaps.count == 1)
    }

    @Test("A quiet search whose mark is old but that was asked since has no hole")
    func quietMark() async throws {
        let script = try search()
        script.http.handle { _ in .response(text: Sample.page([])) }
        var cursor = XCursor(from: XScript.start.advanced(by: .seconds(-60)))
        cursor.since = String(id(.seconds(9 * 86_400)))
        let page = try await script.pull(cursor.encoded())
        #expect(page.gaps.isEmpty)
        #expect(script.query(0)["start_time"] == "2026-07-24T21:14:50Z")
    }

    @Test("A refused mark makes a new beginning in time, not an endless one")
    func refusedMark() async throws {
        let script = try search()
        script.http.handle { request in
            let query = Query.parse(request.url)
            return query["since_id"] == nil
                ? .response(text: Sample.page([])) : .response(400, text: Sample.invalid("since_id"))
        }
        var cursor = XCursor(from: XScript.start.advanced(by: .seconds(-600)))
        cursor.since = "17"
        let page = try await script.pull(cursor.encoded())
        #expect(page.hasMore && page.events.isEmpty)
        let next = try await script.pull(page.cursor)
        #expect(!next.hasMore)
        #expect(script.query(1)["start_time"] == "2026-07-24T21:05:50Z")
    }

    @Test("A place that the platform forgot is left after three new beginnings")
    func forgottenPlace() async throws {
        let script = try search()
        script.http.handle { request in
            Query.parse(request.url)["pagination_token"] == nil
                ? .response(text: Sample.page([1], next: "t"))
                : .response(400, text: Sample.invalid("pagination_token"))
        }
        var cursor = try await script.pull().cursor
        for _ in 0..<3 {
            // Where the page is refused a round begins anew, and the beginning alone is no progress.
            cursor = try await script.pull(cursor).cursor
            cursor = try await script.pull(cursor).cursor
        }
        await #expect { try await script.pull(cursor) } throws: { ($0 as? ConnectorError)?.code == .rejected }
    }

    @Test(
        "A start that leaves X's index while its pages are read ends the round, with what was read kept and the hole told"
    )
    func agedStart() async throws {
        let script = try search()
        let (newest, oldest) = (id(.seconds(60)), id(.seconds(3600)))
        script.http.handle { request in
            let query = Query.parse(request.url)
            if query["since_id"] != nil { return .response(text: Sample.page([])) }
            return query["pagination_token"] == nil
                ? .response(text: Sample.page([newest, oldest], next: "t"))
                : .response(400, text: Sample.invalid("start_time"))
        }
        let from = XScript.start.advanced(by: .seconds(-7 * 86_400 + 200))
        let first = try await script.pull(XCursor(from: from).encoded())
        let second = try await script.pull(first.cursor)
        #expect(!second.hasMore)
        let holes = second.gaps.compactMap { if case .opened(_, let gap) = $0 { gap } else { nil } }
        #expect(holes.map(\.after) == [from])
        #expect(holes.map(\.before) == [XSnowflake.time(String(oldest))])
        _ = try await script.pull(second.cursor)
        #expect(script.query(2)["since_id"] == String(newest))
    }

    @Test("A history of all that X has is no hole at the very first start", arguments: ["search", "stream"])
    func wholeHistory(kind: String) async throws {
        let own: SettingNode.Member = kind == "search" ? .plain("query", "acme") : .rules(["care": "acme"])
        let script = try XScript([.plain("kind", kind), own, .plain("history", "7d")])
        script.http.handle { _ in .response(text: Sample.page([])) }
        let page = try await script.pull()
        #expect(page.gaps.isEmpty)
        #expect(script.query(0)["start_time"] == "2026-07-17T21:17:50Z")
    }

    @Test(
        "A page that names itself as the next one ends the round, and the hole is told",
        arguments: ["search", "stream"]
    )
    func circle(kind: String) async throws {
        let own: SettingNode.Member = kind == "search" ? .plain("query", "acme") : .rules(["care": "acme"])
        let script = try XScript([.plain("kind", kind), own])
        script.http.handle { _ in .response(text: Sample.page([9, 8], next: "t")) }
        let first = try await script.pull()
        #expect(first.hasMore && first.gaps.isEmpty)
        let second = try await script.pull(first.cursor)
        #expect(!second.hasMore)
        #expect(second.gaps.count == 1)
    }

    @Test("A cursor of another list is left, so that a new query or account is read from its own beginning")
    func otherScope() async throws {
        let first = try XScript([.plain("kind", "user"), .plain("user", "acme_help")])
        let answer: ScriptedHTTPClient.Handler = { request in
            switch Query.path(request.url) {
            case "/2/users/by/username/acme_help": .response(text: "{\"data\":{\"id\":\"783\"}}")
            case "/2/users/by/username/acme_news": .response(text: "{\"data\":{\"id\":\"784\"}}")
            default: .response(text: Sample.page([3]))
            }
        }
        first.http.handle(answer)
        let cursor = try await first.pull().cursor
        let second = try XScript([.plain("kind", "user"), .plain("user", "acme_news")])
        second.http.handle(answer)
        let page = try await second.pull(cursor)
        #expect(second.http.requests.map { Query.path($0.url) }.last == "/2/users/784/tweets")
        #expect(second.query(1)["since_id"] == nil && second.query(1)["start_time"] != nil)
        // The same account goes on where it was.
        _ = try await second.pull(page.cursor)
        #expect(second.query(2)["since_id"] == "3")
    }

    private static func refusal(_ kind: String) -> String {
        """
        {"errors":[{"value":"783","detail":"no","title":"A problem","resource_type":"user","parameter":"id","resource_id":"783",\
        "type":"https://api.twitter.com/2/problems/\(kind)"}]}
        """
    }

    @Test(
        "An account that is gone or protected is forgotten, once, and then needs a person",
        arguments: [
            ("resource-not-found", ConnectorError.Code.rejected), ("not-authorized-for-resource", .unauthorized),
        ]
    )
    func goneAccount(kind: String, code: ConnectorError.Code) async throws {
        let script = try XScript([.plain("kind", "user"), .plain("user", "783")])
        script.http.handle { _ in .response(text: Sample.page([3])) }
        let cursor = try await script.pull().cursor
        script.http.handle { _ in .response(text: Self.refusal(kind)) }
        let page = try await script.pull(cursor)
        #expect(page.events.map(\.type) == [.postDeleted])
        #expect(page.events.map(\.subject) == [ObjectID(text: "x:actor:783")])
        #expect(page.events.map(\.data.actor?.id) == page.events.map(\.subject))
        await #expect { try await script.pull(page.cursor) } throws: { ($0 as? ConnectorError)?.code == code }
        // Should it come back it is read on, from where it was.
        script.http.handle { _ in .response(text: Sample.page([4])) }
        let back = try await script.pull(page.cursor)
        #expect(back.events.map(\.subject) == [postID(4)])
        #expect(try XCursor(back.cursor).isGone == false)
    }

    @Test("A person who may not see an account forgets nothing: the account may have blocked them")
    func blocked() async throws {
        let keys: [SettingNode.Member] = [
            .secret("api_key", "a"), .secret("api_secret", "b"), .secret("access_token", "c"),
            .secret("access_token_secret", "d"),
        ]
        let script = try XScript([.plain("kind", "user"), .plain("user", "783")] + keys, bearer: false)
        script.http.handle { _ in .response(text: Self.refusal("not-authorized-for-resource")) }
        let cursor = XCursor(from: XScript.start).encoded()
        await #expect { try await script.pull(cursor) } throws: { ($0 as? ConnectorError)?.code == .unauthorized }
    }

    @Test("Partial errors beside status 200 lose nothing of the rest")
    func partialErrors() async throws {
        let script = try search()
        let more = """
            ,"errors":[{"resource_id":"5","resource_type":"tweet","parameter":"referenced_tweets.id","title":"Authorization Error",\
            "type":"https://api.twitter.com/2/problems/not-authorized-for-resource"}]
            """
        let quote = Sample.post(9, more: ",\"referenced_tweets\":[{\"type\":\"quoted\",\"id\":\"5\"}]")
        script.http.handle { _ in
            .response(
                text: "{\"data\":[\(Sample.post(10)),\(quote),{\"id\":\"\"}],\"meta\":{\"newest_id\":\"10\"}\(more)}"
            )
        }
        let page = try await script.pull()
        #expect(page.events.map(\.type) == [.unrecognised, .postCreated, .postCreated])
        #expect(page.events[1].data.quoteOf?.id == postID(5))
        #expect(page.events[1].data.loss.contains { $0.detail?.contains("not-authorized-for-resource") == true })
    }

    @Test("An account's name is looked up once")
    func lookUp() async throws {
        let script = try XScript([.plain("kind", "mentions"), .plain("user", "@acme_help")])
        script.http.handle { request in
            switch Query.path(request.url) {
            case "/2/users/by/username/acme_help":
                .response(text: "{\"data\":{\"id\":\"783\",\"username\":\"acme_help\"}}")
            case "/2/users/783/mentions": .response(text: Sample.page([3], next: "t"))
            default: nil
            }
        }
        let page = try await script.pull()
        _ = try await script.pull(page.cursor)
        #expect(
            script.http.requests.map { Query.path($0.url) } == [
                "/2/users/by/username/acme_help", "/2/users/783/mentions", "/2/users/783/mentions",
            ]
        )
        let wrong = try XScript([.plain("kind", "user"), .plain("user", "nobody")])
        wrong.http.handle { _ in .response(text: "{\"errors\":[{\"title\":\"Not Found Error\"}]}") }
        await #expect { try await wrong.pull() } throws: { ($0 as? ConnectorError)?.code == .rejected }
    }

    @Test("A timeline that ends at X's bound leaves a hole")
    func capped() async throws {
        let script = try XScript([.plain("kind", "mentions"), .plain("user", "783")])
        script.http.handle { _ in .response(text: Sample.page([3])) }
        var cursor = XCursor(from: XScript.start)
        cursor.since = "1"
        cursor.round = XCursor.Round(token: "t", newest: "900", count: 799, begun: XScript.start)
        let page = try await script.pull(cursor.encoded())
        #expect(page.gaps.count == 1)
        #expect(try XCursor(page.cursor).since == "900")
    }

    @Test(
        "With something left out the bound is found by asking what stands before the oldest post",
        arguments: [true, false]
    )
    func cappedWithExclusions(isCapped: Bool) async throws {
        let script = try XScript([
            .plain("kind", "user"), .plain("user", "783"),
            SettingNode.Member(
                key: "exclude",
                position: SettingPosition(),
                value: SettingNode(.list([SettingNode(.scalar("retweets", isQuoted: false))]))
            ),
        ])
        let since = id(.seconds(40 * 3600))
        let (newest, oldest) = (id(.seconds(60)), id(.seconds(7200)))
        script.http.handle { request in
            Query.parse(request.url)["until_id"] == nil
                ? .response(text: Sample.page([newest, oldest])) : .response(text: Sample.page(isCapped ? [] : [since]))
        }
        var cursor = XCursor(from: XScript.start.advanced(by: .seconds(-40 * 3600)))
        cursor.since = String(since)
        let page = try await script.pull(cursor.encoded())
        #expect(page.gaps.count == (isCapped ? 1 : 0))
        #expect(page.events.count == 2)
        #expect(script.query(1)["until_id"] == String(oldest))
        #expect(script.query(1)["since_id"] == nil)
        // Nobody posts so much in minutes, and nothing more is asked.
        _ = try await script.pull(page.cursor)
        #expect(script.http.requests.count == 3)
    }

    @Test("Without replies X shows the last 800")
    func cappedWithoutReplies() async throws {
        let script = try XScript([
            .plain("kind", "user"), .plain("user", "783"),
            SettingNode.Member(
                key: "exclude",
                position: SettingPosition(),
                value: SettingNode(.list([SettingNode(.scalar("replies", isQuoted: false))]))
            ),
        ])
        script.http.handle { _ in .response(text: Sample.page([3])) }
        var cursor = XCursor(from: XScript.start)
        cursor.since = "1"
        cursor.round = XCursor.Round(token: "t", newest: "900", count: 799, begun: XScript.start)
        #expect(try await script.pull(cursor.encoded()).gaps.count == 1)
    }

    @Test("A spent allowance is no rate limit: it waits for the next month")
    func usageCap() async throws {
        let script = try search()
        let body = Sample.problem("usage-capped", status: 429, more: ",\"period\":\"Monthly\",\"scope\":\"Product\"")
        let headers = headers(["x-rate-limit-remaining": "12", "x-rate-limit-reset": "1784927800"])
        script.http.handle { _ in .response(429, headers: headers, text: body) }
        await #expect { try await script.pull() } throws: { error in
            let error = error as? ConnectorError
            return error?.code == .rateLimited && error?.retryAt == Timestamp(rfc3339: "2026-08-01T00:00:00Z")
                && error?.message.contains("usage-capped") == true
        }
    }

    @Test("A rate limit is waited out to its reset, and the next request is not even made")
    func rateLimit() async throws {
        let script = try search()
        let headers = headers([
            "x-rate-limit-limit": "450", "x-rate-limit-remaining": "0", "x-rate-limit-reset": "1784928000",
        ])
        script.http.handle { _ in
            .response(429, headers: headers, text: "{\"title\":\"Too Many Requests\",\"status\":429}")
        }
        for _ in 0..<2 {
            await #expect { try await script.pull() } throws: { error in
                (error as? ConnectorError)?.retryAt == Timestamp(seconds: 1_784_928_000)
            }
        }
        #expect(script.http.requests.count == 1)
    }

    @Test("What X bills is counted once a day, and a spent budget stops before the request")
    func budget() async throws {
        let script = try search()
        script.meter.withSpend {
            $0.prices = ["post": 5000, "user": 10_000]
            $0.dailyBudget = 800_000
        }
        let users = ",\"includes\":{\"users\":[{\"id\":\"7\",\"username\":\"a\"}]}"
        script.http.handle { _ in .response(text: Sample.page([2, 1], more: users)) }
        _ = try await script.pull()
        _ = try await script.pull()
        #expect(script.meter.withSpend { $0.spentToday } == 20_000)
        // What is left does not pay for a large page, but for a small one.
        script.meter.withSpend { $0.dailyBudget = 100_000 }
        _ = try await script.pull()
        #expect(script.query(2)["max_results"] == "10")
        script.meter.withSpend { $0.dailyBudget = 60_000 }
        await #expect { try await script.pull() } throws: { error in
            (error as? ConnectorError)?.retryAt == Timestamp(rfc3339: "2026-07-25T00:00:00Z")
        }
        #expect(script.http.requests.count == 3)
    }

    @Test("The host of a problem's type does not count", arguments: ["api.x.com", "api.twitter.com"])
    func problemHosts(host: String) {
        let body = Array("{\"title\":\"x\",\"type\":\"https://\(host)/2/problems/client-forbidden\"}".utf8)
        let error = ConnectorError.ofX(status: 403, headers: [:], body: body, now: XScript.start, what: "the search")
        #expect(error?.code == .unauthorized)
        #expect(error?.message.contains("client-forbidden") == true)
    }

    @Test("The next month begins after the last day of this one")
    func months() {
        #expect(Timestamp(rfc3339: "2026-12-31T23:59:59Z")?.nextMonth == Timestamp(rfc3339: "2027-01-01T00:00:00Z"))
        #expect(Timestamp(rfc3339: "2028-02-28T00:00:00Z")?.nextMonth == Timestamp(rfc3339: "2028-03-01T00:00:00Z"))
    }
}
