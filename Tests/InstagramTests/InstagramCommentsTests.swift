import ConnectorKit
import ConnectorTesting
import HTTPTypes
import SocialEvents
import Testing

@testable import InstagramConnector

/// What webhooks never tell of comments: edits, deletions, and what got lost on the way.
struct InstagramCommentsTests {
    private static func ids(_ events: [Event]) -> [String] { events.map(\.id.text) }

    private static func source(_ more: [SettingNode.Member] = []) throws -> InstagramScript {
        try InstagramScript.facebook("comments", more)
    }

    @Test("Comments and the answers to them are the facts that webhooks tell, with the same ids")
    func ids() async throws {
        let script = try Self.source()
        let reply = Sample.comment(12, age: 5, text: "thanks")
        script.world.change { state in
            state.lists[Sample.mediaPath] = [Sample.commented(1, [Sample.comment(11, age: 9, replies: [reply])])]
        }
        let events = try await script.catchUp().events
        #expect(Self.ids(events) == ["instagram:comment:11/created", "instagram:comment:12/created"])
        #expect(events.map { $0.data.inReplyTo?.id?.text } == ["instagram:media:1", "instagram:comment:11"])
        #expect(events.map { $0.data.conversation?.text } == ["instagram:media:1", "instagram:media:1"])
    }

