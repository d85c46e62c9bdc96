/// An amount of money, exact to a millionth of its currency's unit.
public struct Money: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// Millionths of a unit: 5,000 is half a cent.
    public var micros: Int64
    /// The ISO 4217 code, such as `USD`.
    public var currency: String

    /// An amount.
    public init(micros: Int64, currency: String = "USD") {
        self.micros = micros
        self.currency = currency
    }

    /// Reads `20 USD`, `0.005 USD`; `nil` for anything else, for negative amounts and for more than six decimals.
    public init?(_ text: String) {
        let parts = text.split(separator: " ")
        guard parts.count == 2, parts[1].utf8.count == 3, parts[1].utf8.allSatisfy({ (65...90).contains($0) }) else {
            return nil
        }
        let number = parts[0].split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let units = Self.digits(number[0], atMost: 12) else { return nil }
        var fraction: Int64 = 0
        if number.count == 2 {
            guard let digits = Self.digits(number[1], atMost: 6) else { return nil }
            fraction = digits
            for _ in number[1].utf8.count..<6 { fraction *= 10 }
        }
        self.init(micros: units * 1_000_000 + fraction, currency: String(parts[1]))
    }

    private static func digits(_ text: Substring, atMost longest: Int) -> Int64? {
        guard (1...longest).contains(text.utf8.count), text.utf8.allSatisfy({ (48...57).contains($0) }) else {
            return nil
        }
        return Int64(text)
    }

    /// As it is written, with at least two decimals: `20.00 USD`, `0.005 USD`.
    public var description: String {
        let magnitude = micros.magnitude
        var decimals = String(magnitude % 1_000_000 + 1_000_000).dropFirst()
        while decimals.count > 2, decimals.last == "0" { decimals.removeLast() }
        return "\(micros < 0 ? "-" : "")\(magnitude / 1_000_000).\(decimals) \(currency)"
    }

    /// By amount; amounts of different currencies are ordered by currency.
    public static func < (lhs: Self, rhs: Self) -> Bool {
        (lhs.currency, lhs.micros) < (rhs.currency, rhs.micros)
    }
}
