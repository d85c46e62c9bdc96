package import ConnectorKit
package import MetaGraph

/// What a user may write for a source that reads a Facebook Page.
package struct FacebookConfiguration: Sendable {
    /// The Page, by its number; needed to ask for posts.
    package var page: String?
    /// Whether comments under the Page's newest posts are asked for too.
    package var readsComments: Bool
    /// How far back the first reading goes.
    package var history: Duration
    /// Where the API is.
    package var baseURL: String
    /// The version of the API.
    package var version: String
    /// The Page's access token; without it nothing is asked for.
    package var accessToken: Secret?
    /// The app's secret, as proof with each call.
    package var appSecret: Secret?
    /// Judges what is sent; without it nothing is taken.
    package var webhook: MetaWebhook?

    /// A name for what is read, for the cursor: a place in one list is none in another.
    package var scope: String { PayloadDigest.scope(baseURL, page) }

    // MARK: - Settings

    static let pageSetting = Setting.text(
        "page",
        summary: "The Page, by its number: needed with `access_token`. Webhooks bring what all Pages of the app tell."
    )
    static let commentsSetting = Setting.flag(
        "comments",
        summary: "Whether to ask for the comments under the Page's newest posts too.",
        default: true
    )
    static let historySetting = Setting.duration(
        "history",
        in: .zero ... .seconds(365 * 86_400),
        summary: "How far back the very first reading goes.",
        default: .seconds(86_400)
    )
    static let baseURLSetting = MetaSettings.baseURL(default: "https://graph.facebook.com")

    static let settings: [any SettingDescription] = [
        pageSetting, MetaSettings.accessToken, commentsSetting, historySetting, MetaSettings.appSecret,
        MetaSettings.previousAppSecret, MetaSettings.verifyToken, MetaSettings.version, baseURLSetting,
    ]

    /// Decodes the settings of one source.
    package init(_ settings: Settings) throws(SettingsError) {
        page = try settings.value(Self.pageSetting)
        readsComments = try settings.required(Self.commentsSetting)
        history = try settings.required(Self.historySetting)
        baseURL = try MetaSettings.baseURL(Self.baseURLSetting, in: settings)
        version = try MetaSettings.version(in: settings)
        accessToken = try settings.value(MetaSettings.accessToken)
        appSecret = try settings.value(MetaSettings.appSecret)
        webhook = try MetaSettings.webhook(in: settings)
        if let page, !Self.isNumber(page) {
            throw settings.error(Self.pageSetting.name, "expected the Page's number, such as 108824017345866")
        }
        if accessToken != nil, page == nil {
            throw settings.error(Self.pageSetting.name, "is missing beside `access_token`: say which Page to read")
        }
        if accessToken == nil, webhook == nil {
            throw settings.error(
                MetaSettings.accessToken.name,
                "is missing: give it to ask for posts, or `app_secret` to take webhooks, or both"
            )
        }
        guard accessToken == nil else { return }
        for name in [Self.commentsSetting.name, Self.historySetting.name] where settings.contains(name) {
            throw settings.error(name, "is of no use without `access_token`: nothing is asked for")
        }
    }

    private static func isNumber(_ text: String) -> Bool {
        (1...30).contains(text.utf8.count) && text.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
    }
}
