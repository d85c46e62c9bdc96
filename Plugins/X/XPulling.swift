import ConnectorKit
import JSON
import SocialEvents

/// Reads pages of recent search and of timelines, from one low-water mark to the next.
struct XPulling {
    let configuration: XConfiguration
    let client: XClient
    let live: XLive
    var now: Timestamp { client.context.clock.now }

    /// X's index of recent search reaches back so far; a little is left, since time passes on the way.
    static let searchable = Duration.seconds(7 * 86_400 - 120)
    /// Search ends by default so long ago, since X's index takes a while to be complete.
    static let settled = Duration.seconds(30)
    /// Most posts that X gives of a timeline, however far one pages.
    private static let mostMentions = 800
    private static let mostPosts = 3200
    private static let mostPostsWithoutReplies = 800
    /// X lets an account post 2,400 times a day at most, so that in less time nobody reaches such a bound.
    private static let quickest = Duration.seconds(6 * 3600)
    /// The page that is asked for where the budget does not allow a large one.
    private static let smallPage = 10
    /// A round that the platform forgot so often is given up.
    static let mostRestarts = 3

    init(_ configuration: XConfiguration, _ client: XClient, _ live: XLive) {
        self.configuration = configuration
        self.client = client
        self.live = live
    }

    /// One page.
    func pull(_ request: PullRequest) async throws -> PullPage {
        var cursor = try XCursor(request.cursor, scope: configuration.scope)
        do {
            switch configuration.kind {
            case .search, .mentions, .user: return try await timeline(&cursor, request)
            case .stream: return try await rules(&cursor, request)
            case .activity, .compliance:
                throw ConnectorError(.unsupported, "sources of kind \(configuration.kind.rawValue) are not asked")
            }
        } catch let refusal as XRefusal {
            throw refusal.error
        }
    }

    // MARK: - Timelines and search: from the newest id of the last round

    private func timeline(_ cursor: inout XCursor, _ request: PullRequest) async throws -> PullPage {
        let now = now
        var gaps: [GapReport] = []
        if cursor.round == nil { begin(&cursor, now, &gaps) }
        guard var round = cursor.round else { return PullPage() }
        var place: [XParameter] = []
        if let since = cursor.since {
            place.append(XParameter("since_id", since))
        } else if let from = cursor.from {
            place.append(XParameter("start_time", XAPI.time(from)))
        }
        if let token = round.token { place.append(XParameter("pagination_token", token)) }
        let count = try affordable(request.limit)
        let page: XPage
        do {
            page = try await read(try await self.request(&cursor, place, count: count))
        } catch let refusal as XRefusal where refusal.status == 400 {
            return try anew(cursor, refusal, now, gaps)
        } catch let refusal as XRefusal where refusal.status == 200 && request.cursor != nil {
            return try withdrawal(cursor, refusal, now)
        }
        cursor.isGone = false
        round.newest = round.newest ?? page.newest
        round.oldest = page.oldest ?? round.oldest
        round.count += page.count
        if let next = page.next, next != round.token {
            round.token = next
            cursor.round = round
            return PullPage(events: page.events, cursor: cursor.encoded(), hasMore: true, gaps: gaps)
        }
        if page.next != nil {
            // Whoever follows a page that names itself as the next one never comes to an end.
            gaps.append(cut(cursor, round, "X gave a page that names itself as the next one"))
        } else if let gap = try await capped(cursor, round) {
            gaps.append(gap)
        }
        end(round, &cursor)
        return PullPage(events: page.events, cursor: cursor.encoded(), hasMore: false, gaps: gaps)
    }

    /// Ends a round: the next one begins at its newest post.
    private func end(_ round: XCursor.Round, _ cursor: inout XCursor) {
        // The first page's newest, not the last's: else all that came before it would be read again, or what came in between never.
        if let newest = round.newest { cursor.since = newest }
        cursor.from = round.begun.advanced(by: .zero - Self.settled - Self.settled)
        cursor.round = nil
        cursor.restarts = 0
    }

