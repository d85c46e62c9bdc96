/// What may be written for a setting: its name in a few words, how it is read, and how a value of it would be written.
///
/// The forms here suffice for most settings; ``Setting`` has a factory for each. A connector with a need of its own makes one of these.
public struct SettingForm<Value: Sendable>: Sendable {
    /// What may be written, with its article: `a duration such as 30s`.
    public let summary: String
    /// A value in the form an operator would write.
    public let write: @Sendable (Value) -> String
    /// Reads a node; gets the key's path for its complaint, which says what was found and what was expected.
    public let read: @Sendable (_ node: SettingNode, _ path: String) throws(SettingsError) -> Value

    /// A form.
    public init(
        _ summary: String,
        write: @escaping @Sendable (Value) -> String,
        read: @escaping @Sendable (_ node: SettingNode, _ path: String) throws(SettingsError) -> Value
    ) {
        self.summary = summary
        self.write = write
        self.read = read
    }
}

extension SettingForm {
    /// A form written as one plain value.
    ///
    /// - Parameters:
    ///   - summary: what may be written, with its article.
    ///   - write: gives a value in the form an operator would write.
    ///   - suggest: the nearest right thing to an ill-formed value, where one can be guessed.
    ///   - parse: reads the value; `nil` when it is ill-formed.
    /// - Returns: the form.
    static func scalar(
        _ summary: String,
        write: @escaping @Sendable (Value) -> String,
        suggest: @escaping @Sendable (String) -> String? = { _ in nil },
        parse: @escaping @Sendable (String) -> Value?
    ) -> SettingForm {
        SettingForm(summary, write: write) { node, path throws(SettingsError) in
            guard case .scalar(let text, _) = node.content else { throw node.mismatch(summary, path: path) }
            guard let value = parse(text) else {
                throw node.mismatch(summary, path: path, nearest: suggest(text))
            }
            return value
        }
    }
}

extension SettingNode {
    /// A complaint that something else was expected here.
    ///
    /// - Parameters:
    ///   - expected: what should stand here, with its article.
    ///   - path: the key's path.
    ///   - nearest: what was probably meant.
    /// - Returns: the complaint, with the node's position.
    public func mismatch(_ expected: String, path: String, nearest: String? = nil) -> SettingsError {
        var message = "expected \(expected), found \(kindDescription)"
        if let nearest {
            message += "; did you mean `\(nearest)`?"
        } else if case .secret = content {
            message += "; references such as ${env:NAME} are for credentials only"
        }
        return SettingsError(at: position, path: path, message)
    }
}

extension Setting {
    /// A setting of that form.
    ///
    /// - Parameters:
    ///   - name: the key.
    ///   - form: what may be written.
    ///   - summary: one sentence: what it does.
    ///   - defaultValue: what counts when the key is absent.
    ///   - isRequired: whether a configuration without the key is refused.
    public init(
        _ name: String,
        _ form: SettingForm<Value>,
        summary: String,
        default defaultValue: Value? = nil,
        isRequired: Bool = false
    ) {
        self.init(
            name,
            form: form.summary,
            summary: summary,
            default: defaultValue,
            defaultText: defaultValue.map(form.write),
            isRequired: isRequired,
            decode: form.read
        )
    }
}
