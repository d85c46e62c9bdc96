import Synchronization

// What can be read of Instagram.

extension MetaSimulator {
    func readInstagram(_ id: String, _ asked: Asked, _ state: inout State) throws(GraphProblem) -> GraphValue? {
        guard state.world.products.contains(.instagram) else { return nil }
        let edge = asked.path.count > 1 ? asked.path[1] : nil
        if id == "ig_hashtag_search" { return try searchHashtag(asked, &state) }
        if let tag = Self.hashtag(id) { return try hashtagMedia(tag, edge, asked, state) }
        if id == MetaAccount.instagram { return try account(edge, asked, state) }
        let world = state.world
        if let index = world.media.firstIndex(where: { $0.id == id || $0.children.contains(id) }) {
            return try media(index, edge, asked, world)
        }
        if let index = world.comments.firstIndex(where: { $0.id == id }) {
            guard !world.comments[index].isDeleted else { throw .gone(id) }
            guard let edge else { return comment(index, world, asked.fields, asked).selecting(asked.fields) }
            guard edge == "replies" else { throw .unsupported(edge) }
            let replies = commentItems(world, asked.fields, asked) { $0.parent == index }
            return try page(replies, asked, fields: asked.fields, size: 50)
        }
        return try conversation(id, edge, asked, world)
    }

    // MARK: - The account

    private func account(_ edge: String?, _ asked: Asked, _ state: State) throws(GraphProblem) -> GraphValue {
        let world = state.world
        switch edge {
        case nil: return try accountFields(asked, world)
        case "media":
            let items = mediaItems(world, asked.fields, asked) { $0.owner == nil && !$0.isStory }
            return try page(items, asked, fields: asked.fields)
        case "stories":
            let items = mediaItems(world, asked.fields, asked) { $0.isStory && world.now < $0.at + MetaWorld.day }
            return try page(items, asked, fields: asked.fields)
        case "tags":
            try demandFacebookLogin(asked)
            return try page(mediaItems(world, asked.fields, asked) { $0.isTagged }, asked, fields: asked.fields)
        case "conversations": return try conversations(.instagram, asked, world)
        case "recently_searched_hashtags":
            try demandFacebookLogin(asked)
            return ["data": .array(state.hashtags.keys.sorted().map { ["id": .string(Self.hashtagID($0))] })]
        case "content_publishing_limit":
            return ["data": [["quota_usage": 0, "config": ["quota_total": 100, "quota_duration": 86_400]]]]
        case let edge?: throw .unsupported(edge)
        }
    }

    private func demandFacebookLogin(_ asked: Asked) throws(GraphProblem) {
        if asked.kind == .instagram { throw .permission }
    }

    private func accountFields(_ asked: Asked, _ world: MetaWorld) throws(GraphProblem) -> GraphValue {
        let own = world.media.count { $0.owner == nil && !$0.isStory && !$0.isDeleted }
        let account: GraphValue = [
            "id": .string(MetaAccount.instagram), "user_id": .string(MetaAccount.instagram),
            "username": .string(MetaAccount.username), "name": .string(MetaAccount.pageName),
            "account_type": "BUSINESS",
            "followers_count": 12_345, "follows_count": 67, "media_count": .integer(Int64(own)),
        ]
        var value = account.selecting(asked.fields)
        if let field = asked.fields["mentioned_media"] {
            try demandFacebookLogin(asked)
            guard let id = field.arguments["media_id"] else { throw .missing("media_id") }
            guard let index = world.media.firstIndex(where: { $0.id == id && $0.owner != nil && !$0.isDeleted }) else {
                throw .gone(id)
            }
            value = value.adding(
                "mentioned_media",
                mediaValue(index, world, field.fields, asked).selecting(field.fields)
            )
        }
        if let field = asked.fields["mentioned_comment"] {
            try demandFacebookLogin(asked)
            guard let id = field.arguments["comment_id"] else { throw .missing("comment_id") }
            guard let index = world.comments.firstIndex(where: { $0.id == id && $0.isMentioning && !$0.isDeleted })
            else { throw .gone(id) }
            value = value.adding(
                "mentioned_comment",
                comment(index, world, field.fields, asked).selecting(field.fields)
            )
        }
        return value
    }

    // MARK: - Media

