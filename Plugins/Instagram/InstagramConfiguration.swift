package import ConnectorKit
package import MetaGraph

/// What a user may write for a source that reads Instagram.
package struct InstagramConfiguration: Sendable {
    /// What a source asks for.
    ///
    /// What it is told by webhook is all that the app is subscribed to.
    package enum Kind: String, Sendable, CaseIterable {
        /// The account's own posts, reels and albums.
        case media
        /// Comments on them.
        case comments
        /// Comments and captions of others that name the account.
        case mentions
        /// The account's stories, and their counts at the end.
        case stories
        /// Posts of others in which the account is tagged.
        case tags
        /// Public posts with a hashtag.
        case hashtag
        /// Direct messages.
        case messages
    }

    /// By whose login the access was given, which decides host, token and what there is to read.
    package enum Login: String, Sendable, CaseIterable {
        /// Instagram Login: graph.instagram.com.
        case instagram
        /// Facebook Login, through a Page: graph.facebook.com.
        case facebook

        /// Meta's address of the API.
        var host: String {
            switch self {
            case .instagram: "https://graph.instagram.com"
            case .facebook: "https://graph.facebook.com"
            }
        }
    }

    /// What the source asks for.
    package var kind: Kind
    /// Whose login it is.
    package var login: Login
    /// The id of the account; `me` for that of an Instagram token.
    package var user: String
    /// The hashtags of `hashtag`, lower-case, without `#`.
    package var hashtags: [String]
    /// How far back the first reading goes.
    package var history: Duration
    /// For how long after a post its comments are looked at again.
    package var watch: Duration
    /// Where the API is.
    package var baseURL: String
    /// The version of the API.
    package var version: String
    /// The token as it was configured; `nil` for a source that is only told.
    package var accessToken: Secret?
    /// The app's id, for exchanging the token of a user of Facebook Login.
    package var appID: String?
    /// The app's secret.
    package var appSecret: Secret?
    /// Judges webhooks; `nil` for a source that only asks.
    package var webhook: MetaWebhook?

    /// A name for what is read, for the cursor: a place in one list is none in another.
    package var scope: String {
        PayloadDigest.scope(baseURL, kind.rawValue, user)
    }

    // MARK: - Settings

    static let kindSetting = Setting.choice("kind", of: Kind.self, summary: "What the source reads.", isRequired: true)
    static let loginSetting = Setting.choice(
        "login",
        of: Login.self,
        summary: "By whose login the access was given: `instagram`, or `facebook` through a Page.",
        default: .instagram
    )
    static let userSetting = Setting.text(
        "user",
        summary: "The id of the professional account, a number; with Instagram Login it may be left out."
    )
    static let hashtagsSetting = Setting.list(
        "hashtags",
        of: .text,
        summary: "For `hashtag`: the hashtags, at most 30; an account may ask for 30 different ones in 7 days."
    )
    static let historySetting = Setting.duration(
        "history",
        in: .zero ... .seconds(365 * 86_400),
        summary: "How far back the very first reading goes.",
        default: .seconds(7 * 86_400)
    )
    static let watchSetting = Setting.duration(
        "watch",
        in: .seconds(3600) ... .seconds(365 * 86_400),
        summary: "For `comments`: for how long after a post its comments are looked at, for edits and deletions too.",
        default: .seconds(14 * 86_400)
    )
    /// Its default depends on `login`.
    static let baseURLSetting = Setting.url(
        "base_url",
        summary: "Where the API is, for a stand-in; Meta's own address, by `login`, otherwise."
    )

    static let settings: [any SettingDescription] = [
        kindSetting, loginSetting, userSetting, hashtagsSetting, historySetting, watchSetting, baseURLSetting,
        MetaSettings.version, MetaSettings.accessToken, MetaSettings.appID, MetaSettings.appSecret,
        MetaSettings.previousAppSecret, MetaSettings.verifyToken,
    ]

    /// Decodes the settings of one source.
    package init(_ settings: Settings) throws(SettingsError) {
        kind = try settings.required(Self.kindSetting)
        login = try settings.required(Self.loginSetting)
        user = try settings.value(Self.userSetting) ?? "me"
        hashtags = try settings.value(Self.hashtagsSetting) ?? []
        history = try settings.required(Self.historySetting)
        watch = try settings.required(Self.watchSetting)
        baseURL = try settings.value(Self.baseURLSetting) ?? login.host
        while baseURL.hasSuffix("/") { baseURL.removeLast() }
        version = try MetaSettings.version(in: settings)
        accessToken = try settings.value(MetaSettings.accessToken)
        appID = try settings.value(MetaSettings.appID)
        appSecret = try settings.value(MetaSettings.appSecret)
        let judge = try MetaSettings.webhook(in: settings)
        webhook = judge?.verifyToken == nil ? nil : judge
        try checkParts(settings)
        hashtags = try Self.hashtags(hashtags, settings)
    }

    private func checkParts(_ settings: Settings) throws(SettingsError) {
        for (name, isMeant) in [
            (Self.hashtagsSetting.name, kind == .hashtag), (Self.watchSetting.name, kind == .comments),
        ] where settings.contains(name) && !isMeant {
            throw settings.error(name, "is not for sources of kind \(kind.rawValue)")
        }
        if settings.contains(Self.userSetting.name),
            !(1...32).contains(user.utf8.count) || !user.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 })
        {
            throw settings.error(Self.userSetting.name, "expected the account's id, a number")
        }
        let needsFacebook = kind == .mentions || kind == .hashtag
        if login == .instagram, needsFacebook, accessToken != nil {
            throw settings.error(
                Self.loginSetting.name,
                "must be `facebook`: with Instagram Login there are no \(kind.rawValue)"
                    + (kind == .mentions ? "; who mentions the account comes among the comments" : "")
            )
        }
        if login == .facebook, accessToken != nil, !settings.contains(Self.userSetting.name) {
            throw settings.error(Self.userSetting.name, "is missing: give the id of the professional account")
        }
        let isOnlyAsked = [.media, .tags, .hashtag].contains(kind)
        if accessToken == nil, isOnlyAsked || webhook == nil {
            throw settings.error(
                MetaSettings.accessToken.name,
                isOnlyAsked ? "is missing" : "is missing: give it, or `app_secret` and `verify_token` for webhooks"
            )
        }
    }

    /// Hashtags as Instagram counts them: in lower case and without sign.
    private static func hashtags(_ texts: [String], _ settings: Settings) throws(SettingsError) -> [String] {
        guard let kind = try settings.value(kindSetting), kind == .hashtag else { return [] }
        var names: [String] = []
        for text in texts {
            let name = (text.hasPrefix("#") ? String(text.dropFirst()) : text).lowercased()
            let isTag = (1...200).contains(name.utf8.count) && name.unicodeScalars.allSatisfy(isPart)
            guard isTag else {
                throw settings.error(
                    hashtagsSetting.name,
                    "expected hashtags of letters, digits and _; emoji are not searched"
                )
            }
            if !names.contains(name) { names.append(name) }
        }
        guard !names.isEmpty else { throw settings.error(hashtagsSetting.name, "is missing: say what to look for") }
        guard names.count <= InstagramHashtagBudget.most else {
            throw settings.error(
                hashtagsSetting.name,
                "has \(names.count) hashtags: Instagram allows an account \(InstagramHashtagBudget.most) in 7 days"
            )
        }
        return names
    }

    private static func isPart(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "_" || scalar.properties.isAlphabetic || scalar.properties.numericType == .decimal
            || scalar.properties.generalCategory == .nonspacingMark
            || scalar.properties.generalCategory == .spacingMark
    }
}
