import ConnectorKit
import ConnectorTesting
import SocialEvents
import Testing

@testable import InstagramConnector

/// 30 different hashtags in 7 days, for an account and all its sources.
struct InstagramHashtagTests {
    private static func source(_ tags: [String], _ account: any Account) throws -> InstagramScript {
        let script = try InstagramScript.facebook("hashtag", [.list("hashtags", tags)], account: account)
        let world = script.world
        script.http.handle { request in
            guard Query.path(request.url) == "/ig_hashtag_search" else { return world.answer(request) }
            return .response(text: "{\"data\":[{\"id\":\"17\(Query.parse(request.url)["q"] ?? "")\"}]}")
        }
        script.world.change { state in
            for tag in tags.map({ $0.lowercased().replacing("#", with: "") }) {
                state.lists["/17\(tag)/recent_media"] = [
                    Sample.media(tag.utf8.reduce(1) { $0 * 31 % 99_991 + Int($1) })
                ]
            }
        }
        return script
    }

    @Test("A hashtag's media say which hashtag found them, and each hashtag is looked up once")
    func media() async throws {
        let script = try Self.source(["#Acme", "brest"], EphemeralAccount(name: "a"))
        let first = try await script.catchUp()
        let posts = first.events.filter { $0.type == .postCreated }
        #expect(
            posts.map(\.data.channel?.name) == ["acme", "brest"]
                || posts.map(\.data.channel?.name) == ["brest", "acme"]
        )
        #expect(posts.allSatisfy { $0.data.matched.first?.name == "hashtag" && $0.data.channel?.url != nil })
        #expect(try await script.catchUp(first.cursor).events.isEmpty)
        #expect(script.paths.filter { $0 == "/ig_hashtag_search" }.count == 2)
    }

    @Test("Each hashtag that counts is told, from 27 on as a matter of the account")
    func told() async throws {
        let script = try Self.source((1...28).map { "t\($0)" }, EphemeralAccount(name: "a"))
        let events = try await script.catchUp().events
        let counts = events.filter { $0.type == .metricsObserved }.compactMap { $0.data.metrics?.other.first?.count }
        #expect(counts.sorted() == Array(1...26))
        let warnings = events.filter { $0.type == .accountUpdated }.compactMap { $0.data.metrics?.other.first?.count }
        #expect(warnings.sorted() == [27, 28])
    }

    @Test("The 31st hashtag of an account is not asked for, whichever source has it, until one is free again")
    func budget() async throws {
        let account = EphemeralAccount(name: "a")
        let first = try Self.source((1...30).map { "t\($0)" }, account)
        _ = try await first.catchUp()
        let second = try Self.source(["t1", "other"], account)
        let round = try await second.catchUp()
        #expect(round.events.filter { $0.type == .postCreated }.map(\.data.channel?.name) == ["t1"])
        #expect(round.gaps.count == 1)
        #expect(!second.http.requests.contains { $0.url.contains("q=other") }, "the budget was exceeded")
        // Told once.
        let next = try await second.catchUp(round.cursor)
        #expect(next.gaps.isEmpty)
        second.clock.advance(by: .seconds(7 * 86_400 + 1))
        let free = try await second.catchUp(next.cursor)
        #expect(free.events.contains { $0.data.channel?.name == "other" })
    }

    @Test("A hashtag counts from its first question: asking again does not prolong it")
    func window() async throws {
        let budget = InstagramHashtagBudget(account: EphemeralAccount(name: "a"))
        let start = InstagramScript.start
        #expect(
            try await budget.admit("a", now: start) == .counted(used: 1, freeAt: start.advanced(by: .seconds(604_800)))
        )
        #expect(try await budget.admit("a", now: start.advanced(by: .seconds(604_799))) == .known)
        let later = start.advanced(by: .seconds(604_801))
        #expect(
            try await budget.admit("a", now: later) == .counted(used: 1, freeAt: later.advanced(by: .seconds(604_800)))
        )
    }

    @Test("Where no hashtag may be asked for, the source waits until one may")
    func waits() async throws {
        let account = EphemeralAccount(name: "a")
        let budget = InstagramHashtagBudget(account: account)
        for number in 0..<30 { _ = try await budget.admit("t\(number)", now: InstagramScript.start) }
        let page = try await Self.source(["other"], account).pull()
        #expect(page.notBefore == InstagramScript.start.advanced(by: InstagramHashtagBudget.window))
        #expect(page.events.isEmpty && !page.hasMore && page.gaps.count == 1)
    }

    @Test("A count that cannot be read stops the source instead of being forgotten")
    func spoilt() async throws {
        let account = EphemeralAccount(name: "a")
        try await account.setValue(Array("?".utf8), for: "instagram-hashtags")
        let script = try Self.source(["acme"], account)
        await #expect(throws: ConnectorError.self) { try await script.pull() }
        #expect(script.http.requests.isEmpty)
    }
}
