// A factory for each kind of setting, so that a connector declares one in a line. What each accepts is said at the form
// of the same name in ``SettingForm``.

extension Setting where Value == String {
    /// Any text but the empty one.
    public static func text(_ name: String, summary: String, default value: String? = nil, isRequired: Bool = false)
        -> Setting
    {
        Setting(name, .text, summary: summary, default: value, isRequired: isRequired)
    }

    /// An absolute `http` or `https` URL without credentials in it.
    public static func url(_ name: String, summary: String, default value: String? = nil, isRequired: Bool = false)
        -> Setting
    {
        Setting(name, .url, summary: summary, default: value, isRequired: isRequired)
    }

    /// The path of a file or directory.
    public static func path(_ name: String, summary: String, default value: String? = nil, isRequired: Bool = false)
        -> Setting
    {
        Setting(name, .path, summary: summary, default: value, isRequired: isRequired)
    }
}

extension Setting where Value == Bool {
    /// `true` or `false`.
    public static func flag(_ name: String, summary: String, default value: Bool? = nil, isRequired: Bool = false)
        -> Setting
    {
        Setting(name, .flag, summary: summary, default: value, isRequired: isRequired)
    }
}

extension Setting where Value == Int {
    /// A whole number within `range`.
    public static func integer(
        _ name: String,
        in range: ClosedRange<Int> = 0...Int.max,
        summary: String,
        default value: Int? = nil,
        isRequired: Bool = false
    ) -> Setting {
        Setting(name, .integer(in: range), summary: summary, default: value, isRequired: isRequired)
    }

    /// A number of bytes with its unit, such as `10MiB`.
    public static func byteSize(
        _ name: String,
        in range: ClosedRange<Int> = 0...Int.max,
        summary: String,
        default value: Int? = nil,
        isRequired: Bool = false
    ) -> Setting {
        Setting(name, .byteSize(in: range), summary: summary, default: value, isRequired: isRequired)
    }
}

extension Setting where Value == Duration {
    /// A number with its unit, such as `30s`.
    public static func duration(
        _ name: String,
        in range: ClosedRange<Duration> = .zero...DurationText.longest,
        summary: String,
        default value: Duration? = nil,
        isRequired: Bool = false
    ) -> Setting {
        Setting(name, .duration(in: range), summary: summary, default: value, isRequired: isRequired)
    }
}

extension Setting where Value == ClosedRange<Duration> {
    /// Two durations, `5m..1h`, or one that counts for both.
    public static func durationRange(
        _ name: String,
        in range: ClosedRange<Duration> = .zero...DurationText.longest,
        summary: String,
        default value: ClosedRange<Duration>? = nil,
        isRequired: Bool = false
    ) -> Setting {
        Setting(name, .durationRange(in: range), summary: summary, default: value, isRequired: isRequired)
    }
}

extension Setting where Value: CaseIterable & RawRepresentable<String> {
    /// One of the names of an enumeration's cases.
    public static func choice(
        _ name: String,
        of type: Value.Type = Value.self,
        summary: String,
        default value: Value? = nil,
        isRequired: Bool = false
    ) -> Setting {
        Setting(name, .choice(of: type), summary: summary, default: value, isRequired: isRequired)
    }
}

extension Setting where Value == Secret {
    /// A credential, by reference only: `${env:NAME}` or `${file:PATH}`.
    public static func secret(_ name: String, summary: String, isRequired: Bool = false) -> Setting {
        let form = SettingForm<Secret>.secret
        return Setting(
            name,
            form: form.summary,
            summary: summary,
            isRequired: isRequired,
            isSecret: true,
            decode: form.read
        )
    }
}

extension Setting {
    /// A list of values of one form.
    public static func list<Element>(
        _ name: String,
        of element: SettingForm<Element>,
        summary: String,
        default value: [Element]? = nil,
        isRequired: Bool = false
    ) -> Setting where Value == [Element] {
        Setting(name, .list(of: element), summary: summary, default: value, isRequired: isRequired)
    }
}