    private func media(
        _ index: Int,
        _ edge: String?,
        _ asked: Asked,
        _ world: MetaWorld
    ) throws(GraphProblem) -> GraphValue {
        let media = world.media[index]
        let id = asked.path.first ?? media.id
        guard world.isUp(media) else { throw .gone(id) }
        if media.id != id {
            guard edge == nil else { throw .gone(id) }
            return child(id, of: media).selecting(asked.fields)
        }
        switch edge {
        case nil: return mediaValue(index, world, asked.fields, asked).selecting(asked.fields)
        case "children": return ["data": .array(media.children.map { child($0, of: media).selecting(asked.fields) })]
        case "comments":
            let comments = commentItems(world, asked.fields, asked) { $0.media == index && $0.parent == nil }
            return try page(comments, asked, fields: asked.fields, size: 50)
        case "insights":
            guard media.owner == nil else { throw .permission }
            let names = asked.parameters["metric"]?.split(separator: ",").map(String.init) ?? []
            guard !names.isEmpty else { throw .missing("metric") }
            return ["data": .array(names.map { insight($0, media) })]
        case let edge?: throw .unsupported(edge)
        }
    }

    private func insight(_ name: String, _ media: MetaWorld.Media) -> GraphValue {
        let value = Int64(media.likes * (name.utf8.count % 5 + 1))
        return [
            "name": .string(name), "period": "lifetime", "values": [["value": .integer(value)]],
            "title": .string(name), "id": "\(media.id)/insights/\(name)/lifetime",
        ]
    }

    /// Media of the world as a list has them, newest first.
    private func mediaItems(
        _ world: MetaWorld,
        _ fields: GraphFields,
        _ asked: Asked,
        _ isMeant: (MetaWorld.Media) -> Bool
    ) -> [(place: Int, value: GraphValue?)] {
        world.media.indices.reversed().filter { isMeant(world.media[$0]) }.map { index in
            (index + 1, world.media[index].isDeleted ? nil : mediaValue(index, world, fields, asked))
        }
    }

    private func child(_ id: String, of media: MetaWorld.Media) -> GraphValue {
        [
            "id": .string(id), "media_type": "IMAGE", "media_url": .string(Self.content(id)),
            "permalink": .string(Self.permalink(media.id)), "timestamp": MetaDates.graph(media.at),
        ]
    }

    private func mediaValue(
        _ index: Int,
        _ world: MetaWorld,
        _ fields: GraphFields,
        _ asked: Asked
    ) -> GraphValue {
        let media = world.media[index]
        let said = world.comments.count { $0.media == index && !$0.isDeleted }
        let owner = media.owner.map { world.people[$0].handle } ?? MetaAccount.username
        let children = media.children.map { child($0, of: media) }
        var value: GraphValue = [
            "id": .string(media.id), "caption": media.caption.isEmpty ? .absent : .string(media.caption),
            "media_type": .string(media.type), "media_product_type": .string(media.product),
            "media_url": .string(Self.content(media.id)),
            "thumbnail_url": media.type == "VIDEO" ? .string(Self.content(media.id) + "&t=1") : .absent,
            "permalink": .string(Self.permalink(media.id)), "shortcode": .string(Self.shortcode(media.id)),
            "timestamp": MetaDates.graph(media.at), "username": .string(owner),
            "owner": media.owner == nil ? ["id": .string(MetaAccount.instagram)] : .absent,
            "like_count": .integer(Int64(media.likes)), "comments_count": .integer(Int64(said)),
            "is_comment_enabled": true, "children": children.isEmpty ? .absent : ["data": .array(children)],
        ]
        if let field = fields["comments"] {
            let items = commentItems(world, field.fields, asked) { $0.media == index && $0.parent == nil }
            value = value.adding("comments", nested(items, "/\(media.id)/comments", field, asked))
        }
        return value
    }

    private static func shortcode(_ id: String) -> String { String(Int64(id) ?? 0, radix: 36) }
    private static func permalink(_ id: String) -> String { "https://www.instagram.com/p/\(shortcode(id))/" }
    private static func content(_ id: String) -> String {
        "https://scontent.cdninstagram.com/v/\(id).jpg?_nc_ht=simulated&oe=6A0F0000"
    }

    // MARK: - Comments

    private func commentItems(
        _ world: MetaWorld,
        _ fields: GraphFields,
        _ asked: Asked,
        _ isMeant: (MetaWorld.Comment) -> Bool
    ) -> [(place: Int, value: GraphValue?)] {
        world.comments.indices.reversed().filter { isMeant(world.comments[$0]) }.map { index in
            (index + 1, world.comments[index].isDeleted ? nil : comment(index, world, fields, asked))
        }
    }

