public import ConnectorKit
import JSON
import Logging
import SocialEvents

extension BlueskyConnector {
    /// Reads one page: the next of a walk back to what was read before, or the state of posts that were read.
    ///
    /// An account that is gone is told as the deletion of all it said, once, and then ends the source.
    ///
    /// - Throws: ``ConnectorError``: `malformed` with the page when it cannot be read, `unauthorized` where credentials are missing or not accepted,
    ///   `rejected` for an account, list or feed that does not exist, `rateLimited` and `unavailable` when the server asks to wait or fails.
    public func pull(_ request: PullRequest) async throws -> PullPage {
        guard configuration.kind != .jetstream else {
            throw ConnectorError(.unsupported, "a source of kind `jetstream` is a stream and is not pulled")
        }
        let stored = try BlueskyCursor(request.cursor, configuration)
        var cursor = stored
        if cursor.nextCheck != nil {
            do {
                return try await check(&cursor)
            } catch let error where !(error is CancellationError) && !Task.isCancelled {
                // Whatever is the matter with old posts, new ones shall be read.
                context.logger.debug("The state of posts cannot be read.", metadata: ["error": "\(error)"])
                cursor.nextCheck = nil
                cursor.checkedAt = context.clock.now
            }
        }
        var pass = cursor.continued(configuration, now: context.clock.now)
        do {
            return try await read(&pass, &cursor, stored)
        } catch let error as ConnectorError where error.underlying is BlueskyAPI.AccountGone {
            return try await gone(error, &cursor)
        } catch let error as ConnectorError where error.code == .rejected && pass.page != nil {
            // Cursors are good for a while only; one that is too old must not stop the source for ever.
            let isFirst = cursor.watermark == nil
            guard let hole = cursor.refused(pass, configuration.overlap, now: context.clock.now) else {
                return PullPage(cursor: cursor.encoded(), hasMore: true)
            }
            let gap = GapReport.opened(key: "pages-\(hole.before?.milliseconds ?? 0)", hole)
            return PullPage(cursor: cursor.encoded(), gaps: isFirst ? [] : [gap])
        } catch let error as ConnectorError where error.code == .unauthorized && configuration.kind == .search {
            guard configuration.credentials == nil else { throw error }
            guard pass.page != nil, !cursor.refusesPages else {
                throw ConnectorError(
                    .unauthorized,
                    "the search: the public server refuses it; set `identifier` and `app_password`",
                    underlying: error
                )
            }
            // Without credentials the first page may be had and the second not.
            cursor.refusesPages = true
            guard case .next = cursor.begunAnew(&pass) else { throw error }
            cursor.pass = pass
            return PullPage(cursor: cursor.encoded(), hasMore: true)
        }
    }

    private var service: BlueskyService { BlueskyService(configuration: configuration, context: context) }

    // MARK: - A page

    private func read(
        _ pass: inout BlueskyCursor.Pass,
        _ cursor: inout BlueskyCursor,
        _ stored: BlueskyCursor
    ) async throws -> PullPage {
        let query = BlueskyAPI.page(
            configuration,
            page: pass.page,
            since: cursor.watermark == nil ? nil : pass.floor,
            until: pass.until
        )
        let body = try await service.ask(query)
        if pass.page != nil { cursor.restarts = 0 }
        (cursor.missingSince, cursor.isGone) = (nil, false)
        var reading = PageReading(cursor, pass, configuration, now: context.clock.now)
        try reading.read(body, what: query.what)
        cursor = reading.cursor
        pass = reading.pass

        var gaps: [GapReport] = []
        var hasMore = false
        switch cursor.step(&pass, page: reading.page, last: reading.last, kind: configuration.kind) {
        case .next:
            cursor.pass = pass
            hasMore = true
        case .end(let hole):
            if let hole { gaps.append(.opened(key: "search-\(hole.before?.milliseconds ?? 0)", hole)) }
            cursor.finish(pass, configuration.overlap, now: context.clock.now)
        }
        cursor.watch(reading.posts, most: configuration.watched)
        if !hasMore { hasMore = cursor.isCheckDue(every: configuration.watchEvery, now: context.clock.now) }
        return PullPage(
            events: reading.events,
            deadLetters: reading.deadLetters,
            cursor: cursor == stored ? nil : cursor.encoded(),
            hasMore: hasMore,
            gaps: gaps
        )
    }

