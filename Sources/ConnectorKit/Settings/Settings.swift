/// A setting as the operator sees it.
public protocol SettingDescription: Sendable {
    /// The key.
    var name: String { get }
    /// One sentence: what it does.
    var summary: String { get }
    /// What may be written, in a few words: `a duration such as 30s`.
    var form: String { get }
    /// The default as it would be written, `nil` when the setting is required or simply absent without.
    var defaultText: String? { get }
    /// Whether a configuration without it is refused.
    var isRequired: Bool { get }
    /// Whether it is a credential, which may only be given by reference: `${env:NAME}` or `${file:PATH}`.
    var isSecret: Bool { get }
}

/// A setting with the type it is decoded to.
///
/// A connector declares each once; documentation and decoding both come from it.
public struct Setting<Value: Sendable>: SettingDescription {
    /// The key.
    public let name: String
    /// One sentence: what it does.
    public let summary: String
    /// What may be written, in a few words.
    public let form: String
    /// The default as it would be written.
    public let defaultText: String?
    /// Whether a configuration without it is refused.
    public let isRequired: Bool
    /// Whether it is a credential.
    public let isSecret: Bool
    let defaultValue: Value?
    let decode: @Sendable (SettingNode, String) throws(SettingsError) -> Value

    /// A setting decoded by `decode`, which gets the node and the key's path for its complaints.
    public init(
        _ name: String,
        form: String,
        summary: String,
        default defaultValue: Value? = nil,
        defaultText: String? = nil,
        isRequired: Bool = false,
        isSecret: Bool = false,
        decode: @escaping @Sendable (SettingNode, String) throws(SettingsError) -> Value
    ) {
        self.name = name
        self.form = form
        self.summary = summary
        self.defaultValue = defaultValue
        self.defaultText = defaultText
        self.isRequired = isRequired
        self.isSecret = isSecret
        self.decode = decode
    }
}

/// The settings of one source, to be read key by key.
public struct Settings: Sendable {
    private let members: [SettingNode.Member]
    private let path: String
    private let position: SettingPosition

    /// The settings that stand in `members`, at `path`.
    public init(_ members: [SettingNode.Member] = [], path: String = "", position: SettingPosition = SettingPosition())
    {
        self.members = members
        self.path = path
        self.position = position
    }

    /// The value of an optional setting: decoded, or its default, or `nil`.
    public func value<Value>(_ setting: Setting<Value>) throws(SettingsError) -> Value? {
        guard let member = members.first(where: { $0.key == setting.name }), member.value.content != .null else {
            if setting.isRequired {
                throw SettingsError(
                    at: position,
                    path: path,
                    "`\(setting.name)` is missing: \(setting.summary) Expected \(setting.form)."
                )
            }
            return setting.defaultValue
        }
        return try setting.decode(member.value, childPath(setting.name))
    }

    /// The value of a setting that is required or has a default.
    public func required<Value>(_ setting: Setting<Value>) throws(SettingsError) -> Value {
        guard let value = try value(setting) else {
            throw SettingsError(
                at: position,
                path: path,
                "`\(setting.name)` is missing: \(setting.summary) Expected \(setting.form)."
            )
        }
        return value
    }

    /// Whether the operator wrote the key.
    public func contains(_ name: String) -> Bool {
        members.contains { $0.key == name }
    }

    /// The same settings but for one, which is set to text in the place where `other` stands, and `other`, which is left out.
    ///
    /// For connectors whose one source stands for several: what is complained of later is found where the operator wrote it.
    ///
    /// - Parameters:
    ///   - other: the setting to leave out.
    ///   - name: the setting to set.
    ///   - text: its value.
    /// - Returns: the changed settings.
    public func replacing(_ other: String, with name: String, _ text: String) -> Settings {
        let place = members.first { $0.key == other }
        let value = SettingNode(.scalar(text, isQuoted: true), at: place?.value.position ?? position)
        let member = SettingNode.Member(key: name, position: place?.position ?? position, value: value)
        return Settings(members.filter { $0.key != other && $0.key != name } + [member], path: path, position: position)
    }

    /// A complaint about a setting, at the place where it stands.
    public func error(_ name: String, _ message: String) -> SettingsError {
        let member = members.first { $0.key == name }
        return SettingsError(at: member?.value.position ?? position, path: childPath(name), message)
    }

    /// Complains about the first key that is none of `known`, naming the nearest one.
    public func refuseUnknownKeys(known: [String]) throws(SettingsError) {
        for member in members where !known.contains(member.key) {
            let nearest =
                NearestName.of(member.key, in: known).map { "did you mean `\($0)`?" }
                ?? "known are: \(known.joined(separator: ", "))."
            throw SettingsError(at: member.position, path: childPath(member.key), "unknown setting; \(nearest)")
        }
    }

    private func childPath(_ name: String) -> String {
        path.isEmpty ? name : "\(path).\(name)"
    }
}
