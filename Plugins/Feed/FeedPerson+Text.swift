import Markup

extension FeedPerson {
    /// Reads somebody as RSS writes people; nil for nothing.
    ///
    /// The forms are `jo@example.org (Jo Doe)`, `Jo Doe <jo@example.org>`, a bare name or address and, in MyBB, a link to a profile.
    init?(text view: ByteView) {
        let text = view.trimmed
        guard !text.isEmpty, text.count <= 2000 else { return nil }
        self.init()
        let words = text.string
        guard text.hasForm else {
            name = words
            return
        }
        if let open = words.firstIndex(of: "("), words.hasSuffix(")"), words[..<open].contains("@") {
            email = Self.nonempty(words[..<open])
            name = Self.nonempty(words[words.index(after: open)...].dropLast())
        } else if let open = words.firstIndex(of: "<"), words.hasSuffix(">"), words[open...].contains("@"),
            !words[open...].contains(" ")
        {
            email = Self.nonempty(words[words.index(after: open)...].dropLast())
            name = Self.nonempty(words[..<open])
        } else if words.hasPrefix("<a ") {
            readLink(words)
        } else if words.contains("@"), !words.contains(" ") {
            email = words.hasPrefix("mailto:") ? String(words.dropFirst(7)) : words
        } else {
            name = words
        }
        if isEmpty { return nil }
    }

    /// `<a href="https://…">name</a>`.
    private mutating func readLink(_ words: String) {
        if let start = words.firstRange(of: "href=\"")?.upperBound, let end = words[start...].firstIndex(of: "\"") {
            url = String(words[start..<end])
        }
        guard let start = words.firstIndex(of: ">") else { return }
        let rest = words[words.index(after: start)...]
        name = Self.nonempty(rest[..<(rest.firstIndex(of: "<") ?? rest.endIndex)])
    }

    private static func nonempty(_ text: Substring) -> String? {
        var text = text
        while let first = text.first, first.isWhitespace { text.removeFirst() }
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return text.isEmpty ? nil : String(text)
    }
}

extension ByteView {
    /// Whether there is a sign by which forms of naming somebody are told apart.
    fileprivate var hasForm: Bool {
        for index in 0..<count {
            switch self[index] {
            case UInt8(ascii: "("), UInt8(ascii: "<"), UInt8(ascii: "@"): return true
            default: continue
            }
        }
        return false
    }
}
