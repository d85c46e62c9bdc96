package import ConnectorKit

/// What a user may write for a source that reads Bluesky.
package struct BlueskyConfiguration: Sendable, Hashable {
    /// What a source reads.
    package enum Kind: String, Sendable, CaseIterable {
        /// What a search finds.
        case search
        /// What an account posts and reposts.
        case author
        /// What happens to the account whose credentials are given.
        case notifications
        /// What the members of a list post.
        case list
        /// What a feed generator chooses.
        case feed
        /// What happens on the whole network, filtered, as it happens.
        case jetstream
    }

    /// Which posts of an account are read.
    package enum AuthorFilter: String, Sendable, CaseIterable {
        /// All.
        case all
        /// Those that answer nobody.
        case noReplies = "no_replies"
        /// Those with media.
        case media
        /// Those that answer nobody but the author.
        case threads

        /// The server's word.
        var parameter: String {
            switch self {
            case .all: "posts_with_replies"
            case .noReplies: "posts_no_replies"
            case .media: "posts_with_media"
            case .threads: "posts_and_author_threads"
            }
        }
    }

    /// Which wire Jetstream is asked to speak.
    package enum Wire: String, Sendable, CaseIterable {
        /// `/subscribe`, its cursor a time.
        case first = "v1"
        /// `/xrpc/network.bsky.jetstream.subscribeEvents`, its cursor a sequence.
        case second = "v2"
    }

    /// Who signs in.
    package struct Credentials: Sendable, Hashable {
        /// A handle, a DID or an e-mail address.
        package var identifier: String
        /// An app password.
        package var password: Secret
    }

    /// What is read.
    package var kind: Kind
    /// The search, for `search`.
    package var query: String
    /// Handle or DID, for `author`.
    package var actor: String
    /// The address of the list or feed generator, for `list` and `feed`.
    package var address: String
    /// Which posts, for `author`.
    package var filter: AuthorFilter
    /// Which language, for `search`.
    package var language: String?
    /// Who signs in; nil to read what everybody may.
    package var credentials: Credentials?
    /// Where requests go, without a slash at its end.
    package var baseURL: String
    /// How far back the first pull reads.
    package var backfill: Duration
    /// How far behind the newest one looks for what was indexed late, and how far a stream's cursor is rewound.
    package var overlap: Duration
    /// How many posts are asked after now and then, whether they still stand.
    package var watched: Int
    /// How often they are asked after.
    package var watchEvery: Duration
    /// What Jetstream sends.
    package var collections: [String]
    /// Whose events Jetstream sends; all when empty.
    package var dids: [String]
    /// Jetstream's wire.
    package var wire: Wire
    /// Most bytes of one message of Jetstream.
    package var maximumMessageSize: Int

    static let kindSetting = Setting.choice(
        "kind",
        of: Kind.self,
        summary: "What the source reads.",
        isRequired: true
    )
    static let querySetting = Setting.text("query", summary: "For `search`: the search, in Bluesky's search syntax.")
    static let actorSetting = Setting.text("actor", summary: "For `author`: the account's handle or DID.")
    static let listSetting = Setting.text(
        "list",
        summary: "For `list`: the list's address, `at://DID/app.bsky.graph.list/KEY`."
    )
    static let feedSetting = Setting.text(
        "feed",
        summary: "For `feed`: the feed generator's address, `at://DID/app.bsky.feed.generator/KEY`."
    )
    static let filterSetting = Setting.choice(
        "filter",
        of: AuthorFilter.self,
        summary: "For `author`: which of the account's posts are read.",
        default: .all
    )
    static let languageSetting = Setting.text(
        "language",
        summary: "For `search`: only posts in this language, as a BCP 47 tag such as `fr`."
    )
    static let identifierSetting = Setting.text(
        "identifier",
        summary: "The handle, DID or e-mail address to sign in with; needs `app_password`."
    )
    static let passwordSetting = Setting.secret(
        "app_password",
        summary: "An app password of that account; never its own password."
    )
    static let baseURLSetting = Setting.url(
        "base_url",
        summary:
            "The server to ask: by default bsky.social with credentials, the public AppView without, and a public instance for `jetstream`."
    )
    static let backfillSetting = Setting.duration(
        "backfill",
        in: .zero ... .seconds(365 * 86_400),
        summary:
            "How far back the source reads when it is started first; by default 1d, and for `jetstream` nothing at all."
    )
    static let overlapSetting = Setting.duration(
        "overlap",
        in: .zero ... .seconds(7 * 86_400),
        summary:
            "How far behind the newest post the source looks for those dated back or indexed late; for `jetstream` how far its cursor is rewound. By default 1d, for `search` 1h, for `notifications` 10m, for `jetstream` 5s."
    )
    static let watchedSetting = Setting.integer(
        "watched",
        in: 0...2000,
        summary: "How many of the newest posts are asked after now and then, to notice deletions and new counts.",
        default: 250
    )
    static let watchEverySetting = Setting.duration(
        "watch_every",
        in: .seconds(60) ... .seconds(86_400),
        summary: "How often they are asked after.",
        default: .seconds(900)
    )
    static let collectionsSetting = Setting.list(
        "collections",
        of: SettingForm.text,
        summary: "For `jetstream`: which collections are sent, such as `app.bsky.feed.like` or `app.bsky.graph.*`.",
        default: ["app.bsky.feed.post", "app.bsky.feed.repost"]
    )
    static let didsSetting = Setting.list(
        "dids",
        of: SettingForm.text,
        summary: "For `jetstream`: whose events are sent, by DID; everybody's without it.",
        default: []
    )
    static let wireSetting = Setting.choice(
        "wire",
        of: Wire.self,
        summary: "For `jetstream`: which of its two wires the server speaks.",
        default: .first
    )
    static let maximumMessageSizeSetting = Setting.byteSize(
        "maximum_message_size",
        in: (64 << 10)...(4 << 20),
        summary: "For `jetstream`: the largest message that is read.",
        default: 1 << 20
    )

    static let settings: [any SettingDescription] = [
        kindSetting, querySetting, actorSetting, listSetting, feedSetting, filterSetting, languageSetting,
        identifierSetting, passwordSetting, baseURLSetting, backfillSetting, overlapSetting, watchedSetting,
        watchEverySetting, collectionsSetting, didsSetting, wireSetting, maximumMessageSizeSetting,
    ]

    /// Whether a source with these settings holds a stream; settings that are refused later may be anything.
    static func isStream(_ settings: Settings) -> Bool {
        (try? settings.value(kindSetting)) == .jetstream
    }

    /// Decodes the settings of one source.
    package init(_ settings: Settings) throws(SettingsError) {
        let kind = try settings.required(Self.kindSetting)
        self.kind = kind
        try settings.refuse(Self.owners, for: kind)
        query = try Self.needed(Self.querySetting, by: .search, kind, settings)
        actor = try Self.needed(Self.actorSetting, by: .author, kind, settings)
        let list = try Self.needed(Self.listSetting, by: .list, kind, settings)
        let feed = try Self.needed(Self.feedSetting, by: .feed, kind, settings)
        address = kind == .list ? list : feed
        filter = try settings.required(Self.filterSetting)
        language = try settings.value(Self.languageSetting)
        credentials = try Self.credentials(settings)
        backfill = try settings.value(Self.backfillSetting) ?? (kind == .jetstream ? .zero : .seconds(86_400))
        overlap = try settings.value(Self.overlapSetting) ?? Self.overlap(kind)
        watched = try settings.required(Self.watchedSetting)
        watchEvery = try settings.required(Self.watchEverySetting)
        collections = try settings.required(Self.collectionsSetting)
        dids = try settings.required(Self.didsSetting)
        wire = try settings.required(Self.wireSetting)
        maximumMessageSize = try settings.required(Self.maximumMessageSizeSetting)
        let given = try settings.value(Self.baseURLSetting)
        let base = given ?? Self.server(kind, hasCredentials: credentials != nil)
        baseURL = String(base.prefix(base.utf8.count - (base.hasSuffix("/") ? 1 : 0)))
        try check(settings)
    }

    private static func server(_ kind: Kind, hasCredentials: Bool) -> String {
        switch kind {
        case .jetstream: "https://jetstream2.us-east.bsky.network"
        case .search, .author, .notifications, .list, .feed:
            hasCredentials ? "https://bsky.social" : "https://public.api.bsky.app"
        }
    }

    /// Posts of accounts are sorted by a time that their authors claim; what a search finds and what one is notified of is told soon after.
    private static func overlap(_ kind: Kind) -> Duration {
        switch kind {
        case .author, .list: .seconds(86_400)
        case .search: .seconds(3600)
        case .notifications, .feed: .seconds(600)
        case .jetstream: .seconds(5)
        }
    }

    /// Names the list that is read, for its cursor.
    var scope: String {
        PayloadDigest.scope(
            baseURL,
            kind.rawValue,
            query,
            actor,
            address,
            kind == .author ? filter.rawValue : nil,
            language,
            kind == .notifications ? credentials?.identifier : nil
        )
    }

    /// Which kinds a setting is for, where it is not for all.
    private static let owners: [(name: String, kinds: Set<Kind>)] = [
        (querySetting.name, [.search]), (languageSetting.name, [.search]), (actorSetting.name, [.author]),
        (filterSetting.name, [.author]), (listSetting.name, [.list]), (feedSetting.name, [.feed]),
        (identifierSetting.name, pulled), (passwordSetting.name, pulled), (watchedSetting.name, pulled),
        (watchEverySetting.name, pulled), (backfillSetting.name, Set(Kind.allCases).subtracting([.feed])),
        (overlapSetting.name, Set(Kind.allCases).subtracting([.feed])), (collectionsSetting.name, [.jetstream]),
        (didsSetting.name, [.jetstream]), (wireSetting.name, [.jetstream]),
        (maximumMessageSizeSetting.name, [.jetstream]),
    ]

    private static let pulled = Set(Kind.allCases).subtracting([.jetstream])

    /// A setting that one kind cannot be without.
    private static func needed(
        _ setting: Setting<String>,
        by owner: Kind,
        _ kind: Kind,
        _ settings: Settings
    ) throws(SettingsError) -> String {
        guard kind == owner else { return "" }
        guard let value = try settings.value(setting) else {
            throw settings.error(setting.name, "is missing: a source of kind `\(kind.rawValue)` needs it")
        }
        return value
    }

    private static func credentials(_ settings: Settings) throws(SettingsError) -> Credentials? {
        let identifier = try settings.value(identifierSetting)
        let password = try settings.value(passwordSetting)
        switch (identifier, password) {
        case (let identifier?, let password?): return Credentials(identifier: identifier, password: password)
        case (nil, nil): return nil
        case (nil, _?): throw settings.error(identifierSetting.name, "is missing: `app_password` needs it")
        case (_?, nil): throw settings.error(passwordSetting.name, "is missing: `identifier` needs it")
        }
    }

    private func check(_ settings: Settings) throws(SettingsError) {
        switch kind {
        case .notifications:
            guard credentials != nil else {
                throw settings.error(Self.identifierSetting.name, "is missing: notifications are read with credentials")
            }
        case .list, .feed:
            let collection = kind == .list ? "app.bsky.graph.list" : "app.bsky.feed.generator"
            let parts = address.split(separator: "/", omittingEmptySubsequences: false)
            guard parts.count == 5, parts[0] == "at:", parts[1].isEmpty, parts[3] == collection, !parts[4].isEmpty
            else {
                throw settings.error(kind.rawValue, "expected an address such as `at://did:plc:…/\(collection)/…`")
            }
        case .jetstream:
            guard collections.count <= 100 else {
                throw settings.error(Self.collectionsSetting.name, "Jetstream takes at most 100 collections")
            }
            guard dids.count <= 10_000 else {
                throw settings.error(Self.didsSetting.name, "Jetstream takes at most 10,000 accounts")
            }
            guard dids.allSatisfy({ $0.hasPrefix("did:") }) else {
                throw settings.error(Self.didsSetting.name, "expected DIDs such as `did:plc:…`; handles can change")
            }
        case .search, .author: break
        }
    }
}
