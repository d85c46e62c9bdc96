// Life on a Page on Facebook.

extension MetaWorld {
    /// A post on the Page.
    struct Post {
        var id: String
        /// A visitor; the Page itself if nobody.
        var author: Int?
        var item: String
        var message: String
        var at: Int64
        var updatedAt: Int64
        var revision = 0
        var isDeleted = false
        var isHidden = false
    }

    /// A comment on a post, or an answer to one.
    struct PageComment {
        var id: String
        var post: Int
        var parent: Int?
        var author: Int?
        var message: String
        var at: Int64
        var updatedAt: Int64
        var revision = 0
        var isDeleted = false
    }

    /// What somebody feels about a post.
    struct Reaction {
        var post: Int
        var person: Int
        var type: String
        var at: Int64
        var isTakenBack = false
    }

    /// Whether a webhook, which tells moments in seconds, can tell something that happens now from what happened at `moment`.
    func isLater(than moment: Int64) -> Bool { now / 1000 > moment / 1000 }

    mutating func liveOnFacebook() {
        switch dice.roll(100) {
        case 0..<6: publishPost(by: nil)
        case 6..<12: publishPost(by: dice.roll(people.count))
        case 12..<45: commentOnPost()
        case 45..<50: editPost()
        case 50..<53: removePost()
        case 53..<58: editPageComment()
        case 58..<62: removePageComment()
        case 62..<64: hidePost()
        case 64..<78: feel()
        default: converse(on: .facebook)
        }
    }

    private func from(_ author: Int?) -> GraphValue {
        guard let author else { return ["id": .string(MetaAccount.page), "name": .string(MetaAccount.pageName)] }
        return ["id": .string(Self.facebookID(author)), "name": .string(people[author].name)]
    }

    private func actor(_ author: Int?) -> String { author.map(Self.facebookID) ?? MetaAccount.page }

    private mutating func tell(_ fact: Ledger.Entry, _ value: GraphValue) {
        tell(fact, .facebook, MetaAccount.page, .change(field: "feed", value: value))
    }

    mutating func publishPost(by author: Int?) {
        let item = author == nil ? dice.pick(["status", "status", "photo", "video"]) : "post"
        let native = nextID(900_000_000_000_000)
        let new = Post(
            id: "\(MetaAccount.page)_\(native)",
            author: author,
            item: item,
            message: words().text,
            at: now,
            updatedAt: now
        )
        posts.append(new)
        let fact = record("created", new.id, actor: actor(author), ["post", "webhook"], text: new.message)
        tell(fact, value(new, "add"))
    }

    /// What a webhook says of a post.
    private func value(_ post: Post, _ verb: String) -> GraphValue {
        let native = String(post.id.drop { $0 != "_" }.dropFirst())
        var value: GraphValue = [
            "item": .string(post.item), "verb": .string(verb), "post_id": .string(post.id), "from": from(post.author),
            "created_time": .integer(now / 1000),
        ]
        if verb != "remove" {
            value = value.adding("message", .string(post.message)).adding("published", 1)
            if post.item == "photo" || post.item == "video" {
                value = value.adding("link", .string("https://scontent.example.org/\(native)"))
                value = value.adding(post.item + "_id", .integer(Int64(native) ?? 0))
            }
        }
        return value
    }

    private mutating func editPost() {
        guard let index = recent(posts, { !$0.isDeleted && $0.revision < 5 }), isLater(than: posts[index].updatedAt)
        else { return }
        // Both spellings occur.
        let verb = posts[index].author == nil ? "edited" : "edit"
        posts[index].revision += 1
        posts[index].message += " [edit \(posts[index].revision)]"
        posts[index].updatedAt = now
        let post = posts[index]
        let fact = record(
            "updated",
            post.id,
            revision: String(now / 1000),
            actor: actor(post.author),
            ["post", "webhook"],
            text: post.message
        )
        tell(fact, value(post, verb))
    }

    private mutating func removePost() {
        guard posts.count(where: { !$0.isDeleted }) > 3, let index = recent(posts, { !$0.isDeleted }) else { return }
        posts[index].isDeleted = true
        let fact = record("deleted", posts[index].id, actor: actor(posts[index].author), ["post", "webhook"])
        tell(fact, value(posts[index], "remove"))
        // What was said under it goes without a word.
        for comment in pageComments.indices
        where pageComments[comment].post == index && !pageComments[comment].isDeleted {
            pageComments[comment].isDeleted = true
            let author = actor(pageComments[comment].author)
            record("deleted", pageComments[comment].id, actor: author, ["comment", "with:\(posts[index].id)"])
        }
    }

