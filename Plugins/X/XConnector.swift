public import ConnectorKit
import HTTPTypes
import JSON
import SocialEvents

/// Reads X by its API v2: recent search, mentions, an account's posts, the filtered stream, webhooks, and compliance streams.
public struct XConnector: PullSource, StreamSource, WebhookSource, DeadLetterReader {
    /// What it is and which settings it takes.
    public static let descriptor = ConnectorDescriptor(
        name: "x",
        summary:
            "Reads X (Twitter): searches, mentions, accounts, the filtered stream, webhooks and compliance streams.",
        settings: XConfiguration.settings,
        capabilities: [.edits, .deletes, .backfill],
        defaultInterval: .seconds(30) ... .seconds(900),
        // X's list of 2026; an account's `budget` may set others.
        prices: ["post": Money(micros: 5_000), "user": Money(micros: 10_000)]
    )

    private let configuration: XConfiguration
    private let context: ConnectorContext
    private let client: XClient
    private let live = XLive()

    /// A source's modes follow from what it reads.
    public static func modes(of settings: Settings) -> ConnectorModes {
        switch (try? settings.value(XConfiguration.kindSetting)) ?? nil {
        case .search, .mentions, .user: .pull
        case .stream: [.stream, .pull]
        case .compliance: .stream
        case .activity: .webhook
        case nil: [.pull, .stream, .webhook]
        }
    }

    /// Checks the settings of one source.
    public init(settings: Settings, context: ConnectorContext) throws {
        configuration = try XConfiguration(settings)
        self.context = context
        client = XClient(context: context, baseURL: configuration.baseURL, credentials: configuration.credentials)
    }

    /// Reads one page of a search or a timeline; for a stream, one page of a search for one of its rules.
    ///
    /// - Throws: ``ConnectorError``: `rateLimited` where a limit, the budget or the allowance at X is used up, `unauthorized`
    ///   where the credentials are not taken, `rejected` for a query that X does not understand, `malformed` with the answer where it is no page.
    public func pull(_ request: PullRequest) async throws -> PullPage {
        try await XPulling(configuration, client, live).pull(request)
    }

    /// Brings the rules into step, connects, and reads until X ends the connection.
    ///
    /// - Throws: ``ConnectorError``: `unavailable` with X's ladder for a connection that broke, `rateLimited` where another connection is open.
    public func stream(after cursor: Cursor?, into sink: any EventSink) async throws {
        try await XStreaming(configuration, client, live).stream(after: cursor, into: sink)
    }

    /// Answers X's challenges, and takes deliveries whose signature is genuine.
    public func receive(_ delivery: WebhookDelivery) async throws -> WebhookOutcome {
        guard let secret = configuration.webhookSecret, configuration.kind == .activity else {
            throw ConnectorError(.unsupported, "only sources of kind activity take webhooks")
        }
        let (outcome, edits) = XWebhook(secret: secret).outcome(of: delivery)
        guard case .accepted(let events, let letters) = outcome else { return outcome }
        let memory = XEditMemory(account: context.account)
        try await memory.remember(edits)
        return .accepted(try await memory.completing(events), deadLetters: letters)
    }

    /// Reads a kept delivery, line of a stream or page again: all of them say themselves what they are.
    ///
    /// - Throws: ``ConnectorError`` `malformed` where it is no JSON.
    public func reread(_ request: RereadRequest) async throws -> Rereading {
        var normalizer = XNormalizer(now: request.receivedAt)
        var events: [Event] = []
        do {
            try JSONParser().parse(request.letter.payload) { normalizer.read($0, into: &events) }
        } catch {
            throw ConnectorError(
                .malformed,
                "the payload: \((error as? JSONError)?.description ?? "it cannot be read")"
            )
        }
        let memory = XEditMemory(account: context.account)
        try await memory.remember(normalizer.edits)
        return Rereading(events: try await memory.completing(events))
    }
}
