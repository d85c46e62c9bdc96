public import ConnectorKit
import HTTPTypes
import JSON
import Logging
import SocialEvents

/// Reads one timeline, or the notifications, of a server that speaks Mastodon's API.
///
/// Each pull asks for one page of what follows the newest known, and looks at the last few known again. The stream brings the same as it happens; both
/// give the same events and cursors of one form.
public struct MastodonConnector: PullSource, StreamSource {
    /// What it is and which settings it takes.
    public static let descriptor = ConnectorDescriptor(
        name: "mastodon",
        summary:
            "Reads timelines and notifications of Mastodon and its relatives: GoToSocial, Pleroma, Akkoma, Pixelfed, snac.",
        settings: MastodonConfiguration.settings,
        capabilities: [.edits, .deletes, .backfill, .keyless],
        defaultInterval: .seconds(30) ... .seconds(600)
    )

    /// One bucket: the server counts all requests together, and its headers describe the limit nearest exhaustion.
    private static let bucket = "api"
    /// Most pages read back in one pull.
    private static let mostPages = 10
    /// Most missing posts that one pull looks for.
    private static let mostLookups = 5

    private let configuration: MastodonConfiguration
    private let context: ConnectorContext
    private let api: MastodonAPI
    private let index = MastodonIndex()
    private let server = MastodonServerMemory()

    /// Checks the settings of one source.
    public init(settings: Settings, context: ConnectorContext) throws {
        configuration = try MastodonConfiguration(settings)
        self.context = context
        api = MastodonAPI(baseURL: configuration.baseURL, token: configuration.token)
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
        var cursor = try MastodonCursor(request.cursor)
        index.learn(cursor)
        if configuration.kind == .account, cursor.accountID == nil { cursor.accountID = try await accountID() }
        let limit = max(1, min(request.limit, MastodonAPI.pageSize))
        guard let start = cursor.start(rechecking: configuration.recheck) else {
            return try await pullBack(cursor, isFirst: request.cursor == nil)
        }
        do {
            if let page = try await pullForward(cursor, after: start, limit) { return page }
        } catch let error as ConnectorError where error.code == .rejected {
            // An id that the server does not take, or a timeline that is gone: the newest page tells.
        }
        return try await pullBack(cursor, isFirst: false)
    }

