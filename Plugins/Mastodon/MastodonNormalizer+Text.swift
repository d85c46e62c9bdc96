import ConnectorKit
import JSON
import Markup
import SocialEvents

extension MastodonNormalizer {
    /// Most custom emoji of a text that become entities.
    private static let mostEmoji = 500

    /// The words of a status: its HTML made safe, its plain text, and what is marked in it.
    ///
    /// Addresses stand in the text whole: the parts that servers hide in `span.invisible` are read as what they are.
    func setText(_ fields: MastodonStatusFields, _ object: inout SocialObject, _ data: inout EventData) {
        let fragment = fields.content?.withUTF8 { reader.read(ByteView($0), base: object.url) } ?? HTMLFragment()
        if !fragment.text.isEmpty { object.text = fragment.text }
        if fragment.html.utf8.count > EventLimits.text {
            // Escaping makes it longer than what it was made of.
            data.loss.append(Loss("content", .truncated, "the text has it all, the HTML is left out"))
        } else if !fragment.html.isEmpty {
            object.html = fragment.html
        }
        if !fragment.links.isEmpty { object.entities = linkEntities(fragment, mentions: fields.mentions) }
        if let emojis = fields.emojis, !emojis.elements.isEmpty {
            let found = emojiEntities(in: fragment.text, emojis)
            if !found.isEmpty { object.entities = Self.merged(object.entities, found) }
        }
        if let tags = fields.tags, !tags.elements.isEmpty { setTags(tags, &object) }
        note(fragment.removed, &data)
    }

    private func note(_ removed: HTMLFragment.Removals, _ data: inout EventData) {
        if removed.contains(.excess) { data.loss.append(Loss("content", .truncated)) }
        if !removed.isDisjoint(with: [.scripts, .embeds, .forms]) {
            data.loss.append(Loss("content", .sanitised, "scripts, embedded documents or forms"))
        }
    }

    // MARK: - Links, mentions, hashtags

    /// The links of the text; those whose words begin with `#` or `@` are what they look like.
    private func linkEntities(_ fragment: HTMLFragment, mentions: JSONValue?) -> [Entity] {
        var entities: [Entity] = []
        var mentions = MastodonLookup(mentions, by: "url")
        entities.reserveCapacity(fragment.links.count)
        var text = fragment.text
        text.withUTF8 { bytes in
            var place = ScalarPlace()
            for link in fragment.links where !link.range.isEmpty && link.range.lowerBound >= place.scalars {
                place.advance(to: link.range.lowerBound, in: bytes)
                let start = place.bytes
                place.advance(to: link.range.upperBound, in: bytes)
                let shown = UnsafeBufferPointer(rebasing: bytes[start..<place.bytes])
                entities.append(entity(link, shown, &mentions))
            }
        }
        return entities
    }

    private func entity(
        _ link: HTMLFragment.Link,
        _ shown: UnsafeBufferPointer<UInt8>,
        _ mentions: inout MastodonLookup
    ) -> Entity {
        var entity = Entity(.link, start: link.range.lowerBound, end: link.range.upperBound)
        entity.url = link.url.utf8.count <= EventLimits.url ? link.url : nil
        guard shown.count > 1, let sign = shown.first else { return entity }
        guard sign == UInt8(ascii: "#") || sign == UInt8(ascii: "@"), !shown.contains(0x20), !shown.contains(0x0A),
            shown.count <= EventLimits.identifier
        else { return entity }
        let word = UnsafeBufferPointer(rebasing: shown.dropFirst())
        if sign == UInt8(ascii: "#") {
            entity.kind = .hashtag
            entity.value = String(decoding: word, as: UTF8.self)
            return entity
        }
        entity.kind = .mention
        var url = link.url
        if let mention = url.withUTF8({ mentions.find($0) }) {
            entity.value = handle(MastodonAccountFields(mention))
            entity.actor = ObjectID(Self.platform, "actor", link.url)
        } else {
            entity.value = String(decoding: word, as: UTF8.self)
        }
        return entity
    }

