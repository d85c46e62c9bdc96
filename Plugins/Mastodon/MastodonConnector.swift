public import ConnectorKit
import HTTPTypes
import JSON
import SocialEvents

/// Reads one timeline, or the notifications, of a server that speaks Mastodon's API.
///
/// Each pull asks for one page of what follows the newest known, and looks at the last few known again. The stream brings the same as it happens; both
/// give the same events and cursors of one form.
public struct MastodonConnector: PullSource, StreamSource, DeadLetterReader {
    /// What it is and which settings it takes.
    public static let descriptor = ConnectorDescriptor(
        name: "mastodon",
        summary:
            "Reads timelines and notifications of Mastodon and its relatives: GoToSocial, Pleroma, Akkoma, Pixelfed, snac.",
        settings: MastodonConfiguration.settings,
        capabilities: [.edits, .deletes, .backfill, .keyless],
        defaultInterval: .seconds(30) ... .seconds(600)
    )

    /// Most pages read back in one pull.
    private static let mostPages = 10
    /// Most missing posts that one pull looks for.
    private static let mostLookups = 5

    private let configuration: MastodonConfiguration
    private let context: ConnectorContext
    private let client: MastodonClient
    private let index = MastodonIndex()
    private let shared = MastodonSharedItems()
    private let notified = MastodonNotified()

    private var api: MastodonAPI { client.api }

    /// Checks the settings of one source.
    public init(settings: Settings, context: ConnectorContext) throws {
        configuration = try MastodonConfiguration(settings)
        self.context = context
        client = MastodonClient(configuration, context)
    }

    /// Pulls always; streams unless told not to, and where there is such a stream at all.
    public static func modes(of settings: Settings) -> ConnectorModes {
        guard let configuration = try? MastodonConfiguration(settings) else { return adoptedModes }
        return configuration.canStream ? [.pull, .stream] : [.pull]
    }

    // MARK: - Pulling

    /// Asks for the page behind what is known.
    ///
    /// - Throws: ``ConnectorError``: `malformed` with the answer when it is no page, `rejected` when the tag, list or account is not there, `unauthorized` when
    ///   the server wants a token or another one, `unavailable` and `rateLimited` when it asks to wait.
    public func pull(_ request: PullRequest) async throws -> PullPage {
        var cursor = try MastodonCursor(request.cursor, scope: configuration.listed)
        index.learn(cursor)
        shared.isDurable(cursor)
        if configuration.kind == .account, cursor.accountID == nil { try await findAccount(&cursor) }
        do {
            var page = try await pullList(cursor, limit: request.limit)
            // Asked again at once, the cursor of what was found comes back, and the stream's cursors may hold it too.
            if shared.isStreaming, !page.events.isEmpty { page.hasMore = true }
            return page
        } catch let error as ConnectorError where error.underlying is MastodonClient.NothingThere {
            guard let page = try await farewell(cursor) else { throw error }
            return page
        }
    }

    private func pullList(_ cursor: MastodonCursor, limit: Int) async throws -> PullPage {
        guard let start = cursor.start(rechecking: configuration.recheck) else {
            return try await pullBack(cursor, isFirst: cursor.isNew || cursor.isGone)
        }
        // Beside what pages have in common a page has room for one more, even where it repeats the id it begins behind.
        let limit = max(MastodonCursor.overlap + 2, min(limit, MastodonAPI.pageSize))
        do {
            if let page = try await pullForward(cursor, after: start, limit) { return page }
        } catch let error as ConnectorError where error.code == .rejected {
            // An id that the server does not take, or a timeline that is gone: the newest page tells.
        }
        return try await pullBack(cursor, isFirst: false)
    }

