import HTTPTypes
import Testing

@testable import PlatformSimulators

/// What the simulator of Meta's platforms shows in lists, held against its ledger.
struct MetaEdgeTests {
    /// The objects of a kind that were made and not withdrawn.
    private static func standing(
        _ scene: MetaScene,
        since: Int64 = 0,
        _ isMeant: (Ledger.Entry) -> Bool
    ) -> Set<String> {
        var standing: Set<String> = []
        for entry in scene.simulator.ledger.entries where !MetaScene.isAboutWebhooks(entry) {
            if entry.verb == "created", isMeant(entry), entry.at >= since { standing.insert(entry.object) }
            if entry.verb == "deleted" { standing.remove(entry.object) }
        }
        return standing
    }

    private static func ids(_ items: [GraphValue]) -> [String] { items.compactMap { $0["id"].text } }

    private static let instagram = "/v23.0/\(MetaAccount.instagram)"

    @Test("Media, stories, tags and hashtags list what the ledger says stands")
    func instagram() async throws {
        let scene = MetaScene([.instagram], isListening: false)
        for _ in 0..<900 {
            scene.simulator.publish(1)
            scene.pass(120_000)
        }
        let media = await scene.list("\(Self.instagram)/media?fields=id,caption,timestamp&limit=7")
        #expect(Set(Self.ids(media.items)) == Self.standing(scene) { $0.places.first == "media" })
        #expect(Set(Self.ids(media.items)).count == media.items.count)
        #expect(media.pages > 4)
        let times = media.items.compactMap { $0["timestamp"].text }
        #expect(times == times.sorted(by: >))
        let captions = Dictionary(
            scene.simulator.ledger.entries.filter { $0.places.first == "media" && !$0.text.isEmpty }.map {
                ($0.object, $0.text)
            },
            uniquingKeysWith: { $1 }
        )
        #expect(media.items.allSatisfy { $0["caption"].text == captions[$0["id"].text ?? ""] })

        let day = scene.now - 86_400_000
        let stories = await scene.list("\(Self.instagram)/stories")
        #expect(Set(Self.ids(stories.items)) == Self.standing(scene, since: day + 1) { $0.places.first == "story" })
        #expect(!stories.items.isEmpty)

        let tags = await scene.list("\(Self.instagram)/tags?fields=id,username")
        #expect(Set(Self.ids(tags.items)) == Self.standing(scene) { $0.places.contains("tag") })

        let found = await scene.ask(.get, "/v23.0/ig_hashtag_search?user_id=\(MetaAccount.instagram)&q=quay2026")
        let tag = found.value["data"].elements.first?["id"].text ?? "?"
        let recent = await scene.list(
            "/v23.0/\(tag)/recent_media?user_id=1&fields=id,caption,username,timestamp&limit=3"
        )
        let expected = Self.standing(scene, since: day + 1) {
            $0.places.contains("hashtag:quay2026") || ($0.places.first == "media" && $0.text.contains("#quay2026"))
        }
        #expect(Set(Self.ids(recent.items)) == expected)
        #expect(recent.items.allSatisfy { $0["username"] == .absent })
        let top = await scene.list("/v23.0/\(tag)/top_media?user_id=1")
        #expect(top.items.count >= recent.items.count)
    }

    @Test("Comments and their answers list what the ledger says stands; what goes is gone for good")
    func comments() async throws {
        let scene = MetaScene([.instagram])
        scene.live(900)
        let media = await scene.list("\(Self.instagram)/media?fields=comments_count")
        var seen: Set<String> = []
        var count: Int64 = 0
        for id in Self.ids(media.items) {
            let fields = "id,text,username,from,timestamp,replies{id,text,username}"
            let comments = await scene.list("/\(id)/comments?fields=\(fields)&limit=4")
            for comment in comments.items {
                seen.insert(comment["id"].text ?? "?")
                let replies = await scene.list("/\(comment["id"].text ?? "?")/replies")
                #expect(Self.ids(replies.items) == Self.ids(comment["replies"]["data"].elements))
                seen.formUnion(Self.ids(replies.items))
            }
            count += media.items.first { $0["id"].text == id }?["comments_count"].number ?? 0
        }
        #expect(seen == Self.standing(scene) { $0.places.first == "comment" })
        #expect(count == Int64(seen.count) && count > 100)
        let gone = scene.simulator.ledger.entries.filter { $0.verb == "deleted" && $0.places.first == "comment" }
        #expect(gone.count > 5)
        for entry in gone {
            let answer = await scene.ask(.get, "/v23.0/\(entry.object)?fields=id,text")
            #expect(answer.status == 400 && answer.value["error"]["code"] == 100)
            #expect(answer.value["error"]["error_subcode"] == 33)
        }
    }

