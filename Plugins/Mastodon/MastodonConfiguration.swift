package import ConnectorKit

/// What an operator may say about one source.
package struct MastodonConfiguration: Sendable {
    /// What a source reads.
    package enum Kind: String, Sendable, CaseIterable {
        /// What the account's home timeline shows.
        case home
        /// What others do to the account and its posts.
        case notifications
        /// All public posts that the server knows.
        case `public`
        /// Posts with a hashtag.
        case hashtag
        /// Posts of the members of one of the account's lists.
        case list
        /// Posts of one account.
        case account
    }

    /// Whose posts count, for `public` and `hashtag`.
    package enum Scope: String, Sendable, CaseIterable {
        /// Everybody's.
        case all
        /// Those of the server's own people.
        case local
        /// Those of other servers' people.
        case remote
    }

    /// Whether a stream is held where the server has one.
    package enum Streaming: String, Sendable, CaseIterable {
        /// It is.
        case auto
        /// The source is only ever asked.
        case off
    }

    /// What it reads.
    package var kind: Kind
    /// The server's address, without a slash at its end.
    package var baseURL: String
    /// The access token.
    package var token: Secret?
    /// Whose posts count.
    package var scope: Scope
    /// The hashtag without its sign, for `hashtag`.
    package var hashtag: String?
    /// The list's id, for `list`.
    package var list: String?
    /// The account's address without its first `@`, for `account`.
    package var account: String?
    /// How many posts from before its first start a source reads.
    package var backfill: Int
    /// How many of the newest posts are looked at again with each pull.
    package var recheck: Int
    /// Whether a stream is held.
    package var streaming: Streaming
    /// Whether notifications that the account's policy filters are read too.
    package var includesFiltered: Bool

    static let kindSetting = Setting.choice(
        "kind",
        of: Kind.self,
        summary: "What to read.",
        isRequired: true
    )
    static let baseURLSetting = Setting.url(
        "base_url",
        summary: "The address of the server, such as `https://mastodon.social`.",
        isRequired: true
    )
    static let tokenSetting = Setting.secret(
        "access_token",
        summary:
            "A token of the account that reads; `public`, `hashtag` and `account` need none on servers that show them to everybody."
    )
    static let scopeSetting = Setting.choice(
        "scope",
        of: Scope.self,
        summary: "Whose posts count, for `public` and `hashtag`.",
        default: .all
    )
    static let hashtagSetting = Setting.text("hashtag", summary: "The hashtag, for `hashtag`.")
    static let listSetting = Setting.text("list", summary: "The id of the list, for `list`.")
    static let accountSetting = Setting.text(
        "user",
        summary: "The address of the account, such as `harbourcafe@social.example`, for `account`."
    )
    static let backfillSetting = Setting.integer(
        "backfill",
        in: 0...400,
        summary: "How many posts from before its first start a source reads.",
        default: 40
    )
    static let recheckSetting = Setting.integer(
        "recheck",
        in: 1...400,
        summary: "How many of the newest posts each pull looks at again, for late arrivals, edits and deletions.",
        default: 20
    )
    static let streamingSetting = Setting.choice(
        "stream",
        of: Streaming.self,
        summary: "Whether to hold a stream where the server has one; `account` has none anywhere.",
        default: .auto
    )
    static let includesFilteredSetting = Setting.flag(
        "include_filtered",
        summary: "Whether notifications that the account's policy filters are read too, for `notifications`.",
        default: false
    )

    static let settings: [any SettingDescription] = [
        kindSetting, baseURLSetting, tokenSetting, scopeSetting, hashtagSetting, listSetting, accountSetting,
        backfillSetting, recheckSetting, streamingSetting, includesFilteredSetting,
    ]

    /// Decodes the settings of one source.
    package init(_ settings: Settings) throws(SettingsError) {
        kind = try settings.required(Self.kindSetting)
        baseURL = try Self.base(settings.required(Self.baseURLSetting), settings)
        token = try settings.value(Self.tokenSetting)
        scope = try settings.required(Self.scopeSetting)
        backfill = try settings.required(Self.backfillSetting)
        recheck = try settings.required(Self.recheckSetting)
        streaming = try settings.required(Self.streamingSetting)
        includesFiltered = try settings.required(Self.includesFilteredSetting)
        hashtag = try Self.word(Self.hashtagSetting, of: .hashtag, without: ["#", "＃"], kind, settings)
        list = try Self.word(Self.listSetting, of: .list, without: [], kind, settings)
        account = try Self.word(Self.accountSetting, of: .account, without: ["@"], kind, settings)
        let owners: [(name: String, kinds: Set<Kind>)] = [
            (Self.scopeSetting.name, [.public, .hashtag]),
            (Self.includesFilteredSetting.name, [.notifications]),
            (Self.streamingSetting.name, Set(Kind.allCases).subtracting([.account])),
        ]
        try settings.refuse(owners, for: kind)
        if token == nil, [.home, .notifications, .list].contains(kind) {
            throw settings.error(
                Self.tokenSetting.name,
                "is missing: `\(kind.rawValue)` belongs to an account; see how to get a token in the connector's documentation"
            )
        }
    }

    /// Whether a source with these settings can hold a stream at all.
    package var canStream: Bool {
        streaming == .auto && kind != .account && !(kind == .hashtag && scope == .remote)
    }

    /// Names the list that is read: a position is worth nothing in another.
    var listed: String {
        PayloadDigest.scope(
            baseURL,
            kind.rawValue,
            scope.rawValue,
            hashtag?.lowercased(),
            list,
            account?.lowercased()
        )
    }

    /// Scheme, host and port in lower case as they name the server.
    package var host: String {
        let rest = baseURL.drop { $0 != ":" }.dropFirst(3)
        return rest.prefix { $0 != "/" }.lowercased()
    }

    private static func base(_ url: String, _ settings: Settings) throws(SettingsError) -> String {
        guard !url.utf8.contains(UInt8(ascii: "?")), !url.utf8.contains(UInt8(ascii: "#")) else {
            throw settings.error(baseURLSetting.name, "expected the address of the server alone, without `?` and `#`")
        }
        var base = Substring(url)
        while base.last == "/" { base = base.dropLast() }
        return String(base)
    }

    /// A setting that belongs to one kind: required there, refused elsewhere.
    private static func word(
        _ setting: Setting<String>,
        of owner: Kind,
        without signs: [Character],
        _ kind: Kind,
        _ settings: Settings
    ) throws(SettingsError) -> String? {
        guard var word = try settings.value(setting) else {
            guard kind != owner else { throw settings.error(setting.name, "is missing: \(setting.summary)") }
            return nil
        }
        guard kind == owner else {
            throw settings.error(setting.name, "belongs to `kind: \(owner.rawValue)`, not to `\(kind.rawValue)`")
        }
        if let first = word.first, signs.contains(first) { word.removeFirst() }
        let isClean = word.unicodeScalars.allSatisfy { $0.value > 0x20 && !"/?#\\\u{7F}".unicodeScalars.contains($0) }
        guard !word.isEmpty, isClean, word.utf8.count <= 512 else {
            throw settings.error(setting.name, "expected a name without spaces, `/`, `?` and `#`")
        }
        return word
    }
}
