package import ConnectorKit

/// What a user may write for a source that reads X.
package struct XConfiguration: Sendable {
    /// What a source reads.
    package enum Kind: String, Sendable, CaseIterable {
        /// Posts that a query selects, from recent search.
        case search
        /// Posts that mention an account.
        case mentions
        /// Posts of an account.
        case user
        /// Posts that rules select, from the filtered stream.
        case stream
        /// What happens around accounts, told by webhook.
        case activity
        /// What must be forgotten or shown otherwise.
        case compliance
    }

    /// What a source of kind `user` leaves out.
    package enum Excluded: String, Sendable, CaseIterable {
        /// Answers to others.
        case replies
        /// Posts passed on.
        case retweets
    }

    /// What a compliance stream is about.
    package enum Subject: String, Sendable, CaseIterable {
        /// Posts that are deleted, withheld, edited.
        case posts
        /// Accounts that are deleted, protected, suspended.
        case users
        /// Likes that are taken back.
        case likes
    }

    /// A rule of the filtered stream.
    package struct Rule: Sendable, Hashable {
        /// Its name, by which events tell that it matched.
        package var name: String
        /// What it selects, in X's language of rules.
        package var value: String

        /// A rule.
        package init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    /// What the source reads.
    package var kind: Kind
    /// The query of `search`.
    package var query: String?
    /// The account of `mentions` and `user`: a number, or a name without its `@`.
    package var user: String?
    /// What `user` leaves out.
    package var excluded: [Excluded]
    /// The rules of `stream`; `nil` to take whatever the app's rules select and leave them alone.
    package var rules: [Rule]?
    /// What `compliance` is about.
    package var subject: Subject
    /// The part of a compliance stream.
    package var partition: Int?
    /// How far back the first reading goes.
    package var history: Duration
    /// Minutes that a stream gives again after a break; 0 where the access does not include it.
    package var backfillMinutes: Int
    /// Where the API is.
    package var baseURL: String
    /// How requests are authorised.
    package var credentials: XCredentials
    /// What webhooks are signed with.
    package var webhookSecret: Secret?

    /// A name for what is read, for the cursor: a place in one list is none in another.
    ///
    /// Rules are not part of it: a stream's place is a moment, which counts for all of them.
    package var scope: String {
        let isCompliance = kind == .compliance
        return PayloadDigest.scope(
            baseURL,
            kind.rawValue,
            query,
            user,
            isCompliance ? subject.rawValue : nil,
            isCompliance ? String(partition ?? 1) : nil
        )
    }

    // MARK: - Settings

    static let kindSetting = Setting.choice("kind", of: Kind.self, summary: "What the source reads.", isRequired: true)
    static let querySetting = Setting.text(
        "query",
        summary: "For `search`: what to look for, in X's query language, at most 512 characters with self-serve access."
    )
    static let userSetting = Setting.text(
        "user",
        summary: "For `mentions` and `user`: the account, by its name or its number."
    )
    static let excludeSetting = Setting.list(
        "exclude",
        of: .choice(of: Excluded.self),
        summary: "For `user`: what to leave out."
    )
    static let rulesSetting = Setting(
        "rules",
        .rules,
        summary: "For `stream`: the rules by their names. They are kept in step at X; rules of others are left alone. "
            + "Without it everything that the app's rules select is read."
    )
    static let subjectSetting = Setting.choice(
        "about",
        of: Subject.self,
        summary: "For `compliance`: what the stream is about.",
        default: .posts
    )
    static let partitionSetting = Setting.integer(
        "partition",
        in: 1...4,
        summary: "For `compliance` about posts or users: the part of the stream; each part needs a source of its own."
    )
    static let historySetting = Setting.duration(
        "history",
        in: .zero ... .seconds(7 * 86_400),
        summary: "How far back the very first reading goes; posts read cost money.",
        default: .seconds(3600)
    )
    static let backfillSetting = Setting.integer(
        "backfill_minutes",
        in: 0...5,
        summary: "For `stream` and `compliance`: minutes that X gives again after a break, with enterprise access.",
        default: 0
    )
    static let baseURLSetting = Setting.url(
        "base_url",
        summary: "Where the API is, for a stand-in.",
        default: "https://api.x.com"
    )
    static let bearerSetting = Setting.secret("bearer_token", summary: "The app's bearer token.")
    static let clientIDSetting = Setting.text("client_id", summary: "OAuth 2: the app's client id.")
    static let clientSecretSetting = Setting.secret(
        "client_secret",
        summary: "OAuth 2: the client secret of a confidential app."
    )
    static let refreshSetting = Setting.secret(
        "refresh_token",
        summary: "OAuth 2: the refresh token of the account; X changes it with each use, and the hub keeps the newest."
    )
    static let keySetting = Setting.secret("api_key", summary: "OAuth 1.0a: the app's API key.")
    static let secretSetting = Setting.secret(
        "api_secret",
        summary: "OAuth 1.0a and webhooks: the app's API key secret, which signs what X sends."
    )
    static let tokenSetting = Setting.secret("access_token", summary: "OAuth 1.0a: the account's access token.")
    static let tokenSecretSetting = Setting.secret(
        "access_token_secret",
        summary: "OAuth 1.0a: the secret of the account's access token."
    )

    static let settings: [any SettingDescription] = [
        kindSetting, querySetting, userSetting, excludeSetting, rulesSetting, subjectSetting, partitionSetting,
        historySetting, backfillSetting, baseURLSetting, bearerSetting, clientIDSetting, clientSecretSetting,
        refreshSetting, keySetting, secretSetting, tokenSetting, tokenSecretSetting,
    ]

    /// The kinds that a setting is for, where it is not for all.
    private static let kinds: [(name: String, kinds: Set<Kind>)] = [
        (querySetting.name, [.search]), (userSetting.name, [.mentions, .user]), (excludeSetting.name, [.user]),
        (rulesSetting.name, [.stream]), (subjectSetting.name, [.compliance]), (partitionSetting.name, [.compliance]),
        (historySetting.name, [.search, .mentions, .user, .stream]), (backfillSetting.name, [.stream, .compliance]),
    ]

    /// Decodes the settings of one source.
    package init(_ settings: Settings) throws(SettingsError) {
        query = try settings.value(Self.querySetting)
        user = try settings.value(Self.userSetting).map { $0.hasPrefix("@") ? String($0.dropFirst()) : $0 }
        excluded = try settings.value(Self.excludeSetting) ?? []
        rules = try settings.value(Self.rulesSetting)
        subject = try settings.required(Self.subjectSetting)
        partition = try settings.value(Self.partitionSetting)
        history = try settings.required(Self.historySetting)
        backfillMinutes = try settings.required(Self.backfillSetting)
        baseURL = try settings.required(Self.baseURLSetting)
        while baseURL.hasSuffix("/") { baseURL.removeLast() }
        let credentials = try XCredentials(settings)
        webhookSecret = try settings.value(Self.secretSetting)
        kind = try settings.required(Self.kindSetting)
        self.credentials = credentials ?? .none
        for (name, kinds) in Self.kinds where settings.contains(name) && !kinds.contains(kind) {
            throw settings.error(name, "is not for sources of kind \(kind.rawValue)")
        }
        try checkParts(settings, hasCredentials: credentials != nil)
    }

    private func checkParts(_ settings: Settings, hasCredentials: Bool) throws(SettingsError) {
        switch kind {
        case .search:
            guard let query else { throw settings.error(Self.querySetting.name, "is missing: say what to look for") }
            if query.unicodeScalars.count > 4096 {
                throw settings.error(Self.querySetting.name, "is longer than the 4,096 characters that X takes")
            }
        case .mentions, .user:
            guard let user else { throw settings.error(Self.userSetting.name, "is missing: name the account") }
            let isName = (1...20).contains(user.utf8.count) && user.utf8.allSatisfy(\.isNameByte)
            if !isName {
                throw settings.error(Self.userSetting.name, "expected a name such as XDevelopers, or a number")
            }
        case .activity:
            if webhookSecret == nil {
                throw settings.error(
                    Self.secretSetting.name,
                    "is missing: without it nobody can tell who calls the webhook"
                )
            }
            return
        case .stream, .compliance:
            guard case .bearer = credentials else {
                throw settings.error(
                    Self.bearerSetting.name,
                    "is missing: X opens streams for an app's bearer token alone"
                )
            }
        }
        if !hasCredentials {
            throw settings.error(
                Self.bearerSetting.name,
                "is missing: give `bearer_token`, or `client_id` and `refresh_token`, or the four keys of OAuth 1.0a"
            )
        }
    }
}

extension UInt8 {
    /// Whether this may stand in the name of an account.
    fileprivate var isNameByte: Bool {
        (self | 0x20) &- UInt8(ascii: "a") < 26 || self &- UInt8(ascii: "0") < 10 || self == UInt8(ascii: "_")
    }
}

extension SettingForm where Value == [XConfiguration.Rule] {
    /// Rules of the filtered stream, each by its name.
    static var rules: SettingForm {
        let summary = "a map from names to rules such as `care: acme lang:fr`"
        let write: @Sendable ([XConfiguration.Rule]) -> String = { rules in
            "{ " + rules.map { "\($0.name): \"\($0.value)\"" }.joined(separator: ", ") + " }"
        }
        return SettingForm(summary, write: write) { node, path throws(SettingsError) in
            guard case .map(let members) = node.content, !members.isEmpty, members.count <= 1000 else {
                throw node.mismatch(summary, path: path)
            }
            var rules: [XConfiguration.Rule] = []
            for member in members {
                guard case .scalar(let value, _) = member.value.content, !value.isEmpty else {
                    throw member.value.mismatch("a rule", path: "\(path).\(member.key)")
                }
                guard value.unicodeScalars.count <= 2048 else {
                    throw member.value.mismatch("a rule of at most 2,048 characters", path: "\(path).\(member.key)")
                }
                let isName = (1...64).contains(member.key.utf8.count) && !member.key.contains("/")
                guard isName else {
                    throw SettingsError(
                        at: member.position,
                        path: "\(path).\(member.key.prefix(64))",
                        "expected a name of at most 64 bytes without `/`"
                    )
                }
                rules.append(XConfiguration.Rule(name: member.key, value: value))
            }
            return rules
        }
    }
}