    /// The hole that a round leaves which ends before its last page.
    func cut(_ cursor: XCursor, _ round: XCursor.Round, _ reason: String) -> GapReport {
        let from = cursor.from ?? cursor.since.flatMap(XSnowflake.time)
        let gap = Gap(after: from, before: round.oldest.flatMap(XSnowflake.time), reason: reason)
        return .opened(key: "round-\(round.begun.milliseconds)-\(round.rule)", gap)
    }

    /// Tells, once, that an account of which X gives nothing any more must be forgotten; after that the refusal stands.
    private func withdrawal(_ cursor: XCursor, _ refusal: XRefusal, _ now: Timestamp) throws -> PullPage {
        var cursor = cursor
        guard configuration.kind != .search, !cursor.isGone, let user = number(cursor) else { throw refusal.error }
        let why: String
        switch (refusal.problem?.kind, configuration.credentials) {
        case ("resource-not-found", _): why = "the account is deleted or suspended: its posts must not be shown"
        // An account may block a person who reads, but not an app.
        case ("not-authorized-for-resource", .bearer): why = "the account is protected: its posts must not be shown"
        default: throw refusal.error
        }
        cursor.isGone = true
        let person = ObjectID(XNormalizer.platform, "actor", user)
        let event = XNormalizer(now: now).withdrawal(of: person, why: why, at: nil)
        return PullPage(events: [event], cursor: cursor.encoded(), hasMore: true)
    }

    /// Begins a round of pages.
    private func begin(_ cursor: inout XCursor, _ now: Timestamp, _ gaps: inout [GapReport]) {
        cursor.round = XCursor.Round(begun: now)
        if cursor.since == nil, cursor.from == nil { cursor.from = beginning(now) }
        guard configuration.kind == .search else { return }
        let earliest = now.advanced(by: .zero - Self.searchable)
        let isExpired = cursor.since.flatMap(XSnowflake.time).map { $0 < earliest } ?? false
        guard isExpired || (cursor.since == nil && (cursor.from ?? now) < earliest) else { return }
        forget(&cursor, earliest, &gaps)
    }

    /// Where the very first reading begins: as far back as configured and as X lets us.
    func beginning(_ now: Timestamp) -> Timestamp {
        let wanted = max(configuration.history, Self.settled + .seconds(10))
        let isTimeline = configuration.kind == .user || configuration.kind == .mentions
        return now.advanced(by: .zero - (isTimeline ? wanted : min(wanted, Self.searchable)))
    }

    /// Goes on from the earliest moment there is, or from where everything is known to have been read.
    func forget(_ cursor: inout XCursor, _ earliest: Timestamp, _ gaps: inout [GapReport]) {
        let known = cursor.from
        cursor.since = nil
        cursor.from = max(known ?? earliest, earliest)
        guard let known, known < earliest else { return }
        let gap = Gap(after: known, before: earliest, reason: "X searches the last 7 days only")
        gaps.append(.opened(key: "search-\(known.milliseconds)", gap))
    }

    /// What to do when X does not take the place where a page should begin.
    private func anew(
        _ cursor: XCursor,
        _ refusal: XRefusal,
        _ now: Timestamp,
        _ gaps: [GapReport]
    ) throws -> PullPage {
        var cursor = cursor
        var gaps = gaps
        let complaints = refusal.problem?.complaints ?? []
        let isStart = complaints.contains("since_id") || complaints.contains("start_time")
        if isStart, let round = cursor.round, round.token != nil, round.newest != nil {
            // While the pages were read, limits' waits included, the start has left X's index: what was read is kept, the rest is out of reach.
            gaps.append(cut(cursor, round, "X searches the last 7 days only, and the pages took too long"))
            end(round, &cursor)
            return PullPage(cursor: cursor.encoded(), hasMore: false, gaps: gaps)
        }
        guard cursor.restarts < Self.mostRestarts else { throw refusal.error }
        if isStart {
            let earliest = now.advanced(by: .zero - Self.searchable)
            forget(&cursor, earliest, &gaps)
            cursor.from = max(cursor.from ?? earliest, earliest.advanced(by: .seconds(60)))
        } else if !complaints.contains("pagination_token") && !complaints.contains("next_token")
            || cursor.round?.token == nil
        {
            throw refusal.error
        }
        cursor.round = nil
        cursor.restarts += 1
        return PullPage(cursor: cursor.encoded(), hasMore: true, gaps: gaps)
    }

