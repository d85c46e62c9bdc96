// How far a link or a host goes in running text.

/// Where a link ends that begins with a scheme.
enum TextLink {
    /// The end of the link whose host begins at `hostStart`; `hostStart` itself when it is none.
    static func end(in text: TextBytes, hostStart: Int) -> Int {
        var position: Int
        if text[hostStart] == UInt8(ascii: "[") {
            position = text.end(from: hostStart + 1) { $0.isAddress }
            guard position > hostStart + 2, text[position] == UInt8(ascii: "]") else { return hostStart }
            position += 1
        } else {
            position = TextHost.end(in: text, from: hostStart)
            guard position > hostStart else { return hostStart }
            let isLocal = position - hostStart == 9 && text.matches("localhost", at: hostStart)
            guard isLocal || TextHost.hasDot(text, hostStart..<position) else { return hostStart }
        }
        // A user name or password: such a link is not passed on.
        guard text[position] != UInt8(ascii: "@") else { return hostStart }
        if text[position] == UInt8(ascii: ":") {
            let portEnd = text.end(from: position + 1) { $0.isDigitASCII }
            guard text[portEnd] != UInt8(ascii: "@") else { return hostStart }
            if portEnd > position + 1 { position = portEnd }
        }
        switch text[position] {
        case UInt8(ascii: "/"), UInt8(ascii: "?"), UInt8(ascii: "#"): return pathEnd(in: text, from: position)
        default: return position
        }
    }

    /// The end of path, query and fragment.
    private static func pathEnd(in text: TextBytes, from start: Int) -> Int {
        var position = start
        var openRound = 0
        var openSquare = 0
        // East Asian text is part of a path only where it begins a segment of its own that is not the first, as in `/wiki/日本`:
        // otherwise it is the sentence going on.
        var slashes = 0
        var mayBeEastAsian = false
        scan: while let (scalar, length) = text.scalar(at: position) {
            switch scalar {
            case "(": openRound += 1
            case "[": openSquare += 1
            case ")":
                if openRound == 0 { break scan }
                openRound -= 1
            case "]":
                if openSquare == 0 { break scan }
                openSquare -= 1
            case "/": slashes += 1
            case _ where scalar.isASCII: guard scalar.isURL else { break scan }
            case _ where scalar.isEastAsian: guard mayBeEastAsian, scalar.isWord else { break scan }
            default: guard scalar.isWord else { break scan }
            }
            if scalar.isASCII {
                let beginsSegment = scalar == "/" && slashes > 1 && text[position - 1] != UInt8(ascii: "/")
                mayBeEastAsian = beginsSegment || (mayBeEastAsian && "_-".unicodeScalars.contains(scalar))
            }
            position += length
        }
        return max(text.trimmed(start..<position) { $0.endsLink }, start)
    }
}

/// Host names in running text.
enum TextHost {
    /// Where the host name ends that begins at `start`: labels of letters, marks, digits and inner hyphens with single dots between them.
    static func end(in text: TextBytes, from start: Int) -> Int {
        var position = start
        var hostEnd = start
        var labelStart = start
        // East Asian letters behind Latin ones in one label are the sentence going on: `example.jpを`.
        var isLatin = false
        while position - start <= 253, let (scalar, length) = text.scalar(at: position) {
            if scalar == "." {
                guard position > labelStart, text[position - 1] != UInt8(ascii: "-") else { break }
                labelStart = position + 1
                isLatin = false
            } else if scalar == "-" {
                guard position > labelStart else { break }
            } else if scalar.isWord, scalar != "_" || position > start {
                if scalar.isEastAsian, isLatin { break }
                isLatin = isLatin || !scalar.isEastAsian
                hostEnd = position + length
            } else {
                break
            }
            position += length
        }
        return hostEnd
    }

    static func hasDot(_ text: TextBytes, _ range: Range<Int>) -> Bool {
        range.contains { text[$0] == UInt8(ascii: ".") }
    }

    /// Whether there is a dot and what follows the last one could be a top-level domain: two letters or more.
    static func hasTopLevel(_ text: TextBytes, _ range: Range<Int>) -> Bool {
        guard let dot = range.last(where: { text[$0] == UInt8(ascii: ".") }) else { return false }
        var letters = 0
        var position = dot + 1
        while position < range.upperBound, let (scalar, length) = text.scalar(at: position) {
            guard scalar.isLetter || scalar == "-" || scalar.isMark else { return false }
            letters += 1
            position += length
        }
        return letters >= 2
    }
}