    // MARK: - Accounts that are gone

    /// Tells once that everything the account said is withdrawn, before the error that says why it cannot be read.
    private func gone(_ error: ConnectorError, _ cursor: inout BlueskyCursor) async throws -> PullPage {
        guard let did = cursor.person, !cursor.isGone, var reason = error.underlying as? BlueskyAPI.AccountGone else {
            throw error
        }
        if did != configuration.actor {
            // A handle changes hands, or goes, without its owner.
            do {
                _ = try await service.ask(BlueskyAPI.newest(of: did))
                throw ConnectorError(
                    .rejected,
                    "the account's posts: nobody has the handle any more; write `actor: \(did)` to go on reading",
                    underlying: error
                )
            } catch let own as ConnectorError {
                guard let underlying = own.underlying as? BlueskyAPI.AccountGone else { throw own }
                reason = underlying
            }
        }
        let now = context.clock.now
        if !reason.isCertain {
            // A server that has mislaid an account for a moment says the same.
            let since = cursor.missingSince ?? now
            cursor.missingSince = since
            guard now >= since.advanced(by: configuration.watchEvery) else { return PullPage(cursor: cursor.encoded()) }
        }
        var normalizer = BlueskyNormalizer(now: now)
        normalizer.missing(account: did)
        cursor.isGone = true
        cursor.pass = nil
        cursor.watched = []
        return PullPage(events: normalizer.events, cursor: cursor.encoded(), hasMore: true)
    }

    // MARK: - The state of posts

    /// How often in a row a post has to be missing to be taken for deleted: servers leave posts out for a moment, too.
    private static let absences = 2
    /// The same, while the server shows none of those that it is asked after.
    private static let absencesOfAll = 4

    /// Asks after the next few posts: what the server does not show any more, time after time, is deleted; what it shows may have new counts.
    private func check(_ cursor: inout BlueskyCursor) async throws -> PullPage {
        let start = min(max(cursor.nextCheck ?? 0, 0), cursor.watched.count)
        let end = min(start + BlueskyAPI.mostPosts, cursor.watched.count)
        let asked = Array(cursor.watched[start..<end])
        var normalizer = BlueskyNormalizer(now: context.clock.now)
        var kept: [BlueskyCursor.Watched] = []
        if !asked.isEmpty {
            let query = BlueskyAPI.posts(asked.map(\.post))
            let body = try await service.ask(query)
            kept = try Self.state(of: asked, body, what: query.what, &normalizer)
        }
        cursor.watched.replaceSubrange(start..<end, with: kept)
        let next = start + kept.count
        cursor.nextCheck = next < cursor.watched.count ? next : nil
        return PullPage(
            events: normalizer.events,
            cursor: cursor.encoded(),
            hasMore: cursor.nextCheck != nil
        )
    }

    private static func state(
        of asked: [BlueskyCursor.Watched],
        _ body: [UInt8],
        what: String,
        _ normalizer: inout BlueskyNormalizer
    ) throws -> [BlueskyCursor.Watched] {
        do {
            return try JSONParser().parse(body) { root in
                let shown = try root.expectObject().requiredArray("posts")
                var counts: [String: (digest: UInt64, view: JSONValue)] = [:]
                for view in shown {
                    guard let address = view["uri"]?.string else { continue }
                    counts[address] = (BlueskyNormalizer.counts(view), view)
                }
                let enough = counts.isEmpty && asked.count > 1 ? absencesOfAll : absences
                return asked.compactMap { post in
                    guard let now = counts[post.post] else {
                        var post = post
                        post.misses += 1
                        guard post.misses >= enough else { return post }
                        normalizer.missing(post.post)
                        return nil
                    }
                    if now.digest != post.counts { normalizer.counts(of: now.view) }
                    return BlueskyCursor.Watched(post: post.post, counts: now.digest)
                }
            }
        } catch let error as JSONError {
            throw ConnectorError.malformed(error, payload: body, what: what)
        }
    }
}

