import ConnectorKit
import SocialEvents
import Synchronization

/// A connector whose settings show every kind, and which does nothing.
struct SampleConnector: PullSource {
    static let token = Setting<Secret>.secret("token", summary: "The credential.")
    static let url = Setting.url("url", summary: "What to read.", isRequired: true)
    static let kind = Setting<Kind>.choice("kind", summary: "Which part of it.", default: .latest)
    static let limit = Setting.integer("limit", in: 1...100, summary: "How many at once.", default: 20)
    static let tags = Setting.list("tags", of: .text, summary: "Only with these tags.")

    enum Kind: String, CaseIterable, Sendable { case latest, search }

    static let descriptor = ConnectorDescriptor(
        name: "sample",
        summary: "Reads samples.",
        settings: [url, token, kind, limit, tags],
        defaultInterval: .seconds(10) ... .seconds(100)
    )

    let token: Secret?

    init(settings: Settings, context: ConnectorContext) throws {
        token = try settings.value(Self.token)
        if try settings.required(Self.kind) == .search, try settings.value(Self.tags) == nil {
            throw settings.error("kind", "`search` wants `tags`")
        }
    }

    func pull(_ request: PullRequest) async throws -> PullPage { PullPage() }
}

/// A second connector, to tell accounts apart.
struct OtherConnector: PullSource {
    static let descriptor = ConnectorDescriptor(
        name: "other",
        summary: "Reads other things.",
        settings: [Setting<Secret>.secret("key", summary: "The credential.", isRequired: true)]
    )

    init(settings: Settings, context: ConnectorContext) throws {}

    func pull(_ request: PullRequest) async throws -> PullPage { PullPage() }
}

/// A connector whose source may be a list of them, one name a line.
struct ListConnector: PullSource, SourceExpanding {
    static let list = Setting.path("list", summary: "A file with one name a line.")
    static let descriptor = ConnectorDescriptor(name: "list", summary: "Reads lists.", settings: [list])

    init(settings: Settings, context: ConnectorContext) throws {}

    func pull(_ request: PullRequest) async throws -> PullPage { PullPage() }

    static func expand(_ settings: Settings, readFile: (_ path: String) throws -> [UInt8]) throws -> [ExpandedSource]? {
        guard let path = try settings.value(list) else { return nil }
        return String(decoding: try readFile(path), as: UTF8.self).split(separator: "\n").map {
            ExpandedSource(nameSuffix: String($0), settings: Settings())
        }
    }
}

/// A connector of a platform that calls.
struct CalledConnector: WebhookSource {
    static let descriptor = ConnectorDescriptor(name: "called", summary: "Is called.", settings: [])

    init(settings: Settings, context: ConnectorContext) throws {}

    func receive(_ delivery: WebhookDelivery) async throws -> WebhookOutcome {
        .accepted([post(String(decoding: delivery.body, as: UTF8.self))])
    }
}

/// A connector of a platform that asks for money.
struct PricedConnector: PullSource {
    static let descriptor = ConnectorDescriptor(
        name: "priced",
        summary: "Reads what costs.",
        settings: [],
        prices: ["post": Money(micros: 5_000), "user": Money(micros: 10_000)]
    )

    private let context: ConnectorContext

    init(settings: Settings, context: ConnectorContext) throws { self.context = context }

    /// Reads three posts and keeps how often it did.
    func pull(_ request: PullRequest) async throws -> PullPage {
        try context.quota.admitSpend("post", count: 3)
        let count =
            try await context.account.value(for: "count").flatMap { Int(String(decoding: $0, as: UTF8.self)) } ?? 0
        try await context.account.setValue(Array(String(count + 1).utf8), for: "count")
        context.quota.reads("post", ids: (0..<3).map { "\(count)-\($0)" })
        return PullPage()
    }
}
