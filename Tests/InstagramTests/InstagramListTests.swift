import ConnectorKit
import ConnectorTesting
import HTTPTypes
import SocialEvents
import Testing

@testable import InstagramConnector

/// Lists that begin with the newest element: media, stories, tags, messages.
struct InstagramListTests {
    private static func ids(_ events: [Event]) -> [String] { events.map(\.id.text) }

    @Test("A list is read until next is missing, through a page that is empty")
    func emptyPage() async throws {
        let script = try InstagramScript.facebook("media")
        script.world.change { state in
            state.lists[Sample.mediaPath] = [4, 3, 2, 1].map { Sample.media($0, age: 100 - $0) }
            state.emptyPages = [2]
        }
        let (events, _, gaps) = try await script.catchUp()
        #expect(Set(Self.ids(events)) == Set((1...4).map { "instagram:media:\($0)/created" }))
        #expect(script.http.requests.count == 3 && gaps.isEmpty)
    }

    @Test("The token stands in no URL, not even where the platform writes it into next")
    func token() async throws {
        let script = try InstagramScript.facebook("media")
        script.world.change { $0.lists[Sample.mediaPath] = [3, 2, 1].map { Sample.media($0) } }
        _ = try await script.catchUp()
        #expect(script.http.requests.count == 2)
        for request in script.http.requests {
            #expect(!request.url.contains("leak") && !request.url.contains("page-token"))
            #expect(request.headers[.authorization] == "Bearer page-token")
        }
    }

    @Test("The next round stops at a page with nothing new, and brings what is new alone")
    func nextRound() async throws {
        let script = try InstagramScript.facebook("media")
        script.world.change { $0.lists[Sample.mediaPath] = (1...8).reversed().map { Sample.media($0, age: 900 - $0) } }
        let first = try await script.catchUp()
        let asked = script.http.requests.count
        script.world.change { $0.lists[Sample.mediaPath]?.insert(Sample.media(9, age: 10), at: 0) }
        let second = try await script.catchUp(first.cursor)
        #expect(Self.ids(second.events) == ["instagram:media:9/created"])
        #expect(script.http.requests.count == asked + 2)
    }

    @Test("What an unfinished round has told does not end the next: nothing between is lost")
    func unfinishedRound() async throws {
        let script = try InstagramScript.facebook("media")
        script.world.change { $0.lists[Sample.mediaPath] = (1...6).reversed().map { Sample.media($0, age: 900 - $0) } }
        let first = try await script.pull()
        #expect(Self.ids(first.events).count == 2)
        // The place in the list is forgotten meanwhile.
        script.clock.advance(by: InstagramPulling.longestRound + .seconds(1))
        let rest = try await script.catchUp(first.cursor)
        #expect(Set(Self.ids(first.events + rest.events)) == Set((1...6).map { "instagram:media:\($0)/created" }))
    }

    @Test("What is older than the history is left alone")
    func history() async throws {
        let script = try InstagramScript.facebook("media", [.plain("history", "1h")])
        script.world.change { state in
            state.lists[Sample.mediaPath] = [
                Sample.media(3, age: 60), Sample.media(2, age: 4000), Sample.media(1, age: 5000),
            ]
        }
        #expect(Self.ids(try await script.catchUp().events) == ["instagram:media:3/created"])
    }

    @Test("A list whose last page names itself as the next one ends, with a gap")
    func endless() async throws {
        let script = try InstagramScript.facebook("media")
        script.world.change { state in
            state.lists[Sample.mediaPath] = [Sample.media(2), Sample.media(1)]
            state.isEndless = true
        }
        let (events, _, gaps) = try await script.catchUp()
        #expect(events.count == 2 && gaps.count == 1)
    }

    @Test(
        "A place that the platform does not know is tried from the start, and given up with a gap",
        arguments: ["media", "comments"]
    )
    func forgottenPlace(kind: String) async throws {
        let script = try InstagramScript.facebook(kind)
        let world = script.world
        world.change { state in
            state.lists[Sample.mediaPath] = (1...4).reversed().map { Sample.commented($0, [Sample.comment(10 + $0)]) }
        }
        script.http.handle { request in
            request.url.contains("after=") ? InstagramWorld.error(100) : world.answer(request)
        }
        let (events, _, gaps) = try await script.catchUp()
        #expect(events.count == 2 && gaps.count == 1)
        #expect(script.http.requests.count == 8)
    }

