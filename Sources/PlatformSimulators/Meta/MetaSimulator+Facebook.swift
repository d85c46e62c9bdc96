// What can be read of a Page.

extension MetaSimulator {
    func readFacebook(_ id: String, _ asked: Asked, _ state: inout State) throws(GraphProblem) -> GraphValue? {
        let world = state.world
        guard world.products.contains(.facebook) || id == MetaAccount.page else { return nil }
        let edge = asked.path.count > 1 ? asked.path[1] : nil
        if id == MetaAccount.page { return try pageObject(edge, asked, world) }
        if let index = world.posts.firstIndex(where: { $0.id == id }) {
            guard !world.posts[index].isDeleted else { throw .gone(id) }
            switch edge {
            case nil: return post(index, world, asked.fields).selecting(Self.postFields(asked))
            case "comments":
                let isAll = asked.parameters["filter"] == "stream"
                let items = commentItems(world, asked) { $0.post == index && (isAll || $0.parent == nil) }
                return try page(items, asked, fields: Self.commentFields(asked))
            case "reactions":
                let found = world.reactions.indices.reversed().filter {
                    world.reactions[$0].post == index && !world.reactions[$0].isTakenBack
                }
                let items: [(place: Int, value: GraphValue?)] = found.map { place in
                    let reaction = world.reactions[place]
                    let value: GraphValue = [
                        "id": .string(MetaWorld.facebookID(reaction.person)),
                        "name": .string(world.people[reaction.person].name),
                        "type": .string(reaction.type.uppercased()),
                    ]
                    return (place + 1, value)
                }
                return try page(items, asked, fields: GraphFields("name,type"))
            case let edge?: throw .unsupported(edge)
            }
        }
        if let index = world.pageComments.firstIndex(where: { $0.id == id }) {
            guard !world.pageComments[index].isDeleted else { throw .gone(id) }
            guard let edge else { return pageComment(index, world).selecting(Self.commentFields(asked)) }
            guard edge == "comments" else { throw .unsupported(edge) }
            let items = commentItems(world, asked) { $0.parent == index }
            return try page(items, asked, fields: Self.commentFields(asked))
        }
        return try conversation(id, edge, asked, world)
    }

    private static func postFields(_ asked: Asked) -> GraphFields {
        asked.fields.all.isEmpty ? GraphFields("created_time,message") : asked.fields
    }

    private static func commentFields(_ asked: Asked) -> GraphFields {
        asked.fields.all.isEmpty ? GraphFields("created_time,from,message") : asked.fields
    }

    private func pageObject(_ edge: String?, _ asked: Asked, _ world: MetaWorld) throws(GraphProblem) -> GraphValue {
        switch edge {
        case nil:
            let value: GraphValue = [
                "id": .string(MetaAccount.page), "name": .string(MetaAccount.pageName), "fan_count": 4321,
                "instagram_business_account": ["id": .string(MetaAccount.instagram)],
                "link": "https://www.facebook.com/\(MetaAccount.page)",
            ]
            return value.selecting(asked.fields.all.isEmpty ? GraphFields("name") : asked.fields)
        case "feed", "posts", "published_posts", "visitor_posts":
            let since = asked.parameters["since"].flatMap { Int64($0) } ?? 0
            let until = asked.parameters["until"].flatMap { Int64($0) } ?? Int64.max / 2000
            let found = world.posts.indices.reversed().filter { index in
                let post = world.posts[index]
                let isMeant = edge == "feed" || (edge == "visitor_posts") == (post.author != nil)
                return isMeant && post.at / 1000 >= since && post.at / 1000 <= until
            }
            let items: [(place: Int, value: GraphValue?)] = found.map { index in
                (index + 1, world.posts[index].isDeleted ? nil : post(index, world, asked.fields))
            }
            return try page(items, asked, fields: Self.postFields(asked))
        case "conversations":
            return try conversations(asked.parameters["platform"] == "instagram" ? .instagram : .facebook, asked, world)
        case "subscribed_apps": return ["data": [["id": .string(MetaAccount.app), "name": "Simulated"]]]
        case let edge?: throw .unsupported(edge)
        }
    }

    private func from(_ author: Int?, _ world: MetaWorld) -> GraphValue {
        guard let author else { return ["name": .string(MetaAccount.pageName), "id": .string(MetaAccount.page)] }
        return ["name": .string(world.people[author].name), "id": .string(MetaWorld.facebookID(author))]
    }

    private func post(_ index: Int, _ world: MetaWorld, _ fields: GraphFields) -> GraphValue {
        let post = world.posts[index]
        let native = post.id.drop { $0 != "_" }.dropFirst()
        let felt = world.reactions.count { $0.post == index && !$0.isTakenBack }
        let said = world.pageComments.indices.filter {
            world.pageComments[$0].post == index && !world.pageComments[$0].isDeleted
        }
        let most = fields["comments"]?.arguments["limit"].flatMap { Int($0) } ?? 25
        let shown = said.filter { world.pageComments[$0].parent == nil }.prefix(most).map { pageComment($0, world) }
        return [
            "id": .string(post.id), "message": .string(post.message), "created_time": MetaDates.graph(post.at),
            "updated_time": MetaDates.graph(post.updatedAt), "from": from(post.author, world),
            "permalink_url": "https://www.facebook.com/\(MetaAccount.page)/posts/\(String(native))",
            "status_type": .string(post.item == "photo" ? "added_photos" : "mobile_status_update"),
            "is_hidden": .bool(post.isHidden),
            "full_picture": post.item == "photo"
                ? "https://scontent.example.org/\(String(native))" : .absent,
            "comments": [
                "data": .array(shown),
                "summary": ["total_count": .integer(Int64(said.count)), "order": "chronological"],
            ],
            "reactions": ["data": [], "summary": ["total_count": .integer(Int64(felt))]],
        ]
    }

    private func commentItems(
        _ world: MetaWorld,
        _ asked: Asked,
        _ isMeant: (MetaWorld.PageComment) -> Bool
    ) -> [(place: Int, value: GraphValue?)] {
        let found = world.pageComments.indices.filter { isMeant(world.pageComments[$0]) }
        func item(_ index: Int, _ place: Int) -> (place: Int, value: GraphValue?) {
            (place, world.pageComments[index].isDeleted ? nil : pageComment(index, world))
        }
        // Oldest first, unless asked otherwise.
        if asked.parameters["order"] == "reverse_chronological" { return found.reversed().map { item($0, $0 + 1) } }
        return found.map { item($0, 1_000_000_000 - $0) }
    }

    private func pageComment(_ index: Int, _ world: MetaWorld) -> GraphValue {
        let comment = world.pageComments[index]
        let answers = world.pageComments.count { $0.parent == index && !$0.isDeleted }
        return [
            "id": .string(comment.id), "message": .string(comment.message), "created_time": MetaDates.graph(comment.at),
            "from": from(comment.author, world), "comment_count": .integer(Int64(answers)), "like_count": 0,
            "parent": comment.parent.map { ["id": .string(world.pageComments[$0].id)] } ?? .absent,
            "permalink_url": "https://www.facebook.com/\(world.posts[comment.post].id)?comment_id=\(comment.id)",
        ]
    }
}
