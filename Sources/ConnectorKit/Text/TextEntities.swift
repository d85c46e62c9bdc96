public import SocialEvents

/// Finds hashtags, mentions, cashtags and links in plain text, for platforms that do not mark them.
///
/// Platforms differ in what they take for a tag; these rules are the common ground of the larger ones, and what is doubtful is left alone:
///
/// - A **hashtag** is `#` or `＃` and letters, marks, digits and `_` of any script, at least one of them a letter; inside it also the joiners and
///   middle dots that scripts write within words. Nothing that belongs to a word, nor `&` or `/`, stands before it.
/// - A **mention** is `@` or `＠` and `name` or `name@host.tld`, the name of Latin letters, digits and `_`, inside it also `.` and `-`.
/// - A **cashtag** is `$` and one to six Latin letters, perhaps with `.` and one or two more.
/// - A **link** begins with `http://` or `https://`. Brackets in it are taken in pairs, punctuation at its end is left out, and so is text in the
///   scripts of East Asia that follows without a space. `www.` alone makes no link: it says neither scheme nor intent.
///
/// Takes time linear in the text, whatever it holds.
public enum TextEntities {
    /// The entities of a text, in order and without overlap.
    ///
    /// - Parameters:
    ///   - text: plain text.
    ///   - limit: most entities found; what follows is left out.
    /// - Returns: entities whose offsets count Unicode scalars. Hashtags, mentions and cashtags have their text without the sign as `value`, links
    ///   have themselves as `url`.
    public static func extract(from text: String, limit: Int = EventLimits.entities) -> [Entity] {
        var text = text
        return text.withUTF8 { bytes in
            var finder = EntityFinder(text: TextBytes(bytes))
            return finder.entities(limit: limit)
        }
    }
}

/// Walks over a text once, from one sign that may begin an entity to the next.
private struct EntityFinder {
    /// Tags and names of more bytes than this are none.
    private static let longestName = EventLimits.identifier

    let text: TextBytes
    private var entities: [Entity] = []
    /// Where the last entity ended; nothing before it is looked at again.
    private var end = 0
    /// How many scalars there are before the byte `counted`.
    private var scalars = 0
    private var counted = 0

    init(text: TextBytes) { self.text = text }

    mutating func entities(limit: Int) -> [Entity] {
        var position = 0
        while entities.count < limit, let sign = text.nextSign(from: position) {
            position = max(entity(at: sign), sign + 1)
        }
        return entities
    }

    /// Takes the entity at a sign, if there is one, and returns from where to look on.
    private mutating func entity(at sign: Int) -> Int {
        switch text[sign] {
        case UInt8(ascii: "#"): return hashtag(sign, sign + 1)
        case UInt8(ascii: "@"): return mention(sign, sign + 1)
        case UInt8(ascii: "$"): return cashtag(sign)
        case UInt8(ascii: ":"): return link(sign)
        // U+FF03 and U+FF20, the wide forms.
        case 0xEF where text[sign + 1] == 0xBC && text[sign + 2] == 0x83: return hashtag(sign, sign + 3)
        case 0xEF where text[sign + 1] == 0xBC && text[sign + 2] == 0xA0: return mention(sign, sign + 3)
        default: return sign + 1
        }
    }

    private mutating func hashtag(_ sign: Int, _ start: Int) -> Int {
        let before = text.scalar(before: sign)
        if let before, before.isWord || before == "&" || before == "/" { return start }
        var position = start
        // Behind the last scalar that may end a tag: joiners and dots stand only between others.
        var tagEnd = start
        var hasLetter = false
        while let (scalar, length) = text.scalar(at: position) {
            if scalar.isWord {
                hasLetter = hasLetter || scalar.isLetter
                tagEnd = position + length
            } else if position == start || !scalar.joinsWords {
                break
            }
            position += length
        }
        guard hasLetter, tagEnd - start <= Self.longestName else { return max(tagEnd, start) }
        add(.hashtag, sign..<tagEnd, value: text.string(start..<tagEnd))
        return tagEnd
    }

    private mutating func mention(_ sign: Int, _ start: Int) -> Int {
        if let before = text.scalar(before: sign) {
            // East Asian text needs no space before a handle.
            if before.isWord && !before.isEastAsian { return start }
            if "@＠/!#$%&*=+".unicodeScalars.contains(before) { return start }
        }
        let nameEnd = text.trimmed(start..<text.end(from: start) { $0.isName }) { $0.isWordASCII }
        guard nameEnd > start, text.ascii(start).isWordASCII else { return start }
        var mentionEnd = nameEnd
        if text[nameEnd] == UInt8(ascii: "@") {
            mentionEnd = TextHost.end(in: text, from: nameEnd + 1)
            guard mentionEnd > nameEnd + 1, TextHost.hasTopLevel(text, nameEnd + 1..<mentionEnd) else {
                return nameEnd + 1
            }
        }
        // `@josé` is no handle of `jos`.
        if let (next, _) = text.scalar(at: mentionEnd), next.isWord, !next.isEastAsian { return mentionEnd }
        guard mentionEnd - start <= Self.longestName else { return mentionEnd }
        add(.mention, sign..<mentionEnd, value: text.string(start..<mentionEnd))
        return mentionEnd
    }

    private mutating func cashtag(_ sign: Int) -> Int {
        let start = sign + 1
        if let before = text.scalar(before: sign), before.isWord || before == "$" || before == "\\" { return start }
        var tagEnd = text.end(from: start) { $0.isLetterASCII }
        guard tagEnd > start, tagEnd - start <= 6 else { return max(tagEnd, start) }
        if text[tagEnd] == UInt8(ascii: ".") || text[tagEnd] == UInt8(ascii: "_") {
            let suffixEnd = text.end(from: tagEnd + 1) { $0.isLetterASCII }
            if (1...2).contains(suffixEnd - tagEnd - 1) { tagEnd = suffixEnd }
        }
        // Shell variables and formulas are no shares.
        if let (next, _) = text.scalar(at: tagEnd), next.isWord || "/=([{:$".unicodeScalars.contains(next) {
            return tagEnd
        }
        add(.cashtag, sign..<tagEnd, value: text.string(start..<tagEnd))
        return tagEnd
    }

    private mutating func link(_ colon: Int) -> Int {
        guard text[colon + 1] == UInt8(ascii: "/"), text[colon + 2] == UInt8(ascii: "/"),
            let start = schemeStart(before: colon), start >= end
        else { return colon + 1 }
        if let before = text.scalar(before: start), before.isWord, !before.isEastAsian { return colon + 3 }
        let hostStart = colon + 3
        let linkEnd = TextLink.end(in: text, hostStart: hostStart)
        guard linkEnd > hostStart else { return hostStart }
        let url = text.string(start..<linkEnd)
        guard url.utf8.count <= EventLimits.url else { return linkEnd }
        add(.link, start..<linkEnd, url: url)
        return linkEnd
    }

    /// Where `http` or `https` begins that ends at `colon`.
    private func schemeStart(before colon: Int) -> Int? {
        for word in ["https", "http"] as [StaticString] {
            let start = colon - word.utf8CodeUnitCount
            if start >= 0, text.matches(word, at: start) { return start }
        }
        return nil
    }

    private mutating func add(_ kind: Entity.Kind, _ range: Range<Int>, value: String? = nil, url: String? = nil) {
        let start = scalars + text.scalarCount(counted..<range.lowerBound)
        let end = start + text.scalarCount(range)
        entities.append(Entity(kind, start: start, end: end, value: value, url: url))
        scalars = end
        counted = range.upperBound
        self.end = range.upperBound
    }
}
