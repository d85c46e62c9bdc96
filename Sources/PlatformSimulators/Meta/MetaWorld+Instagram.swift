// Life around a professional account on Instagram.

extension MetaWorld {
    /// A post, reel or story: the account's own, or of somebody else that names, tags or is found by a hashtag.
    struct Media {
        var id: String
        /// Whose it is; the account's own if nobody's.
        var owner: Int?
        var type: String
        var product: String
        var caption: String
        var tags: [String]
        var at: Int64
        /// The single pictures of a carousel.
        var children: [String] = []
        /// Whether the account is tagged in it.
        var isTagged = false
        /// Whether its caption names the account.
        var isMentioning = false
        var revision = 0
        var likes = 0
        var isDeleted = false

        var isStory: Bool { product == "STORY" }
    }

    /// A comment, or an answer to one.
    struct Comment {
        var id: String
        var media: Int
        var parent: Int?
        /// Who wrote it; the account itself if nobody.
        var author: Int?
        var text: String
        var at: Int64
        var likes = 0
        var isDeleted = false
        /// Whether it names the account under what somebody else posted.
        var isMentioning = false
    }

    /// A day, after which stories are gone.
    static let day: Int64 = 86_400_000

    /// Whether a story is still up.
    func isUp(_ media: Media) -> Bool { !media.isDeleted && (!media.isStory || now < media.at + Self.day) }

    mutating func liveOnInstagram() {
        switch dice.roll(100) {
        case 0..<4: publishMedia()
        case 4..<7: publishStory()
        case 7..<45: comment()
        case 45..<48: deleteComment()
        case 48: deleteMedia()
        case 49: editCaption()
        case 50..<62: somebodyPosts()
        case 62..<68: mentionInComment()
        case 68: commentOnLive()
        default: converse(on: .instagram)
        }
        likeSomething()
    }

    mutating func publishMedia() {
        let (text, tags) = words()
        var new = Media(
            id: nextID(17_900_000_000_000_000),
            type: dice.pick(["IMAGE", "IMAGE", "VIDEO", "CAROUSEL_ALBUM"]),
            product: "FEED",
            caption: text,
            tags: tags,
            at: now
        )
        if new.type == "VIDEO" { new.product = "REELS" }
        if new.type == "CAROUSEL_ALBUM" { for _ in 0..<3 { new.children.append(nextID(17_900_000_000_000_000)) } }
        media.append(new)
        record("created", new.id, actor: MetaAccount.instagram, ["media"], text: text)
    }

    private mutating func publishStory() {
        let new = Media(
            id: nextID(18_000_000_000_000_000),
            type: dice.oneIn(2) ? "IMAGE" : "VIDEO",
            product: "STORY",
            caption: "",
            tags: [],
            at: now
        )
        openStories.append(media.count)
        media.append(new)
        record("created", new.id, actor: MetaAccount.instagram, ["story"])
    }

    /// Tells, an hour after their end, how stories did.
    mutating func sumUpStories() {
        while let index = openStories.first, now >= media[index].at + Self.day + 3_600_000 {
            openStories.removeFirst()
            guard !media[index].isDeleted else { continue }
            let id = media[index].id
            // Fewer than five are told as -1.
            let reach = Int64(timeDice.roll(40))
            func count(_ number: Int64) -> GraphValue { .integer(number < 5 ? -1 : number) }
            let end = media[index].at + Self.day + 3_600_000
            let fact = record("observed", id, actor: MetaAccount.instagram, ["story_insights", "webhook"], at: end)
            let value: GraphValue = [
                "media_id": .string(id), "impressions": count(reach * 2), "reach": count(reach),
                "taps_forward": count(reach / 2), "taps_back": count(reach / 9), "exits": count(reach / 7),
                "replies": count(reach / 10),
            ]
            tell(fact, .instagram, MetaAccount.instagram, .change(field: "story_insights", value: value))
        }
    }

    /// A comment under the account's own media.
    private mutating func comment() {
        guard let target = recent(media, { $0.owner == nil && !$0.isDeleted && !$0.isStory }) else { return }
        let parent = dice.oneIn(4) ? recent(comments, { $0.media == target && $0.parent == nil && !$0.isDeleted }) : nil
        let author = dice.oneIn(8) ? nil : dice.roll(people.count)
        let text = words(naming: dice.oneIn(6) ? MetaAccount.username : nil).text
        let new = Comment(
            id: nextID(17_800_000_000_000_000),
            media: target,
            parent: parent,
            author: author,
            text: text,
            at: now
        )
        comments.append(new)
        announce(new, field: "comments", ["comment"])
    }

    private mutating func announce(_ comment: Comment, field: String, _ places: [String], isLive: Bool = false) {
        let actor = comment.author.map(Self.instagramID) ?? MetaAccount.instagram
        let fact = record("created", comment.id, actor: actor, places + ["webhook"], text: comment.text)
        let under = media[comment.media]
        var value: GraphValue = [
            "id": .string(comment.id),
            "from": [
                "id": .string(actor),
                "username": .string(comment.author.map { people[$0].handle } ?? MetaAccount.username),
            ],
            "text": .string(comment.text),
            "media": [
                "id": .string(under.id), "media_product_type": .string(isLive ? "LIVE" : under.product),
            ],
        ]
        if let parent = comment.parent { value = value.adding("parent_id", .string(comments[parent].id)) }
        tell(fact, .instagram, MetaAccount.instagram, .change(field: field, value: value))
    }

