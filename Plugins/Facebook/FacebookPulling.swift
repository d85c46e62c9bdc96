import ConnectorKit
import JSON
import MetaGraph
import SocialEvents

/// One step of asking: a page of the Page's posts, and once these are read, the comments under the newest ones.
struct FacebookPulling: Sendable {
    private let configuration: FacebookConfiguration
    private let client: GraphClient
    private let page: String
    /// Posts of the last minute are asked for again: one may become visible after a newer one.
    private static let overlap = Duration.seconds(60)
    /// How often a walk begins anew before that is a failure.
    private static let mostRestarts = 3

    init(_ configuration: FacebookConfiguration, _ client: GraphClient, page: String) {
        self.configuration = configuration
        self.client = client
        self.page = page
    }

    func pull(_ request: PullRequest) async throws -> PullPage {
        let cursor = try FacebookCursor(request.cursor, scope: configuration.scope)
        let isAtComments = cursor.isAtComments && configuration.readsComments && !cursor.posts.isEmpty
        return isAtComments ? try await comments(cursor) : try await posts(cursor, count: request.limit)
    }

    // MARK: - Posts

    private func posts(_ kept: FacebookCursor, count: Int) async throws -> PullPage {
        var cursor = kept
        let now = client.context.clock.now
        let begin = cursor.mark?.advanced(by: .zero - Self.overlap) ?? now.advanced(by: .zero - configuration.history)
        var walk = cursor.walk ?? FacebookCursor.Walk(since: begin)
        let asked = FacebookAPI.feed(page, since: walk.since, count: count)
        let answer: GraphAnswer
        do {
            answer = try await client.fetch(
                try walk.place.map { try GraphPaging.request(at: $0, asked: asked) } ?? asked
            )
        } catch let error as ConnectorError where walk.place != nil && error.graph?.meaning == .invalid {
            return try restart(cursor, error)
        }
        var result = PullPage()
        let normalizer = FacebookNormalizer(now: now)
        let place = try answer.read { root in
            for value in try root.requiredArray("data").reversed() {
                // Known posts were told with the cursor that knows them.
                if let id = MetaValue.id(value["id"]), cursor.posts.contains(where: { $0.id == id }) { continue }
                guard let event = FacebookElement.post(page: page).read(value, normalizer, &result.deadLetters) else {
                    continue
                }
                result.events.append(event)
                walk.top = max(walk.top ?? event.time, event.time)
                if let id = MetaValue.id(value["id"]) { cursor.know(id, created: event.time) }
            }
            return try GraphPaging(of: root, asked: asked, baseURL: client.baseURL).place
        }
        // The beginning alone is no progress.
        if walk.place != nil || place == nil { cursor.restarts = 0 }
        if let place, place != walk.place {
            walk.place = place
            cursor.walk = walk
            result.hasMore = true
        } else {
            cursor.walk = nil
            // Where there is nothing yet, the mark stays where the walk began and does not creep back by the overlap.
            cursor.mark = [cursor.mark, walk.top].compactMap { $0 }.max() ?? walk.since.advanced(by: Self.overlap)
            cursor.isAtComments = configuration.readsComments && !cursor.posts.isEmpty
            result.hasMore = cursor.isAtComments
        }
        result.cursor = cursor.encoded()
        result.notBefore = answer.notBefore
        return result
    }

    /// The platform has forgotten the place of the next page: the walk begins anew, and what it tells again is known by its ids.
    private func restart(_ kept: FacebookCursor, _ error: ConnectorError) throws -> PullPage {
        guard kept.restarts < Self.mostRestarts else { throw error }
        var cursor = kept
        cursor.restarts += 1
        cursor.walk?.place = nil
        return PullPage(cursor: cursor.encoded(), hasMore: true)
    }

    // MARK: - Comments

