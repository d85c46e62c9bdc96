import ConnectorKit
import JSON
import SocialEvents

/// Reads pages of recent search and of timelines, from one low-water mark to the next.
struct XPulling {
    let configuration: XConfiguration
    let client: XClient
    let live: XLive
    private var now: Timestamp { client.context.clock.now }

    /// X's index of recent search reaches back so far; a little is left, since time passes on the way.
    private static let searchable = Duration.seconds(7 * 86_400 - 120)
    /// Search ends by default so long ago, since X's index takes a while to be complete.
    static let settled = Duration.seconds(30)
    /// Most posts that X gives of a timeline, however far one pages.
    private static let mostMentions = 800
    private static let mostPosts = 3200
    /// A round that the platform forgot so often is given up.
    private static let mostRestarts = 3

    init(_ configuration: XConfiguration, _ client: XClient, _ live: XLive) {
        self.configuration = configuration
        self.client = client
        self.live = live
    }

    /// One page.
    func pull(_ request: PullRequest) async throws -> PullPage {
        var cursor = try XCursor(request.cursor)
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
        let asked = try await self.request(&cursor, place, count: request.limit)
        let page: XPage
        do {
            page = try await read(asked, count: request.limit)
        } catch let refusal as XRefusal where refusal.status == 400 {
            return try anew(cursor, refusal, now, gaps)
        }
        round.newest = round.newest ?? page.newest
        round.count += page.count
        if let next = page.next {
            round.token = next
            cursor.round = round
            return PullPage(events: page.events, cursor: cursor.encoded(), hasMore: true, gaps: gaps)
        }
        if let gap = capped(cursor, round) { gaps.append(gap) }
        // The first page's newest, not the last's: else all that came before it would be read again, or what came in between never.
        if let newest = round.newest { cursor.since = newest }
        cursor.from = round.begun.advanced(by: .zero - Self.settled - Self.settled)
        cursor.round = nil
        cursor.restarts = 0
        return PullPage(events: page.events, cursor: cursor.encoded(), hasMore: false, gaps: gaps)
    }

    /// Begins a round of pages.
    private func begin(_ cursor: inout XCursor, _ now: Timestamp, _ gaps: inout [GapReport]) {
        cursor.round = XCursor.Round(begun: now)
        if cursor.since == nil, cursor.from == nil {
            cursor.from = now.advanced(by: .zero - max(configuration.history, Self.settled + .seconds(10)))
        }
        guard configuration.kind == .search else { return }
        let earliest = now.advanced(by: .zero - Self.searchable)
        let isExpired = cursor.since.flatMap(XSnowflake.time).map { $0 < earliest } ?? false
        guard isExpired || (cursor.since == nil && (cursor.from ?? now) < earliest) else { return }
        forget(&cursor, earliest, &gaps)
    }

