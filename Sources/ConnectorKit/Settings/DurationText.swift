/// Durations as people write them: a whole number and its unit, `250ms`, `30s`, `5m`, `1h`, `30d`.
public enum DurationText {
    /// The longest duration that can be written, a hundred years; longer ones are mistakes.
    public static let longest = Duration.seconds(86_400 * 36_525)

    private static let longestMilliseconds: Int64 = 86_400_000 * 36_525

    /// From the largest to the smallest.
    private static let units: [(name: String, milliseconds: Int64)] = [
        ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1),
    ]

    /// The duration in the largest unit that gives a whole number; parts of a millisecond are left out.
    public static func of(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        let milliseconds = overflow ? Int64.max : product + attoseconds / 1_000_000_000_000_000
        guard milliseconds != 0 else { return "0s" }
        let unit = units.first { milliseconds.isMultiple(of: $0.milliseconds) } ?? ("ms", 1)
        return "\(milliseconds / unit.milliseconds)\(unit.name)"
    }

    /// Two durations with `..` between them, or one when they are the same.
    public static func of(_ range: ClosedRange<Duration>) -> String {
        range.lowerBound == range.upperBound
            ? of(range.lowerBound) : "\(of(range.lowerBound))..\(of(range.upperBound))"
    }

    /// Reads a whole number and its unit; `nil` for anything else and for more than ``longest``.
    public static func parse(_ text: String) -> Duration? {
        guard let (number, unit) = NumberWithUnit.split(text, longest: 16), let value = Int64(number),
            let scale = units.first(where: { $0.name == unit })?.milliseconds
        else { return nil }
        return bounded(value.multipliedReportingOverflow(by: scale))
    }

    /// Reads `5m..1h`, or one duration that counts for both ends; `nil` for anything else and when the ends are swapped.
    public static func parseRange(_ text: String) -> ClosedRange<Duration>? {
        guard let (first, second) = ends(of: text) else { return parse(text).map { $0...$0 } }
        guard let least = parse(first), let most = parse(second), least <= most else { return nil }
        return least...most
    }

    /// The right form of something that is almost a duration, such as `30 sec`, `1h30m`, `1.5h` or `30`.
    static func nearest(_ text: String) -> String? {
        var rest = text.lowercased().filter { $0 != " " && $0 != "_" }[...]
        var total = 0.0
        guard !rest.isEmpty, rest.utf8.count <= 40 else { return nil }
        while !rest.isEmpty {
            let number = rest.prefix { ("0"..."9").contains($0) || $0 == "." }
            rest = rest.dropFirst(number.count)
            let word = rest.prefix { $0.isLetter }
            rest = rest.dropFirst(word.count)
            guard let value = Double(number), let scale = scale(of: String(word)) else { return nil }
            total += value * scale
        }
        guard total >= 1, total <= Double(longestMilliseconds) else { return nil }
        return of(.milliseconds(Int64(total)))
    }

    /// The right form of something that is almost a range, such as `5m - 1h` or `1h..5m`.
    static func nearestRange(_ text: String) -> String? {
        guard let (first, second) = ends(of: text) else { return nearest(text) }
        guard let least = nearest(first).flatMap(parse), let most = nearest(second).flatMap(parse) else { return nil }
        return of(min(least, most)...max(least, most))
    }

    private static func ends(of text: String) -> (String, String)? {
        for separator in ["...", "..<", "..", "-", "–", " to "] {
            guard let range = text.firstRange(of: separator) else { continue }
            return (String(text[..<range.lowerBound]), String(text[range.upperBound...]))
        }
        return nil
    }

    private static func scale(of word: String) -> Double? {
        switch word {
        case "ms", "msec", "millis", "millisecond", "milliseconds": 1
        case "", "s", "sec", "secs", "second", "seconds": 1000
        case "m", "min", "mins", "minute", "minutes": 60_000
        case "h", "hr", "hrs", "hour", "hours": 3_600_000
        case "d", "day", "days": 86_400_000
        case "w", "wk", "week", "weeks": 604_800_000
        default: nil
        }
    }

    private static func bounded(_ result: (partialValue: Int64, overflow: Bool)) -> Duration? {
        guard !result.overflow, result.partialValue <= longestMilliseconds else { return nil }
        return .milliseconds(result.partialValue)
    }
}

/// What durations and sizes have in common: digits, then letters.
enum NumberWithUnit {
    /// The digits and the letters of `30s`; `nil` where something else stands, or nothing, or too many digits.
    static func split(_ text: String, longest: Int) -> (number: Substring, unit: Substring)? {
        let digits = text.utf8.prefix { $0 >= 0x30 && $0 <= 0x39 }
        guard !digits.isEmpty, digits.count <= longest else { return nil }
        return (Substring(digits), text[digits.endIndex...])
    }
}
