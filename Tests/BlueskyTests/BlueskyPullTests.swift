import BlueskyConnector
import ConnectorKit
import ConnectorTesting
import HTTPTypes
import SocialEvents
import Testing

@Suite("Pulling")
struct BlueskyPullTests {
    private func author(_ server: PostServer, _ more: [String: String] = [:]) throws -> BlueskyScript {
        let script = try BlueskyScript(["kind": "author", "actor": "anna.example"].merging(more) { $1 })
        script.http.handle { server.answer($0) }
        return script
    }

    private func minutes(_ minutes: Int) -> Timestamp { BlueskyScript.now.advanced(by: .seconds(60 * minutes)) }

    @Test("The first pull tells what was said within the time to look back, oldest first")
    func backfill() async throws {
        let server = PostServer()
        for (key, time) in [("old", -3000), ("b", -20), ("c", -10)] { server.publish(key, at: minutes(time)) }
        let script = try author(server)
        #expect(try await script.pullKeys() == ["b", "c"])
        #expect(try await script.pullKeys() == [])
        #expect(script.http.unexpectedRequests.isEmpty)
    }

    @Test("Several pages are walked back to what is known, while others are added on top")
    func pages() async throws {
        let server = PostServer()
        server.page(size: 3)
        server.publish("first", at: minutes(-60))
        let script = try author(server)
        _ = try await script.pullAll()
        for number in 0..<10 { server.publish("p\(number)", at: minutes(number)) }
        script.clock.setWallTime(to: minutes(10))
        var keys = try await script.pull().events.map(\.key)
        // Pages shift while they are read: nothing is told twice, and the newcomer comes with the next walk.
        server.publish("late", at: minutes(11))
        script.clock.setWallTime(to: minutes(12))
        keys += try await script.pullKeys()
        #expect(Set(keys) == Set((0..<10).map { "p\($0)" }))
        #expect(keys.count == 10)
        #expect(try await script.pullKeys() == ["late"])
    }

    @Test("A post that is indexed late is told if it lies within the overlap, and none is told twice")
    func overlap() async throws {
        let server = PostServer()
        server.publish("a", at: minutes(-30))
        server.publish("b", at: minutes(-1))
        let script = try author(server, ["overlap": "10m"])
        _ = try await script.pullAll()
        server.publish("late", at: minutes(-5))
        server.publish("too-late", at: minutes(-25))
        #expect(try await script.pullKeys() == ["late"])
        #expect(try await script.pullKeys() == [])
    }

    @Test("A post of an account that is dated back by hours is told")
    func datedBack() async throws {
        let server = PostServer()
        for number in 0..<5 { server.publish("p\(number)", at: minutes(number - 10)) }
        let script = try author(server)
        _ = try await script.pullAll()
        server.publish("backdated", at: minutes(-20 * 60))
        #expect(try await script.pullKeys() == ["backdated"])
        #expect(try await script.pullKeys() == [])
    }

    @Test("An account that says more in a day than is kept in mind is not told anew each time")
    func busy() async throws {
        let server = PostServer()
        for number in 0..<2500 {
            server.publish("p\(number)", at: BlueskyScript.now.advanced(by: .seconds(number - 3000)))
        }
        let script = try author(server, ["watched": "0"])
        #expect(Set(try await script.pullKeys()).count == 2500)
        #expect(try await script.pullKeys() == [])
    }

    @Test("What was said before the source began is not told later, however far it looks behind")
    func begin() async throws {
        let server = PostServer()
        server.page(size: 10)
        for number in 0..<50 { server.publish("old\(number)", at: minutes(number - 60)) }
        let script = try author(server, ["backfill": "0s"])
        #expect(try await script.pullKeys() == [])
        server.publish("new", at: minutes(1))
        script.clock.setWallTime(to: minutes(2))
        #expect(try await script.pullKeys() == ["new"])
    }

    @Test("A cursor that the server no longer takes has the walk begin anew")
    func staleCursor() async throws {
        let server = PostServer()
        server.page(size: 10)
        for number in 0..<35 { server.publish("p\(number)", at: minutes(number - 60)) }
        let script = try author(server)
        var keys = try await script.pull().events.map(\.key)
        server.forgetCursors(2)
        keys += try await script.pullKeys()
        #expect(Set(keys).count == 35)
        #expect(try BlueskyCursor(script.cursor).encoded() == script.cursor)
    }

