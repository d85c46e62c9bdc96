/// Sizes as people write them: a whole number and its unit, `512B`, `1kB` (1,000), `10MiB` (10 × 1,048,576), `50GiB`.
public enum ByteSizeText {
    /// From the largest to the smallest; binary units first, since they are the ones to write.
    private static let units: [(name: String, bytes: Int)] = [
        ("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10),
        ("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1000), ("B", 1),
    ]

    /// The size in the unit that gives the smallest whole number.
    public static func of(_ bytes: Int) -> String {
        guard bytes != 0 else { return "0B" }
        var best = ("B", 1)
        for unit in units where bytes.isMultiple(of: unit.bytes) && unit.bytes > best.1 {
            best = unit
        }
        return "\(bytes / best.1)\(best.0)"
    }

    /// Reads a whole number and its unit; `nil` for anything else and for more than `Int.max` bytes.
    public static func parse(_ text: String) -> Int? {
        guard let (number, unit) = NumberWithUnit.split(text, longest: 19), let value = Int(number),
            let scale = units.first(where: { $0.name == unit })?.bytes
        else { return nil }
        let (bytes, overflow) = value.multipliedReportingOverflow(by: scale)
        return overflow ? nil : bytes
    }

    /// The right form of something that is almost a size, such as `10 mb`, `10M`, `1.5GiB` or `1048576`.
    static func nearest(_ text: String) -> String? {
        let folded = text.lowercased().filter { $0 != " " && $0 != "_" && $0 != "," }
        let number = folded.prefix { ("0"..."9").contains($0) || $0 == "." }
        guard folded.utf8.count <= 40, let value = Double(number) else { return nil }
        var unit = folded.dropFirst(number.count)
        if unit.hasSuffix("s") { unit = unit.dropLast() }
        if unit.hasSuffix("byte") { unit = unit.dropLast(4) + "b" }
        if unit.isEmpty || !unit.hasSuffix("b") { unit += "b" }
        guard let scale = units.first(where: { $0.name.lowercased() == unit }) else { return nil }
        let bytes = value * Double(scale.bytes)
        guard bytes >= 1, bytes < 0x1p63 else { return nil }
        // Kept in the unit that was written where that gives a whole number.
        return value == value.rounded() ? "\(Int(value))\(scale.name)" : of(Int(bytes))
    }
}
