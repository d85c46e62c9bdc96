import HTTPTypes

// What was said in private, as lists have it, and writing there.

extension MetaSimulator {
    private static func conversationID(_ product: MetaProduct, _ person: Int) -> String {
        (product == .instagram ? "aWdfZAG06" : "t_") + String(100_200_300 + person)
    }

    func conversations(
        _ product: MetaProduct,
        _ asked: Asked,
        _ world: MetaWorld
    ) throws(GraphProblem) -> GraphValue {
        let messages = world.messages[product] ?? []
        var latest: [Int: Int] = [:]
        for (index, message) in messages.enumerated() { latest[message.person] = index }
        let items: [(place: Int, value: GraphValue?)] = latest.sorted { $0.value > $1.value }.map {
            ($0.value + 1, conversation(product, $0.key, asked, world))
        }
        return try page(items, asked, fields: asked.fields)
    }

    private func conversation(
        _ product: MetaProduct,
        _ person: Int,
        _ asked: Asked,
        _ world: MetaWorld
    ) -> GraphValue {
        let messages = (world.messages[product] ?? []).filter { $0.person == person }
        let participants: [GraphValue] = [participant(nil, product, world), participant(person, product, world)]
        var value: GraphValue = [
            "id": .string(Self.conversationID(product, person)),
            "updated_time": messages.last.map { MetaDates.graph($0.at) } ?? .absent,
            "participants": ["data": .array(participants)],
        ]
        if let field = asked.fields["messages"] {
            let items = self.messages(of: person, product, world)
            let path = "/\(Self.conversationID(product, person))/messages"
            value = value.adding("messages", nested(items, path, field, asked))
        }
        return value
    }

    private func messages(
        of person: Int,
        _ product: MetaProduct,
        _ world: MetaWorld
    ) -> [(place: Int, value: GraphValue?)] {
        let messages = world.messages[product] ?? []
        return messages.indices.reversed().filter { messages[$0].person == person }
            .map { ($0 + 1, messages[$0].isDeleted ? nil : message(messages[$0], product, world)) }
    }

    private func participant(_ person: Int?, _ product: MetaProduct, _ world: MetaWorld) -> GraphValue {
        let isInstagram = product == .instagram
        guard let person else {
            return isInstagram
                ? ["id": .string(MetaAccount.instagram), "username": .string(MetaAccount.username)]
                : ["id": .string(MetaAccount.page), "name": .string(MetaAccount.pageName)]
        }
        let someone = world.people[person]
        return isInstagram
            ? ["id": .string(MetaWorld.instagramID(person)), "username": .string(someone.handle)]
            : ["id": .string(MetaWorld.facebookID(person)), "name": .string(someone.name)]
    }

    private func message(_ message: MetaWorld.Message, _ product: MetaProduct, _ world: MetaWorld) -> GraphValue {
        let us = participant(nil, product, world)
        let them = participant(message.person, product, world)
        return [
            "id": .string(message.mid), "created_time": MetaDates.graph(message.at),
            "from": message.isOurs ? us : them, "to": ["data": [message.isOurs ? them : us]],
            "message": .string(message.text),
        ]
    }

    /// A conversation, what was said in it, or one message.
    func conversation(
        _ id: String,
        _ edge: String?,
        _ asked: Asked,
        _ world: MetaWorld
    ) throws(GraphProblem) -> GraphValue? {
        for product in [MetaProduct.instagram, .facebook] {
            let messages = world.messages[product] ?? []
            if let message = messages.first(where: { $0.mid == id }) {
                guard !message.isDeleted else { throw .gone(id) }
                return self.message(message, product, world).selecting(asked.fields)
            }
            guard let person = world.people.indices.first(where: { Self.conversationID(product, $0) == id }) else {
                continue
            }
            guard edge == "messages" else {
                return conversation(product, person, asked, world).selecting(asked.fields)
            }
            let items = self.messages(of: person, product, world)
            return try page(items, asked, fields: asked.fields)
        }
        return nil
    }

    // MARK: - Writing

    /// Answers, messages, taking back.
    func writePosts(_ asked: Asked, _ state: inout State) throws(GraphProblem) -> GraphValue? {
        guard let id = asked.path.first else { return nil }
        if asked.request.method == .delete { return try delete(id, &state) }
        guard asked.path.count == 2 else { return nil }
        let world = state.world
        var made: String?
        switch asked.path[1] {
        case "replies", "comments":
            guard let text = asked.parameters["message"] else { throw .missing("message") }
            if let index = world.comments.firstIndex(where: { $0.id == id && !$0.isDeleted }) {
                let parent = world.comments[index].parent ?? index
                state.world.on(.instagram) { made = $0.say(text, under: $0.comments[index].media, answering: parent) }
            } else if let index = world.media.firstIndex(where: { $0.id == id && world.isUp($0) }) {
                state.world.on(.instagram) { made = $0.say(text, under: index, answering: nil) }
            } else if let index = world.posts.firstIndex(where: { $0.id == id && !$0.isDeleted }) {
                state.world.on(.facebook) { made = $0.comment(text, by: nil, under: index, answering: nil) }
            } else if let index = world.pageComments.firstIndex(where: { $0.id == id && !$0.isDeleted }) {
                let post = world.pageComments[index].post
                state.world.on(.facebook) { made = $0.comment(text, by: nil, under: post, answering: index) }
            }
        case "messages":
            let product: MetaProduct = id == MetaAccount.page ? .facebook : .instagram
            let (recipient, text) = (Self.member("id", asked, "recipient"), Self.member("text", asked, "message"))
            guard let recipient else { throw .missing("recipient") }
            guard let text else { throw .missing("message") }
            let person = world.people.indices.first {
                [MetaWorld.instagramID($0), MetaWorld.facebookID($0)].contains(recipient)
            }
            guard let person else { throw .invalid("recipient") }
            state.world.on(product) { made = $0.say(text, to: person, on: product) }
            guard let made else { throw .gone(id) }
            return ["recipient_id": .string(recipient), "message_id": .string(made)]
        default: return nil
        }
        guard let made else { throw .gone(id) }
        return ["id": .string(made)]
    }

    private func delete(_ id: String, _ state: inout State) throws(GraphProblem) -> GraphValue {
        let world = state.world
        if let index = world.comments.firstIndex(where: { $0.id == id && !$0.isDeleted }) {
            state.world.on(.instagram) { $0.deleteComment(index) }
        } else if let index = world.pageComments.firstIndex(where: { $0.id == id && !$0.isDeleted }) {
            state.world.on(.facebook) { $0.removePageComment(index) }
        } else {
            throw .gone(id)
        }
        return ["success": true]
    }
}
