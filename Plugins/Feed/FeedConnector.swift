public import ConnectorKit
import HTTPTypes
import SocialEvents

/// Reads one feed: RSS, Atom or JSON Feed.
///
/// Each pull makes one request: for the feed itself, or, while a gap is being filled, for one older page of it.
public struct FeedConnector: PullSource {
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
        let response: FetchedResponse
        do {
            response = try await fetch(cursor.url ?? configuration.url, validators: cursor.validators)
        } catch let error as ConnectorError {
            guard error.code == .rejected, cursor.url != nil else {
                throw FeedAPI.judged(error, hasRead: cursor.hasRead)
            }
            // The address that was remembered is no good any more: the configured one decides.
            cursor.url = nil
            cursor.validators = Validators()
            do {
                response = try await fetch(configuration.url, validators: cursor.validators)
            } catch let error as ConnectorError {
                throw FeedAPI.judged(error, hasRead: cursor.hasRead)
            }
        }
        return try read(response, &cursor)
    }

    private func fetch(_ url: String, validators: Validators) async throws -> FetchedResponse {
        try await context.fetch(FeedAPI.request(url, configuration, validators: validators), what: "the feed")
    }

    // MARK: - The feed itself

    private func read(_ response: FetchedResponse, _ cursor: inout FeedCursor) throws -> PullPage {
        let now = context.clock.now
        let body = FeedCursor.digest(of: response.body)
        let isUnchanged = response.status == 304 || (response.status == 200 && cursor.body == body)
        if isUnchanged { return unchanged(response, &cursor, now) }
        guard response.status == 200 else {
            throw ConnectorError(.unavailable, "the feed: the server answered status \(response.status) without a feed")
        }
        let document = try parse(response)
        cursor.validators.update(status: response.status, headers: response.headers)
        cursor.body = body
        cursor.url = FeedAPI.address(after: response, configured: configuration.url, remembered: cursor.url)
        cursor.interval = Int(document.head.pace.interval(generator: document.head.generator).components.seconds)
        cursor.pace = document.head.pace

        var reading = FeedReading(cursor, configuration, now: now)
        reading.read(document, url: response.url)
        cursor = reading.cursor
        return PullPage(
            events: reading.events,
            deadLetters: reading.deadLetters(contentType: response.headers[.contentType]),
            cursor: cursor.encoded(),
            hasMore: cursor.repair != nil,
            notBefore: notBefore(cursor, response, now),
            gaps: reading.gaps
        )
    }

    private func unchanged(_ response: FetchedResponse, _ cursor: inout FeedCursor, _ now: Timestamp) -> PullPage {
        let notBefore = notBefore(cursor, response, now)
        guard cursor.repair != nil else { return PullPage(notBefore: notBefore) }
        cursor.repair?.isDue = true
        return PullPage(cursor: cursor.encoded(), hasMore: true, notBefore: notBefore)
    }

    private func parse(_ response: FetchedResponse) throws(ConnectorError) -> FeedDocument {
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

    private func notBefore(_ cursor: FeedCursor, _ response: FetchedResponse, _ now: Timestamp) -> Timestamp? {
        guard configuration.hints == .follow else { return nil }
        let wait = max(.seconds(cursor.interval), FeedAPI.freshness(of: response.headers))
        let moment = cursor.pace.firstAllowed(from: now.advanced(by: wait))
        return moment > now ? moment : nil
    }

    // MARK: - Older pages

    /// Reads one older page, at most ``FeedReading/mostPages`` for a gap; a page that cannot be had leaves the gap open.
    private func fillGap(_ repair: FeedCursor.Repair, _ cursor: inout FeedCursor) async throws -> PullPage {
        var outcome = FeedReading.Page.failed(isFinal: true)
        var contentType: String?
        do {
            let response = try await fetch(repair.url, validators: Validators())
            contentType = response.headers[.contentType]
            if let document = try? parse(response) { outcome = .read(document, url: response.url) }
        } catch let error as ConnectorError {
            let isEnd = repair.way == .wordPress && error.code == .rejected
            outcome = isEnd ? .end : .failed(isFinal: error.code != .unavailable && error.code != .rateLimited)
        }
        var reading = FeedReading(cursor, configuration, now: context.clock.now)
        reading.readOlder(outcome)
        return PullPage(
            events: reading.events,
            deadLetters: reading.deadLetters(contentType: contentType),
            cursor: reading.cursor.encoded(),
            hasMore: reading.cursor.repair?.isDue == true,
            gaps: reading.gaps
        )
    }
}
