package import ConnectorKit

/// What a user may write for a source that reads a feed.
package struct FeedConfiguration: Sendable, Hashable {
    /// Whether to do as the feed asks in a matter.
    package enum Obedience: String, Sendable, CaseIterable {
        /// Do as it asks.
        case follow
        /// Do not.
        case ignore
    }

    /// Where the feed is.
    package var url: String
    /// Most bytes of a feed, counted after decompression.
    package var maximumSize: Int
    /// The language of entries that do not say theirs.
    package var language: String?
    /// What the source calls itself to the server.
    package var userAgent: String?
    /// Whether older pages are read to fill a gap.
    package var archives: Obedience
    /// Whether the feed's hints on when to ask again count.
    package var hints: Obedience

    static let urlSetting = Setting.url("url", summary: "The address of the feed. Either this or `opml` is needed.")
    static let opmlSetting = Setting.path(
        "opml",
        summary: "An OPML file whose feeds become one source each, in place of `url`."
    )
    static let maximumSizeSetting = Setting.byteSize(
        "maximum_size",
        in: (64 << 10)...(64 << 20),
        summary: "The largest feed that is read, counted after decompression.",
        default: 8 << 20
    )
    static let languageSetting = Setting.text(
        "language",
        summary: "The language of entries that do not say theirs, as a BCP 47 tag such as `fr`."
    )
    static let userAgentSetting = Setting.text("user_agent", summary: "What the source calls itself to the server.")
    static let archivesSetting = Setting.choice(
        "archives",
        of: Obedience.self,
        summary: "Whether older pages of the feed are read to fill a gap.",
        default: .follow
    )
    static let hintsSetting = Setting.choice(
        "hints",
        of: Obedience.self,
        summary:
            "Whether `ttl`, `skipHours`, `skipDays`, `sy:updatePeriod` and `Cache-Control` may put off the next fetch.",
        default: .follow
    )

    static let settings: [any SettingDescription] = [
        urlSetting, opmlSetting, maximumSizeSetting, languageSetting, userAgentSetting, archivesSetting, hintsSetting,
    ]

    static func bothGiven(_ settings: Settings) -> SettingsError {
        settings.error(opmlSetting.name, "stands beside `url`; a source reads one feed or a list of feeds")
    }

    /// Decodes the settings of one feed.
    package init(_ settings: Settings) throws(SettingsError) {
        guard let url = try settings.value(Self.urlSetting) else {
            if try settings.value(Self.opmlSetting) != nil {
                throw settings.error(
                    Self.opmlSetting.name,
                    "a list of feeds must be expanded to one source each before use"
                )
            }
            throw settings.error(
                Self.urlSetting.name,
                "is missing: set it to the address of a feed, or `opml` to a list of feeds"
            )
        }
        if try settings.value(Self.opmlSetting) != nil { throw Self.bothGiven(settings) }
        self.url = url
        maximumSize = try settings.required(Self.maximumSizeSetting)
        language = try settings.value(Self.languageSetting)
        if let language, FeedLanguage.tag(language) == nil {
            throw settings.error(
                Self.languageSetting.name,
                "expected a BCP 47 tag such as `fr` or `pt-BR`, found \"\(language.prefix(40))\""
            )
        }
        userAgent = try settings.value(Self.userAgentSetting)
        if let userAgent, !userAgent.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) {
            throw settings.error(Self.userAgentSetting.name, "expected printable ASCII characters")
        }
        archives = try settings.required(Self.archivesSetting)
        hints = try settings.required(Self.hintsSetting)
    }
}

/// Language tags as feeds write them.
enum FeedLanguage {
    /// A BCP 47 tag from `en`, `en-US`, `en_US` or `EN-us`; nil for what cannot be one.
    static func tag(_ text: String) -> String? {
        let parts = text.split(omittingEmptySubsequences: false) { $0 == "-" || $0 == "_" }
        guard let first = parts.first, (2...8).contains(first.utf8.count), text.utf8.count <= 35, isAlphabetic(first),
            parts.allSatisfy({ (1...8).contains($0.utf8.count) && isAlphanumeric($0) })
        else { return nil }
        return text.utf8.contains(UInt8(ascii: "_")) ? parts.joined(separator: "-") : text
    }

    private static func isAlphabetic(_ part: Substring) -> Bool {
        part.utf8.allSatisfy { ($0 | 0x20) &- UInt8(ascii: "a") < 26 }
    }

    private static func isAlphanumeric(_ part: Substring) -> Bool {
        part.utf8.allSatisfy { ($0 | 0x20) &- UInt8(ascii: "a") < 26 || $0 &- UInt8(ascii: "0") < 10 }
    }
}
