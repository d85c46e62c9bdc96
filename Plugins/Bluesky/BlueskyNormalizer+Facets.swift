import JSON
import SocialEvents

extension PostReader {
    /// Reads mentions, links and tags, whose places count bytes of UTF-8, the end exclusive (`app.bsky.richtext.facet`).
    ///
    /// A place that splits a scalar is widened to whole ones, one that reaches beyond the text is cut at its end, and one that lies outside or
    /// is turned round is left out; each is told as a loss. Places may overlap, and stay so.
    mutating func facets(_ value: JSONValue, in text: Bytes) {
        guard value.kind == .array, !value.elements.isEmpty else { return }
        let text = Bytes(rebasing: text[..<(object.text?.utf8.count ?? 0)])
        let offsets = TextOffsets(object.text ?? "")
        var dropped = 0
        var repaired = 0
        var read = 0
        for facet in value.elements {
            read += 1
            guard read <= EventLimits.entities else {
                lose("facets", .truncated)
                break
            }
            guard let start = facet["index"]?["byteStart"]?.int, let end = facet["index"]?["byteEnd"]?.int,
                let place = Self.place(start, end, in: text),
                let range = offsets.range(from: place.lowerBound, to: place.upperBound, in: .utf8)
            else {
                dropped += 1
                continue
            }
            if place.lowerBound != start || place.upperBound != end { repaired += 1 }
            guard let features = facet["features"] else { continue }
            for feature in features.elements.prefix(8) {
                guard object.entities.count < EventLimits.entities else { break }
                if let entity = entity(feature, range, Bytes(rebasing: text[place])) {
                    object.entities.append(entity)
                } else {
                    dropped += 1
                }
            }
        }
        if repaired > 0 {
            lose("facets", .repaired, "\(repaired) did not begin and end between characters of the text")
        }
        if dropped > 0 { lose("facets", .dropped, "\(dropped) lie outside the text or are of an unknown kind") }
    }

    /// The stretch of whole scalars that a facet means; nil when there is none.
    static func place(_ start: Int, _ end: Int, in text: Bytes) -> Range<Int>? {
        guard start >= 0, start < end, start < text.count else { return nil }
        var lower = start
        while lower > 0, text[lower] & 0xC0 == 0x80 { lower -= 1 }
        var upper = min(end, text.count)
        while upper < text.count, text[upper] & 0xC0 == 0x80 { upper += 1 }
        return lower..<upper
    }

    private func entity(_ feature: JSONValue, _ range: Range<Int>, _ shown: Bytes) -> Entity? {
        guard let type = feature["$type"] else { return nil }
        if type.isString("app.bsky.richtext.facet#link") {
            guard let url = Self.url(feature["uri"]) else { return nil }
            return Entity(.link, start: range.lowerBound, end: range.upperBound, url: url)
        }
        if type.isString("app.bsky.richtext.facet#tag") {
            guard let tag = feature["tag"]?.withUTF8({ $0.count <= EventLimits.identifier ? $0 : nil }) ?? nil else {
                return nil
            }
            let word = String(decoding: tag, as: UTF8.self)
            return Entity(.hashtag, start: range.lowerBound, end: range.upperBound, value: word)
        }
        if type.isString("app.bsky.richtext.facet#mention") {
            guard let did = feature["did"]?.withUTF8({ $0.isDID ? $0 : nil }) ?? nil else { return nil }
            let name = shown.first == UInt8(ascii: "@") ? Bytes(rebasing: shown[1...]) : shown
            return Entity(
                .mention,
                start: range.lowerBound,
                end: range.upperBound,
                value: name.count <= EventLimits.identifier ? String(decoding: name, as: UTF8.self) : nil,
                url: BlueskyID.page(ofActor: did),
                actor: BlueskyID.actor(did)
            )
        }
        return nil
    }

    /// An address that an event may carry; nil for schemes that run something, and for what is too long or holds control characters.
    static func url(_ value: JSONValue?) -> String? {
        value?.withUTF8 { bytes -> String? in
            guard bytes.count > 3, bytes.count <= EventLimits.url, bytes.isClean else { return nil }
            // Nearly all; others are few enough to look at closely.
            if bytes.begins(with: "https://") || bytes.begins(with: "http://") {
                return String(decoding: bytes, as: UTF8.self)
            }
            guard let colon = bytes.prefix(20).firstIndex(of: UInt8(ascii: ":")), colon > 0 else { return nil }
            let scheme = String(decoding: bytes[..<colon], as: UTF8.self).lowercased()
            guard scheme != "javascript", scheme != "vbscript", scheme != "data" else { return nil }
            return String(decoding: bytes, as: UTF8.self)
        } ?? nil
    }
}

extension Bytes {
    /// Whether no control character of ASCII is among them.
    var isClean: Bool {
        var found = false
        for byte in self { found = found || byte < 0x20 || byte == 0x7F }
        return !found
    }
}