    /// Lets the account answer a comment, or say something under a post; returns the comment's id.
    mutating func say(_ text: String, under media: Int, answering parent: Int?) -> String {
        let new = Comment(id: nextID(17_800_000_000_000_000), media: media, parent: parent, text: text, at: now)
        comments.append(new)
        announce(new, field: "comments", ["comment"])
        return new.id
    }

    private mutating func commentOnLive() {
        guard let target = recent(media, { $0.owner == nil && $0.product == "REELS" }) else { return }
        let new = Comment(
            id: nextID(17_800_000_000_000_000),
            media: target,
            author: dice.roll(people.count),
            text: words().text,
            at: now
        )
        announce(new, field: "live_comments", ["live_comment"], isLive: true)
    }

    private mutating func deleteComment() {
        guard let index = recent(comments, { !$0.isDeleted && !$0.isMentioning }) else { return }
        deleteComment(index)
    }

    /// A comment goes, and with it its answers; no webhook tells.
    mutating func deleteComment(_ index: Int) {
        let gone = comments.indices.filter { ($0 == index || comments[$0].parent == index) && !comments[$0].isDeleted }
        for index in gone {
            comments[index].isDeleted = true
            let author = comments[index].author.map(Self.instagramID) ?? MetaAccount.instagram
            record("deleted", comments[index].id, actor: author, ["comment"])
        }
    }

    private mutating func deleteMedia() {
        guard let index = recent(media, { $0.owner == nil && !$0.isDeleted }),
            media.count(where: { $0.owner == nil && isUp($0) && !$0.isStory }) > 3 || media[index].isStory
        else { return }
        media[index].isDeleted = true
        record("deleted", media[index].id, actor: MetaAccount.instagram, [media[index].isStory ? "story" : "media"])
        // With it goes what was said under it.
        for comment in comments.indices where comments[comment].media == index && !comments[comment].isDeleted {
            comments[comment].isDeleted = true
            let author = comments[comment].author.map(Self.instagramID) ?? MetaAccount.instagram
            record("deleted", comments[comment].id, actor: author, ["comment", "with:\(media[index].id)"])
        }
    }

    private mutating func editCaption() {
        guard let index = recent(media, { $0.owner == nil && !$0.isStory && !$0.isDeleted }) else { return }
        media[index].revision += 1
        media[index].caption += " [edit \(media[index].revision)]"
        record(
            "updated",
            media[index].id,
            revision: String(media[index].revision),
            actor: MetaAccount.instagram,
            ["media"],
            text: media[index].caption
        )
    }

    /// Somebody else's post: found by its hashtags, and in the account's tags or mentions if it is about the account.
    private mutating func somebodyPosts() {
        let author = dice.roll(people.count)
        let isMentioning = dice.oneIn(3)
        let isTagged = dice.oneIn(3)
        let (text, tags) = words(naming: isMentioning ? MetaAccount.username : nil)
        let new = Media(
            id: nextID(17_950_000_000_000_000),
            owner: author,
            type: dice.oneIn(3) ? "VIDEO" : "IMAGE",
            product: "FEED",
            caption: text,
            tags: tags,
            at: now,
            isTagged: isTagged,
            isMentioning: isMentioning
        )
        media.append(new)
        let actor = Self.instagramID(author)
        let places = (isTagged ? ["tag"] : []) + tags.map { "hashtag:\($0)" }
        record("created", new.id, actor: actor, places.isEmpty ? ["elsewhere"] : places, text: text)
        // The other login has no webhook for captions.
        guard isMentioning, login == .facebook else { return }
        let fact = record("mentioned", new.id, actor: actor, ["mention", "webhook"], text: text)
        let value: GraphValue = ["media_id": .string(new.id)]
        tell(fact, .instagram, MetaAccount.instagram, .change(field: "mentions", value: value))
    }

    private mutating func mentionInComment() {
        guard let target = recent(media, { $0.owner != nil && !$0.isDeleted }) else { return }
        let author = dice.roll(people.count)
        let text = words(naming: MetaAccount.username).text
        let new = Comment(
            id: nextID(17_800_000_000_000_000),
            media: target,
            author: author,
            text: text,
            at: now,
            isMentioning: true
        )
        comments.append(new)
        guard login == .facebook else { return announce(new, field: "comments", ["comment", "mention"]) }
        let fact = record(
            "mentioned",
            new.id,
            actor: Self.instagramID(author),
            ["mention", "comment", "webhook"],
            text: text
        )
        let value: GraphValue = ["comment_id": .string(new.id), "media_id": .string(media[target].id)]
        tell(fact, .instagram, MetaAccount.instagram, .change(field: "mentions", value: value))
    }

    private mutating func likeSomething() {
        if let index = recent(media, { $0.owner == nil }) { media[index].likes += dice.roll(4) }
        if let index = recent(comments, { !$0.isDeleted }) { comments[index].likes += dice.roll(2) }
    }
}
