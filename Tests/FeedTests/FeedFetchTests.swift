import ConnectorKit
import ConnectorTesting
import FeedConnector
import HTTPTypes
import SocialEvents
import Testing

/// What a source asks for and what it makes of the answers.
struct FeedFetchTests {
    private func failure(_ script: FeedScript) async -> ConnectorError? {
        do {
            _ = try await script.pull()
            return nil
        } catch {
            return error as? ConnectorError
        }
    }

    @Test("Both validators are sent back as they came, and a 304 brings nothing")
    func validators() async throws {
        let script = try FeedScript()
        let headers: HTTPFields = [.eTag: "W/\"a b\"", .lastModified: "yesterday, about noon"]
        script.serve(Sample.rss(Sample.items([1])), headers: headers)
        _ = try await script.pull()
        script.serve("", status: 304)
        let page = try await script.pull()
        #expect(page.events.isEmpty && page.cursor == nil && !page.hasMore)
        let request = try #require(script.http.requests.last)
        #expect(request.headers[.ifNoneMatch] == "W/\"a b\"")
        #expect(request.headers[.ifModifiedSince] == "yesterday, about noon")
        #expect(script.http.requests.first?.headers[.ifNoneMatch] == nil)
    }

    @Test("A chain of permanent redirects is remembered, any other is not")
    func redirects() async throws {
        let moved = "https://moved.example/feed"
        let cases: [(statuses: [Int], url: String)] = [
            ([301], moved), ([308, 301], moved), ([302], FeedScript.url), ([301, 302], FeedScript.url),
            ([307], FeedScript.url),
        ]
        for (statuses, expected) in cases {
            let script = try FeedScript()
            let body = Sample.rss(Sample.items([1]))
            var answer = ScriptedAnswer.response(text: body)
            let hops = statuses.map { HTTPRedirect(status: $0, location: moved) }
            answer = hops.count == 1 ? answer.redirected(hops[0]) : answer.redirected(hops[0], hops[1])
            script.http.route(.get, FeedScript.url, answer)
            script.serve(body, at: moved)
            _ = try await script.pull()
            _ = try await script.pull()
            #expect(script.http.requests.last?.url == expected, "\(statuses)")
        }
    }

    @Test("A remembered address that is no good any more gives way to the configured one")
    func movedBack() async throws {
        let moved = "https://moved.example/feed"
        let script = try FeedScript()
        let body = Sample.rss(Sample.items([1]))
        script.http.route(
            .get,
            FeedScript.url,
            .response(text: body).redirected(HTTPRedirect(status: 301, location: moved))
        )
        _ = try await script.pull()
        script.serve("", status: 404, at: moved)
        script.serve(Sample.rss(Sample.items([2, 1])))
        #expect(try await script.pull().events.map(\.subject) == [tagged("2")])
        #expect(script.http.requests.map(\.url) == [FeedScript.url, moved, FeedScript.url])
    }

    @Test("A permanent redirect from https to http is followed and not remembered")
    func downgrade() async throws {
        let script = try FeedScript()
        let hop = HTTPRedirect(status: 301, location: "http://example.org/feed")
        script.http.route(.get, FeedScript.url, .response(text: Sample.rss(Sample.items([1]))).redirected(hop))
        script.serve(Sample.rss(Sample.items([1])), at: hop.location)
        _ = try await script.pull()
        _ = try await script.pull()
        #expect(script.http.requests.map(\.url) == [FeedScript.url, FeedScript.url])
    }

    @Test(
        "Each refusal tells the host what to do",
        arguments: [
            (410, ConnectorError.Code.rejected), (404, .rejected), (401, .unauthorized), (403, .unauthorized),
            (429, .rateLimited), (500, .unavailable), (503, .unavailable), (204, .unavailable),
        ]
    )
    func refusals(status: Int, code: ConnectorError.Code) async throws {
        let script = try FeedScript()
        script.serve("", status: status, headers: [.retryAfter: "120"])
        let error = try #require(await failure(script))
        if status == 403 {
            #expect(error.code == .rateLimited)
        } else {
            #expect(error.code == code)
        }
        if code == .rateLimited || status == 503 {
            #expect(error.retryAt == script.clock.now.advanced(by: .seconds(120)))
        }
    }

    @Test("A feed that was there and is missing now may come back; one that is gone does not")
    func missing() async throws {
        let script = try FeedScript()
        _ = try await script.pull(Sample.rss(Sample.items([1])))
        script.serve("", status: 404)
        #expect(await failure(script)?.code == .unavailable)
        script.serve("", status: 410)
        #expect(await failure(script)?.code == .rejected)
    }

    @Test("A page that is no feed is set aside, and the error names the feed that the page names")
    func page() async throws {
        let script = try FeedScript()
        script.serve(
            """
            <!DOCTYPE html><html><head><title>Blog</title><meta charset="utf-8">\
            <link rel="alternate" type="application/rss+xml" href="/rss.xml"></head><body><p>Hello</body></html>
            """
        )
        let error = try #require(await failure(script))
        #expect(error.code == .malformed && error.message.contains("https://example.org/rss.xml"))
        #expect(error.deadLetter?.payload.isEmpty == false)
    }

