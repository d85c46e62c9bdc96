public import ConnectorKit
import HTTPTypes
import JSON
import MetaGraph
import SocialEvents

/// Reads Facebook Pages: what Meta's webhooks tell of posts, comments, reactions, ratings, mentions and Messenger, and beside them the Page's posts and
/// their comments by asking.
public struct FacebookConnector: PullSource, WebhookSource, DeadLetterReader {
    /// What it is and which settings it takes.
    public static let descriptor = ConnectorDescriptor(
        name: "facebook",
        summary: "Reads Facebook Pages: posts, comments, reactions, ratings, mentions and Messenger.",
        settings: FacebookConfiguration.settings,
        capabilities: [.edits, .deletes, .backfill],
        defaultInterval: .seconds(300) ... .seconds(3600)
    )

    private let configuration: FacebookConfiguration
    private let context: ConnectorContext

    /// A source is asked where it has an access token, and called where it has the app's secret.
    public static func modes(of settings: Settings) -> ConnectorModes {
        let token = (try? settings.value(MetaSettings.accessToken)) ?? nil
        let secret = (try? settings.value(MetaSettings.appSecret)) ?? nil
        switch (token != nil, secret != nil) {
        case (true, true), (false, false): return [.pull, .webhook]
        case (true, false): return .pull
        case (false, true): return .webhook
        }
    }

    /// Checks the settings of one source.
    public init(settings: Settings, context: ConnectorContext) throws {
        configuration = try FacebookConfiguration(settings)
        self.context = context
    }

    /// Reads one page of the Page's posts, or of the comments under its newest ones.
    ///
    /// - Throws: ``ConnectorError``: `rateLimited` where Meta asks to wait, `unauthorized` where the token is not taken or lacks a permission,
    ///   `rejected` where there is no such Page, `malformed` with the answer where it is no page.
    public func pull(_ request: PullRequest) async throws -> PullPage {
        guard let token = configuration.accessToken, let page = configuration.page else {
            throw ConnectorError(.unsupported, "a source without `access_token` is called, not asked")
        }
        let client = GraphClient(
            context: context,
            baseURL: configuration.baseURL,
            version: configuration.version,
            credentials: .fixed(token),
            appSecret: configuration.appSecret
        )
        return try await FacebookPulling(configuration, client, page: page).pull(request)
    }

    /// Answers Meta's challenges, and takes deliveries whose signature is genuine.
    public func receive(_ delivery: WebhookDelivery) async throws -> WebhookOutcome {
        guard let webhook = configuration.webhook else {
            throw ConnectorError(.unsupported, "a source without `app_secret` takes no webhooks")
        }
        let normalizer = FacebookNormalizer(now: delivery.receivedAt)
        return webhook.outcome(of: delivery) { notice, intake in try normalizer.read(notice, into: &intake) }
    }

    /// Reads a dead letter of a webhook or of a page again.
    public func reread(_ request: RereadRequest) async throws -> Rereading {
        let normalizer = FacebookNormalizer(now: request.receivedAt)
        if let form = FacebookElement(request.letter) { return try form.reread(request.letter, normalizer) }
        return try MetaIntake.reread(request.letter) { notice, intake in try normalizer.read(notice, into: &intake) }
    }
}
