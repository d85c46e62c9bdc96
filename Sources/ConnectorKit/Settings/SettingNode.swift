/// A piece of configuration with the place it stands at, so that every complaint can name file, line and column.
public struct SettingNode: Sendable, Hashable {
    /// What stands there.
    public enum Content: Sendable, Hashable {
        /// A plain value as written; `isQuoted` tells `"true"` from `true`.
        case scalar(String, isQuoted: Bool)
        /// A credential taken from where the configuration points.
        case secret(Secret)
        /// Nothing, or `null`.
        case null
        /// A list.
        case list([SettingNode])
        /// Keys and values in their order; keys are unique.
        case map([Member])
    }

    /// A key with its value.
    public struct Member: Sendable, Hashable {
        /// The key.
        public var key: String
        /// Where the key stands.
        public var position: SettingPosition
        /// What it is set to.
        public var value: SettingNode

        /// A key with its value.
        public init(key: String, position: SettingPosition, value: SettingNode) {
            self.key = key
            self.position = position
            self.value = value
        }
    }

    /// What stands there.
    public var content: Content
    /// Where.
    public var position: SettingPosition

    /// A piece of configuration.
    public init(_ content: Content, at position: SettingPosition = SettingPosition()) {
        self.content = content
        self.position = position
    }

    /// What kind of thing it is, in the words of an error: `a list`, `text "5x"`.
    public var kindDescription: String {
        switch content {
        case .scalar(let text, _):
            "\"" + String(text.prefix(60).map { $0.isNewline || $0 < " " ? " " : $0 })
                + (text.count > 60 ? "…\"" : "\"")
        case .secret: "a secret"
        case .null: "nothing"
        case .list: "a list"
        case .map: "a map of settings"
        }
    }
}

/// A place in a configuration file; line and column count from 1, 0 where unknown.
public struct SettingPosition: Sendable, Hashable {
    /// The file as the operator named it.
    public var file: String
    /// The line.
    public var line: Int
    /// The column.
    public var column: Int

    /// A place.
    public init(file: String = "", line: Int = 0, column: Int = 0) {
        self.file = file
        self.line = line
        self.column = column
    }
}

/// What is wrong in a configuration and how to mend it.
public struct SettingsError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Where.
    public var position: SettingPosition
    /// The key's path, such as `sources.blog.every`.
    public var path: String
    /// What is wrong, what was expected and, where there is one, the nearest right thing.
    public var message: String

    /// A complaint.
    public init(at position: SettingPosition, path: String, _ message: String) {
        self.position = position
        self.path = path
        self.message = message
    }

    /// `FILE:LINE:COLUMN: PATH: MESSAGE`, the form editors jump to.
    public var description: String {
        var text = ""
        if !position.file.isEmpty { text += position.file + ":" }
        if position.line > 0 { text += "\(position.line):\(position.column):" }
        if !text.isEmpty { text += " " }
        return text + (path.isEmpty ? message : "\(path): \(message)")
    }
}
