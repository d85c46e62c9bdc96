import ConnectorKit

/// The names an operator gives to sources and accounts: they stand in URLs, events and metrics.
package enum ConfiguredName {
    /// What may be written.
    package static let form = "1 to 64 lower-case letters, digits, `-`, `_` or `.`, beginning with a letter or digit"

    /// Whether `name` may be one.
    package static func isValid(_ name: String) -> Bool {
        guard (1...64).contains(name.utf8.count), let first = name.utf8.first else { return false }
        return isLetterOrDigit(first)
            && name.utf8.allSatisfy {
                isLetterOrDigit($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: ".")
            }
    }

    /// Whether `suffix` may follow a source's name and a dot, for one of the sources that it stands for.
    static func isValidSuffix(_ suffix: String) -> Bool {
        suffix.utf8.count <= ExpandedSource.longestSuffix && isValid(suffix)
    }

    /// A name like `name` that may be one.
    static func nearest(to name: String) -> String? {
        let letters = name.lowercased().map { character in
            character == " " || character == "/" || character == ":" ? "-" : character
        }
        let candidate = String(String(letters).drop { $0 == "-" || $0 == "_" || $0 == "." }.prefix(64))
        return isValid(candidate) ? candidate : nil
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}
