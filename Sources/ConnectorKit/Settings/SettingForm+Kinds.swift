// The forms of the settings most connectors have.

extension SettingForm where Value == String {
    /// Any text but the empty one.
    public static var text: SettingForm {
        .scalar("text", write: { $0 }, parse: { $0.isEmpty ? nil : $0 })
    }

    /// An absolute `http` or `https` URL without credentials in it.
    public static var url: SettingForm {
        let summary = "an http or https URL such as https://example.org/feed"
        return SettingForm(summary, write: { $0 }) { node, path throws(SettingsError) in
            guard case .scalar(let text, _) = node.content else { throw node.mismatch(summary, path: path) }
            switch WebAddress.check(text) {
            case .good: return text
            case .holdsCredentials:
                // The URL itself is not repeated here: it holds a password.
                throw SettingsError(
                    at: node.position,
                    path: path,
                    "the URL holds a user name or password; leave them out and use a setting for credentials"
                )
            case .bad(let nearest): throw node.mismatch(summary, path: path, nearest: nearest)
            }
        }
    }

    /// The path of a file or directory, as written; a relative one counts from the hub's working directory.
    public static var path: SettingForm {
        .scalar(
            "a path such as ./subscriptions.opml (`~` is not expanded)",
            write: { $0 },
            parse: { $0.isEmpty || $0.hasPrefix("~") || $0.utf8.contains(0) ? nil : $0 }
        )
    }
}

extension SettingForm where Value == Bool {
    /// `true` or `false`, as in the core schema of YAML 1.2.
    public static var flag: SettingForm {
        let summary = "true or false"
        return SettingForm(summary, write: { $0 ? "true" : "false" }) { node, path throws(SettingsError) in
            guard case .scalar(let text, let isQuoted) = node.content else { throw node.mismatch(summary, path: path) }
            switch text {
            case "true" where !isQuoted, "True" where !isQuoted, "TRUE" where !isQuoted: return true
            case "false" where !isQuoted, "False" where !isQuoted, "FALSE" where !isQuoted: return false
            default: break
            }
            let nearest: String? =
                switch text.lowercased() {
                case "true", "yes", "on", "y", "1": "true"
                case "false", "no", "off", "n", "0": "false"
                default: nil
                }
            let expected = isQuoted ? "true or false without quotes" : "true or false (YAML 1.2 knows no other words)"
            throw node.mismatch(expected, path: path, nearest: nearest)
        }
    }
}

extension SettingForm where Value == Int {
    /// A whole number within `range`.
    public static func integer(in range: ClosedRange<Int> = 0...Int.max) -> SettingForm {
        let summary =
            switch (range.lowerBound, range.upperBound) {
            case (.min, .max): "a whole number"
            case (let least, .max): "a whole number, at least \(least)"
            case (.min, let most): "a whole number, at most \(most)"
            case (let least, let most): "a whole number from \(least) to \(most)"
            }
        return SettingForm(summary, write: { String($0) }) { node, path throws(SettingsError) in
            guard case .scalar(let text, let isQuoted) = node.content else { throw node.mismatch(summary, path: path) }
            guard let number = Int(text) else {
                let digits = text.filter { $0 != "_" && $0 != "," && $0 != "'" && $0 != " " }
                throw node.mismatch(summary, path: path, nearest: Int(digits).map { String($0) })
            }
            guard !isQuoted else { throw node.mismatch("\(summary), without quotes", path: path) }
            guard range.contains(number) else {
                let nearest = min(max(number, range.lowerBound), range.upperBound)
                throw node.mismatch(summary, path: path, nearest: String(nearest))
            }
            return number
        }
    }

    /// A number of bytes with its unit: `10MiB`, `50GiB`, `1kB`.
    public static func byteSize(in range: ClosedRange<Int> = 0...Int.max) -> SettingForm {
        var summary = "a size such as 10MiB"
        if range != 0...Int.max {
            summary += " from \(ByteSizeText.of(range.lowerBound)) to \(ByteSizeText.of(range.upperBound))"
        }
        return .scalar(summary, write: ByteSizeText.of, suggest: ByteSizeText.nearest) { text in
            guard let size = ByteSizeText.parse(text), range.contains(size) else { return nil }
            return size
        }
    }
}

extension SettingForm where Value == Duration {
    /// A number with its unit: `250ms`, `30s`, `5m`, `1h`, `30d`.
    public static func duration(in range: ClosedRange<Duration> = .zero...DurationText.longest) -> SettingForm {
        var summary = "a duration such as 30s, 5m or 1h"
        if range != .zero...DurationText.longest {
            summary += " from \(DurationText.of(range.lowerBound)) to \(DurationText.of(range.upperBound))"
        }
        return .scalar(summary, write: DurationText.of, suggest: DurationText.nearest) { text in
            guard let duration = DurationText.parse(text), range.contains(duration) else { return nil }
            return duration
        }
    }
}

extension SettingForm where Value == ClosedRange<Duration> {
    /// Two durations with `..` between them, `5m..1h`, or one that counts for both.
    public static func durationRange(in range: ClosedRange<Duration> = .zero...DurationText.longest) -> SettingForm {
        var summary = "a range of durations such as 5m..1h"
        if range != .zero...DurationText.longest {
            summary += " within \(DurationText.of(range))"
        }
        return .scalar(summary, write: { DurationText.of($0) }, suggest: DurationText.nearestRange) { text in
            guard let value = DurationText.parseRange(text) else { return nil }
            return range.contains(value.lowerBound) && range.contains(value.upperBound) ? value : nil
        }
    }
}

extension SettingForm where Value: CaseIterable & RawRepresentable<String> {
    /// One of the names of an enumeration's cases.
    public static func choice(of type: Value.Type = Value.self) -> SettingForm {
        let names = Value.allCases.map(\.rawValue)
        return .scalar(
            names.count == 1 ? names.joined() : "one of " + names.joined(separator: ", "),
            write: { $0.rawValue },
            suggest: { NearestName.of($0, in: names) },
            parse: { Value(rawValue: $0) }
        )
    }
}

extension SettingForm where Value == Secret {
    /// A credential by reference; one written out in the configuration is refused and not repeated in the complaint.
    public static var secret: SettingForm {
        let summary = "a credential as ${env:NAME} or ${file:PATH}"
        return SettingForm(summary, write: { $0.description }) { node, path throws(SettingsError) in
            switch node.content {
            case .secret(let secret): return secret
            case .scalar:
                throw SettingsError(
                    at: node.position,
                    path: path,
                    "a credential is not written into the configuration: write ${env:NAME} or ${file:PATH} instead"
                )
            default: throw node.mismatch(summary, path: path)
            }
        }
    }
}

extension SettingForm {
    /// A list of values of one form.
    public static func list<Element>(of element: SettingForm<Element>) -> SettingForm where Value == [Element] {
        let summary = "a list, each \(element.summary)"
        let write: @Sendable ([Element]) -> String = { "[" + $0.map(element.write).joined(separator: ", ") + "]" }
        return SettingForm(summary, write: write) { node, path throws(SettingsError) in
            guard case .list(let nodes) = node.content else {
                var nearest: String?
                if case .scalar(let text, _) = node.content { nearest = "[\(text.prefix(60))]" }
                throw node.mismatch(summary, path: path, nearest: nearest)
            }
            var values: [Element] = []
            values.reserveCapacity(nodes.count)
            for (index, node) in nodes.enumerated() {
                values.append(try element.read(node, "\(path)[\(index)]"))
            }
            return values
        }
    }
}
