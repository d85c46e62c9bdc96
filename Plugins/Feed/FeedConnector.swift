public import ConnectorKit
import HTTPTypes
import SocialEvents

/// Reads one feed: RSS, Atom or JSON Feed.
///
/// Each pull makes one request: for the feed itself, or, while a gap is being filled, for one older page of it.
public struct FeedConnector: PullSource, DeadLetterReader {
    /// What it is and which settings it takes.
    public static let descriptor = ConnectorDescriptor(
        name: "feed",
        summary: "Reads RSS, Atom and JSON Feed, from blogs, news sites, podcasts and forums.",
        settings: FeedConfiguration.settings,
        capabilities: [.edits, .deletes, .keyless],
        defaultInterval: .seconds(300) ... .seconds(3600)
    )

    private let configuration: FeedConfiguration
    private let context: ConnectorContext

    /// Checks the settings of one feed; lists of feeds are expanded by the host before.
    public init(settings: Settings, context: ConnectorContext) throws {
        configuration = try FeedConfiguration(settings)
        self.context = context
    }

    /// Asks for the feed, conditionally, and tells what is new in it.
    ///
    /// - Throws: ``ConnectorError``: `malformed` with the document when it is no feed, `rejected` when it is gone for good or its
    ///   address is wrong, `unauthorized` when it asks for credentials, `unavailable` and `rateLimited` when it asks to wait.
    public func pull(_ request: PullRequest) async throws -> PullPage {
        var cursor = try FeedCursor(request.cursor, url: configuration.url)
        if let repair = cursor.repair, repair.isDue {
            return try await fillGap(repair, &cursor)
        }
        do {
            return try read(await fetch(cursor.url ?? configuration.url, cursor), &cursor)
        } catch let error as ConnectorError {
            guard cursor.url != nil, error.code == .rejected || error.code == .malformed else { throw error }
            // The address that was remembered is no good any more: the configured one decides.
            cursor.url = nil
            cursor.validators = Validators()
            return try read(await fetch(configuration.url, cursor), &cursor)
        }
    }

    private func fetch(_ url: String, _ cursor: FeedCursor) async throws -> FeedAnswer {
        do {
            let request = FeedAPI.request(url, configuration, validators: cursor.validators)
            let response = try await context.http.send(request)
            let body = try await response.body.collect()
            let (status, headers) = (response.status, response.headers)
            if status == 404, cursor.hasRead, cursor.url == nil {
                throw ConnectorError(.unavailable, "the feed: it was there before and is missing now (status 404)")
            }
            if let error = ConnectorError.of(status: status, headers: headers, now: context.clock.now, what: "the feed")
            {
                throw error
            }
            return FeedAnswer(
                status: status,
                headers: headers,
                url: response.url,
                redirects: response.redirects,
                body: body
            )
        } catch let error as HTTPClientError {
            throw ConnectorError.of(error, what: "the feed")
        }
    }

    // MARK: - The feed itself

    private func read(_ response: FeedAnswer, _ cursor: inout FeedCursor) throws -> PullPage {
        let now = context.clock.now
        let body = FeedCursor.digest(of: response.body)
        let isUnchanged = response.status == 304 || (response.status == 200 && cursor.body == body)
        if isUnchanged { return unchanged(response, &cursor, now) }
        guard response.status == 200 else {
            throw ConnectorError(.unavailable, "the feed: the server answered status \(response.status) without a feed")
        }
        let document = try parse(response)
        cursor.body = body
        keep(response, &cursor)
        cursor.interval = Int(document.head.pace.interval(generator: document.head.generator).components.seconds)
        cursor.pace = document.head.pace

        var reading = FeedReading(cursor, configuration, now: now)
        reading.read(document, url: response.url)
        cursor = reading.cursor
        return PullPage(
            events: reading.events,
            deadLetters: reading.deadLetters,
            cursor: cursor.encoded(),
            hasMore: cursor.repair != nil,
            notBefore: notBefore(cursor, response, now),
            gaps: reading.gaps
        )
    }

    /// Remembers how to ask next time.
    private func keep(_ response: FeedAnswer, _ cursor: inout FeedCursor) {
        cursor.validators.update(status: response.status, headers: response.headers, now: context.clock.now)
        cursor.url = FeedAPI.address(after: response, configured: configuration.url, remembered: cursor.url)
    }

    private func unchanged(_ response: FeedAnswer, _ cursor: inout FeedCursor, _ now: Timestamp) -> PullPage {
        let known = (cursor.validators, cursor.url)
        keep(response, &cursor)
        cursor.repair?.isDue = true
        let hasChanged = cursor.repair != nil || known != (cursor.validators, cursor.url)
        return PullPage(
            cursor: hasChanged ? cursor.encoded() : nil,
            hasMore: cursor.repair != nil,
            notBefore: notBefore(cursor, response, now)
        )
    }

    private func parse(_ response: FeedAnswer) throws(ConnectorError) -> FeedDocument {
        let contentType = response.headers[.contentType] ?? "application/octet-stream"
        do {
            return try FeedParser.parse(response.body, charset: FeedAPI.charset(of: contentType), url: response.url)
        } catch {
            throw ConnectorError(
                .malformed,
                "the feed: \(error)",
                deadLetter: DeadLetter(reason: error.description, contentType: contentType, payload: response.body)
            )
        }
    }

    private func notBefore(_ cursor: FeedCursor, _ response: FeedAnswer, _ now: Timestamp) -> Timestamp? {
        guard configuration.hints == .follow else { return nil }
        let wait = max(.seconds(cursor.interval), FeedAPI.freshness(of: response.headers))
        let moment = cursor.pace.firstAllowed(from: now.advanced(by: wait))
        return moment > now ? moment : nil
    }

    // MARK: - Reading again

    /// Reads a kept document, or an entry of one, again.
    ///
    /// - Throws: ``ConnectorError`` `malformed` where it still cannot be read.
    public func reread(_ request: RereadRequest) async throws -> Rereading {
        try FeedRereading(configuration: configuration, now: request.receivedAt).read(request.letter)
    }

    // MARK: - Older pages

    /// Reads one older page, at most ``FeedReading/mostPages`` for a gap; a page that cannot be had leaves the gap open.
    private func fillGap(_ repair: FeedCursor.Repair, _ cursor: inout FeedCursor) async throws -> PullPage {
        var outcome = FeedReading.Page.failed(isFinal: true)
        do {
            var page = cursor
            page.validators = Validators()
            page.hasRead = false
            let response = try await fetch(repair.url, page)
            if let document = try? parse(response) { outcome = .read(document, url: response.url) }
        } catch let error as ConnectorError {
            let isEnd = repair.way == .wordPress && error.code == .rejected
            outcome = isEnd ? .end : .failed(isFinal: error.code != .unavailable && error.code != .rateLimited)
        }
        var reading = FeedReading(cursor, configuration, now: context.clock.now)
        reading.readOlder(outcome)
        return PullPage(
            events: reading.events,
            deadLetters: reading.deadLetters,
            cursor: reading.cursor.encoded(),
            hasMore: reading.cursor.repair?.isDue == true,
            gaps: reading.gaps
        )
    }
}