    @Test("A comment that was changed is an update, each change one")
    func edits() async throws {
        let script = try Self.source()
        var cursor: Cursor?
        var seen: [String] = []
        for text in ["one", "two", "two", "three"] {
            script.world.change { $0.lists[Sample.mediaPath] = [Sample.commented(1, [Sample.comment(11, text: text)])] }
            let round = try await script.catchUp(cursor)
            cursor = round.cursor
            seen += Self.ids(round.events)
            #expect(round.events.allSatisfy { $0.data.object?.text == text })
        }
        #expect(
            seen == [
                "instagram:comment:11/created", "instagram:comment:11/updated/1", "instagram:comment:11/updated/2",
            ]
        )
    }

    @Test("A comment that is missing and answered with code 100/33 was deleted, once")
    func deletion() async throws {
        let script = try Self.source()
        let both = [Sample.comment(12, age: 5), Sample.comment(11, age: 9)]
        script.world.change { $0.lists[Sample.mediaPath] = [Sample.commented(1, both)] }
        let first = try await script.catchUp()
        script.world.change { state in
            state.lists[Sample.mediaPath] = [Sample.commented(1, [both[0]])]
            state.gone = ["/11"]
        }
        let second = try await script.catchUp(first.cursor)
        #expect(Self.ids(second.events) == ["instagram:comment:11/deleted"])
        #expect(second.events.first?.subject?.text == "instagram:comment:11")
        #expect(try await script.catchUp(second.cursor).events.isEmpty)
    }

    @Test("A comment that is missing and still there is not deleted, and not asked after again")
    func hidden() async throws {
        let script = try Self.source()
        let both = [Sample.comment(12, age: 5), Sample.comment(11, age: 9)]
        script.world.change { $0.lists[Sample.mediaPath] = [Sample.commented(1, both)] }
        let first = try await script.catchUp()
        script.world.change { state in
            state.lists[Sample.mediaPath] = [Sample.commented(1, [both[0]])]
            state.objects["/11"] = "{\"id\":\"11\"}"
        }
        let second = try await script.catchUp(first.cursor)
        #expect(second.events.isEmpty)
        let asked = script.http.requests.count
        _ = try await script.catchUp(second.cursor)
        #expect(script.http.requests.count == asked + 1)
    }

    @Test("The last comment of a media that goes is asked after too")
    func lastComment() async throws {
        let script = try Self.source()
        script.world.change { $0.lists[Sample.mediaPath] = [Sample.commented(1, [Sample.comment(11)])] }
        let first = try await script.catchUp()
        script.world.change { state in
            state.lists[Sample.mediaPath] = [Sample.commented(1, [])]
            state.gone = ["/11"]
        }
        #expect(Self.ids(try await script.catchUp(first.cursor).events) == ["instagram:comment:11/deleted"])
    }

    @Test("With a media that is gone go the comments below it; with one that is only not watched any longer they stay")
    func goneMedia() async throws {
        for isGone in [true, false] {
            let script = try Self.source()
            script.world.change { state in
                state.lists[Sample.mediaPath] = [
                    Sample.commented(2, [Sample.comment(21)]), Sample.commented(1, [Sample.comment(11)]),
                ]
            }
            let first = try await script.catchUp()
            script.world.change { state in
                state.lists[Sample.mediaPath]?.removeLast()
                if isGone { state.gone = ["/1"] } else { state.objects["/1"] = "{\"id\":\"1\"}" }
            }
            let second = try await script.catchUp(first.cursor)
            let expected = ["instagram:comment:11/deleted", "instagram:media:1/deleted"]
            #expect(Self.ids(second.events) == (isGone ? expected : []))
            #expect(try await script.catchUp(second.cursor).events.isEmpty)
        }
    }

    @Test("More comments than come along are read page by page, through an empty one, and later only the newest")
    func further() async throws {
        let script = try Self.source()
        script.world.change { state in
            state.lists[Sample.mediaPath] = [Sample.commented(1, [Sample.comment(19, age: 1)], after: "0.0")]
            state.lists["/1/comments"] = (11...16).reversed().map { Sample.comment($0, age: 30 - $0) }
            state.emptyPages = [2]
        }
        let first = try await script.catchUp()
        #expect(Set(Self.ids(first.events)) == Set(([19] + (11...16)).map { "instagram:comment:\($0)/created" }))
        let asked = script.http.requests.count
        let second = try await script.catchUp(first.cursor)
        #expect(second.events.isEmpty)
        #expect(script.http.requests.count == asked + 1, "one request sees that nothing is new")
    }

    @Test("Only what is newer than the oldest comment read counts as missing")
    func olderPages() async throws {
        let script = try Self.source()
        script.world.change { state in
            state.lists[Sample.mediaPath] = [Sample.commented(1, [Sample.comment(19, age: 1)], after: "0.0")]
            state.lists["/1/comments"] = [Sample.comment(18, age: 5)]
            state.gone = ["/18"]
        }
        let first = try await script.catchUp()
        #expect(first.events.count == 2)
        #expect(try await script.catchUp(first.cursor).events.isEmpty)
    }

    @Test("Comments of media that are too old are not watched any longer")
    func watch() async throws {
        let script = try Self.source([.plain("watch", "1h")])
        script.world.change { state in
            state.pageSize = 1
            state.lists[Sample.mediaPath] = [
                Sample.commented(2, age: 60, [Sample.comment(21)]),
                Sample.commented(1, age: 7200, [Sample.comment(11)]),
                Sample.commented(0, age: 9000, [Sample.comment(10)]),
            ]
        }
        let first = try await script.catchUp()
        #expect(Self.ids(first.events) == ["instagram:comment:21/created"])
        #expect(script.http.requests.count == 2)
        script.clock.advance(by: .seconds(7200))
        script.world.change { $0.gone = ["/21"] }
        #expect(try await script.catchUp(first.cursor).events.isEmpty)
    }

    @Test("A comment that cannot be read is set aside once, and can be read again")
    func unreadable() async throws {
        let script = try Self.source()
        let bad = #"{"id":"11","text":"a","timestamp":"2026-07-24T21:00:00+0000","from":{"id":{}}}"#
        script.world.change { $0.lists[Sample.mediaPath] = [Sample.commented(1, [bad, Sample.comment(12)])] }
        let page = try await script.pull()
        #expect(Self.ids(page.events) == ["instagram:comment:12/created"])
        #expect(page.deadLetters.count == 1)
        #expect(try await script.pull(page.cursor).deadLetters.isEmpty)
        var letter = try #require(page.deadLetters.first)
        await #expect(throws: ConnectorError.self) {
            try await script.connector.reread(RereadRequest(letter: letter, receivedAt: InstagramScript.start))
        }
        letter.payload = Array(Sample.comment(11).utf8)
        let read = try await script.connector.reread(RereadRequest(letter: letter, receivedAt: InstagramScript.start))
        #expect(Self.ids(read.events) == ["instagram:comment:11/created"])
    }

    // MARK: - Told by webhook first

    /// A source that is told of a comment before it has asked.
    private static func told(_ text: String) async throws -> InstagramScript {
        let script = try source([.secret("app_secret", "app secret"), .secret("verify_token", "v")])
        let body = Array(
            """
            {"object":"instagram","entry":[{"id":"\(InstagramWorld.account)","time":1784927700,"changes":[{"field":"comments",\
            "value":{"id":"11","text":"\(text)","media":{"id":"1"}}}]}]}
            """.utf8
        )
        let signature = Signature.hubSHA256.make(body, key: Secret("app secret"))
        let delivery = WebhookDelivery(
            method: .post,
            headers: headers(["X-Hub-Signature-256": signature]),
            body: body,
            receivedAt: InstagramScript.start
        )
        guard case .accepted(let events, _) = try await script.connector.receive(delivery), events.count == 1 else {
            throw InvalidEvent(description: "the comment was not accepted")
        }
        return script
    }

    @Test("A comment that is deleted before it was ever read was deleted all the same, once")
    func deletedAtOnce() async throws {
        let script = try await Self.told("spam")
        script.world.change { state in
            state.lists[Sample.mediaPath] = [Sample.commented(1, [])]
            state.gone = ["/11"]
        }
        let first = try await script.catchUp()
        #expect(Self.ids(first.events) == ["instagram:comment:11/deleted"])
        let asked = script.http.requests.count
        #expect(try await script.catchUp(first.cursor).events.isEmpty)
        #expect(script.http.requests.count == asked + 1)
    }

    @Test("A comment that is changed before it was ever read is an update; one that is not is told as the same fact")
    func changedAtOnce() async throws {
        let changed = try await Self.told("one")
        changed.world.change { $0.lists[Sample.mediaPath] = [Sample.commented(1, [Sample.comment(11, text: "two")])] }
        #expect(Self.ids(try await changed.catchUp().events) == ["instagram:comment:11/updated/1"])
        let same = try await Self.told("one")
        same.world.change { $0.lists[Sample.mediaPath] = [Sample.commented(1, [Sample.comment(11, text: "one")])] }
        #expect(Self.ids(try await same.catchUp().events) == ["instagram:comment:11/created"])
    }

    @Test("What a webhook told is not forgotten when the pull that takes it in fails")
    func failedPull() async throws {
        let script = try await Self.told("one")
        script.world.change { $0.errors[Sample.mediaPath] = 2 }
        await #expect(throws: ConnectorError.self) { try await script.pull() }
        script.world.change { state in
            state.errors = [:]
            state.lists[Sample.mediaPath] = [Sample.commented(1, [Sample.comment(12, age: 1)], after: "0.0")]
            state.lists["/1/comments"] = [Sample.comment(10, age: 9)]
            state.gone = ["/11"]
        }
        let ids = Self.ids(try await script.catchUp().events)
        #expect(ids.contains("instagram:comment:11/deleted") && ids.contains("instagram:comment:10/created"))
    }

    @Test("What webhooks tell is kept within bounds, and forgotten by the mark of its own memory alone")
    func bounds() {
        let heard = InstagramHeard()
        for id in 0..<30_000 {
            heard.note(InstagramHeard.Comment(id: "\(id)", media: "1", digest: 0, time: 0, isReply: false))
        }
        let (comments, mark) = heard.all()
        #expect(comments.count <= 11_000 && comments.last?.id == "29999")
        InstagramHeard().forget(through: mark)
        heard.forget(through: "1.29000")
        #expect(heard.all().comments.count == comments.count)
        heard.note(InstagramHeard.Comment(id: "next", media: "1", digest: 0, time: 0, isReply: false))
        heard.forget(through: mark)
        #expect(heard.all().comments.map(\.id) == ["next"])
    }
}