    private mutating func hidePost() {
        guard let index = recent(posts, { !$0.isDeleted && $0.author != nil }), isLater(than: posts[index].updatedAt)
        else { return }
        posts[index].isHidden.toggle()
        posts[index].updatedAt = now
        let verb = posts[index].isHidden ? "hide" : "unhide"
        let fact = record(
            posts[index].isHidden ? "hidden" : "shown",
            posts[index].id,
            revision: String(now / 1000),
            actor: MetaAccount.page,
            ["post", "webhook"]
        )
        tell(fact, value(posts[index], verb))
    }

    private mutating func commentOnPost() {
        guard let post = recent(posts, { !$0.isDeleted && !$0.isHidden }) else { return }
        let parent =
            dice.oneIn(4) ? recent(pageComments, { $0.post == post && $0.parent == nil && !$0.isDeleted }) : nil
        let author = dice.oneIn(8) ? nil : dice.roll(people.count)
        comment(words().text, by: author, under: post, answering: parent)
    }

    /// Lets somebody, or the Page, say something under a post; returns the comment's id.
    @discardableResult
    mutating func comment(_ text: String, by author: Int?, under post: Int, answering parent: Int?) -> String {
        let native = posts[post].id.drop { $0 != "_" }.dropFirst()
        let new = PageComment(
            id: "\(native)_\(nextID(800_000_000_000_000))",
            post: post,
            parent: parent,
            author: author,
            message: text,
            at: now,
            updatedAt: now
        )
        pageComments.append(new)
        let fact = record("created", new.id, actor: actor(author), ["comment", "webhook"], text: text)
        tell(fact, value(new, "add"))
        return new.id
    }

    private func value(_ comment: PageComment, _ verb: String) -> GraphValue {
        let post = posts[comment.post].id
        return [
            "item": "comment", "verb": .string(verb), "comment_id": .string(comment.id), "post_id": .string(post),
            "parent_id": .string(comment.parent.map { pageComments[$0].id } ?? post), "from": from(comment.author),
            "created_time": .integer(now / 1000),
            "message": verb == "remove" ? .absent : .string(comment.message),
        ]
    }

    private mutating func editPageComment() {
        guard let index = recent(pageComments, { !$0.isDeleted && $0.revision < 5 }),
            isLater(than: pageComments[index].updatedAt)
        else { return }
        pageComments[index].revision += 1
        pageComments[index].updatedAt = now
        pageComments[index].message += " [edit \(pageComments[index].revision)]"
        let comment = pageComments[index]
        let fact = record(
            "updated",
            comment.id,
            revision: String(now / 1000),
            actor: actor(comment.author),
            ["comment", "webhook"],
            text: comment.message
        )
        tell(fact, value(comment, "edited"))
    }

    private mutating func removePageComment() {
        guard let index = recent(pageComments, { !$0.isDeleted }) else { return }
        removePageComment(index)
    }

    mutating func removePageComment(_ index: Int) {
        pageComments[index].isDeleted = true
        let fact = record(
            "deleted",
            pageComments[index].id,
            actor: actor(pageComments[index].author),
            ["comment", "webhook"]
        )
        tell(fact, value(pageComments[index], "remove"))
    }

    private mutating func feel() {
        guard let post = recent(posts, { !$0.isDeleted }) else { return }
        let person = dice.roll(people.count)
        let type = dice.pick(["like", "love", "wow", "haha", "sorry", "anger", "care"])
        var verb = "add"
        if let index = reactions.firstIndex(where: { $0.post == post && $0.person == person }) {
            guard isLater(than: reactions[index].at) else { return }
            if reactions[index].isTakenBack {
                reactions[index].isTakenBack = false
            } else if dice.oneIn(2) {
                verb = "remove"
                reactions[index].isTakenBack = true
            } else {
                verb = "edit"
            }
            reactions[index].type = type
            reactions[index].at = now
        } else {
            reactions.append(Reaction(post: post, person: person, type: type, at: now))
        }
        let fact = record(
            verb == "remove" ? "unreacted" : "reacted",
            posts[post].id,
            revision: String(now / 1000),
            actor: Self.facebookID(person),
            ["reaction", "webhook"],
            text: type
        )
        let value: GraphValue = [
            "item": "reaction", "verb": .string(verb), "post_id": .string(posts[post].id),
            "parent_id": .string(posts[post].id), "reaction_type": .string(type), "from": from(person),
            "created_time": .integer(now / 1000),
        ]
        tell(fact, value)
    }
}
