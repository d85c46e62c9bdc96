import ConnectorKit
import JSON
import MetaGraph
import SocialEvents

/// Asks the Graph API, a page or a few single questions at a time.
struct InstagramPulling {
    let configuration: InstagramConfiguration
    let client: GraphClient
    let heard: InstagramHeard

    var context: ConnectorContext { client.context }
    var now: Timestamp { context.clock.now }
    var normalizer: InstagramNormalizer { InstagramNormalizer(now: now) }

    /// The platform's places in a list are not for keeping: a round that takes longer begins anew.
    static let longestRound = Duration.seconds(12 * 3600)
    /// A hashtag that cannot be looked up is tried again after this.
    static let longPause = Duration.seconds(3600)
    /// A round whose place the platform forgets so often ends where it is.
    static let mostRestarts = 3
    /// A round has no more pages.
    static let mostPages = 100
    /// So many single questions are asked in one pull.
    static let mostQuestions = 5

    /// What a pull has brought so far.
    struct Harvest {
        var events: [Event] = []
        var deadLetters: [DeadLetter] = []
        var gaps: [GapReport] = []
        var notBefore: Timestamp?

        /// The page for the hub: oldest first, though the platform's pages begin with the newest.
        func page(_ cursor: InstagramCursor, hasMore: Bool) -> PullPage {
            var cursor = cursor
            cursor.bound()
            return PullPage(
                events: events.sorted { $0.time < $1.time },
                deadLetters: deadLetters,
                cursor: cursor.encoded(),
                hasMore: hasMore,
                notBefore: notBefore,
                gaps: gaps
            )
        }
    }

    /// One page.
    func pull(_ request: PullRequest) async throws -> PullPage {
        var cursor = try InstagramCursor(request.cursor, scope: configuration.scope)
        switch configuration.kind {
        case .mentions: return try await mentions(&cursor)
        case .comments: return try await comments(&cursor)
        case .media, .stories, .tags, .hashtag, .messages: return try await lists(&cursor)
        }
    }

    /// The account's id.
    ///
    /// Where none is configured the token is asked whose it is, with each round: another account's token is the beginning of another list.
    func findAccount(_ cursor: inout InstagramCursor) async throws {
        guard configuration.user == "me" else {
            cursor.user = configuration.user
            return
        }
        let answer = try await client.fetch(InstagramAPI.me)
        let id = try answer.read { root in
            guard let id = InstagramValue.native(root["user_id"] ?? root["id"]) else {
                throw root.mismatch("an account with an id")
            }
            return id
        }
        if let known = cursor.user, known != id { cursor = InstagramCursor(scope: configuration.scope) }
        cursor.user = id
    }

    // MARK: - What is missing

    /// Asks after some of the elements that should be in a list and are not: those that are gone were withdrawn.
    ///
    /// - Throws: the failure, where none could be asked after.
    func askAfterMissing(_ list: inout InstagramList, namespace: String, _ harvest: inout Harvest) async throws {
        for (count, id) in list.missing.prefix(Self.mostQuestions).enumerated() {
            do {
                try await checkExistence(of: id, &harvest)
                list.mark(id, .elsewhere)
            } catch let error as ConnectorError {
                if error.graph?.meaning == .gone {
                    let object = ObjectID(InstagramNormalizer.platform, namespace, id)
                    harvest.events.append(normalizer.event(object, .postDeleted, at: nil))
                    list.forget(id)
                } else if error.code == .rejected {
                    // It would be refused again; that says nothing of whether it is there.
                    list.mark(id, .elsewhere)
                } else {
                    guard count > 0 else { throw error }
                    return
                }
            }
            list.missing.removeAll { $0 == id }
        }
    }

    /// Asks whether something is there, and when it was made.
    ///
    /// - Throws: what the platform says when it is not there; `malformed` for an answer that says nothing of it.
    @discardableResult
    func checkExistence(of id: String, _ harvest: inout Harvest) async throws -> Timestamp? {
        let answer = try await client.fetch(InstagramAPI.existence(of: id))
        harvest.notBefore = answer.notBefore ?? harvest.notBefore
        return try answer.read { root in
            guard InstagramValue.native(root["id"]) == id else {
                throw root.mismatch("an object with the id asked for")
            }
            return root["timestamp"].flatMap(MetaTime.read)
        }
    }

    // MARK: - Parts of pages

    /// Reads an element into an event; one that cannot be read is set aside, in a form that can be read again.
    func read(
        _ element: JSONValue,
        form: String,
        into harvest: inout Harvest,
        _ make: (JSONValue) throws(JSONError) -> Event
    ) {
        do throws(JSONError) {
            harvest.events.append(try make(element))
        } catch {
            var writer = JSONWriter(reserving: 2048)
            element.write(into: &writer)
            harvest.deadLetters.append(
                DeadLetter(
                    reason: "an element of the page: \(error.description)",
                    contentType: "application/json; form=\(form)",
                    payload: writer.bytes
                )
            )
        }
    }

    /// An element without an id, which would be set aside anew with every page: kept as an event, which is told once.
    func unnamed(_ element: JSONValue) -> Event {
        var writer = JSONWriter(reserving: 2048)
        element.write(into: &writer)
        var event = Event.unrecognised(writer.bytes, platform: InstagramNormalizer.platform, time: now)
        event.data.loss.append(Loss("time", .inferred, "the time of reading"))
        return event
    }

    /// An edit of what was told before.
    func updated(_ event: Event, revision: Int) -> Event {
        var event = event
        guard let subject = event.subject else { return event }
        event.id = EventID(subject, .updated, revision: revision)
        event.type = .postUpdated
        event.time = now
        event.data.object?.revision = revision
        event.data.object?.editedAt = now
        event.data.loss.append(Loss("edited_at", .inferred, "the time of reading: the platform does not say when"))
        return event
    }
}

extension GraphAnswer {
    /// Reads a list and where it goes on.
    func readList(
        asked request: GraphRequest,
        baseURL: String,
        _ read: (JSONElements) throws -> Void
    ) throws -> GraphPaging {
        try self.read { root in
            let elements = try root.requiredArray("data")
            let paging = try GraphPaging(of: root, asked: request, baseURL: baseURL)
            try read(elements)
            return paging
        }
    }
}
