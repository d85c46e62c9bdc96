import JSON

/// Writes posts and people as the API v2 does.
struct XRendering {
    let world: XWorld
    /// Whether the new spelling is used: `post` for `tweet`.
    var isNew = false
    /// Whether fields are added that no documentation knows.
    var isStrange = false

    private static let headLength = 277

    private func name(_ old: StaticString, _ new: StaticString) -> StaticString { isNew ? new : old }

    /// A text with `&`, `<` and `>` escaped, and where people, tags and links stand in it, counted in code points.
    struct Words {
        struct Mark {
            var start: Int
            var end: Int
            var part: Phrase.Part
        }

        var scalars: [Unicode.Scalar] = []
        var marks: [Mark] = []

        var text: String { Self.text(scalars) }

        static func text(_ scalars: some Sequence<Unicode.Scalar>) -> String {
            var view = String.UnicodeScalarView()
            view.append(contentsOf: scalars)
            return String(view)
        }

        mutating func append(_ plain: String) {
            for scalar in plain.unicodeScalars {
                switch scalar {
                case "&": scalars += Array("&amp;".unicodeScalars)
                case "<": scalars += Array("&lt;".unicodeScalars)
                case ">": scalars += Array("&gt;".unicodeScalars)
                default: scalars.append(scalar)
                }
            }
        }
    }