    /// Tags that the author gave without writing them.
    private func setTags(_ tags: JSONValue, _ object: inout SocialObject) {
        // As nearly always, all of them were written.
        if tags.elements.allSatisfy({ tag in isWritten(tag["name"], object.entities) }) { return }
        var written = Set<String>()
        for entity in object.entities where entity.kind == .hashtag {
            if let value = entity.value { written.insert(value.lowercased()) }
        }
        for tag in tags.elements.prefix(EventLimits.elements) {
            // Pixelfed once sent plain words.
            guard let value = tag["name"] ?? (tag.kind == .string ? tag : nil),
                let name = bounded(value, EventLimits.phrase), written.insert(name.lowercased()).inserted
            else { continue }
            object.tags.append(name)
        }
    }

    /// Whether a tag stands among the first hashtags of the text, but for the case of its ASCII letters.
    private func isWritten(_ name: JSONValue?, _ entities: [Entity]) -> Bool {
        let isFound = name?.withUTF8 { name in
            entities.prefix(20).contains { entity in
                guard entity.kind == .hashtag, var value = entity.value else { return false }
                return value.withUTF8 { value in
                    value.count == name.count
                        && zip(value, name).allSatisfy { left, right in
                            left == right || (left ^ right == 0x20 && (left | 0x20) &- UInt8(ascii: "a") < 26)
                        }
                }
            }
        }
        return isFound == true
    }

    // MARK: - Custom emoji

    private func emojiEntities(in text: String, _ emojis: JSONValue) -> [Entity] {
        var found: [Entity] = []
        var emojis = MastodonLookup(emojis, by: "shortcode")
        var text = text
        text.withUTF8 { bytes in
            var place = ScalarPlace()
            var position = 0
            while position < bytes.count, found.count < Self.mostEmoji {
                guard bytes[position] == UInt8(ascii: ":") else {
                    position += 1
                    continue
                }
                var end = position + 1
                while end < bytes.count, end - position <= 100, Self.isShortcode(bytes[end]) { end += 1 }
                guard end < bytes.count, end > position + 1, bytes[end] == UInt8(ascii: ":"),
                    let emoji = emojis.find(UnsafeBufferPointer(rebasing: bytes[(position + 1)..<end]))
                else {
                    position = max(end, position + 1)
                    continue
                }
                place.advance(toByte: position, in: bytes)
                let start = place.scalars
                // Shortcodes are ASCII.
                let length = end + 1 - position
                found.append(
                    Entity(
                        .emoji,
                        start: start,
                        end: start + length,
                        value: emoji["shortcode"]?.string,
                        url: emoji["url"]?.webAddress
                    )
                )
                position = end + 1
            }
        }
        return found
    }

    private static func isShortcode(_ byte: UInt8) -> Bool {
        (byte | 0x20) &- UInt8(ascii: "a") < 26 || byte &- UInt8(ascii: "0") < 10 || byte == UInt8(ascii: "_")
            || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+") || byte == UInt8(ascii: ".")
    }

    /// Both in the order of the text; emoji inside a link are left to the link.
    private static func merged(_ links: [Entity], _ emoji: [Entity]) -> [Entity] {
        guard !links.isEmpty else { return emoji }
        var merged: [Entity] = []
        merged.reserveCapacity(links.count + emoji.count)
        var rest = links[...]
        for entity in emoji {
            while let link = rest.first, link.end <= entity.start { merged.append(rest.removeFirst()) }
            if let link = rest.first, link.start < entity.end { continue }
            merged.append(entity)
        }
        return merged + rest
    }
}

/// A place in UTF-8 text, counted in scalars and bytes.
private struct ScalarPlace {
    var scalars = 0
    var bytes = 0

    mutating func advance(to target: Int, in text: UnsafeBufferPointer<UInt8>) {
        while scalars < target, bytes < text.count { step(in: text) }
    }

    mutating func advance(toByte target: Int, in text: UnsafeBufferPointer<UInt8>) {
        while bytes < target, bytes < text.count { step(in: text) }
    }

    private mutating func step(in text: UnsafeBufferPointer<UInt8>) {
        bytes += 1
        while bytes < text.count, text[bytes] & 0xC0 == 0x80 { bytes += 1 }
        scalars += 1
    }
}
