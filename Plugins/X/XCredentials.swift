package import ConnectorKit

/// How requests to X are authorised.
package enum XCredentials: Sendable {
    /// Nothing is asked for, as webhooks do not.
    case none
    /// The app itself.
    case bearer(Secret)
    /// A user, by tokens that live two hours and are refreshed.
    case oauth2(clientID: String, clientSecret: Secret?, refreshToken: Secret)
    /// A user, each request signed.
    case oauth1(XOAuth1)

    /// Reads the settings; `nil` where none are given.
    init?(_ settings: Settings) throws(SettingsError) {
        let bearer = try settings.value(XConfiguration.bearerSetting)
        let clientID = try settings.value(XConfiguration.clientIDSetting)
        let clientSecret = try settings.value(XConfiguration.clientSecretSetting)
        let refresh = try settings.value(XConfiguration.refreshSetting)
        let key = try settings.value(XConfiguration.keySetting)
        let secret = try settings.value(XConfiguration.secretSetting)
        let token = try settings.value(XConfiguration.tokenSetting)
        let tokenSecret = try settings.value(XConfiguration.tokenSecretSetting)
        if let bearer {
            self = .bearer(bearer)
        } else if let refresh {
            guard let clientID else {
                throw settings.error(XConfiguration.clientIDSetting.name, "is missing beside `refresh_token`")
            }
            self = .oauth2(clientID: clientID, clientSecret: clientSecret, refreshToken: refresh)
        } else if let token {
            guard let key, let secret, let tokenSecret else {
                throw settings.error(
                    XConfiguration.tokenSetting.name,
                    "needs `api_key`, `api_secret` and `access_token_secret` beside it"
                )
            }
            self = .oauth1(XOAuth1(key: key, secret: secret, token: token, tokenSecret: tokenSecret))
        } else {
            return nil
        }
    }
}