    @Test("A caption that was changed is an update, once")
    func edit() async throws {
        let script = try InstagramScript.facebook("media")
        script.world.change { $0.lists[Sample.mediaPath] = [Sample.media(1)] }
        let first = try await script.catchUp()
        script.world.change { $0.lists[Sample.mediaPath] = [Sample.media(1, caption: "other words")] }
        let second = try await script.catchUp(first.cursor)
        #expect(Self.ids(second.events) == ["instagram:media:1/updated/1"])
        #expect(second.events.first?.data.object?.text == "other words")
        #expect(try await script.catchUp(second.cursor).events.isEmpty)
    }

    @Test("A media that is missing is asked after: gone means deleted, there means left alone")
    func missing() async throws {
        let script = try InstagramScript.facebook("media")
        script.world.change { $0.lists[Sample.mediaPath] = [3, 2, 1].map { Sample.media($0, age: 100 - $0) } }
        let first = try await script.catchUp()
        script.world.change { state in
            state.lists[Sample.mediaPath] = [Sample.media(3, age: 97)]
            state.gone = ["/2"]
            state.objects["/1"] = "{\"id\":\"1\"}"
        }
        let second = try await script.catchUp(first.cursor)
        #expect(Self.ids(second.events) == ["instagram:media:2/deleted"])
        let asked = script.http.requests.count
        #expect(try await script.catchUp(second.cursor).events.isEmpty)
        #expect(script.http.requests.count == asked + 1, "what is there all the same is not asked after again")
    }

    @Test("A refusal that says nothing of the media deletes nothing")
    func refusal() async throws {
        let script = try InstagramScript.facebook("media")
        script.world.change { $0.lists[Sample.mediaPath] = [2, 1].map { Sample.media($0) } }
        let first = try await script.catchUp()
        script.world.change { state in
            state.lists[Sample.mediaPath] = []
            state.errors = ["/1": 190, "/2": 190]
        }
        let page = try await script.pull(first.cursor)
        #expect(page.events.isEmpty && page.hasMore)
        await #expect(throws: ConnectorError.self) { try await script.pull(page.cursor) }
    }

    @Test("A story is told, and near its end its counts, once")
    func story() async throws {
        let script = try InstagramScript.facebook("stories")
        let path = "/\(InstagramWorld.account)/stories"
        script.world.change { state in
            state.lists[path] = [Sample.media(7, age: 3600)]
            state.objects["/7/insights"] = """
                {"data":[{"name":"reach","values":[{"value":12}]},{"name":"views","total_value":{"value":20}},{"name":"replies","values":[{"value":1}]}]}
                """
        }
        let first = try await script.catchUp()
        #expect(first.events.map(\.data.object?.kind) == [.story])
        script.clock.advance(by: .seconds(22 * 3600 + 100))
        let second = try await script.catchUp(first.cursor)
        #expect(second.events.map(\.type) == [.metricsObserved])
        #expect(second.events.first?.subject?.text == "instagram:media:7")
        #expect(second.events.first?.data.metrics?.views == 20 && second.events.first?.data.metrics?.replies == 1)
        #expect(second.events.first?.data.metrics?.other == [Metrics.NamedCount(name: "reach", count: 12)])
        // It leaves the list by itself: that is no deletion, and its counts are not asked for again.
        script.world.change { state in
            state.lists[path] = []
            state.gone = ["/7"]
        }
        script.clock.advance(by: .seconds(7200))
        #expect(try await script.catchUp(second.cursor).events.isEmpty)
    }

