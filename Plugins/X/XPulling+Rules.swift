import ConnectorKit
import JSON
import SocialEvents

// What a stream missed, read by searching for each of its rules.

extension XPulling {
    /// One page of one rule; a round searches the same stretch of time for each, one after the other.
    func rules(_ cursor: inout XCursor, _ request: PullRequest) async throws -> PullPage {
        let now = now
        var gaps: [GapReport] = []
        let rules = try await searchedRules()
        let digest = XRules.digest(rules.map(\.rule))
        if cursor.round?.rules != digest { cursor.round = nil }
        if cursor.round == nil {
            let from = cursor.from ?? beginning(now)
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
        let searched = rules[round.rule]
        var place = [XParameter("start_time", XAPI.time(from)), XParameter("end_time", XAPI.time(until))]
        if let token = round.token { place.append(XParameter("pagination_token", token)) }
        var events: [Event] = []
        var next: String?
        do {
            let search = XAPI.search(searched.rule.value, place, count: try affordable(request.limit))
            let page = try await read(search, matched: searched.matched)
            events = page.events
            next = page.next
            round.oldest = page.oldest ?? round.oldest
            if let token = next, token == round.token {
                gaps.append(cut(cursor, round, "X gave a page that names itself as the next one"))
                next = nil
            }
        } catch let refusal as XRefusal where refusal.status == 400 {
            if let page = try misplaced(cursor, refusal, now, gaps) { return page }
            if refusal.problem?.complaints.contains("query") == true {
                let gap = Gap(
                    after: from,
                    before: until,
                    reason: "search does not take the rule \(searched.rule.name); the stream alone does"
                )
                gaps.append(.opened(key: "rule-\(searched.rule.name)-\(from.milliseconds)", gap))
            } else {
                gaps.append(cut(cursor, round, "X searches the last 7 days only, and the pages took too long"))
            }
        }
        round.token = next
        if next == nil {
            round.rule += 1
            round.oldest = nil
        }
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

    /// What to do when X does not take the place where a page of a rule should begin; `nil` where the round goes on with the next rule.
    private func misplaced(
        _ cursor: XCursor,
        _ refusal: XRefusal,
        _ now: Timestamp,
        _ gaps: [GapReport]
    ) throws -> PullPage? {
        let complaints = refusal.problem?.complaints ?? []
        if complaints.contains("query") { return nil }
        let isStart = complaints.contains("start_time")
        if isStart, cursor.round?.token != nil, cursor.round?.oldest != nil { return nil }
        guard !complaints.isEmpty, cursor.restarts < Self.mostRestarts else { throw refusal.error }
        var cursor = cursor
        var gaps = gaps
        if isStart {
            // The rules that are done stay done; the others are searched from where X still has something.
            let earliest = now.advanced(by: .zero - Self.searchable)
            forget(&cursor, earliest, &gaps)
            cursor.from = max(cursor.from ?? earliest, earliest.advanced(by: .seconds(60)))
            cursor.round?.token = nil
        } else {
            cursor.round = nil
        }
        cursor.restarts += 1
        return PullPage(cursor: cursor.encoded(), hasMore: true, gaps: gaps)
    }

    /// When to ask again for what was said just before the stream stood, which is not in X's index yet; `nil` once that was read.
    private func unsettled(_ until: Timestamp) -> Timestamp? {
        guard let connected = live.connectedAt, until < connected.advanced(by: .seconds(1)) else { return nil }
        return connected.advanced(by: Self.settled + .seconds(2))
    }

    /// A rule that is searched, and how an event tells of it: as the stream would.
    private struct Searched {
        var rule: XConfiguration.Rule
        var matched: [Match]
    }

    /// The rules whose posts are read, each value once: the configured ones, or those that others have set at X.
    private func searchedRules() async throws -> [Searched] {
        if let rules = configuration.rules {
            let names = Dictionary(grouping: rules, by: \.value).mapValues { $0.map { Match(name: $0.name) } }
            var met: Set<String> = []
            return rules.filter { met.insert($0.value).inserted }.map { rule in
                Searched(rule: rule, matched: names[rule.value] ?? [])
            }
        }
        let standing = try await XRuleKeeper(client: client, source: client.context.source.name).standing()
        return standing.map { rule in
            let name = String((rule.tag ?? rule.id).prefix(1000))
            return Searched(
                rule: XConfiguration.Rule(name: name, value: rule.value),
                matched: [XRuleBook.match(id: rule.id, tag: rule.tag)]
            )
        }
    }
}
