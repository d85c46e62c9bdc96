import ConnectorKit
import SocialEvents

extension BlueskyCursor {
    /// What comes next, once a page is read.
    enum Step: Sendable, Hashable {
        /// Another page of the same walk.
        case next
        /// The walk is at its end; a hole is left where it could not come back to what was read before.
        case end(hole: Gap?)
    }

    /// Pages of a feed in no order that are read at most, and empty ones of any other in a row.
    private static let mostPages = 5
    /// From how many entries on the end of a search may be its limit, rather than the end of what there is.
    private static let deep = 1000

    /// The walk that goes on, or a new one.
    mutating func continued(_ configuration: BlueskyConfiguration, now: Timestamp) -> Pass {
        if let pass { return pass }
        var pass = Pass()
        guard configuration.kind != .feed else { return pass }
        let earliest = earliest ?? now.advanced(by: .zero - configuration.backfill)
        if watermark == nil { self.earliest = earliest }
        var floor = watermark.map { $0.advanced(by: .zero - configuration.overlap) } ?? earliest
        // Where more was told than can be kept in mind, the rest would all be told again.
        if seen.count >= Self.mostSeen, let oldest = seen.lazy.map(\.time).min() { floor = max(floor, oldest) }
        // What was said before the source began is not told later either.
        pass.floor = max(floor, self.earliest ?? floor)
        return pass
    }

    /// Whether an event is told for the first time, as far as is known; remembers it.
    mutating func isNew(_ id: EventID, at time: Timestamp, _ overlap: Duration, _ pass: inout Pass) -> Bool {
        let digest = id.text.digest
        guard !seen.contains(where: { $0.digest == digest }), !pass.recent.contains(digest) else { return false }
        // What the next pass may meet is kept for it; what lies further back only until the next page.
        let top = pass.top ?? time
        if seen.count < Self.mostSeen * 2, pass.floor == nil || time >= top.advanced(by: .zero - overlap) {
            seen.append(Seen(digest: digest, time: time))
        } else {
            pass.recent.append(digest)
        }
        return true
    }

    /// Where the walk goes from here.
    ///
    /// - Parameters:
    ///   - pass: the walk, the page counted in.
    ///   - page: the server's cursor for the next one.
    ///   - last: the time of the page's last entry; nil for an empty page.
    ///   - kind: what is read.
    /// - Returns: whether another page follows.
    mutating func step(_ pass: inout Pass, page: String?, last: Timestamp?, kind: BlueskyConfiguration.Kind) -> Step {
        // A server that gives the same cursor again would have the same page read for ever.
        let page = page == pass.page ? nil : page
        guard let floor = pass.floor else {
            pass.page = page
            return page == nil || !pass.hadNews || pass.pages >= Self.mostPages ? .end(hole: nil) : .next
        }
        if let last, last < floor { return .end(hole: nil) }
        if let page, !refusesPages, !page.isEmpty, last != nil || pass.pages < Self.mostPages {
            pass.page = page
            return .next
        }
        guard kind == .search, last != nil, refusesPages || pass.entries >= Self.deep else { return .end(hole: nil) }
        return begunAnew(&pass)
    }

    /// Goes on by a search of its own for what is older: for the server's limit of about 10,000 posts a search, and for servers that refuse
    /// cursors.
    mutating func begunAnew(_ pass: inout Pass) -> Step {
        guard let oldest = pass.oldest else { return .end(hole: nil) }
        // What was said in the same millisecond must not be skipped, and what comes twice is known.
        let until = oldest.advanced(by: .milliseconds(1))
        if let before = pass.until, until >= before {
            let hole = Gap(after: pass.floor, before: oldest, reason: "the search shows no more than its newest posts")
            return .end(hole: watermark == nil ? nil : hole)
        }
        pass.until = until
        pass.page = nil
        pass.entries = 0
        return .next
    }

    /// Most walks in a row that begin anew for a cursor that was not taken.
    private static let mostRestarts = 3

    /// What to do when the server no longer takes the cursor that it gave: begin anew, some times; then leave a hole where the pages do not lead.
    ///
    /// - Returns: the hole, where the walk is at its end; nil where it begins anew.
    mutating func refused(_ pass: Pass, _ overlap: Duration, now: Timestamp) -> Gap? {
        guard restarts >= Self.mostRestarts else {
            restarts += 1
            self.pass = nil
            return nil
        }
        finish(pass, overlap, now: now)
        return Gap(after: pass.floor, before: pass.oldest, reason: "the server does not take the cursors that it gives")
    }

    /// Ends a walk: the watermark moves, and what no later walk can meet is forgotten.
    mutating func finish(_ pass: Pass, _ overlap: Duration, now: Timestamp) {
        self.pass = nil
        if pass.floor == nil {
            watermark = now
            if seen.count > Self.mostSeen { seen.removeFirst(seen.count - Self.mostSeen) }
            return
        }
        let top = min([watermark, pass.top].compactMap { $0 }.max() ?? pass.floor ?? now, now)
        watermark = top
        let floor = top.advanced(by: .zero - overlap)
        seen.removeAll { $0.time < floor }
        if seen.count > Self.mostSeen {
            seen.sort { $0.time > $1.time }
            seen.removeLast(seen.count - Self.mostSeen)
        }
    }

    // MARK: - Asking after posts

    /// Remembers posts to ask after, the newest ones.
    mutating func watch(_ posts: [Watched], most: Int) {
        guard most > 0 else { return watched.removeAll() }
        let known = Set(watched.map(\.post))
        watched += posts.filter { !known.contains($0.post) }
        if watched.count > most {
            let excess = watched.count - most
            watched.removeFirst(excess)
            if let next = nextCheck { nextCheck = max(0, next - excess) }
        }
    }

    /// Whether it is time to ask after them.
    mutating func isCheckDue(every interval: Duration, now: Timestamp) -> Bool {
        guard nextCheck == nil, !watched.isEmpty else { return nextCheck != nil }
        guard let checkedAt else {
            self.checkedAt = now
            return false
        }
        guard now >= checkedAt.advanced(by: interval) || now < checkedAt else { return false }
        self.checkedAt = now
        nextCheck = 0
        return true
    }
}