    @Test(
        "What is no feed is malformed",
        arguments: ["", "words", "{}", "[1]", "{\"items\":", "<opml/>", "\u{0}\u{1}"]
    )
    func noFeed(body: String) async throws {
        let script = try FeedScript()
        script.serve(body)
        #expect(await failure(script)?.code == .malformed)
    }

    @Test("A feed larger than allowed is not taken, and asked for again in case it was so for a moment")
    func tooLarge() async throws {
        let script = try FeedScript(["maximum_size": "64KiB"])
        script.serve(Sample.rss(Sample.item("1", text: String(repeating: "x", count: 70_000))))
        #expect(await failure(script)?.code == .unavailable)
    }

    @Test(
        "A feed's wishes put off the next fetch, within reason",
        arguments: [
            ("<ttl>90</ttl>", 90), ("<ttl>100000</ttl>", 24 * 60), ("<ttl>soon</ttl>", nil), ("<ttl>-5</ttl>", nil),
            ("<sy:updatePeriod>daily</sy:updatePeriod><sy:updateFrequency>4</sy:updateFrequency>", 6 * 60),
            ("<sy:updatePeriod>hourly</sy:updatePeriod>", 60),
            ("<sy:updatePeriod>hourly</sy:updatePeriod><generator>https://wordpress.org/?v=6.1.9</generator>", nil),
            ("<ttl>30</ttl><sy:updatePeriod>yearly</sy:updatePeriod>", 24 * 60),
        ] as [(String, Int?)]
    )
    func pace(head: String, minutes: Int?) async throws {
        let script = try FeedScript()
        let first = try await script.pull(Sample.rss(Sample.items([1]), head: head))
        let expected = minutes.map { script.clock.now.advanced(by: .seconds($0 * 60)) }
        #expect(first.notBefore == expected)
        // The wish counts after a 304 too.
        script.serve("", status: 304)
        #expect(try await script.pull().notBefore == expected)
        let ignoring = try FeedScript(["hints": "ignore"])
        #expect(try await ignoring.pull(Sample.rss(Sample.items([1]), head: head)).notBefore == nil)
    }

    @Test("Skipped hours and days of UTC are waited out")
    func skipped() async throws {
        // 2026-05-28T20:26:40Z, a Thursday.
        let cases: [(String, String?)] = [
            ("<skipHours><hour>20</hour><hour>21</hour></skipHours>", "2026-05-28T22:00:00.000Z"),
            ("<skipHours><hour>3</hour></skipHours>", nil),
            ("<skipDays><day>Thursday</day></skipDays>", "2026-05-29T00:00:00.000Z"),
            (
                "<skipDays><day>Thursday</day><day>friday</day></skipDays><skipHours><hour>0</hour></skipHours>",
                "2026-05-30T01:00:00.000Z"
            ),
            ("<skipHours>" + (0...23).map { "<hour>\($0)</hour>" }.joined() + "</skipHours>", nil),
            ("<ttl>60</ttl><skipHours><hour>21</hour></skipHours>", "2026-05-28T22:00:00.000Z"),
        ]
        for (head, expected) in cases {
            let script = try FeedScript()
            let page = try await script.pull(Sample.rss(Sample.items([1]), head: head))
            #expect(page.notBefore?.description == expected, "\(head)")
        }
    }

    @Test("A cache's word counts for an hour at most")
    func freshness() async throws {
        let cases: [(HTTPFields, Int?)] = [
            ([.cacheControl: "public, max-age=600", .age: "60"], 540), ([.cacheControl: "max-age=999999"], 3600),
            ([.cacheControl: "no-cache, max-age=600"], nil), ([.cacheControl: "max-age=nonsense"], nil),
        ]
        for (headers, seconds) in cases {
            let script = try FeedScript()
            script.serve(Sample.rss(Sample.items([1])), headers: headers)
            #expect(try await script.pull().notBefore == seconds.map { script.clock.now.advanced(by: .seconds($0)) })
        }
    }

    @Test("A cursor of another feed keeps no validators, one that cannot be read stops the source")
    func foreignCursor() async throws {
        let script = try FeedScript()
        script.serve(Sample.rss(Sample.items([1])), headers: [.eTag: "\"1\""])
        _ = try await script.pull()
        let other = try FeedScript(url: "https://example.org/other")
        other.serve(Sample.rss(Sample.items([1])), at: "https://example.org/other")
        other.resume(from: script.cursor)
        _ = try await other.pull()
        #expect(other.http.requests.last?.headers[.ifNoneMatch] == nil)
        for cursor in [Cursor(version: 1, bytes: Array("{}".utf8)), Cursor(version: 9, bytes: Array("{}".utf8))] {
            other.resume(from: cursor)
            #expect(await failure(other)?.code == .rejected)
        }
    }
}