    private func comment(
        _ index: Int,
        _ world: MetaWorld,
        _ fields: GraphFields,
        _ asked: Asked
    ) -> GraphValue {
        let comment = world.comments[index]
        let name = comment.author.map { world.people[$0].handle } ?? MetaAccount.username
        let id = comment.author.map(MetaWorld.instagramID) ?? MetaAccount.instagram
        // Of many, no more is told than their name.
        let isNamed = comment.author.map { $0 % 5 != 4 } ?? true
        var value: GraphValue = [
            "id": .string(comment.id), "text": .string(comment.text), "timestamp": MetaDates.graph(comment.at),
            "username": .string(name), "from": isNamed ? ["id": .string(id), "username": .string(name)] : .absent,
            "like_count": .integer(Int64(comment.likes)), "hidden": false,
            "media": mediaValue(comment.media, world, GraphFields(all: []), asked),
            "parent_id": .optional(comment.parent.map { world.comments[$0].id }),
        ]
        // Without braces the media is its id and product.
        if fields["media"]?.fields.all.isEmpty == true, case .object(let members) = value {
            let media = value["media"].selecting(GraphFields("media_product_type"))
            value = .object(members.map { $0.name == "media" ? .init(name: "media", value: media) : $0 })
        }
        if let field = fields["replies"] {
            let plain = field.fields.all.isEmpty ? GraphFields("text,timestamp") : field.fields
            let replies = commentItems(world, plain, asked) { $0.parent == index }
            if replies.contains(where: { $0.value != nil }) {
                let edge = nested(replies, "/\(comment.id)/replies", field, asked)
                value = value.adding("replies", edge.selecting(plain))
            }
        }
        return value
    }

    // MARK: - Hashtags

    private static let hashtagBase: Int64 = 17_841_500_000_000_000

    private static func hashtagID(_ tag: String) -> String {
        let known = Phrase.tags.firstIndex { $0.lowercased() == tag.lowercased() }.map { Int64($0) }
        return String(hashtagBase + (known ?? Int64(tag.utf8.reduce(1000) { ($0 &* 31 &+ Int($1)) & 0xFF_FFFF })))
    }

    private static func hashtag(_ id: String) -> Int64? {
        Int64(id).flatMap { $0 >= hashtagBase && $0 < hashtagBase + 0x100_0000 ? $0 - hashtagBase : nil }
    }

    private func searchHashtag(_ asked: Asked, _ state: inout State) throws(GraphProblem) -> GraphValue {
        try demandFacebookLogin(asked)
        guard asked.parameters["user_id"] != nil else { throw .missing("user_id") }
        guard let query = asked.parameters["q"], !query.isEmpty else { throw .missing("q") }
        let now = state.world.now
        state.hashtags = state.hashtags.filter { $0.value > now - 7 * MetaWorld.day }
        if state.hashtags[query] == nil {
            guard state.hashtags.count < 30 else { throw .tooManyHashtags }
            state.hashtags[query] = now
        }
        return ["data": [["id": .string(Self.hashtagID(query))]]]
    }

    private func hashtagMedia(
        _ tag: Int64,
        _ edge: String?,
        _ asked: Asked,
        _ state: State
    ) throws(GraphProblem) -> GraphValue {
        try demandFacebookLogin(asked)
        let name = Phrase.tags.indices.contains(Int(tag)) ? Phrase.tags[Int(tag)] : ""
        guard let edge else {
            let value: GraphValue = ["id": .string(asked.path[0]), "name": .string(name)]
            return value.selecting(asked.fields)
        }
        guard asked.parameters["user_id"] != nil else { throw .missing("user_id") }
        let world = state.world
        let day = world.now - MetaWorld.day
        var items = mediaItems(world, asked.fields, asked) {
            !$0.isStory && $0.tags.contains(name) && (edge == "top_media" || $0.at > day)
        }
        // Whose it is, is not told.
        items = items.map { item in
            guard case .object(let members)? = item.value else { return item }
            return (item.place, .object(members.filter { !["username", "owner", "shortcode"].contains($0.name) }))
        }
        switch edge {
        case "recent_media": break
        case "top_media":
            items = Array(items.filter { $0.value != nil }.prefix(50))
        default: throw .unsupported(edge)
        }
        return try page(items, asked, fields: asked.fields)
    }
}