    /// A hole where a timeline ends because X shows no more of it.
    ///
    /// Of what it leaves out on request X counts all the same. A count of what it gave then says nothing, so that X is asked for what stands before the oldest post
    /// that was read: only where this is the last one known, or older, all between was read.
    private func capped(_ cursor: XCursor, _ round: XCursor.Round) async throws -> GapReport? {
        guard let since = cursor.since, configuration.kind != .search else { return nil }
        let excluded = configuration.excluded
        let most =
            configuration.kind == .mentions
            ? Self.mostMentions : excluded.contains(.replies) ? Self.mostPostsWithoutReplies : Self.mostPosts
        let gap = Gap(after: XSnowflake.time(since), reason: "X shows no more than the last \(most) posts here")
        let report = GapReport.opened(key: "timeline-\(since)", gap)
        // Near the bound is taken for the bound: posts may have been deleted meanwhile.
        if round.count >= most - 100 { return report }
        guard !excluded.isEmpty, let from = cursor.from, from.duration(to: round.begun) > Self.quickest else {
            return nil
        }
        var cursor = cursor
        let before = round.oldest.map { [XParameter("until_id", $0)] } ?? []
        let earlier = try await read(try await request(&cursor, before, count: 0)).newest
        guard let earlier, (earlier.utf8.count, earlier) <= (since.utf8.count, since) else { return report }
        return nil
    }

    private func request(_ cursor: inout XCursor, _ place: [XParameter], count: Int) async throws -> XRequest {
        if configuration.kind == .search { return XAPI.search(configuration.query ?? "", place, count: count) }
        let user = try await user(&cursor)
        guard configuration.kind == .user else { return XAPI.mentions(user, place, count: count) }
        return XAPI.posts(user, place, count: count, excluded: configuration.excluded)
    }

    /// The account's number, where it is configured or was looked up.
    private func number(_ cursor: XCursor) -> String? {
        let name = configuration.user ?? ""
        return name.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 } ? name : cursor.user
    }

    /// The account's number, looked up once.
    private func user(_ cursor: inout XCursor) async throws -> String {
        if let known = number(cursor) { return known }
        let name = configuration.user ?? ""
        let body = try await client.fetch(XAPI.user(named: name))
        // An answer without the account says so in `errors`, with status 200.
        let id = try? JSONParser().parse(body) { $0["data"]?["id"]?.string }
        guard let id, id.utf8.count <= 20, id.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else {
            throw ConnectorError(.rejected, "the account: X knows none of that name; check `user`")
        }
        client.context.quota.reads("user", ids: [id])
        cursor.user = id
        return id
    }

    /// How many posts to ask for: as many as wanted, or, where the budget is short of them, the fewest there can be.
    func affordable(_ limit: Int) throws -> Int {
        let whole = min(max(limit, Self.smallPage), 100)
        let quota = client.context.quota
        if (try? quota.admitSpend("post", count: whole)) != nil { return whole }
        try quota.admitSpend("post", count: Self.smallPage)
        return Self.smallPage
    }

    func read(_ request: XRequest, matched: [Match] = []) async throws -> XPage {
        let body = try await client.fetch(request)
        let page = try XPage(body, what: request.what, now: now, matched: matched)
        page.reads.bill(client.context.quota)
        try await XEditMemory(account: client.context.account).remember(page.edits)
        return page
    }
}