    /// Comments under every known post, or where some of these have more pages, the next page of each.
    private func comments(_ kept: FacebookCursor) async throws -> PullPage {
        var cursor = kept
        let isGoingOn = cursor.posts.contains { $0.place != nil }
        let due = cursor.posts.filter { !isGoingOn || $0.place != nil }
        let asked = due.map { FacebookAPI.comments($0.id) }
        let requests = try zip(due, asked).map { post, asked in
            try post.place.map { try GraphPaging.request(at: $0, asked: asked) } ?? asked
        }
        let answers = try await client.fetch(batch: requests, bucket: FacebookAPI.bucket, what: "the comments")
        var result = PullPage()
        var failures: [ConnectorError] = []
        var gone: [FacebookCursor.Post] = []
        for (index, answer) in answers.enumerated() {
            var post = due[index]
            switch answer {
            case .success(let answer):
                result.notBefore = answer.notBefore
                read(answer, asked[index], &post, &result)
            case .failure(let error):
                switch error.graph?.meaning {
                case .gone: gone.append(post)
                case .invalid where post.place != nil: post.forgetWalk()
                default: failures.append(error)
                }
            }
            if let known = cursor.posts.firstIndex(where: { $0.id == post.id }) { cursor.posts[known] = post }
        }
        if failures.count == answers.count, let failure = failures.first { throw failure }
        forget(gone, isCertain: gone.count < answers.count, &cursor, &result)
        result.events.sort { $0.time < $1.time }
        if let failure = failures.first {
            // What was read is kept; the rest is asked for in its turn, not before the platform allows it.
            let wait = failure.retryAt ?? client.context.clock.now.advanced(by: GraphLadders.throttled.first)
            result.notBefore = max(result.notBefore ?? wait, wait)
        }
        result.hasMore = failures.isEmpty && cursor.posts.contains { $0.place != nil }
        cursor.isAtComments = cursor.posts.contains { $0.place != nil }
        result.cursor = cursor.encoded()
        return result
    }

    /// Takes the comments that are new; goes on to older ones until one is known.
    private func read(
        _ answer: GraphAnswer,
        _ asked: GraphRequest,
        _ post: inout FacebookCursor.Post,
        _ result: inout PullPage
    ) {
        let normalizer = FacebookNormalizer(now: client.context.clock.now)
        var read = post
        var events: [Event] = []
        var letters: [DeadLetter] = []
        do {
            let place: String? = try answer.read { root in
                var isKnown = false
                for value in try root.requiredArray("data") {
                    let event = FacebookElement.comment(post: post.id, page: page).read(value, normalizer, &letters)
                    guard let event, let id = MetaValue.id(value["id"]) else { continue }
                    if let seen = post.seen, event.time < seen { isKnown = true }
                    if post.knows(id, event.time) { continue }
                    events.append(event)
                    read.take(id, event.time)
                }
                return isKnown ? nil : try GraphPaging(of: root, asked: asked, baseURL: client.baseURL).place
            }
            let isNew = place != post.place
            read.place = place
            if place == nil || !isNew { read.end() }
            post = read
            result.events += events
            result.deadLetters += letters
        } catch {
            // An answer of its own that cannot be read: its siblings go on, and the post's comments are asked for again.
            post.forgetWalk()
            if let letter = (error as? ConnectorError)?.deadLetter { result.deadLetters.append(letter) }
        }
    }

    /// Posts that are not there any more.
    ///
    /// Where all are gone at once, more likely the token does not show them any longer, which is no deletion.
    private func forget(
        _ gone: [FacebookCursor.Post],
        isCertain: Bool,
        _ cursor: inout FacebookCursor,
        _ result: inout PullPage
    ) {
        guard !gone.isEmpty else { return }
        cursor.posts.removeAll { post in gone.contains { $0.id == post.id } }
        guard isCertain else { return }
        let normalizer = FacebookNormalizer(now: client.context.clock.now)
        for post in gone {
            var event = normalizer.event(FacebookNormalizer.postID(post.id), .postDeleted, at: nil)
            event.data.loss.append(Loss("post", .inferred, "it is not there any more when its comments are asked for"))
            event.data.channel = FacebookNormalizer.channel(page)
            result.events.append(event)
        }
    }
}