/// Reads one page into events, leaving out what was told before.
private struct PageReading {
    var cursor: BlueskyCursor
    var pass: BlueskyCursor.Pass
    let configuration: BlueskyConfiguration
    let now: Timestamp

    /// New events, oldest first.
    private(set) var events: [Event] = []
    private(set) var deadLetters: [DeadLetter] = []
    /// The server's cursor for the next page.
    private(set) var page: String?
    /// The time of the page's last entry.
    private(set) var last: Timestamp?
    /// Posts to ask after.
    private(set) var posts: [BlueskyCursor.Watched] = []

    init(_ cursor: BlueskyCursor, _ pass: BlueskyCursor.Pass, _ configuration: BlueskyConfiguration, now: Timestamp) {
        self.cursor = cursor
        self.pass = pass
        self.configuration = configuration
        self.now = now
    }

    mutating func read(_ body: [UInt8], what: String) throws {
        var normalizer = BlueskyNormalizer(now: now, channel: configuration.channel)
        var entries: [(entry: BlueskyEntry, events: Range<Int>)] = []
        do {
            try JSONParser().parse(body) { root in
                let root = try root.expectObject()
                page = root["cursor"]?.string.flatMap { $0.isEmpty || $0.utf8.count > 4096 ? nil : $0 }
                for item in try configuration.items(of: root) {
                    let start = normalizer.events.count
                    guard let entry = configuration.read(item, &normalizer) else { continue }
                    entries.append((entry, start..<normalizer.events.count))
                }
            }
        } catch let error as JSONError {
            throw ConnectorError.malformed(error, payload: body, what: what)
        }
        deadLetters = normalizer.deadLetters.map {
            DeadLetter(reason: "\(what): \($0.reason)", contentType: "application/json", payload: $0.payload)
        }
        if configuration.kind == .author { cursor.person = person(normalizer.events) ?? cursor.person }
        keep(entries, of: normalizer.events)
    }

    /// Whose feed it is: whoever posted or reposted its newest entry.
    private func person(_ events: [Event]) -> String? {
        if configuration.actor.hasPrefix("did:") { return configuration.actor }
        // The post that a repost brings up comes before it.
        guard let first = events.firstIndex(where: { $0.type == .postCreated }) else { return nil }
        let rest = events[(first + 1)...].prefix { $0.type != .postCreated }
        let entry = rest.first { $0.type == .repostCreated } ?? events[first]
        return (entry.data.actor?.id?.text).map { String($0.dropFirst("bluesky:actor:".count)) }
    }

    /// Takes the events of entries that are not too old and were not told before.
    private mutating func keep(_ entries: [(entry: BlueskyEntry, events: Range<Int>)], of all: [Event]) {
        let times = entries.compactMap(\.entry.time)
        last = times.last
        // A time beyond now would hide all that comes until then.
        if pass.top == nil { pass.top = times.max().map { min($0, now) } }
        pass.oldest = [pass.oldest, times.min()].compactMap { $0 }.min()
        pass.pages += 1
        pass.entries += entries.count
        let earlier = pass.recent.count
        pass.hadNews = false
        var taken: [[Event]] = []
        for (entry, range) in entries {
            let time = entry.time ?? now
            if let floor = pass.floor, time < floor { continue }
            let new = all[range].filter { cursor.isNew($0.id, at: time, configuration.overlap, &pass) }
            guard !new.isEmpty else { continue }
            pass.hadNews = true
            taken.append(new)
            if let post = entry.post { posts.append(BlueskyCursor.Watched(post: post, counts: entry.counts)) }
        }
        // Only this page's: pages shift by what is said while they are read, not by more than one.
        pass.recent.removeFirst(earlier)
        events = taken.reversed().flatMap { $0 }
        posts.reverse()
    }
}