    /// One page forward; `nil` when the server did not understand where to begin.
    ///
    /// How many elements a full page has is the server's affair. So a catch-up ends with the page that brings nothing behind where the last had come.
    private func pullForward(
        _ cursor: MastodonCursor,
        after start: MastodonCursor.Item,
        _ limit: Int
    ) async throws -> PullPage? {
        let answer = try await client.fetch(page(.newer(start.id), cursor, limit))
        var page = MastodonPage(cursor, configuration.kind, normalizer())
        let outcome: (missing: [MastodonCursor.Item], isEmpty: Bool)? = try client.parse(answer) { root in
            var elements = try page.elements(of: root)
            let known = cursor.items(behind: start)
            guard MastodonPage.verdict(elements, after: start, known: known) == .good else { return nil }
            // Pixelfed's `min_id` includes the id itself.
            elements.removeAll { $0.id == start.id }
            let isLast = elements.last.map { $0.id == cursor.paging } ?? true
            let missing = page.missing(from: elements, after: start, isLast: isLast)
            page.read(elements)
            page.cursor.paging = isLast ? nil : elements.last?.id
            return (missing, elements.isEmpty)
        }
        guard let outcome else { return nil }
        if outcome.isEmpty, !outcome.missing.isEmpty, let farewell = try await farewell(cursor) { return farewell }
        try await lookFor(outcome.missing, &page)
        if page.cursor.paging == nil { try await lookForNotified(&page) }
        if page.cursor.paging == nil {
            // What a stream brought that broke off before its cursors counted; before that, there is a hole between.
            page.cursor.append(shared.unknown(to: page.cursor))
        }
        return PullPage(
            events: page.events,
            deadLetters: page.deadLetters,
            cursor: page.cursor == cursor ? nil : page.cursor.encoded,
            hasMore: page.cursor.paging != nil
        )
    }

    /// The newest pages, back to what is known, to what was asked for at the first start, or as far as is allowed.
    private func pullBack(_ cursor: MastodonCursor, isFirst: Bool) async throws -> PullPage {
        var answers: [[UInt8]] = []
        var walk = MastodonWalkBack(cursor, wanted: isFirst ? configuration.backfill : nil)
        while answers.count < Self.mostPages {
            let bound = walk.oldest.map { MastodonPageBound.older($0) }
            let answer = try await client.fetch(page(bound, cursor, MastodonAPI.pageSize))
            let goesOn = try client.parse(answer) { root in try walk.takes(root) }
            answers.append(answer)
            guard goesOn else { break }
        }
        var page = MastodonPage(cursor, configuration.kind, normalizer())
        var skipped = isFirst ? max(0, walk.count - configuration.backfill) : 0
        for answer in answers.reversed() {
            try client.parse(answer) { root in
                let elements = try page.elements(of: root)
                let unwanted = min(skipped, elements.count)
                skipped -= unwanted
                page.skip(Array(elements.prefix(unwanted)))
                page.read(Array(elements.dropFirst(unwanted)))
            }
        }
        page.cursor.paging = nil
        if walk.count > 0 { page.cursor.isGone = false }
        page.cursor.append(shared.unknown(to: page.cursor))
        return PullPage(
            events: page.events,
            deadLetters: page.deadLetters,
            cursor: page.cursor.encoded,
            gaps: walk.gap.map { [$0] } ?? []
        )
    }

    private func page(
        _ bound: MastodonPageBound?,
        _ cursor: MastodonCursor,
        _ limit: Int
    ) -> MastodonClient.Question {
        (
            api.page(configuration, accountID: cursor.accountID, bound, limit: limit),
            "the page of `\(configuration.kind.rawValue)`"
        )
    }

    // MARK: - What is gone

    /// Asks after posts that should stand on a page and do not: those that are gone were withdrawn.
    private func lookFor(_ missing: [MastodonCursor.Item], _ page: inout MastodonPage) async throws {
        for item in missing.prefix(Self.mostLookups) {
            switch try await isGone(item.id) {
            case true?: page.withdraw(item)
            case false?: page.keep(item)
            // The page is good without it; the next pull asks again.
            case nil: return
            }
        }
    }

    /// Asks after some of the statuses of the newest notifications.
    private func lookForNotified(_ page: inout MastodonPage) async throws {
        for status in try await goneOfNotified(page.cursor) { page.withdraw(status) }
    }

    /// Those statuses that are gone of the ones it is time to ask after.
    private func goneOfNotified(_ cursor: MastodonCursor) async throws -> [MastodonNotified.Status] {
        guard configuration.kind == .notifications else { return [] }
        let due = notified.due(
            cursor,
            newest: configuration.recheck,
            most: Self.mostLookups,
            now: context.clock.now
        )
        var gone: [MastodonNotified.Status] = []
        for status in due {
            switch try await isGone(status.id) {
            case true?: gone.append(status)
            case false?: break
            case nil: return gone
            }
        }
        return gone
    }

    /// Whether a status is gone; `nil` when the server does not tell now.
    private func isGone(_ id: String) async throws -> Bool? {
        do {
            _ = try await client.fetch((request: api.status(id), what: "a post that was there before"))
            return false
        } catch let error as ConnectorError {
            if error.underlying is MastodonClient.NothingThere { return true }
            // Any other refusal says nothing of the post, and would say the same again.
            return [.unavailable, .rateLimited, .malformed].contains(error.code) ? nil : false
        }
    }