    @Test("A server that never takes its own cursors does not stop the source; the gap is told")
    func refusedCursors() async throws {
        let server = PostServer()
        server.page(size: 10)
        server.publish("first", at: minutes(-60))
        let script = try author(server)
        _ = try await script.pullAll()
        server.forgetCursors(1000)
        for number in 0..<35 { server.publish("p\(number)", at: minutes(number)) }
        script.clock.setWallTime(to: minutes(36))
        let pages = try await script.pullAll()
        #expect(Set(pages.flatMap(\.events).map(\.key)) == Set((25..<35).map { "p\($0)" }))
        #expect(pages.flatMap(\.gaps).count == 1)
        server.publish("next", at: minutes(37))
        script.clock.setWallTime(to: minutes(38))
        #expect(try await script.pullKeys().contains("next"))
    }

    @Test("A cursor that comes again ends the walk", arguments: ["author", "feed"])
    func repeatedCursor(kind: String) async throws {
        let server = PostServer()
        server.page(size: 10)
        server.repeatCursors()
        for number in 0..<35 { server.publish("p\(number)", at: minutes(number - 60)) }
        let settings =
            kind == "author"
            ? ["actor": "anna.example"] : ["feed": "at://did:plc:aaaaaaaaaaaaaaaaaaaaaaaa/app.bsky.feed.generator/x"]
        let script = try BlueskyScript(settings.merging(["kind": kind]) { $1 })
        script.http.handle { server.answer($0) }
        #expect(try await script.pullAll().count == 2)
    }

    @Test("A source that is pointed at another list begins anew; one whose way of reading changes goes on")
    func scope() async throws {
        let server = PostServer()
        for number in 0..<5 { server.publish("p\(number)", at: minutes(number - 10)) }
        let script = try author(server)
        #expect(try await script.pullKeys().count == 5)
        for (settings, count) in [
            (["actor": "berta.example"], 5), (["filter": "media"], 5), (["base_url": "https://other.example"], 5),
            (["watched": "7"], 0), (["overlap": "2h"], 0),
        ] {
            let other = try author(server, settings)
            other.resume(script.cursor)
            #expect(try await other.pullKeys().count == count, "\(settings)")
        }
    }

    @Test("A source without time to look back tells only what is said from now on")
    func noBackfill() async throws {
        let server = PostServer()
        server.publish("a", at: minutes(-5))
        let script = try author(server, ["backfill": "0s"])
        #expect(try await script.pullKeys() == [])
        server.publish("b", at: minutes(1))
        script.clock.setWallTime(to: minutes(2))
        #expect(try await script.pullKeys() == ["b"])
    }

    @Test("Posts that are not shown any more are told as deleted, new counts as counts")
    func watching() async throws {
        let server = PostServer()
        for number in 0..<30 { server.publish("p\(number)", at: minutes(-40 + number)) }
        let script = try author(server)
        _ = try await script.pullAll()
        server.delete("p3")
        server.like("p28")
        script.clock.setWallTime(to: minutes(20))
        #expect(Set(try await script.pullKeys()) == ["#p28"])
        script.clock.setWallTime(to: minutes(40))
        #expect(try await script.pullKeys() == ["-p3"])
        script.clock.setWallTime(to: minutes(60))
        #expect(try await script.pullKeys() == [])
        let asked = script.http.requests.filter { $0.url.contains("getPosts") }
        // 30 posts are two requests of 25 at most, the remaining 29 too.
        #expect(asked.count == 6)
        #expect(asked.allSatisfy { $0.url.components("uris=") <= 25 })
    }

    @Test("A post that is left out once still stands")
    func leftOut() async throws {
        let server = PostServer()
        for number in 0..<3 { server.publish("p\(number)", at: minutes(-40 + number)) }
        let script = try author(server)
        _ = try await script.pullAll()
        for round in 1...6 {
            server.answerChecks(round % 2 == 0 ? .good : .empty)
            script.clock.setWallTime(to: minutes(20 * round))
            #expect(try await script.pullKeys() == [])
        }
    }