    @Test("Lists among the fields of an object go on where their links lead")
    func nestedLists() async {
        let scene = MetaScene([.instagram], isListening: false)
        scene.live(500)
        let media = await scene.list("\(Self.instagram)/media?fields=id,comments.limit(2){id,text}")
        #expect(media.items.contains { $0["comments"]["paging"]["next"].text != nil })
        for item in media.items {
            var ids = Self.ids(item["comments"]["data"].elements)
            if let next = item["comments"]["paging"]["next"].text {
                ids += Self.ids(await scene.list(String(next.dropFirst(MetaScene.base.count))).items)
            }
            let all = await scene.list("/\(item["id"].text ?? "?")/comments?limit=100")
            #expect(ids == Self.ids(all.items))
        }
    }

    @Test("What mentions the account is shown to who knows its id")
    func mentions() async {
        let scene = MetaScene([.instagram])
        scene.live(400)
        let mentioned = scene.simulator.ledger.entries.filter { $0.verb == "mentioned" }
        #expect(
            mentioned.contains { $0.places.contains("comment") }
                && mentioned.contains { !$0.places.contains("comment") }
        )
        for entry in mentioned {
            let isComment = entry.places.contains("comment")
            let fields =
                isComment
                ? "mentioned_comment.comment_id(\(entry.object)){id,text,timestamp,media{id,media_url}}"
                : "mentioned_media.media_id(\(entry.object)){id,caption,media_type,username}"
            let account = await scene.ask(.get, "\(Self.instagram)?fields=\(fields)").value
            let value = account[isComment ? "mentioned_comment" : "mentioned_media"]
            #expect(value[isComment ? "text" : "caption"].text == entry.text)
        }
        let unknown = await scene.ask(.get, "\(Self.instagram)?fields=mentioned_media.media_id(1){id}").value
        #expect(unknown["error"]["error_subcode"] == 33)
    }

    @Test("The other login knows no hashtags, tags and mentions")
    func otherLogin() async {
        let scene = MetaScene([.instagram], login: .instagram, history: 60)
        let token = MetaSimulator.instagramToken
        for path in ["me/tags", "ig_hashtag_search?user_id=1&q=a", "me?fields=mentioned_media.media_id(1){id}"] {
            let answer = await scene.ask(.get, "/v23.0/\(path)", token: token)
            #expect(answer.value["error"]["code"] == 10, "\(path)")
        }
        let me = await scene.ask(.get, "/me?fields=user_id,username", token: token).value
        #expect(me["user_id"].text == MetaAccount.instagram && me["username"].text == MetaAccount.username)
        #expect(await !scene.list("/me/media", token: token).items.isEmpty)
    }

    @Test("A Page's feed and comments list what the ledger says stands")
    func page() async {
        let scene = MetaScene([.facebook])
        scene.live(900)
        let feed = await scene.list("/v23.0/\(MetaAccount.page)/feed?fields=message,from,updated_time&limit=10")
        #expect(Set(Self.ids(feed.items)) == Self.standing(scene) { $0.places.first == "post" })
        let texts = Dictionary(
            scene.simulator.ledger.entries.filter { $0.places.first == "post" && !$0.text.isEmpty }.map {
                ($0.object, $0.text)
            },
            uniquingKeysWith: { $1 }
        )
        #expect(feed.items.allSatisfy { $0["message"].text == texts[$0["id"].text ?? ""] })
        let own = await scene.list("/\(MetaAccount.page)/posts?fields=from")
        #expect(
            own.items.allSatisfy { $0["from"]["id"].text == MetaAccount.page } && own.items.count < feed.items.count
        )
        var seen: Set<String> = []
        for id in Self.ids(feed.items) {
            let oldest = await scene.list("/\(id)/comments?filter=stream&limit=3")
            let newest = await scene.list("/\(id)/comments?filter=stream&order=reverse_chronological")
            #expect(Self.ids(oldest.items) == Self.ids(newest.items).reversed())
            seen.formUnion(Self.ids(oldest.items))
        }
        #expect(seen == Self.standing(scene) { $0.places.first == "comment" })
        #expect(seen.count > 50)
        let since = feed.items.count / 2
        let moment =
            scene.simulator.ledger.entries.filter { $0.places.first == "post" && $0.verb == "created" }[since].at / 1000
        let later = await scene.list("/\(MetaAccount.page)/feed?since=\(moment)&fields=id")
        #expect(later.items.count < feed.items.count)
    }

    @Test("Conversations show what was said, without what was unsent", arguments: [MetaProduct.instagram, .facebook])
    func conversations(product: MetaProduct) async {
        let scene = MetaScene([product])
        scene.live(500)
        let account = product == .instagram ? MetaAccount.instagram : MetaAccount.page
        let all = await scene.list(
            "/\(account)/conversations?platform=\(product.rawValue)&fields=id,updated_time&limit=5"
        )
        var seen: Set<String> = []
        for id in Self.ids(all.items) {
            let messages = await scene.list("/\(id)/messages?fields=id,created_time,from,to,message&limit=3")
            seen.formUnion(Self.ids(messages.items))
        }
        #expect(seen == Self.standing(scene) { ["message", "story_mention"].contains($0.places.first) })
        #expect(seen.count > 50)
    }

    @Test("A page is cut before what is gone is left out: it may be empty and have a next one")
    func emptyPages() async {
        let scene = MetaScene([.facebook])
        scene.live(600)
        var hadEmpty = false
        var next: String? = "/\(MetaAccount.page)/feed?limit=1"
        while let target = next {
            let page = await scene.ask(.get, target).value
            next = page["paging"]["next"].text.map { String($0.dropFirst(MetaScene.base.count)) }
            if page["data"].elements.isEmpty, next != nil { hadEmpty = true }
        }
        #expect(hadEmpty)
        scene.simulator.faults.add(Fault("empty-page"))
        let empty = await scene.ask(.get, "/\(MetaAccount.page)/feed?limit=5").value
        #expect(empty["data"].elements.isEmpty && empty["paging"]["next"].text != nil)
        // Nothing is skipped by it.
        scene.simulator.faults.add(Fault("empty-page", after: 1))
        let all = await scene.list("/\(MetaAccount.page)/feed?limit=5")
        #expect(Set(Self.ids(all.items)) == Self.standing(scene) { $0.places.first == "post" })
    }

    @Test("Links to the next page carry the token, and cursors stand still while more comes")
    func cursors() async {
        let scene = MetaScene([.instagram], history: 400)
        let first = await scene.ask(.get, "\(Self.instagram)/media?limit=3&fields=id").value
        let next = first["paging"]["next"].text ?? ""
        #expect(next.contains("access_token=\(MetaSimulator.pageToken)"))
        let before = await scene.list(String(next.dropFirst(MetaScene.base.count)))
        scene.simulator.publish(300)
        let after = await scene.list(String(next.dropFirst(MetaScene.base.count)))
        #expect(Set(Self.ids(after.items)).isSubset(of: Self.ids(before.items)))
        let second = await scene.ask(.get, String(next.dropFirst(MetaScene.base.count))).value
        let back = second["paging"]["cursors"]["before"].text ?? "?"
        let previous = await scene.ask(.get, "\(Self.instagram)/media?limit=3&fields=id&before=\(back)").value
        #expect(Set(Self.ids(previous["data"].elements)).isDisjoint(with: Self.ids(second["data"].elements)))
    }

    @Test("Fields are what was asked for, braces and arguments included")
    func fields() async {
        #expect(
            GraphFields("id,a.limit(3){b,c{d}},e.x(1).y(2){f}").all == [
                .init(name: "id"),
                .init(
                    name: "a",
                    arguments: ["limit": "3"],
                    fields: GraphFields(all: [
                        .init(name: "b"), .init(name: "c", fields: GraphFields(all: [.init(name: "d")])),
                    ])
                ),
                .init(name: "e", arguments: ["x": "1", "y": "2"], fields: GraphFields(all: [.init(name: "f")])),
            ]
        )
        let scene = MetaScene([.instagram], history: 100)
        let plain = await scene.list("\(Self.instagram)/media")
        #expect(
            plain.items.allSatisfy {
                if case .object(let members) = $0 { members.map(\.name) == ["id"] } else { false }
            }
        )
        let nested = await scene.list("\(Self.instagram)/media?fields=children{media_type},comments.limit(1){text}")
        #expect(nested.items.contains { !$0["children"]["data"].elements.isEmpty })
        #expect(nested.items.allSatisfy { $0["comments"]["data"].elements.count <= 1 })
        let insights = await scene.ask(.get, "/\(Self.ids(plain.items)[0])/insights?metric=reach,likes").value
        #expect(insights["data"].elements.map { $0["name"].text } == ["reach", "likes"])
    }

    @Test("What the account says by the API shows, is told, and can be taken back")
    func writing() async {
        let scene = MetaScene([.instagram, .facebook])
        scene.live(60)
        let media = Self.ids(await scene.list("\(Self.instagram)/media").items)[0]
        let comment =
            await scene.ask(.post, "/v23.0/\(media)/comments", body: "message=first%20words").value["id"].text ?? "?"
        let answer =
            await scene.ask(.post, "/v23.0/\(comment)/replies?message=second", body: "").value["id"].text ?? "?"
        let post = Self.ids(await scene.list("/\(MetaAccount.page)/feed").items)[0]
        let said = await scene.ask(.post, "/\(post)/comments", body: #"{"message":"third"}"#).value["id"].text ?? "?"
        let message = #"{"recipient":{"id":"\#(MetaWorld.instagramID(2))"},"message":{"text":"fourth"}}"#
        let sent =
            await scene.ask(.post, "/\(MetaAccount.instagram)/messages", body: message).value["message_id"].text ?? "?"
        scene.settle()
        for id in [comment, answer, said, sent] { #expect(scene.told.contains("created \(id)"), "\(id)") }
        #expect(await scene.ask(.delete, "/v23.0/\(comment)").value["success"] == true)
        #expect(await scene.ask(.get, "/\(answer)").value["error"]["code"] == 100)
    }
}
