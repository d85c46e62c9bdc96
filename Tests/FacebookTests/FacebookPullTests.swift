import ConnectorKit
import ConnectorTesting
import HTTPTypes
import SocialEvents
import Testing

@testable import FacebookConnector

struct FacebookPullTests {
    private static func post(_ id: Int) -> String { "facebook:post:\(FacebookScript.page)_\(id)/created" }
    private static func comment(_ id: String) -> String { "facebook:comment:\(id)/created" }

    @Test("Posts are read page by page back to the history's begin, then the comments under them, answers too")
    func first() async throws {
        let script = try FacebookScript(FacebookScript.pulling + [.plain("history", "2h")])
        let world = FacebookWorld(posts: [
            .init(id: 4, age: 60, comments: [10, 20, 30]), .init(id: 3, age: 600),
            .init(id: 2, age: 3600, comments: [50]),
            .init(id: 1, age: 90_000),
        ])
        script.http.handle { world.answer($0) }
        let pages = try await script.walk()
        #expect(
            pages.ids == [
                Self.post(3), Self.post(4), Self.post(2), Self.comment("2_1"), Self.comment("4_2"), Self.comment("4_3"),
                Self.comment("4_1"),
            ]
        )
        let query = Query.parse(script.http.requests[0].url)
        #expect(query["since"] == String(FacebookScript.start.milliseconds / 1000 - 7200))
        #expect(query["limit"] == "100")
        #expect(query["fields"]?.contains("message_tags") == true)
        #expect(script.http.requests.allSatisfy { $0.headers[.authorization] == "Bearer page-token" })
        #expect(script.http.requests.allSatisfy { !$0.url.contains("page-token") })
        #expect(script.http.unexpectedRequests.isEmpty)
    }

    @Test(
        "What is new is told once: posts after the mark, and comments after the newest known, also of the same second"
    )
    func going() async throws {
        let script = try FacebookScript()
        let before = FacebookWorld(posts: [
            .init(id: 2, age: 30, comments: [10]), .init(id: 1, age: 600, comments: [500]),
        ])
        script.http.handle { before.answer($0) }
        let cursor = try await script.walk().last?.cursor
        #expect(try await script.walk(cursor).ids == [])
        // A post of a moment ago, one that became visible late, and three comments, one in the second of the newest known.
        let after = FacebookWorld(
            posts: [
                .init(id: 4, age: 5), .init(id: 2, age: 30, comments: [2, 10, 10]), .init(id: 3, age: 60),
                .init(id: 1, age: 600, comments: [4, 500]),
            ],
            pageSize: 10
        )
        script.http.handle { after.answer($0) }
        let pages = try await script.walk(cursor)
        #expect(
            Set(pages.ids) == [
                Self.post(3), Self.post(4), Self.comment("2_3"), Self.comment("2_2"), Self.comment("1_2"),
            ]
        )
        #expect(pages.ids.count == 5)
        #expect(try await script.walk(pages.last?.cursor).ids == [])
    }

    @Test("Without comments only posts are asked for")
    func withoutComments() async throws {
        let script = try FacebookScript(FacebookScript.pulling + [.plain("comments", "false")])
        let world = FacebookWorld(posts: [.init(id: 1, age: 60, comments: [10])])
        script.http.handle { world.answer($0) }
        #expect(try await script.walk().ids == [Self.post(1)])
        #expect(script.http.requests.count == 1)
    }

    @Test("A mark does not creep back where there is nothing to read")
    func nothing() async throws {
        let script = try FacebookScript()
        let world = FacebookWorld(posts: [])
        script.http.handle { world.answer($0) }
        var cursor: Cursor?
        for _ in 0..<5 { cursor = try await script.walk(cursor).last?.cursor }
        #expect(Set(script.http.requests.compactMap { Query.parse($0.url)["since"] }).count == 1)
    }

    @Test("A post that is gone while others are there is told as deleted; where all are gone at once nothing is")
    func gone() async throws {
        let script = try FacebookScript()
        let before = FacebookWorld(posts: [.init(id: 2, age: 30), .init(id: 1, age: 40)])
        script.http.handle { before.answer($0) }
        let cursor = try await script.walk().last?.cursor
        var after = before
        after.posts[1].isGone = true
        script.http.handle { [after] in after.answer($0) }
        let pages = try await script.walk(cursor)
        #expect(pages.ids == ["facebook:post:\(FacebookScript.page)_1/deleted"])
        after.posts[0].isGone = true
        script.http.handle { [after] in after.answer($0) }
        #expect(try await script.walk(cursor).ids == [])
    }

    @Test("Some comments that the platform refuses for the moment hold up no others, and put the next reading off")
    func throttledPart() async throws {
        let script = try FacebookScript()
        let world = FacebookWorld(posts: [.init(id: 2, age: 30, comments: [5]), .init(id: 1, age: 40, comments: [6])])
        script.http.handle { world.answer($0) }
        let first = try await script.pull()
        script.http.handle { request in
            guard request.method == .post else { return world.answer(request) }
            let one = #"{\"data\":[{\"id\":\"2_1\",\"created_time\":\"2026-07-24T21:15:45+0000\"}]}"#
            return .response(
                text: #"[{"code":200,"body":"\#(one)"},{"code":400,"body":"{\"error\":{\"code\":32}}"}]"#
            )
        }
        let second = try await script.pull(first.cursor)
        #expect(second.events.map(\.id.text) == [Self.comment("2_1")])
        #expect(!second.hasMore && second.notBefore == FacebookScript.start.advanced(by: .seconds(300)))
        script.http.handle { request in
            request.method == .post
                ? .response(text: #"[{"code":400,"body":"{\"error\":{\"code\":32}}"},null]"#) : world.answer(request)
        }
        await #expect { try await script.pull(first.cursor) } throws: { ($0 as? ConnectorError)?.code == .rateLimited }
    }

    @Test("A place that the platform forgot begins the walk anew, thrice at most")
    func forgottenPlace() async throws {
        let script = try FacebookScript()
        let world = FacebookWorld(posts: [.init(id: 3, age: 10), .init(id: 2, age: 20), .init(id: 1, age: 30)])
        script.http.handle { request in
            request.url.contains("after=") ? .response(400, text: #"{"error":{"code":100}}"#) : world.answer(request)
        }
        var cursor = try await script.pull().cursor
        for _ in 0..<3 {
            let page = try await script.pull(cursor)
            #expect(page.hasMore && page.events.isEmpty)
            // The beginning again: known posts are not told twice, and reading them is no progress.
            let again = try await script.pull(page.cursor)
            #expect(again.events.isEmpty)
            cursor = again.cursor
        }
        await #expect { try await script.pull(cursor) } throws: { ($0 as? ConnectorError)?.code == .rejected }
    }

    @Test("An element that cannot be read is set aside, its siblings go on, and it can be read again")
    func deadLetter() async throws {
        let script = try FacebookScript()
        script.http.handle { request in
            guard request.method != .post else { return .response(text: "[]") }
            return .response(
                text:
                    #"{"data":[{"id":"1_2","created_time":"2026-07-24T21:15:45+0000"},{"next":"https://x.example/?access_token=EAAB"}]}"#
            )
        }
        let page = try await script.pull()
        #expect(page.events.map(\.id.text) == ["facebook:post:1_2/created"])
        let letter = try #require(page.deadLetters.first)
        #expect(letter.contentType == "application/json; form=post; page=\(FacebookScript.page)")
        #expect(letter.payload == Array(#"{"next":"https://x.example/?access_token=redacted"}"#.utf8))
        await #expect(throws: ConnectorError.self) {
            try await script.connector.reread(RereadRequest(letter: letter, receivedAt: FacebookScript.start))
        }
        var mended = letter
        mended.payload = Array(#"{"id":"1_3","message":"with an id"}"#.utf8)
        let again = try await script.connector.reread(RereadRequest(letter: mended, receivedAt: FacebookScript.start))
        #expect(again.events.map(\.id.text) == ["facebook:post:1_3/created"])
        mended.contentType = "application/json; form=comment; post=1_2; page=1"
        let comment = try await script.connector.reread(RereadRequest(letter: mended, receivedAt: FacebookScript.start))
        #expect(comment.events.map { $0.data.inReplyTo?.id?.text } == ["facebook:post:1_2"])
    }

    @Test("A cursor of another Page or server is a new beginning")
    func scope() throws {
        var cursor = FacebookCursor(scope: "a")
        cursor.mark = FacebookScript.start
        cursor.walk = FacebookCursor.Walk(place: "/v1/x", top: FacebookScript.start, since: FacebookScript.start)
        cursor.isAtComments = true
        cursor.restarts = 2
        for number in 0..<30 { cursor.know("1_\(number)", created: Timestamp(seconds: Int64(number))) }
        cursor.posts[0].take("c", FacebookScript.start)
        cursor.posts[0].end()
        cursor.posts[1].take("d", FacebookScript.start)
        cursor.posts[1].place = "/v1/y"
        #expect(cursor.posts.map(\.id).prefix(2) == ["1_29", "1_28"] && cursor.posts.count == FacebookCursor.mostPosts)
        #expect(try FacebookCursor(cursor.encoded(), scope: "a") == cursor)
        #expect(try FacebookCursor(cursor.encoded(), scope: "b") == FacebookCursor(scope: "b"))
        #expect(try FacebookCursor(nil, scope: "a") == FacebookCursor(scope: "a"))
        #expect(throws: ConnectorError.self) {
            try FacebookCursor(Cursor(version: 2, bytes: Array("{}".utf8)), scope: "a")
        }
        #expect(throws: ConnectorError.self) { try FacebookCursor(Cursor(bytes: Array("{}".utf8)), scope: "a") }
    }
}