    @Test("A server that shows none of the posts is not believed at once")
    func allMissing() async throws {
        let server = PostServer()
        for number in 0..<25 { server.publish("p\(number)", at: minutes(-40 + number)) }
        let script = try author(server)
        _ = try await script.pullAll()
        server.answerChecks(.empty)
        for round in 1...3 {
            script.clock.setWallTime(to: minutes(20 * round))
            #expect(try await script.pullKeys() == [])
        }
        script.clock.setWallTime(to: minutes(80))
        #expect(try await script.pullKeys().count == 25)
    }

    @Test("While posts cannot be asked after, new ones are read")
    func failingCheck() async throws {
        let server = PostServer()
        server.publish("a", at: minutes(-40))
        let script = try author(server)
        _ = try await script.pullAll()
        server.answerChecks(.failing)
        for round in 1...3 {
            server.publish("p\(round)", at: minutes(20 * round - 1))
            script.clock.setWallTime(to: minutes(20 * round))
            #expect(try await script.pullKeys() == ["p\(round)"])
        }
        server.delete("a")
        server.answerChecks(.good)
        var keys: [String] = []
        for round in 4...6 {
            script.clock.setWallTime(to: minutes(20 * round))
            keys += try await script.pullKeys()
        }
        #expect(keys == ["-a"])
    }

    /// A server whose account answers with an error from some moment on.
    private func closing(_ actor: String, error: String, message: String, isOnlyHandle: Bool = false) async throws
        -> BlueskyScript
    {
        let server = PostServer()
        server.publish("a", at: minutes(-5))
        let script = try author(server, ["actor": actor])
        _ = try await script.pullAll()
        script.http.handle { request in
            if isOnlyHandle, request.url.contains("actor=did") { return server.answer(request) }
            return .response(400, text: "{\"error\":\"\(error)\",\"message\":\"\(message)\"}")
        }
        return script
    }

    private static let did = "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa"

    @Test(
        "An account that is closed takes all it said with it, once, and stops the source",
        arguments: [did, "anna.example"]
    )
    func closed(actor: String) async throws {
        let script = try await closing(actor, error: "AccountTakedown", message: "Account has been suspended")
        let page = try await script.pull()
        let event = try #require(page.events.first)
        #expect(page.events.count == 1)
        #expect(event.type == .postDeleted)
        #expect(event.subject?.text == "bluesky:actor:\(Self.did)")
        #expect(event.data.actor?.id == event.subject)
        #expect(page.hasMore)
        for _ in 0..<2 {
            let error = await #expect(throws: ConnectorError.self) { try await script.pull() }
            #expect(error?.code == .rejected)
        }
    }

    @Test("An account that is not known is gone only when it stays so")
    func unknown() async throws {
        let script = try await closing(Self.did, error: "InvalidRequest", message: "Profile not found")
        for minute in [1, 10] {
            script.clock.setWallTime(to: minutes(minute))
            #expect(try await script.pullAll().flatMap(\.events).isEmpty)
        }
        script.clock.setWallTime(to: minutes(17))
        #expect(try await script.pull().events.map(\.type) == [.postDeleted])
        await #expect(throws: ConnectorError.self) { try await script.pull() }
    }

    @Test("A handle that nobody has any more withdraws nothing")
    func lostHandle() async throws {
        let script = try await closing(
            "anna.example",
            error: "InvalidRequest",
            message: "Profile not found",
            isOnlyHandle: true
        )
        for minute in [1, 20, 40] {
            script.clock.setWallTime(to: minutes(minute))
            let error = await #expect(throws: ConnectorError.self) { try await script.pull() }
            #expect(error?.code == .rejected)
            #expect(error?.message.contains(Self.did) == true)
        }
    }

    @Test("A search that is refused its second page goes on by searches of its own")
    func refusedCursor() async throws {
        let server = PostServer()
        server.page(size: 10, refusesCursors: true)
        for number in 0..<47 { server.publish("p\(number)", at: minutes(-100 + number)) }
        let script = try BlueskyScript(["kind": "search", "query": "harbour"])
        script.http.handle { server.answer($0) }
        let keys = try await script.pullKeys()
        #expect(Set(keys).count == 47)
        #expect(keys.count == 47)
        #expect(script.http.requests.filter { $0.url.contains("cursor=") }.count == 1)
    }

