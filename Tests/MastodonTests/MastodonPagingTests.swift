import ConnectorKit
import ConnectorTesting
import HTTPTypes
import MastodonConnector
import SocialEvents
import Testing

struct MastodonPagingTests {
    @Test("The first start reads back as far as it was told, oldest first", arguments: [0, 1, 39, 40, 41, 90, 400])
    func backfill(count: Int) async throws {
        let script = try MastodonScript(["backfill": "\(count)"])
        script.timeline.post(1001...1100)
        let page = try await script.pull()
        let expected = (1001...1100).suffix(count).map { "created \($0)" }
        #expect(page.events.facts == expected)
        #expect(try await script.pullAll().isEmpty, "nothing is told again")
    }

    @Test("An empty timeline is a beginning: all that comes after it is told, whatever the backfill")
    func emptyStart() async throws {
        let script = try MastodonScript(["backfill": "0"])
        #expect(try await script.pull().events.isEmpty)
        script.timeline.post(1001...1003)
        #expect(try await script.pullAll().facts == ["created 1001", "created 1002", "created 1003"])
    }

    @Test("What is new comes by pages forward, whatever a server gives at once", arguments: [4, 5, 15, 20, 37, 40])
    func forward(cap: Int) async throws {
        let script = try MastodonScript(["backfill": "5"])
        script.timeline.update { $0.cap = cap }
        script.timeline.post(1001...1100)
        _ = try await script.pullAll()
        let before = script.http.requests.count
        script.timeline.post(1101...1317)
        #expect(try await script.pullAll().facts == (1101...1317).map { "created \($0)" })
        let asked = script.http.requests.dropFirst(before).filter { $0.url.contains("/timelines/") }
        #expect(asked.allSatisfy { $0.url.contains("min_id=") })
    }

    @Test("However few the host wants at once, it comes to an end and gets all", arguments: [1, 2, 3], [true, false])
    func fewAtOnce(limit: Int, isInclusive: Bool) async throws {
        let script = try MastodonScript(["backfill": "5"])
        script.timeline.update { $0.isInclusive = isInclusive }
        script.timeline.post(1001...1030)
        _ = try await script.pullAll()
        script.timeline.post(1031...1060)
        #expect(try await script.pullAll(limit: limit).facts == (1031...1060).map { "created \($0)" })
    }

    @Test("A server whose pages hold no more than what is looked at again is heard all the same", arguments: [5, 15])
    func shortPages(cap: Int) async throws {
        let script = try MastodonScript(["recheck": "20"])
        script.timeline.post(1001...1040)
        _ = try await script.pullAll()
        script.timeline.update { $0.cap = cap }
        for id in 1041...1045 {
            script.timeline.post([id])
            #expect(try await script.pullAll().facts == ["created \(id)"])
        }
        script.timeline.delete(1030, 1044)
        #expect(try await script.pullAll().facts == ["deleted 1030", "deleted 1044"])
    }

    @Test("Going on from any page's cursor gives the rest")
    func resume() async throws {
        let timeline = ScriptedTimeline()
        timeline.post(1001...1010)
        let first = try MastodonScript(["backfill": "10"], timeline)
        _ = try await first.pull()
        timeline.post(1011...1120)
        var cursor = first.cursor
        var told: [String] = []
        for _ in 0..<10 {
            // A new connector each time: nothing but the cursor is remembered.
            let script = try MastodonScript([:], timeline)
            let page = try await script.connector.pull(PullRequest(cursor: cursor))
            told += page.events.facts
            cursor = page.cursor ?? cursor
        }
        #expect(told == (1011...1120).map { "created \($0)" })
    }

    @Test("Late arrivals, edits and deletions among the newest posts are noticed")
    func recheck() async throws {
        let script = try MastodonScript(["recheck": "15"])
        script.timeline.post([1001, 1002, 1003, 1005, 1006, 1007])
        _ = try await script.pullAll()
        script.timeline.post([1004])
        script.timeline.edit(1005, at: "2026-03-01T09:00:00.700Z")
        script.timeline.delete(1006)
        let events = try await script.pullAll()
        #expect(Set(events.facts) == ["created 1004", "updated 1005", "deleted 1006"])
        #expect(events.first { $0.type == .postUpdated }?.id.text == "\(postID(1005))/updated/1772355600")
        #expect(try await script.pullAll().isEmpty)
    }

