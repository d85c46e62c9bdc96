import JSON
import SocialEvents

/// What makes many messages one broadcast.
///
/// WhatsApp knows no broadcasts: one is a template sent to many, and only what was sent with each message says that they belong together.
package struct WhatsAppCampaigns: Sendable, Hashable {
    /// What may tell that a message is part of a campaign.
    package enum Sign: String, Sendable, Hashable, CaseIterable {
        /// The `biz_opaque_callback_data` it was sent with, which comes back with each of its statuses.
        case callbackData = "callback_data"
        /// Its template and the time it was sent, where the payload names the template: echoes and history.
        case template
    }

    /// Which signs count.
    package var signs: [Sign]
    /// What ends the campaign's name in the callback data; `nil` where all of it is the name.
    package var separator: String?
    /// How long one broadcast of a template lasts.
    package var window: Duration

    /// What counts.
    package init(
        signs: [Sign] = Sign.allCases,
        separator: String? = nil,
        window: Duration = .seconds(86_400)
    ) {
        self.signs = signs
        self.separator = separator
        self.window = window
    }

    /// The name of the campaign that callback data belong to.
    func name(ofCallbackData data: JSONValue?) -> String? {
        guard let data, signs.contains(.callbackData), let text = WhatsAppValue.native(data) else { return nil }
        guard let separator else { return text }
        guard let end = text.firstRange(of: separator)?.lowerBound, end != text.startIndex else { return nil }
        return String(text[..<end])
    }

    /// When the window began that a moment lies in.
    func start(ofWindowAround time: Timestamp) -> Timestamp? {
        let length = window.wholeMilliseconds
        guard signs.contains(.template), length > 0 else { return nil }
        let remainder = time.milliseconds % length
        return Timestamp(milliseconds: time.milliseconds - (remainder < 0 ? remainder + length : remainder))
    }
}