    @Test("A search that shows only its newest posts is begun anew from the oldest of them")
    func deepSearch() async throws {
        let server = PostServer()
        server.page(size: 100, limit: 1000)
        for number in 0..<2500 {
            server.publish("p\(number)", at: BlueskyScript.now.advanced(by: .seconds(number - 3000)))
        }
        let script = try BlueskyScript(["kind": "search", "query": "harbour", "watched": "0"])
        script.http.handle { server.answer($0) }
        let keys = try await script.pullKeys()
        #expect(keys.count == 2500)
        #expect(Set(keys).count == 2500)
    }

    @Test("What a search cannot reach stays an open gap with its bounds")
    func gap() async throws {
        let server = PostServer()
        server.page(size: 100, refusesCursors: true)
        server.publish("first", at: minutes(-1))
        let script = try BlueskyScript(["kind": "search", "query": "harbour", "watched": "0"])
        script.http.handle { server.answer($0) }
        _ = try await script.pullAll()
        // More in one moment than a page shows.
        for number in 0..<150 { server.publish("p\(number)", at: minutes(5)) }
        script.clock.setWallTime(to: minutes(30))
        let gaps = try await script.pullAll().flatMap(\.gaps)
        #expect(gaps.count == 1)
        guard case .opened(_, let gap) = gaps.first else {
            Issue.record("no gap was opened")
            return
        }
        #expect(gap.before == minutes(5))
    }

    @Test("A search that the public server refuses altogether says what to do")
    func refusedSearch() async throws {
        let script = try BlueskyScript(["kind": "search", "query": "harbour"])
        script.http.handle { _ in .response(403, text: "<html>Forbidden</html>") }
        let error = await #expect(throws: ConnectorError.self) { try await script.pull() }
        #expect(error?.code == .unauthorized)
        #expect(error?.message.contains("app_password") == true)
    }

    @Test("A post dated in the future does not hide what comes after it")
    func future() async throws {
        let server = PostServer()
        server.publish("future", at: minutes(5_000_000))
        server.publish("a", at: minutes(-1))
        let script = try author(server)
        _ = try await script.pullAll()
        server.publish("b", at: minutes(1))
        script.clock.setWallTime(to: minutes(2))
        #expect(try await script.pullKeys() == ["b"])
    }

    @Test("A cursor can be read again, whatever it holds")
    func cursor() async throws {
        let server = PostServer()
        server.page(size: 3)
        for number in 0..<20 { server.publish("p\(number)", at: minutes(-20 + number)) }
        let script = try author(server)
        for _ in 0..<3 {
            _ = try await script.pull()
            let cursor = try BlueskyCursor(script.cursor)
            #expect(cursor.encoded() == script.cursor)
        }
    }

    @Test(
        "What the server says decides what the host does",
        arguments: [
            (400, "InvalidRequest", ConnectorError.Code.rejected), (400, "BlockedActor", .rejected),
            (400, "ExpiredToken", .unauthorized), (401, "AuthMissing", .unauthorized), (400, "NotFound", .rejected),
            (429, "RateLimitExceeded", .rateLimited), (502, "UpstreamFailure", .unavailable),
            (500, "InternalServerError", .unavailable), (400, "AccountTakedown", .rejected),
        ]
    )
    func errors(status: Int, name: String, code: ConnectorError.Code) async throws {
        let script = try author(PostServer())
        var headers: HTTPFields = [:]
        if status == 429 {
            for (field, value) in [("Limit", "3000"), ("Remaining", "0"), ("Reset", "1780000300")] {
                headers[try #require(HTTPField.Name("RateLimit-\(field)"))] = value
            }
        }
        let body = "{\"error\":\"\(name)\",\"message\":\"secret words\"}"
        script.http.handle { [headers] _ in .response(status, headers: headers, text: body) }
        let error = await #expect(throws: ConnectorError.self) { try await script.pull() }
        #expect(error?.code == code)
        #expect(error?.message.contains("secret") == false)
        if status == 429 { #expect(error?.retryAt == Timestamp(seconds: 1_780_000_300)) }
    }
}

extension String {
    /// How often a word stands in the text.
    func components(_ word: String) -> Int {
        var count = 0
        var rest = self[...]
        while let range = rest.firstRange(of: word) {
            count += 1
            rest = rest[range.upperBound...]
        }
        return count
    }
}