    /// The end of an account that is gone, told once; `nil` where it is not gone, or was told.
    private func farewell(_ cursor: MastodonCursor) async throws -> PullPage? {
        guard configuration.kind == .account, let id = cursor.accountID, let person = cursor.person, !cursor.isGone
        else {
            return nil
        }
        do {
            let answer = try await client.fetch((request: api.account(id), what: "the account"))
            guard try client.parse(answer, { $0["suspended"]?.bool }) == true else { return nil }
        } catch let error as ConnectorError where error.underlying is MastodonClient.NothingThere {
            guard try await client.isAnswering() else { return nil }
        }
        var grave = cursor
        grave.bury()
        return PullPage(events: [normalizer().farewell(person)], cursor: grave.encoded, hasMore: true)
    }

    // MARK: - The account

    /// Finds the account that is read.
    private func findAccount(_ cursor: inout MastodonCursor) async throws {
        let address = configuration.account ?? ""
        let normalizer = normalizer()
        do {
            let answer = try await client.fetch((request: api.lookup(address), what: "the account"))
            try client.parse(answer) { cursor.take($0, normalizer) }
        } catch let error as ConnectorError where error.code == .unsupported || error.code == .rejected {
            // Older servers have no lookup, and a lookup does not ask other servers.
            let answer: [UInt8]
            do {
                answer = try await client.fetch(
                    (request: api.searchAccount(address), what: "the search for the account")
                )
            } catch let failure as ConnectorError where failure.code == .unauthorized {
                // Searching may want a token where looking up does not.
                throw error
            }
            let wanted = (address.contains("@") ? address : "\(address)@\(configuration.host)").lowercased()
            try client.parse(answer) { root in
                // The server leaves its own host out of the addresses of its own people.
                let account = root.elements.first {
                    normalizer.handle(MastodonAccountFields($0))?.lowercased() == wanted
                }
                if let account { cursor.take(account, normalizer) }
            }
        }
        if cursor.accountID == nil {
            throw ConnectorError(.rejected, "the account: the server does not know it; check `user`")
        }
    }

    // MARK: - Streaming

    /// Holds the stream of what the source reads.
    ///
    /// - Throws: ``ConnectorError``: `unsupported` where the server has no such stream, `unavailable` when the connection ends.
    public func stream(after cursor: Cursor?, into sink: any EventSink) async throws {
        let start = try MastodonCursor(cursor, scope: configuration.listed)
        index.learn(start)
        let response = try await client.openStream()
        shared.countStreams(by: 1)
        defer { shared.countStreams(by: -1) }
        var reader = MastodonStreamReader(start, configuration.kind, normalizer(), shared)
        await sink.connected()
        let end: ConnectorError
        do {
            for try await chunk in response.body {
                if let batch = try reader.read(chunk, now: context.clock.now) {
                    try await sink.emit(batch)
                    reader.stored()
                }
                guard configuration.kind == .notifications else { continue }
                // Servers send something every 15 to 30 seconds, if only a comment.
                let gone = try await goneOfNotified(shared.cursor)
                guard !gone.isEmpty else { continue }
                try await sink.emit(reader.withdraw(gone, now: context.clock.now))
                reader.stored()
            }
            end = ConnectorError(.unavailable, "the stream: the server ended it")
        } catch let error as HTTPClientError {
            end = ConnectorError.of(error, what: "the stream")
        } catch let error as ServerSentEventParser.TooLong {
            end = ConnectorError(.unavailable, "the stream: \(error.description)", underlying: error)
        }
        throw end
    }

    // MARK: - Reading again

    /// Reads a kept page, element of a page or message of a stream again.
    ///
    /// - Throws: ``ConnectorError`` `malformed` where it still cannot be read.
    public func reread(_ request: RereadRequest) async throws -> Rereading {
        let normalizer = normalizer()
        normalizer.now = request.receivedAt
        return try MastodonRereading(kind: configuration.kind, normalizer: normalizer).read(request.letter)
    }

    private func normalizer() -> MastodonNormalizer {
        MastodonNormalizer(host: configuration.host, index: index, now: context.clock.now)
    }
}

extension MastodonCursor {
    /// Takes in which account is read.
    fileprivate mutating func take(_ account: JSONValue, _ normalizer: MastodonNormalizer) {
        guard let id = account["id"]?.nativeID else { return }
        accountID = id
        person = normalizer.actorID(MastodonAccountFields(account))
    }
}
