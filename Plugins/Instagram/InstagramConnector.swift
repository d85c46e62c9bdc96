public import ConnectorKit
import HTTPTypes
import JSON
import MetaGraph
import SocialEvents

/// Reads a professional account of Instagram, by webhook and by asking the Graph API, with either of Meta's logins.
public struct InstagramConnector: PullSource, WebhookSource, DeadLetterReader {
    /// What it is and which settings it takes.
    public static let descriptor = ConnectorDescriptor(
        name: "instagram",
        summary:
            "Reads Instagram: an account's media, comments, mentions, stories, tags and messages, and hashtags.",
        settings: InstagramConfiguration.settings,
        capabilities: [.edits, .deletes, .backfill],
        defaultInterval: .seconds(60) ... .seconds(900)
    )

    private let configuration: InstagramConfiguration
    private let context: ConnectorContext
    private let client: GraphClient
    private let heard = InstagramHeard()

    /// A source is told where it has what webhooks need, and asks where it has a token.
    public static func modes(of settings: Settings) -> ConnectorModes {
        guard let configuration = try? InstagramConfiguration(settings) else { return adoptedModes }
        var modes: ConnectorModes = []
        if configuration.accessToken != nil { modes.insert(.pull) }
        if configuration.webhook != nil { modes.insert(.webhook) }
        return modes
    }

    /// Checks the settings of one source.
    public init(settings: Settings, context: ConnectorContext) throws {
        configuration = try InstagramConfiguration(settings)
        self.context = context
        client = GraphClient(
            context: context,
            baseURL: configuration.baseURL,
            version: configuration.version,
            credentials: Self.credentials(configuration, context),
            // Proofs are an affair of Facebook's apps.
            appSecret: configuration.login == .facebook ? configuration.appSecret : nil
        )
    }

    /// Tokens of Instagram Login live 60 days and are refreshed; those of Pages stay, those of users are exchanged where the app is known.
    private static func credentials(
        _ configuration: InstagramConfiguration,
        _ context: ConnectorContext
    ) -> GraphCredentials {
        guard let token = configuration.accessToken else { return .none }
        let exchange: MetaTokenKeeper.Exchange
        switch (configuration.login, configuration.appID, configuration.appSecret) {
        case (.instagram, _, _): exchange = .instagramLogin
        case (.facebook, let appID?, let appSecret?): exchange = .facebookLogin(appID: appID, appSecret: appSecret)
        case (.facebook, _, _): return .fixed(token)
        }
        return .kept(
            MetaTokenKeeper(
                context: context,
                baseURL: configuration.baseURL,
                version: configuration.version,
                exchange: exchange,
                configured: token
            )
        )
    }

    /// Reads one page of a list, or asks a few single questions.
    ///
    /// - Throws: ``ConnectorError``: `rateLimited` where the account or app has called too often, `unauthorized` where the token is not taken or lacks a
    ///   permission, `malformed` with the answer where it is no list.
    public func pull(_ request: PullRequest) async throws -> PullPage {
        guard configuration.accessToken != nil else {
            throw ConnectorError(.unsupported, "a source without `access_token` is only told by webhook")
        }
        return try await InstagramPulling(configuration: configuration, client: client, heard: heard).pull(request)
    }

    /// Answers Meta's challenge, and takes deliveries whose signature is genuine: whatever they tell, and whatever the source's kind is, since an app has
    /// one webhook for everything.
    public func receive(_ delivery: WebhookDelivery) async throws -> WebhookOutcome {
        guard let webhook = configuration.webhook else {
            throw ConnectorError(.unsupported, "a source without `app_secret` and `verify_token` takes no webhooks")
        }
        let normalizer = InstagramNormalizer(now: delivery.receivedAt)
        let isReconciling = configuration.kind == .comments && configuration.accessToken != nil
        var mentions: [InstagramMention] = []
        let outcome = webhook.outcome(of: delivery) { notice, intake in
            try normalizer.read(notice, into: &intake, mentions: &mentions)
            if isReconciling, let comment = InstagramHeard.Comment(notice, now: delivery.receivedAt) {
                heard.note(comment)
            }
        }
        guard !mentions.isEmpty, case .accepted(var events, let letters) = outcome else { return outcome }
        var left: Set<String> = []
        for user in Set(mentions.compactMap(\.account)) where user != "0" {
            let box = InstagramMentionBox(account: context.account, user: user)
            left.formUnion(try await box.put(mentions.filter { $0.account == user }))
        }
        if !left.isEmpty { Self.note(left, in: &events) }
        return .accepted(events, deadLetters: letters)
    }

    /// Says of mentions for which there is no room that they are not read.
    private static func note(_ keys: Set<String>, in events: inout [Event]) {
        for index in events.indices where events[index].data.matched.contains(where: { $0.name == "mentions" }) {
            let native = events[index].subject?.text.split(separator: ":", maxSplits: 2).last ?? ""
            guard keys.contains("c\(native)") || keys.contains("m\(native)") else { continue }
            let words = "too many mentions wait to be read: no update follows"
            events[index].data.loss.append(Loss("mentions", .dropped, words))
        }
    }

    /// Reads a payload again that could not be read before.
    public func reread(_ request: RereadRequest) async throws -> Rereading {
        let normalizer = InstagramNormalizer(now: request.receivedAt)
        let letter = request.letter
        do {
            return try JSONParser().parse(letter.payload) { root in
                switch letter.parameter("form") {
                case "media": return Rereading(events: [try normalizer.media(root)])
                case "comment": return Rereading(events: [try normalizer.commentAlone(root)])
                case "message": return Rereading(events: [try normalizer.graphMessage(root, account: nil)])
                case "mention": return Rereading(deadLetters: [letter])
                default:
                    let intake = normalizer.read(root, body: letter.payload)
                    return Rereading(events: intake.events, deadLetters: intake.deadLetters)
                }
            }
        } catch let error as JSONError {
            throw ConnectorError.malformed(error, payload: letter.payload, what: "the payload")
        }
    }
}
