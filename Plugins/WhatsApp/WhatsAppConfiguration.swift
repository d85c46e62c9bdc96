import ConnectorKit
import MetaGraph

/// What a user may write for a source that reads WhatsApp.
struct WhatsAppConfiguration: Sendable {
    /// Who may call, and how it is known.
    var webhook: MetaWebhook
    /// What makes many messages one broadcast.
    var campaigns: WhatsAppCampaigns

    static let campaignsSetting = Setting.list(
        "campaigns",
        of: .choice(of: WhatsAppCampaigns.Sign.self),
        summary:
            "What makes messages one broadcast: the `biz_opaque_callback_data` they were sent with, or their template "
            + "and time, where the payload names the template.",
        default: [.callbackData, .template]
    )
    static let separatorSetting = Setting.text(
        "campaign_separator",
        summary:
            "What ends the campaign's name in `biz_opaque_callback_data`, where an id of the message follows it; data "
            + "without it names no campaign. Without the setting all of the data is the name."
    )
    static let windowSetting = Setting.duration(
        "campaign_window",
        in: .seconds(60) ... .seconds(31 * 86_400),
        summary:
            "How long one broadcast of a template lasts: what is sent within the same stretch of this length is one.",
        default: .seconds(86_400)
    )

    static let settings: [any SettingDescription] = [
        MetaSettings.appSecret, MetaSettings.previousAppSecret, MetaSettings.verifyToken, campaignsSetting,
        separatorSetting, windowSetting,
    ]

    /// Decodes the settings of one source.
    init(_ settings: Settings) throws(SettingsError) {
        guard let webhook = try MetaSettings.webhook(in: settings) else {
            let name = MetaSettings.appSecret.name
            throw settings.error(name, "is missing: without it nobody can tell who calls the webhook")
        }
        self.webhook = webhook
        campaigns = WhatsAppCampaigns(
            signs: try settings.required(Self.campaignsSetting),
            separator: try settings.value(Self.separatorSetting),
            window: try settings.required(Self.windowSetting)
        )
        for name in [Self.separatorSetting.name]
        where settings.contains(name) && !campaigns.signs.contains(.callbackData) {
            throw settings.error(name, "is of no use where `campaigns` does not name callback_data")
        }
    }
}