    /// Goes on from the earliest moment there is, or from where everything is known to have been read.
    private func forget(_ cursor: inout XCursor, _ earliest: Timestamp, _ gaps: inout [GapReport]) {
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
        guard cursor.restarts < Self.mostRestarts else { throw refusal.error }
        if complaints.contains("since_id") || complaints.contains("start_time") {
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
    private func capped(_ cursor: XCursor, _ round: XCursor.Round) -> GapReport? {
        guard let since = cursor.since, configuration.kind != .search else { return nil }
        // X counts posts that it then leaves out, so an end near the bound is taken for the bound.
        let most = configuration.kind == .mentions ? Self.mostMentions : Self.mostPosts
        guard round.count >= most - 100 else { return nil }
        let gap = Gap(after: XSnowflake.time(since), reason: "X shows no more than the last \(most) posts here")
        return .opened(key: "timeline-\(since)", gap)
    }

    private func request(_ cursor: inout XCursor, _ place: [XParameter], count: Int) async throws -> XRequest {
        if configuration.kind == .search { return XAPI.search(configuration.query ?? "", place, count: count) }
        let user = try await user(&cursor)
        guard configuration.kind == .user else { return XAPI.mentions(user, place, count: count) }
        return XAPI.posts(user, place, count: count, excluded: configuration.excluded)
    }

    /// The account's number, looked up once.
    private func user(_ cursor: inout XCursor) async throws -> String {
        let name = configuration.user ?? ""
        if name.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) { return name }
        if let known = cursor.user { return known }
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

    private func read(_ request: XRequest, count: Int, matched: [Match] = []) async throws -> XPage {
        try client.context.quota.admitSpend("post", count: min(max(count, 10), 100))
        let body = try await client.fetch(request)
        let page = try XPage(body, what: request.what, now: now, matched: matched)
        page.reads.bill(client.context.quota)
        return page
    }

    // MARK: - Rules: the same stretch of time for each, one after the other

    private func rules(_ cursor: inout XCursor, _ request: PullRequest) async throws -> PullPage {
        let now = now
        var gaps: [GapReport] = []
        let rules = try await searchedRules()
        let digest = XRules.digest(rules)
        if cursor.round?.rules != digest { cursor.round = nil }
        if cursor.round == nil {
            let from = cursor.from ?? now.advanced(by: .zero - max(configuration.history, Self.settled + .seconds(10)))
            let earliest = now.advanced(by: .zero - Self.searchable)
            cursor.from = from
            if from < earliest { forget(&cursor, earliest, &gaps) }
            let until = Timestamp(seconds: now.advanced(by: .zero - Self.settled).milliseconds / 1000)
            guard !rules.isEmpty, until > cursor.from ?? until else {
                let wait = rules.isEmpty ? nil : unsettled(cursor.from ?? until)
                return PullPage(hasMore: wait != nil, notBefore: wait, gaps: gaps)
            }
            cursor.round = XCursor.Round(until: until, rules: digest, begun: now)
        }
        guard var round = cursor.round, let until = round.until, let from = cursor.from, round.rule < rules.count else {
            throw ConnectorError(.rejected, "the cursor names a rule that is not there; forget it")
        }
        let rule = rules[round.rule]
        var place = [XParameter("start_time", XAPI.time(from)), XParameter("end_time", XAPI.time(until))]
        if let token = round.token { place.append(XParameter("pagination_token", token)) }
        var events: [Event] = []
        var next: String?
        do {
            let search = XAPI.search(rule.value, place, count: request.limit)
            let page = try await read(search, count: request.limit, matched: [Match(name: rule.name)])
            events = page.events
            next = page.next
        } catch let refusal as XRefusal where refusal.status == 400 {
            let complaints = refusal.problem?.complaints ?? []
            guard complaints.contains("query") else {
                // The place is not taken, not the rule: the round begins anew.
                guard !complaints.isEmpty, cursor.restarts < Self.mostRestarts else { throw refusal.error }
                cursor.round = nil
                cursor.restarts += 1
                return PullPage(cursor: cursor.encoded(), hasMore: true, gaps: gaps)
            }
            let gap = Gap(
                after: from,
                before: until,
                reason: "search does not take the rule \(rule.name); the stream alone does"
            )
            gaps.append(.opened(key: "rule-\(rule.name)-\(from.milliseconds)", gap))
        }
        round.token = next
        if next == nil { round.rule += 1 }
        guard round.rule >= rules.count else {
            cursor.round = round
            return PullPage(events: events, cursor: cursor.encoded(), hasMore: true, gaps: gaps)
        }
        cursor.from = until
        cursor.round = nil
        cursor.restarts = 0
        let wait = unsettled(until)
        return PullPage(
            events: events,
            cursor: cursor.encoded(),
            hasMore: wait != nil,
            notBefore: wait,
            gaps: gaps
        )
    }

    /// When to ask again for what was said just before the stream stood, which is not in X's index yet; `nil` once that was read.
    private func unsettled(_ until: Timestamp) -> Timestamp? {
        guard let connected = live.connectedAt, until < connected.advanced(by: .seconds(1)) else { return nil }
        return connected.advanced(by: Self.settled + .seconds(2))
    }

    /// The rules whose posts are read: the configured ones, or those that others have set at X.
    private func searchedRules() async throws -> [XConfiguration.Rule] {
        if let rules = configuration.rules { return rules }
        let standing = try await XRuleKeeper(client: client, source: client.context.source.name).standing()
        return standing.map { XConfiguration.Rule(name: String(($0.tag ?? $0.id).prefix(1000)), value: $0.value) }
    }
}