    @Test("A story that is taken back early is deleted; one that too few have seen has no counts")
    func earlyEnd() async throws {
        let script = try InstagramScript.facebook("stories")
        let path = "/\(InstagramWorld.account)/stories"
        script.world.change { $0.lists[path] = [Sample.media(8, age: 3600), Sample.media(7, age: 82_800)] }
        script.world.change { $0.errors["/7/insights"] = 10 }
        let first = try await script.catchUp()
        #expect(first.events.map(\.type).filter { $0 == .postCreated }.count == 2)
        let counts = first.events.filter { $0.type == .metricsObserved }
        #expect(counts.count == 1 && counts.first?.data.loss.first?.field == "insights")
        script.world.change { state in
            state.lists[path] = [Sample.media(7, age: 82_800)]
            state.gone = ["/8"]
        }
        #expect(Self.ids(try await script.catchUp(first.cursor).events) == ["instagram:media:8/deleted"])
    }

    @Test("Messages that no webhook told of are read from the conversations")
    func messages() async throws {
        let script = try InstagramScript.facebook("messages")
        func message(_ id: String, age: Int) -> String {
            """
            {"id":"\(id)","created_time":"\(Sample.stamp(age))","from":{"id":"9","username":"jo"},\
            "to":{"data":[{"id":"\(InstagramWorld.account)"}]},"message":"hello"}
            """
        }
        func conversation(_ id: Int, _ messages: [String], next: String = "") -> String {
            "{\"id\":\"t\(id)\",\"updated_time\":\"\(Sample.stamp(1))\",\"messages\":{\"data\":[\(messages.joined(separator: ","))]\(next)}}"
        }
        script.world.change { state in
            state.lists["/me/conversations"] = [
                conversation(1, [message("b", age: 5), message("a", age: 9)]), conversation(2, [message("c", age: 7)]),
                conversation(3, [message("old", age: 9_000_000)]),
            ]
        }
        let first = try await script.catchUp()
        #expect(Self.ids(first.events) == ["a", "c", "b"].map { "instagram:message:\($0)/created" })
        #expect(try await script.catchUp(first.cursor).events.isEmpty)
        let paging = ",\"paging\":{\"next\":\"\(InstagramWorld.host)/x\"}"
        script.world.change { $0.lists["/me/conversations"] = [conversation(1, [message("e", age: 1)], next: paging)] }
        let second = try await script.catchUp(first.cursor)
        #expect(Self.ids(second.events) == ["instagram:message:e/created"] && second.gaps.count == 1)
    }

    @Test("Another account's token begins anew instead of deleting what the first one's had")
    func otherAccount() async throws {
        let script = try InstagramScript([.plain("kind", "media"), .secret("access_token", "t")])
        script.world.change { state in
            state.objects["/me"] = "{\"user_id\":\"5\",\"username\":\"a\"}"
            state.objects["/refresh_access_token"] = "{\"access_token\":\"t2\",\"expires_in\":5184000}"
            state.lists["/5/media"] = [Sample.media(1)]
        }
        let first = try await script.catchUp()
        #expect(Self.ids(first.events) == ["instagram:media:1/created"])
        script.world.change { state in
            state.objects["/me"] = "{\"user_id\":\"6\",\"username\":\"b\"}"
            state.lists["/6/media"] = [Sample.media(2)]
            state.gone = ["/1"]
        }
        #expect(Self.ids(try await script.catchUp(first.cursor).events) == ["instagram:media:2/created"])
    }

    @Test("A token of Instagram Login is refreshed and kept with the account")
    func refresh() async throws {
        let account = EphemeralAccount(name: "test")
        for _ in 0..<2 {
            let script = try InstagramScript(
                [.plain("kind", "media"), .secret("access_token", "first")],
                account: account
            )
            script.world.change { state in
                state.objects["/me"] = "{\"user_id\":\"5\"}"
                state.objects["/refresh_access_token"] = "{\"access_token\":\"second\",\"expires_in\":5184000}"
                state.lists["/5/media"] = []
            }
            _ = try await script.catchUp()
            #expect(script.http.requests.last?.headers[.authorization] == "Bearer second")
            script.world.change { $0.objects["/refresh_access_token"] = nil }
        }
        #expect(try await account.value(for: "meta-token") != nil)
    }
}