    /// The link by which X shortens another.
    static func short(_ url: String) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in url.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return "https://t.co/" + String(String(hash, radix: 36).suffix(10))
    }

    func words(_ phrase: Phrase, before: String = "") -> Words {
        var words = Words()
        words.append(before)
        for part in phrase.parts {
            let start = words.scalars.count
            switch part {
            case .words(let text): words.append(text)
            case .paragraph: words.append("\n\n")
            case .hashtag(let tag): words.append("#" + tag)
            case .mention(let person): words.append("@" + world.people[person].handle)
            case .link(let url): words.append(Self.short(url))
            }
            switch part {
            case .words, .paragraph: break
            default: words.marks.append(Words.Mark(start: start, end: words.scalars.count, part: part))
            }
        }
        return words
    }

    // MARK: - Objects

    /// A post.
    func write(_ post: XWorld.Post, into writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("id", String(post.id))
        writer.key(name("edit_history_tweet_ids", "edit_history_post_ids"))
        strings(post.history.map { String($0) }, into: &writer)
        writer.member("author_id", XWorld.id(of: post.author))
        writer.member("created_at", FeedDates.rfc3339(post.at))
        writer.member("conversation_id", String(root(post).history[0]))
        writer.member("lang", post.phrase.language)
        writer.member("possibly_sensitive", false)
        writer.member("reply_settings", "everyone")
        if isStrange { writer.member("tide_level", post.id % 7) }
        var words = words(post.phrase)
        if case .repost(let original) = post.relation {
            words = self.words(post.phrase, before: "RT @\(world.people[world.posts[original].author].handle): ")
            words.scalars = Array(words.scalars.prefix(139)) + ["…"]
            words.marks.removeAll { $0.end > 139 }
        }
        if words.scalars.count > Self.headLength {
            let head = words.scalars.prefix(Self.headLength)
            writer.member("text", Words.text(head) + "…")
            entities(words.marks.filter { $0.end <= Self.headLength }, into: &writer)
            writer.key(name("note_tweet", "note_post"))
            writer.beginObject()
            writer.member("text", words.text)
            entities(words.marks, into: &writer)
            writer.endObject()
        } else {
            writer.member("text", words.text)
            entities(words.marks, into: &writer)
        }
        references(post, into: &writer)
        writer.key("public_metrics")
        writer.beginObject()
        writer.member(name("retweet_count", "repost_count"), post.id % 13)
        writer.member("reply_count", post.id % 5)
        writer.member("like_count", post.id % 101)
        writer.member("quote_count", 0)
        writer.member("bookmark_count", 1)
        writer.member("impression_count", post.id % 9973)
        writer.endObject()
        writer.endObject()
    }

    private func root(_ post: XWorld.Post) -> XWorld.Post {
        var post = post
        while case .reply(let parent) = post.relation { post = world.posts[parent] }
        return post
    }

    private func references(_ post: XWorld.Post, into writer: inout JSONWriter) {
        guard let (type, other) = Self.reference(post) else { return }
        let target = world.posts[other]
        if type == "replied_to" { writer.member("in_reply_to_user_id", XWorld.id(of: target.author)) }
        writer.key(name("referenced_tweets", "referenced_posts"))
        writer.beginArray()
        writer.beginObject()
        writer.member("type", type)
        writer.member("id", String(target.id))
        writer.endObject()
        writer.endArray()
    }

    private static func reference(_ post: XWorld.Post) -> (String, Int)? {
        switch post.relation {
        case .reply(let other): ("replied_to", other)
        case .quote(let other): ("quoted", other)
        case .repost(let other): ("retweeted", other)
        case nil: nil
        }
    }

    private func entities(_ marks: [Words.Mark], into writer: inout JSONWriter) {
        guard !marks.isEmpty else { return }
        writer.key("entities")
        writer.beginObject()
        for kind: StaticString in ["hashtags", "mentions", "urls"] {
            let own = marks.filter { Self.kind($0.part) == "\(kind)" }
            guard !own.isEmpty else { continue }
            writer.key(kind)
            writer.beginArray()
            for mark in own {
                writer.beginObject()
                writer.member("start", mark.start)
                writer.member("end", mark.end)
                switch mark.part {
                case .hashtag(let tag): writer.member("tag", tag)
                case .mention(let person):
                    writer.member("username", world.people[person].handle)
                    writer.member("id", XWorld.id(of: person))
                case .link(let url):
                    writer.member("url", Self.short(url))
                    writer.member("expanded_url", url)
                    writer.member("display_url", String(url.dropFirst(8).prefix(26)) + "…")
                case .words, .paragraph: break
                }
                writer.endObject()
            }
            writer.endArray()
        }
        writer.endObject()
    }

    private static func kind(_ part: Phrase.Part) -> String {
        switch part {
        case .hashtag: "hashtags"
        case .mention: "mentions"
        case .link: "urls"
        case .words, .paragraph: ""
        }
    }

    /// A person.
    func write(person index: Int, into writer: inout JSONWriter) {
        let person = world.people[index]
        writer.beginObject()
        writer.member("id", XWorld.id(of: index))
        writer.member("name", person.name)
        writer.member("username", person.handle)
        writer.member("protected", world.protected.contains(index))
        writer.member("verified", person.index % 3 == 0)
        writer.member("profile_image_url", "https://pbs.twimg.com/profile_images/\(index)/face_normal.jpg")
        writer.key("public_metrics")
        writer.beginObject()
        writer.member("followers_count", person.followers)
        writer.member("following_count", 17)
        writer.member("tweet_count", 400)
        writer.member("listed_count", 2)
        writer.endObject()
        writer.endObject()
    }

    /// What posts name: `includes`.
    func includes(_ posts: [XWorld.Post], into writer: inout JSONWriter) {
        let others = posts.compactMap { Self.reference($0)?.1 }.map { world.posts[$0] }.filter(isShown)
        let people = Set((posts + others).map(\.author)).sorted()
        writer.key("includes")
        writer.beginObject()
        writer.key("users")
        writer.beginArray()
        for person in people { write(person: person, into: &writer) }
        writer.endArray()
        if !others.isEmpty {
            writer.key(name("tweets", "posts"))
            writer.beginArray()
            for post in others { write(post, into: &writer) }
            writer.endArray()
        }
        writer.endObject()
        let missing = posts.compactMap { Self.reference($0)?.1 }.map { world.posts[$0] }.filter { !isShown($0) }
        guard !missing.isEmpty else { return }
        writer.key("errors")
        writer.beginArray()
        for post in missing {
            writer.beginObject()
            writer.member("resource_id", String(post.id))
            writer.member("resource_type", "tweet")
            writer.member("parameter", "referenced_tweets.id")
            writer.member("title", "Not Found Error")
            writer.member("type", "https://api.twitter.com/2/problems/resource-not-found")
            writer.endObject()
        }
        writer.endArray()
    }

    /// Whether a post is shown beside another; older versions of it may be.
    private func isShown(_ post: XWorld.Post) -> Bool {
        !post.isDeleted && !world.protected.contains(post.author)
    }

    private func strings(_ texts: [String], into writer: inout JSONWriter) {
        writer.beginArray()
        for text in texts { writer.string(text) }
        writer.endArray()
    }
}
