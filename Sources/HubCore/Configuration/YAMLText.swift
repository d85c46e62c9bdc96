import Yams

/// Finds where a repeated key stands for the second time, which the YAML parser does not tell.
struct RepeatedKey {
    /// The line it stands in, from 1.
    var line: Int
    /// The column, in Unicode scalars from 1.
    var column: Int
    /// The text with the key's first letter there replaced by ``RepeatedKey/mark``, every other place as it was.
    var textWithout: String

    /// Not in use by anybody's keys: a private-use scalar.
    static let mark: Unicode.Scalar = "\u{E000}"

    /// Looks for `key`, which stands first at `first`; `nil` when it is written in a way that is not found.
    static func find(_ key: String, at first: Mark, in text: String) -> RepeatedKey? {
        let scalars = Array(text.unicodeScalars)
        guard let start = index(of: first, in: scalars) else { return nil }
        let lineStart = start - (first.column - 1)
        let isBlock = scalars[lineStart..<start].allSatisfy { $0 == " " || $0 == "-" }
        let candidates =
            isBlock ? blockKeys(from: start, column: first.column, scalars) : flowKeys(from: start, scalars)
        for candidate in candidates where stands(key, at: candidate, scalars) {
            var without = scalars
            let name = ["\"", "'"].contains(without[candidate]) ? candidate + 1 : candidate
            without[name] = Self.mark
            let line = scalars[..<candidate].count { $0 == "\n" } + 1
            let column = scalars[..<candidate].reversed().prefix { $0 != "\n" }.count + 1
            var text = String.UnicodeScalarView()
            text.append(contentsOf: without)
            return RepeatedKey(line: line, column: column, textWithout: String(text))
        }
        return nil
    }

    private static func index(of mark: Mark, in scalars: [Unicode.Scalar]) -> Int? {
        var start = 0
        for _ in 1..<max(1, mark.line) {
            guard let end = scalars[start...].firstIndex(of: "\n") else { return nil }
            start = end + 1
        }
        let index = start + mark.column - 1
        return index < scalars.count ? index : nil
    }

    /// Where keys of the same block map may stand: at the same column of later lines, up to one that is indented less.
    private static func blockKeys(from start: Int, column: Int, _ scalars: [Unicode.Scalar]) -> [Int] {
        var found: [Int] = []
        var index = start
        while let end = scalars[index...].firstIndex(of: "\n"), end + 1 < scalars.count {
            index = end + 1
            let indent = scalars[index...].prefix { $0 == " " }.count
            let content = index + indent
            guard content < scalars.count, !["\n", "\r", "#"].contains(scalars[content]) else { continue }
            if indent < column - 1 { break }
            if indent == column - 1 { found.append(content) }
        }
        return found
    }

    /// Where keys of the same flow map may stand: after a comma at the same depth of brackets.
    private static func flowKeys(from start: Int, _ scalars: [Unicode.Scalar]) -> [Int] {
        var found: [Int] = []
        var depth = 0
        var quote: Unicode.Scalar?
        var isKeyNext = false
        for index in start..<scalars.count {
            let scalar = scalars[index]
            if let open = quote {
                if scalar == open { quote = nil }
                continue
            }
            if isKeyNext, scalar != " ", scalar != "\n", scalar != "\r" {
                found.append(index)
                isKeyNext = false
            }
            switch scalar {
            case "\"", "'": quote = scalar
            case "{", "[": depth += 1
            case "}", "]":
                depth -= 1
                if depth < 0 { return found }
            case ",": isKeyNext = depth == 0
            default: break
            }
        }
        return found
    }

    private static func stands(_ key: String, at index: Int, _ scalars: [Unicode.Scalar]) -> Bool {
        [key, "\"\(key)\"", "'\(key)'"].contains { written in
            let written = Array(written.unicodeScalars)
            let end = index + written.count
            guard end < scalars.count, Array(scalars[index..<end]) == written else { return false }
            return scalars[end...].drop { $0 == " " }.first == ":"
        }
    }
}

/// Finds keys that are themselves lists, maps or aliases.
///
/// Nothing here uses them, and the YAML parser hashes whole keys, aliases followed: a few lines of aliases to aliases as a key would keep it busy
/// for years. So they are refused before it reads. This is no parser: it errs towards refusing, and only in text that has aliases.
struct ComplexKeyScan {
    private var depth = 0
    private var hasAlias = false

    /// The first line that has one.
    static func firstLine(in text: String) -> Int? {
        guard text.utf8.contains(UInt8(ascii: "&")), text.utf8.contains(UInt8(ascii: "*")) else { return nil }
        var scan = ComplexKeyScan()
        var number = 0
        for line in text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            number += 1
            if scan.finds(in: line) { return number }
        }
        return nil
    }

    private mutating func finds(in line: Substring.UTF8View) -> Bool {
        var previous = UInt8(ascii: " ")
        var significant: UInt8?
        var quote: UInt8?
        var isInAlias = false
        for (index, byte) in zip(line.indices, line) {
            defer { previous = byte }
            if let open = quote {
                if byte == open { quote = nil }
                continue
            }
            let startsToken = Self.blanks.contains(previous) || Self.openers.contains(previous)
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "'"):
                if startsToken { quote = byte }
            case UInt8(ascii: "#") where Self.blanks.contains(previous): return false
            case UInt8(ascii: "?")
            where startsToken && (significant.map { Self.openers.contains($0) || $0 == UInt8(ascii: "-") } ?? true):
                if hasAlias || line.contains(UInt8(ascii: "*")) { return true }
            case UInt8(ascii: "*") where startsToken:
                isInAlias = true
                hasAlias = true
            case UInt8(ascii: "["), UInt8(ascii: "{"):
                if startsToken { depth += 1 }
            case UInt8(ascii: "]"), UInt8(ascii: "}"):
                depth = max(0, depth - 1)
                isInAlias = false
            case UInt8(ascii: ","): isInAlias = false
            case UInt8(ascii: ":"):
                let next = line.index(after: index)
                let isKeyMark = depth > 0 || next == line.endIndex || Self.blanks.contains(line[next])
                let isAfterCollection = significant == UInt8(ascii: "]") || significant == UInt8(ascii: "}")
                if isKeyMark, isInAlias || (isAfterCollection && hasAlias) { return true }
            default: break
            }
            if !Self.blanks.contains(byte) { significant = byte }
        }
        return false
    }

    private static let blanks: [UInt8] = [UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r")]
    private static let openers: [UInt8] = [UInt8(ascii: "["), UInt8(ascii: "{"), UInt8(ascii: ",")]
}
