import ConnectorKit
import ConnectorTesting
import HTTPTypes
import MastodonConnector
import SocialEvents
import Testing

/// What is gone without anybody telling: statuses of notifications, accounts.
struct MastodonWithdrawalTests {
    private static let base = MastodonScript.base

    // MARK: - Notifications

    /// Notifications about the statuses 1001, 1002, ..., each mentioned and favourited.
    private static func notifications(_ ids: ClosedRange<Int>) -> String {
        let all = ids.flatMap { id in
            [("mention", id * 10), ("favourite", id * 10 + 1)].map { type, number in
                """
                {"id":"\(number)","type":"\(type)","created_at":"2026-02-02T02:\(10 + id % 50):00.000Z",\
                "account":{"id":"2","acct":"ole","url":"https://harbour.example/@ole"},\
                "status":\(ScriptedTimeline.Post(id: id).json)}
                """
            }
        }
        return "[\(all.reversed().joined(separator: ","))]"
    }

    private func script(_ ids: ClosedRange<Int>, _ settings: [String: String] = [:]) throws -> MastodonScript {
        let script = try MastodonScript(["kind": "notifications"].merging(settings) { $1 })
        script.timeline.post(ids)
        let handler = script.timeline.handler
        script.http.handle { request in
            guard request.url.contains("/notifications") else { return handler(request) }
            return .response(
                text: request.url.contains("min_id=") || request.url.contains("max_id=")
                    ? "[]" : Self.notifications(ids)
            )
        }
        return script
    }

    private func lookups(_ script: MastodonScript) -> [String] {
        script.http.requests.compactMap { request in
            request.url.contains("/statuses/") ? request.url.split(separator: "/").last.map(String.init) : nil
        }
    }

    @Test("The statuses of the newest notifications are asked after in turn, and one that is gone is withdrawn once")
    func notified() async throws {
        let script = try script(1001...1007)
        #expect(try await script.pull().events.count == 14)
        script.timeline.delete(1006)
        #expect(try await script.pullAll().isEmpty)
        #expect(lookups(script) == ["1001", "1002", "1003", "1004", "1005"])
        #expect(try await script.pullAll().isEmpty)
        #expect(lookups(script).count == 5, "every five minutes")
        script.clock.advance(by: .seconds(300))
        let events = try await script.pullAll()
        #expect(events.facts == ["deleted 1006"] && events.first?.id.text == "\(postID(1006))/deleted")
        #expect(lookups(script).dropFirst(5) == ["1006", "1007", "1001", "1002", "1003"])
        script.clock.advance(by: .seconds(300))
        #expect(try await script.pullAll().isEmpty)
        #expect(lookups(script).dropFirst(10) == ["1004", "1005", "1007", "1001", "1002"])
    }

    @Test("Only the newest are asked after, as many as are looked at again")
    func newest() async throws {
        let script = try script(1001...1007, ["recheck": "4"])
        _ = try await script.pullAll()
        _ = try await script.pullAll()
        #expect(lookups(script) == ["1006", "1007"])
    }

    @Test("The stream of notifications asks after them too, since it tells of no deletion")
    func streamed() async throws {
        let script = try script(1001...1003)
        _ = try await script.pullAll()
        script.timeline.delete(1002)
        script.http.route(
            .get,
            Self.base + "/api/v1/streaming/user/notification",
            .response(headers: [.contentType: "text/event-stream"], text: ":thump\n\n:thump\n\n")
        )
        let sink = RecordingSink()
        try? await script.connector.stream(after: script.cursor, into: sink)
        #expect(sink.events.facts == ["deleted 1002"])
        let next = try self.script(1001...1003)
        next.timeline.delete(1002)
        let page = try await next.connector.pull(PullRequest(cursor: sink.cursor))
        #expect(page.events.isEmpty, "the cursor knows that it was told")
    }

    // MARK: - Accounts

    private static let statuses = base + "/api/v1/accounts/7/statuses"
    private static let notFound = ScriptedAnswer.response(404, text: "{\"error\":\"Record not found\"}")

    private func account() async throws -> MastodonScript {
        let script = try MastodonScript(["kind": "account", "user": "nora@harbour.example"])
        script.http.route(
            .get,
            Self.base + "/api/v1/accounts/lookup?acct=nora%40harbour.example",
            .response(text: "{\"id\":\"7\",\"acct\":\"nora\",\"url\":\"https://harbour.example/@nora\"}")
        )
        let page = [1002, 1001].map { ScriptedTimeline.Post(id: $0).json }.joined(separator: ",")
        script.http.route(.get, Self.statuses + "?limit=40", .response(text: "[\(page)]"))
        script.http.route(.get, Self.statuses + "?limit=40&max_id=1001", .response(text: "[]"))
        #expect(try await script.pull().events.facts == ["created 1001", "created 1002"])
        return script
    }

    private func isFarewell(_ events: [Event], _ script: MastodonScript) -> Bool {
        let person = ObjectID(text: "mastodon:actor:https://harbour.example/@nora")
        return events.count == 1 && events[0].type == .postDeleted && events[0].subject == person
            && events[0].data.actor?.id == person && events[0].validate().isEmpty
    }

    @Test("An account that is gone is told once, and then stops the source", arguments: [404, 410])
    func gone(status: Int) async throws {
        let script = try await account()
        for path in ["/7/statuses?limit=40&min_id=1001", "/7/statuses?limit=40", "/7"] {
            script.http.route(.get, Self.base + "/api/v1/accounts" + path, .response(status, text: "{}"))
        }
        script.http.route(.get, Self.base + "/api/v1/accounts/lookup?acct=nora%40harbour.example", .response(status))
        let page = try await script.pull()
        #expect(isFarewell(page.events, script) && page.hasMore)
        for _ in 0..<2 {
            await #expect { try await script.pull() } throws: { ($0 as? ConnectorError)?.code == .rejected }
        }
        // Who comes back is read again.
        let again = try await account()
        let back = try await again.connector.pull(PullRequest(cursor: script.cursor))
        #expect(back.events.facts == ["created 1001", "created 1002"])
    }

    @Test("A server that is away behind something that answers 404 to all makes nobody forget a person")
    func away() async throws {
        let script = try await account()
        script.http.handle { _ in .response(404, text: "404 page not found") }
        for path in ["/7/statuses?limit=40&min_id=1001", "/7/statuses?limit=40", "/7"] {
            script.http.route(.get, Self.base + "/api/v1/accounts" + path, .response(404))
        }
        await #expect { try await script.pull() } throws: { ($0 as? ConnectorError)?.code == .rejected }
    }

    @Test("The empty timeline of a suspended account is its end; that of another is looked at post by post")
    func suspended() async throws {
        for isSuspended in [true, false] {
            let script = try await account()
            script.http.route(.get, Self.statuses + "?limit=40&min_id=1001", .response(text: "[]"))
            script.http.route(
                .get,
                Self.base + "/api/v1/accounts/7",
                .response(text: "{\"id\":\"7\",\"acct\":\"nora\",\"suspended\":\(isSuspended)}")
            )
            let events = try await script.pull().events
            #expect(isSuspended ? isFarewell(events, script) : events.facts == ["deleted 1002"])
        }
    }
}