    @Test("A post that left the timeline and is still there is not taken for deleted, and is asked for once")
    func elsewhere() async throws {
        let script = try MastodonScript()
        script.timeline.post(1001...1006)
        _ = try await script.pullAll()
        script.timeline.update { state in state.posts[3].isOnTimeline = false }
        #expect(try await script.pullAll().isEmpty)
        #expect(try await script.pullAll().isEmpty)
        #expect(script.http.requests.filter { $0.url.hasSuffix("/statuses/1004") }.count == 1)
    }

    @Test(
        "Only an answer that it is not there means that a post is gone",
        arguments: [
            (404, true), (410, true), (400, false), (403, false), (409, false), (413, false), (422, false),
            (451, false), (501, false),
        ]
    )
    func refusals(status: Int, isGone: Bool) async throws {
        let script = try MastodonScript()
        script.timeline.post(1001...1006)
        _ = try await script.pullAll()
        script.timeline.update { state in state.posts[3].isOnTimeline = false }
        script.http.route(.get, MastodonScript.base + "/api/v1/statuses/1004", .response(status, text: "{}"))
        #expect(try await script.pullAll().facts == (isGone ? ["deleted 1004"] : []))
    }

    @Test("A position in another list is none: the source begins anew and withdraws nothing")
    func otherList() async throws {
        let script = try MastodonScript()
        script.timeline.post(1001...1006)
        _ = try await script.pullAll()
        for settings in [
            ["base_url": "https://quay.example"], ["kind": "public"], ["kind": "hashtag", "hashtag": "quay"],
            ["kind": "list", "list": "4"],
        ] {
            let other = try MastodonScript(settings, ScriptedTimeline())
            let post = ScriptedTimeline.Post(id: 2001).json
            other.http.handle { request in
                guard request.url.contains("/timelines/"), !request.url.contains("max_id") else {
                    return request.url.contains("max_id") ? .response(text: "[]") : .response(404, text: "{}")
                }
                // The other list has ids as large.
                return .response(text: request.url.contains("min_id") ? "[]" : "[\(post)]")
            }
            let page = try await other.connector.pull(PullRequest(cursor: script.cursor))
            #expect(page.events.facts == ["created 2001"], "\(settings)")
        }
        let same = try MastodonScript(["recheck": "30"], script.timeline)
        #expect(try await same.connector.pull(PullRequest(cursor: script.cursor)).events.isEmpty)
    }

    @Test("A server that fails while a missing post is looked for makes nobody believe that it was deleted")
    func uncertain() async throws {
        let script = try MastodonScript()
        script.timeline.post(1001...1006)
        _ = try await script.pullAll()
        script.timeline.update { state in state.posts[3].isOnTimeline = false }
        script.http.tamper { $0 }
        script.http.route(.get, MastodonScript.base + "/api/v1/statuses/1004", .response(503))
        #expect(try await script.pullAll().isEmpty)
        script.timeline.delete(1004)
        script.http.route(.get, MastodonScript.base + "/api/v1/statuses/1004", .response(404))
        #expect(try await script.pullAll().facts == ["deleted 1004"])
    }

    @Test("An edited post that was never seen is told as made and as edited")
    func editedBefore() async throws {
        let script = try MastodonScript()
        script.timeline.post([1001])
        script.timeline.edit(1001, at: "2026-03-01T09:00:00Z")
        let events = try await script.pullAll()
        #expect(events.facts == ["created 1001", "updated 1001"])
        #expect(events.map(\.data.object?.revision) == [1_772_355_600, 1_772_355_600])
    }

    @Test("A `min_id` answered with the oldest page is noticed; the newest pages are read back to what is known")
    func foreign() async throws {
        let script = try MastodonScript(["backfill": "20"])
        script.timeline.post(1001...1100)
        _ = try await script.pullAll()
        script.timeline.update { $0.foreignBelow = 1_000_000 }
        script.timeline.post(1101...1200)
        let page = try await script.pull()
        #expect(page.events.facts == (1101...1200).map { "created \($0)" })
        #expect(page.gaps.isEmpty)
    }

    @Test("A server that does not know `min_id` is read from its newest pages back")
    func ignored() async throws {
        let script = try MastodonScript(["backfill": "20"])
        script.timeline.update { $0.ignoresMinimum = true }
        script.timeline.post(1001...1100)
        _ = try await script.pullAll()
        for start in stride(from: 1101, to: 1400, by: 100) {
            script.timeline.post(start..<(start + 100))
            #expect(try await script.pullAll().facts == (start..<(start + 100)).map { "created \($0)" })
        }
    }

