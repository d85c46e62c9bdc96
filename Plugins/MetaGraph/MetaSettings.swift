package import ConnectorKit

/// The settings that connectors of Meta's products have in common; each takes those it needs.
package enum MetaSettings {
    /// The app's secret.
    package static let appSecret = Setting.secret(
        "app_secret",
        summary: "The app's secret: it signs webhooks, and proves with each call that the token is used by the app."
    )
    /// The secret before, while it is being changed.
    package static let previousAppSecret = Setting.secret(
        "previous_app_secret",
        summary: "The app's secret before a change, as long as webhooks signed with it may still arrive."
    )
    /// The verify token.
    package static let verifyToken = Setting.secret(
        "verify_token",
        summary: "What the webhook's configuration at Meta has as verify token; any words that nobody guesses."
    )
    /// The access token.
    package static let accessToken = Setting.secret("access_token", summary: "The access token.")
    /// The app's id.
    package static let appID = Setting.text(
        "app_id",
        summary: "The app's id, to exchange a long-lived user token before it ends."
    )
    /// The API's version.
    package static let version = Setting.text(
        "graph_version",
        summary: "The version of the Graph API.",
        default: "v24.0"
    )

    /// Where the API is.
    ///
    /// - Parameter url: Meta's own address.
    /// - Returns: the setting.
    package static func baseURL(default url: String) -> Setting<String> {
        Setting.url("base_url", summary: "Where the API is, for a stand-in.", default: url)
    }

    /// The value of ``baseURL(default:)`` without slashes at its end.
    package static func baseURL(_ setting: Setting<String>, in settings: Settings) throws(SettingsError) -> String {
        var url = try settings.required(setting)
        while url.hasSuffix("/") { url.removeLast() }
        return url
    }

    /// The value of ``version``: `v` and a number such as `24.0`.
    package static func version(in settings: Settings) throws(SettingsError) -> String {
        let text = try settings.required(version)
        let parts = text.dropFirst().split(separator: ".", omittingEmptySubsequences: false)
        let isVersion =
            text.hasPrefix("v") && parts.count == 2
            && parts.allSatisfy { (1...3).contains($0.utf8.count) && $0.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 } }
        guard isVersion else { throw settings.error(version.name, "expected a version such as v24.0") }
        return text
    }

    /// The webhook's judge; `nil` where no app secret is given.
    ///
    /// - Throws: ``SettingsError`` for a verify token or an older secret without the secret itself.
    package static func webhook(in settings: Settings) throws(SettingsError) -> MetaWebhook? {
        let verifyToken = try settings.value(Self.verifyToken)
        let previous = try settings.value(previousAppSecret)
        guard let secret = try settings.value(appSecret) else {
            for name in [Self.verifyToken.name, previousAppSecret.name] where settings.contains(name) {
                throw settings.error(name, "is of no use without `\(appSecret.name)`")
            }
            return nil
        }
        return MetaWebhook(appSecrets: [secret] + (previous.map { [$0] } ?? []), verifyToken: verifyToken)
    }
}