    /// One page forward; `nil` when the server did not understand where to begin.
    private func pullForward(
        _ cursor: MastodonCursor,
        after start: MastodonCursor.Item,
        _ limit: Int
    ) async throws -> PullPage? {
        let answer = try await fetch(page(.newer(start.id), cursor, limit))
        var page = MastodonPage(cursor, configuration.kind, normalizer())
        let outcome: (missing: [MastodonCursor.Item], newest: String?, isFull: Bool)? = try parse(answer) { root in
            var elements = try page.elements(of: root)
            // Most servers give 20 unless told otherwise, and some give no more whatever they are told.
            let isFull = elements.count >= min(limit, 20)
            let known = cursor.items(behind: start)
            let verdict = MastodonPage.verdict(elements, after: start, isFull: isFull, known: known)
            guard verdict == .good else { return nil }
            // Pixelfed's `min_id` includes the id itself.
            elements.removeAll { $0.id == start.id }
            let missing = page.missing(from: elements, after: start, isFull: isFull)
            page.read(elements)
            return (missing, elements.last?.id, isFull)
        }
        guard let outcome else { return nil }
        try await lookFor(outcome.missing, &page)
        page.cursor.paging = outcome.isFull ? outcome.newest : nil
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
            let answer = try await fetch(page(bound, cursor, MastodonAPI.pageSize))
            let goesOn = try parse(answer) { root in try walk.takes(root) }
            answers.append(answer)
            guard goesOn else { break }
        }
        var page = MastodonPage(cursor, configuration.kind, normalizer())
        var skipped = isFirst ? max(0, walk.count - configuration.backfill) : 0
        for answer in answers.reversed() {
            try parse(answer) { root in
                let elements = try page.elements(of: root)
                let unwanted = min(skipped, elements.count)
                skipped -= unwanted
                page.skip(Array(elements.prefix(unwanted)))
                page.read(Array(elements.dropFirst(unwanted)))
            }
        }
        page.cursor.paging = nil
        return PullPage(
            events: page.events,
            deadLetters: page.deadLetters,
            cursor: page.cursor.encoded,
            gaps: walk.gap.map { [$0] } ?? []
        )
    }

    /// Asks after posts that should stand on a page and do not: those that are gone were withdrawn.
    private func lookFor(_ missing: [MastodonCursor.Item], _ page: inout MastodonPage) async throws {
        for item in missing.prefix(Self.mostLookups) {
            do {
                _ = try await fetch((request: api.status(item.id), what: "a post that was there before"))
                page.keep(item)
            } catch let error as ConnectorError {
                switch error.code {
                case .rejected: page.withdraw(item)
                case .unauthorized, .unsupported: page.keep(item)
                // The page is good without it; the next pull asks again.
                case .unavailable, .rateLimited, .malformed: return
                }
            }
        }
    }

    private func page(
        _ bound: MastodonPageBound?,
        _ cursor: MastodonCursor,
        _ limit: Int
    ) -> (request: HTTPClientRequest, what: String) {
        (
            api.page(configuration, accountID: cursor.accountID, bound, limit: limit),
            "the page of `\(configuration.kind.rawValue)`"
        )
    }

    private func accountID() async throws -> String {
        let address = configuration.account ?? ""
        do {
            let answer = try await fetch((request: api.lookup(address), what: "the account"))
            if let id = try parse(answer, { $0["id"]?.nativeID }) { return id }
        } catch let error as ConnectorError where error.code == .unsupported || error.code == .rejected {
            // Older servers have no lookup, and a lookup does not ask other servers.
            let answer = try await fetch((request: api.searchAccount(address), what: "the search for the account"))
            let wanted = address.lowercased()
            let id = try parse(answer) { root -> String? in
                for account in root.elements where account["acct"]?.string?.lowercased() == wanted {
                    return account["id"]?.nativeID
                }
                return nil
            }
            if let id { return id }
        }
        throw ConnectorError(.rejected, "the account: the server does not know it; check `user`")
    }

    // MARK: - Streaming

    /// Holds the stream of what the source reads.
    ///
    /// - Throws: ``ConnectorError``: `unsupported` where the server has no such stream, `unavailable` when the connection ends.
    public func stream(after cursor: Cursor?, into sink: any EventSink) async throws {
        let start = try MastodonCursor(cursor)
        index.learn(start)
        let server = try await findServer()
        guard let streamingURL = server.streamingURL, let request = api.stream(configuration, at: streamingURL) else {
            throw unsupported(server, "names no address for it")
        }
        let response = try await open(request, server)
        await sink.connected()
        var reader = MastodonStreamReader(start, configuration.kind, normalizer())
        let end: ConnectorError
        do {
            for try await chunk in response.body {
                guard let batch = try reader.read(chunk, now: context.clock.now) else { continue }
                try await sink.emit(batch)
            }
            end = ConnectorError(.unavailable, "the stream: the server ended it")
        } catch let error as HTTPClientError {
            end = ConnectorError.of(error, what: "the stream")
        } catch let error as ServerSentEventParser.TooLong {
            end = ConnectorError(.unavailable, "the stream: \(error.description)", underlying: error)
        }
        throw end
    }

    private func open(_ request: HTTPClientRequest, _ server: MastodonServer) async throws -> HTTPClientResponse {
        do {
            let response = try await context.http.send(request)
            context.quota.observe(response.headers, bucket: Self.bucket)
            let isStream = response.headers[.contentType]?.lowercased().hasPrefix("text/event-stream") ?? false
            if response.status == 200, isStream { return response }
            self.server.set(nil)
            switch response.status {
            case 401, 403:
                guard configuration.token == nil else { break }
                throw unsupported(server, "streams to nobody without a token (status \(response.status))")
            case 200..<400, 400, 404, 405, 406, 410, 422, 426, 501:
                throw unsupported(server, "has no such stream (status \(response.status))")
            default: break
            }
            throw ConnectorError.of(
                status: response.status,
                headers: response.headers,
                now: context.clock.now,
                what: "the stream"
            ) ?? unsupported(server, "answers with status \(response.status)")
        } catch let error as HTTPClientError {
            throw ConnectorError.of(error, what: "the stream")
        }
    }

    private func unsupported(_ server: MastodonServer, _ reason: String) -> ConnectorError {
        ConnectorError(.unsupported, "the stream: this server (\(server.softwareName)) \(reason)")
    }

    // MARK: - The server

    /// What the server says about itself: its software by NodeInfo, where it streams from by its description.
    private func findServer() async throws -> MastodonServer {
        if let known = server.known { return known }
        var found = MastodonServer(software: await software())
        for version in [2, 1] {
            do {
                let answer = try await fetch(
                    (request: api.instance(version: version), what: "the server's description")
                )
                if let named = try parse(answer, MastodonServer.streamingAddress) {
                    found.streamingURL = MastodonAPI.streamingURL(named, base: configuration.baseURL)
                    break
                }
            } catch let error as ConnectorError {
                // Not every server has both forms, and some have neither.
                guard ![.unavailable, .rateLimited].contains(error.code) else { throw error }
            }
        }
        server.set(found)
        return found
    }

    /// The software's name; nothing depends on it but words and one status code, so it may stay unknown.
    private func software() async -> String? {
        do {
            let links = try await fetch((request: api.nodeInfoLinks(), what: "the server's NodeInfo"))
            guard let url = try parse(links, MastodonServer.nodeInfoURL) else { return nil }
            let info = try await fetch((request: api.nodeInfo(url), what: "the server's NodeInfo"))
            return try parse(info, MastodonServer.software)
        } catch {
            context.logger.debug("no NodeInfo", metadata: ["error": "\(error)"])
            return nil
        }
    }

    // MARK: - Requests

    private func fetch(_ asked: (request: HTTPClientRequest, what: String)) async throws -> [UInt8] {
        try context.quota.admit(Self.bucket)
        do {
            let response = try await context.http.send(asked.request)
            context.quota.observe(response.headers, bucket: Self.bucket)
            let body = try await response.body.collect()
            if let error = await failure(response, body, asked.what) { throw error }
            return body
        } catch let error as HTTPClientError {
            throw ConnectorError.of(error, what: asked.what)
        }
    }

    /// The failure of an answer, judged by its status alone: error messages are in the reader's language.
    private func failure(_ response: HTTPClientResponse, _ body: [UInt8], _ what: String) async -> ConnectorError? {
        // snac answers 422 without a body where others answer 401.
        if response.status == 422, body.isEmpty, configuration.token != nil {
            return ConnectorError(.unauthorized, "\(what): the token is not accepted (status 422); check it")
        }
        return ConnectorError.of(
            status: response.status,
            headers: response.headers,
            body: body,
            now: context.clock.now,
            what: what
        )
    }

    private func parse<Result>(_ answer: [UInt8], _ read: (JSONValue) throws -> Result) throws -> Result {
        do {
            return try JSONParser(maximumSize: MastodonAPI.longestAnswer).parse(answer, read)
        } catch let error as JSONError {
            throw ConnectorError.malformed(error, payload: answer, what: "the server's answer")
        }
    }

    private func normalizer() -> MastodonNormalizer {
        MastodonNormalizer(host: configuration.host, index: index, now: context.clock.now)
    }
}