    @Test("What cannot be read back is a gap with its bounds")
    func gap() async throws {
        let script = try MastodonScript(["backfill": "5"])
        script.timeline.post(1001...1100)
        _ = try await script.pullAll()
        script.timeline.update { $0.foreignBelow = 1_000_000 }
        script.timeline.post(1101...1600)
        let page = try await script.pull()
        #expect(page.events.facts == (1201...1600).map { "created \($0)" })
        guard case .opened(_, let gap) = page.gaps.first else {
            Issue.record("no gap")
            return
        }
        #expect(gap.after == Timestamp(seconds: 1_770_000_100))
        #expect(gap.before == Timestamp(seconds: 1_770_000_201))
    }

    @Test("A `min_id` that includes its own id gives nothing twice", arguments: [true, false])
    func inclusive(isInclusive: Bool) async throws {
        let script = try MastodonScript(["backfill": "3", "recheck": "1"])
        script.timeline.update { $0.isInclusive = isInclusive }
        script.timeline.post(1001...1005)
        #expect(try await script.pullAll().count == 3)
        script.timeline.post(1006...1100)
        #expect(try await script.pullAll().facts == (1006...1100).map { "created \($0)" })
    }

    @Test("A refused cursor is met with the newest page; a timeline that is gone stops the source")
    func refused() async throws {
        let script = try MastodonScript()
        script.timeline.post(1001...1003)
        _ = try await script.pullAll()
        script.http.expect(
            .get,
            MastodonScript.base + "/api/v1/timelines/home?limit=40&min_id=1001",
            .response(422, text: "{\"error\":\"bad id\"}")
        )
        script.timeline.post([1004])
        #expect(try await script.pullAll().facts == ["created 1004"])
        script.timeline.update { $0.status = 404 }
        await #expect { try await script.pull() } throws: { ($0 as? ConnectorError)?.code == .rejected }
    }

    @Test(
        "Failures say what the host shall do",
        arguments: [
            (401, ConnectorError.Code.unauthorized), (403, .unauthorized), (429, .rateLimited), (500, .unavailable),
            (503, .unavailable),
        ]
    )
    func failures(status: Int, code: ConnectorError.Code) async throws {
        let script = try MastodonScript()
        script.timeline.post(1001...1003)
        _ = try await script.pullAll()
        script.timeline.update { $0.status = status }
        await #expect { try await script.pull() } throws: { ($0 as? ConnectorError)?.code == code }
        script.timeline.update { $0.status = 200 }
        script.timeline.post([1004])
        #expect(try await script.pullAll().facts == ["created 1004"], "and nothing is lost by them")
    }

    @Test("snac's empty 422 means that the token is not accepted; another server's that it does not take the request")
    func snac() async throws {
        for (software, code) in [("snac", ConnectorError.Code.unauthorized), ("mastodon", .rejected)] {
            let script = try MastodonScript()
            script.http.route(
                .get,
                MastodonScript.base + "/nodeinfo/2.0",
                .response(text: "{\"software\":{\"name\":\"\(software)\",\"version\":\"2.94\"}}")
            )
            script.http.route(.get, MastodonScript.base + "/api/v1/timelines/home?limit=40", .response(422))
            await #expect { try await script.pull() } throws: { ($0 as? ConnectorError)?.code == code }
        }
        let script = try MastodonScript()
        script.timeline.post(1001...1003)
        _ = try await script.pullAll()
        script.http.expect(
            .get,
            MastodonScript.base + "/api/v1/timelines/home?limit=40&min_id=1001",
            .response(422)
        )
        script.timeline.post([1004])
        #expect(try await script.pullAll().facts == ["created 1004"])
    }

    @Test("A limit that is used up stops requests until the time the server names, in either of its forms")
    func limits() async throws {
        for reset in ["2026-05-28T20:31:40.112917Z", "1780000300"] {
            let script = try MastodonScript(["backfill": "1"])
            let headers: HTTPFields = [
                HTTPField.Name("X-RateLimit-Limit") ?? .date: "300",
                HTTPField.Name("X-RateLimit-Remaining") ?? .date: "0",
                HTTPField.Name("X-RateLimit-Reset") ?? .date: reset,
            ]
            script.http.route(
                .get,
                MastodonScript.base + "/api/v1/timelines/home?limit=40",
                .response(headers: headers, text: "[\(ScriptedTimeline.Post(id: 1001).json)]")
            )
            _ = try await script.pull()
            let count = script.http.requests.count
            await #expect { try await script.pull() } throws: { error in
                let error = error as? ConnectorError
                return error?.code == .rateLimited && error?.retryAt.map { $0 > script.clock.now } == true
            }
            #expect(script.http.requests.count == count, "nothing was asked")
            script.clock.advance(by: .seconds(301))
            _ = try await script.pull()
        }
    }
}
