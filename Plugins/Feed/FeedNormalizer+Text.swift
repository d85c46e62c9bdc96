import ConnectorKit
import Markup
import SocialEvents

extension FeedNormalizer {
    // MARK: - Titles and other short texts

    func setTitle(_ entry: FeedEntry, _ object: inout SocialObject, _ data: inout EventData) {
        guard let text = entry.title else { return }
        guard let title = title(text) else { return }
        object.title = title
        if text.bytes.count > Self.longestWord.title, title.utf8.count >= Self.longestWord.title - 3 {
            data.loss.append(Loss("title", .truncated))
        }
    }

    /// A title as plain text on one line; nil if nothing is left of it.
    package func title(_ text: FeedText) -> String? {
        text.bytes.withUnsafeBufferPointer { bytes in
            let view = ByteView(bytes)
            let isHTML =
                switch text.form {
                case .plain: false
                case .html: view.hasMarkup
                case .unclear: view.hasMarkup && HTMLLikeness.looksLikeHTML(view)
                }
            if isHTML { return oneLine(reader.read(view).text, longest: Self.longestWord.title) }
            return oneLine(view, longest: Self.longestWord.title)
        }
    }

    /// A name or tag as plain text on one line; nil if nothing is left of it.
    func plainWord(_ text: String, longest: Int) -> String? {
        var text = text
        return text.withUTF8 { bytes in
            let view = ByteView(bytes)
            if view.hasMarkup, HTMLLikeness.looksLikeHTML(view) {
                return oneLine(reader.read(view).text, longest: longest)
            }
            return oneLine(view, longest: longest)
        }
    }

    private func oneLine(_ text: String, longest: Int) -> String? {
        var text = text
        return text.withUTF8 { oneLine(ByteView($0), longest: longest) }
    }

    /// White space and control characters collapsed to single spaces, cut between characters.
    private func oneLine(_ view: ByteView, longest: Int) -> String? {
        let view = view.trimmed
        guard !view.isEmpty else { return nil }
        if view.count <= longest, view.isTidy { return view.string }
        var tidy: [UInt8] = []
        tidy.reserveCapacity(min(view.count, longest))
        for index in 0..<view.count where tidy.count < longest {
            let byte = view[index]
            if byte > 0x20, byte != 0x7F {
                tidy.append(byte)
            } else if let last = tidy.last, last != 0x20 {
                tidy.append(0x20)
            }
        }
        if tidy.count == longest {
            // Not in the middle of a character.
            while let last = tidy.last, last & 0xC0 == 0x80 { tidy.removeLast() }
            if let last = tidy.last, last >= 0xC0 { tidy.removeLast() }
        }
        while tidy.last == 0x20 { tidy.removeLast() }
        return tidy.isEmpty ? nil : String(decoding: tidy, as: UTF8.self)
    }

    // MARK: - The content

    func setContent(_ entry: FeedEntry, _ object: inout SocialObject, _ data: inout EventData) {
        guard let content = entry.content ?? entry.summary else { return }
        if entry.content != nil, let summary = entry.summary, summary.bytes != content.bytes {
            data.loss.append(Loss("summary", .dropped, "the content is there"))
        }
        content.bytes.withUnsafeBufferPointer { bytes in
            let view = ByteView(bytes)
            let isHTML = content.form == .html || content.form == .unclear && HTMLLikeness.looksLikeHTML(view)
            if isHTML {
                setHTML(reader.read(view, base: content.base ?? object.url ?? data.channel?.url), &object, &data)
            } else {
                setPlain(view, &object, &data)
            }
        }
        if let text = object.text { addEntities(in: text, to: &object) }
    }

    private func setHTML(_ fragment: HTMLFragment, _ object: inout SocialObject, _ data: inout EventData) {
        if !fragment.text.isEmpty { object.text = fragment.text }
        if !fragment.html.isEmpty { object.html = fragment.html }
        if !fragment.links.isEmpty { object.entities = linkEntities(fragment) }
        for media in fragment.media { add(media, to: &object) }
        let removed = fragment.removed
        if removed.contains(.excess) { data.loss.append(Loss("content", .truncated)) }
        if !removed.isDisjoint(with: [.scripts, .embeds, .forms]) {
            var kinds: [String] = []
            if removed.contains(.scripts) { kinds.append("scripts") }
            if removed.contains(.embeds) { kinds.append("embedded documents") }
            if removed.contains(.forms) { kinds.append("forms") }
            data.loss.append(Loss("content", .sanitised, kinds.joined(separator: ", ")))
        }
    }

    private func setPlain(_ view: ByteView, _ object: inout SocialObject, _ data: inout EventData) {
        var end = min(view.count, EventLimits.text)
        if end < view.count {
            while end > 0, view[end] & 0xC0 == 0x80 { end -= 1 }
            data.loss.append(Loss("content", .truncated))
        }
        let text = view[0..<end].trimmed
        if !text.isEmpty { object.text = text.string }
    }

    /// The links of the text.
    ///
    /// Those whose words begin with `#` or `@` are what they look like.
    private func linkEntities(_ fragment: HTMLFragment) -> [Entity] {
        var entities: [Entity] = []
        entities.reserveCapacity(fragment.links.count)
        var text = fragment.text
        text.withUTF8 { bytes in
            var place = ScalarPlace()
            for link in fragment.links where !link.range.isEmpty && link.range.lowerBound >= place.scalars {
                place.advance(to: link.range.lowerBound, in: bytes)
                let start = place.bytes
                place.advance(to: link.range.upperBound, in: bytes)
                var entity = Entity(.link, start: link.range.lowerBound, end: link.range.upperBound, url: link.url)
                if let sign = start < bytes.count ? bytes[start] : nil, place.bytes - start > 1,
                    sign == UInt8(ascii: "#") || sign == UInt8(ascii: "@")
                {
                    let word = UnsafeBufferPointer(rebasing: bytes[(start + 1)..<place.bytes])
                    if !word.contains(0x20), !word.contains(0x0A) {
                        entity.kind = sign == UInt8(ascii: "#") ? .hashtag : .mention
                        entity.value = String(decoding: word, as: UTF8.self)
                    }
                }
                entities.append(entity)
            }
        }
        return entities
    }

    /// Hashtags and addresses that stand in the text without being links.
    private func addEntities(in text: String, to object: inout SocialObject) {
        var text = text
        guard text.withUTF8({ Self.mayHoldEntity($0) }) else { return }
        let found = TextEntities.extract(from: text, limit: Self.mostEntities)
        guard !found.isEmpty else { return }
        var merged: [Entity] = []
        merged.reserveCapacity(found.count + object.entities.count)
        var links = object.entities[...]
        for entity in found {
            while let link = links.first, link.end <= entity.start { merged.append(links.removeFirst()) }
            if let link = links.first, link.start < entity.end { continue }
            merged.append(entity)
        }
        object.entities = merged + links
    }

    /// Whether there is a `#`, `@`, `$`, the `://` of an address, or the first byte of the wide forms of these signs.
    private static func mayHoldEntity(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        var index = 0
        while index < text.count {
            switch text[index] {
            case UInt8(ascii: "#"), UInt8(ascii: "@"), UInt8(ascii: "$"), 0xEF: return true
            case UInt8(ascii: ":") where index + 1 < text.count && text[index + 1] == UInt8(ascii: "/"): return true
            default: index += 1
            }
        }
        return false
    }

    private static let mostEntities = 1000
}

/// A place in UTF-8 text, counted in scalars and bytes.
private struct ScalarPlace {
    var scalars = 0
    var bytes = 0

    mutating func advance(to target: Int, in text: UnsafeBufferPointer<UInt8>) {
        while scalars < target, bytes < text.count {
            bytes += 1
            while bytes < text.count, text[bytes] & 0xC0 == 0x80 { bytes += 1 }
            scalars += 1
        }
    }
}

extension ByteView {
    /// Whether there is anything that HTML would read otherwise than as it stands.
    fileprivate var hasMarkup: Bool {
        for index in 0..<count where self[index] == UInt8(ascii: "<") || self[index] == UInt8(ascii: "&") {
            return true
        }
        return false
    }

    /// Whether white space is single spaces alone, and there are no control characters.
    fileprivate var isTidy: Bool {
        var previous: UInt8 = 0x20
        for index in 0..<count {
            let byte = self[index]
            if byte < 0x20 || byte == 0x7F || (byte == 0x20 && previous == 0x20) { return false }
            previous = byte
        }
        return true
    }
}

/// Guesses whether a text of RSS, which does not say what it is, is HTML.
enum HTMLLikeness {
    /// Whether the text has an end tag or a character reference, and every tag in it is one of HTML's: `a < b` and
    /// `<x> & co` are words, `Tom &amp; <b>Jerry</b>` is not.
    static func looksLikeHTML(_ text: ByteView) -> Bool {
        var hasEvidence = false
        var position = 0
        while position < text.count {
            switch text[position] {
            case UInt8(ascii: "&"):
                hasEvidence = hasEvidence || isReference(text, at: position)
                position += 1
            case UInt8(ascii: "<"):
                var start = position + 1
                let isEnd = start < text.count && text[start] == UInt8(ascii: "/")
                if isEnd { start += 1 }
                var end = start
                while end < text.count, isNameByte(text[end]) { end += 1 }
                if end > start {
                    guard end - start <= 10, tags.contains(text[start..<end].string.lowercased()) else { return false }
                    hasEvidence = hasEvidence || isEnd
                }
                position = max(end, position + 1)
            default: position += 1
            }
        }
        return hasEvidence
    }

    /// `&name;`, `&#160;`, `&#xA0;`.
    private static func isReference(_ text: ByteView, at start: Int) -> Bool {
        var position = start + 1
        if position < text.count, text[position] == UInt8(ascii: "#") { position += 1 }
        let first = position
        while position < text.count, position - first < 32, isNameByte(text[position]) { position += 1 }
        return position > first && position < text.count && text[position] == UInt8(ascii: ";")
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        (byte | 0x20) &- UInt8(ascii: "a") < 26 || byte &- UInt8(ascii: "0") < 10
    }

    private static let tags: Set<String> = [
        "a", "abbr", "acronym", "address", "article", "aside", "audio", "b", "bdi", "bdo", "big", "blockquote", "br",
        "caption", "center", "cite", "code", "dd", "del", "details", "div", "dl", "dt", "em", "figcaption", "figure",
        "font", "footer", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "i", "iframe", "img", "ins", "kbd", "li",
        "mark", "ol", "p", "picture", "pre", "q", "s", "samp", "script", "section", "small", "span", "strike", "strong",
        "style", "sub", "summary", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "time", "tr", "tt", "u", "ul",
        "var", "video", "wbr",
    ]
}
