import Markup

extension FeedXMLHandler {
    /// An RSS enclosure, or an Atom link that stands for one.
    mutating func startEnclosure(_ element: XMLElement) -> XMLContent {
        if let url = resolved(element.attributes["url"] ?? element.attributes["href"]) {
            addEnclosure(url, element.attributes)
        }
        return .skip
    }

    mutating func addEnclosure(_ url: String, _ attributes: XMLAttributes) {
        guard entry.media.count < Self.mostParts else { return }
        var media = FeedMedia(url: url, type: trimmed(attributes["type"]))
        // Zero stands for "unknown": many write it since RSS demands a length.
        media.size = attributes["length"].flatMap { number($0) }.flatMap { $0 > 0 ? $0 : nil }
        add(media)
    }

    /// An element of Media RSS inside an entry.
    mutating func startMedia(_ element: XMLElement, _ name: FeedName) -> XMLContent {
        switch name {
        case .group:
            groupStart = entry.media.count
            groupPreview = nil
            groupAlt = nil
            return enter(.mediaGroup, element.depth)
        case .content:
            media = FeedMedia(url: resolved(element.attributes["url"]), type: trimmed(element.attributes["type"]))
            media.medium = trimmed(element.attributes["medium"])
            media.width = element.attributes["width"].flatMap { number($0) }
            media.height = element.attributes["height"].flatMap { number($0) }
            media.size = element.attributes["filesize"].flatMap { number($0) }
            media.seconds = element.attributes["duration"].flatMap { FeedDuration.seconds($0.string) }
            return enter(.mediaContent, element.depth)
        case .thumbnail:
            startThumbnail(element)
            return .skip
        case .title: return take(.mediaTitle)
        case .description: return take(.mediaText)
        case .rating: return take(.mediaRating)
        case .statistics:
            if let views = element.attributes["views"] { entry.viewCount = number(views) }
            return .skip
        case .community: return .events
        default: return .skip
        }
    }

    mutating func startInMedia(_ element: XMLElement) -> XMLContent {
        base = element.base
        guard element.name.feedNamespace == .media, let name = FeedName.of(element.name.token) else { return .skip }
        // Content inside content would be lost on its end; no feed means that.
        if name == .content || name == .group, places.last?.kind == .mediaContent { return .skip }
        return startMedia(element, name)
    }

    private mutating func startThumbnail(_ element: XMLElement) {
        guard let url = resolved(element.attributes["url"]) else { return }
        switch places.last?.kind {
        case .mediaContent: if media.preview == nil { media.preview = url }
        case .mediaGroup: if groupPreview == nil { groupPreview = url }
        default:
            if let last = entry.media.indices.last, entry.media[last].preview == nil, !entry.media[last].isImage {
                entry.media[last].preview = url
            } else if !entry.media.contains(where: { $0.url == url }) {
                var picture = FeedMedia(url: url, medium: "image")
                picture.width = element.attributes["width"].flatMap { number($0) }
                picture.height = element.attributes["height"].flatMap { number($0) }
                add(picture)
            }
        }
    }

    mutating func storeInMedia(_ text: ByteView, _ field: FeedField) {
        switch (field, places.last?.kind) {
        case (.mediaText, .mediaContent): media.alt = trimmed(text)
        case (.mediaTitle, .mediaContent): if media.alt == nil { media.alt = trimmed(text) }
        case (.mediaText, .mediaGroup):
            // YouTube keeps a film's description here and nowhere else.
            if !text.isBlank { groupText = FeedText(.unclear, text) }
        case (.mediaTitle, .mediaGroup): groupAlt = trimmed(text)
        case (.mediaText, _): if groupText == nil, !text.isBlank { groupText = FeedText(.unclear, text) }
        case (.mediaTitle, _): if entry.title == nil, !text.isBlank { entry.title = FeedText(.unclear, text) }
        case (.mediaRating, _): if text.trimmed.equalsIgnoringCase("adult") { entry.isExplicit = true }
        case (.mediaDuration, _): applyDuration(text)
        default: break
        }
    }

    mutating func endMedia() {
        if media.url != nil || media.preview != nil { add(media) }
    }

    mutating func endMediaGroup() {
        for index in min(groupStart, entry.media.count)..<entry.media.count {
            if entry.media[index].preview == nil, !entry.media[index].isImage {
                entry.media[index].preview = groupPreview
            }
            if entry.media[index].alt == nil { entry.media[index].alt = groupAlt }
        }
        if entry.media.count == groupStart, let groupPreview {
            var picture = FeedMedia(url: groupPreview, medium: "image")
            picture.alt = groupAlt
            add(picture)
        }
    }

    /// The itunes duration of an episode, which belongs to its sound.
    private mutating func applyDuration(_ text: ByteView) {
        entry.seconds = FeedDuration.seconds(text.string)
    }

    /// Adds a piece of media, or what it knows more to the piece that is there under the same address.
    private mutating func add(_ media: FeedMedia) {
        if let url = media.url, let index = entry.media.firstIndex(where: { $0.url == url }) {
            entry.media[index].fill(from: media)
        } else if entry.media.count < Self.mostParts {
            entry.media.append(media)
        }
    }
}

extension FeedMedia {
    /// Whether it is a picture by what it says of itself.
    var isImage: Bool { medium == "image" || type?.hasPrefix("image/") == true }

    /// Takes over what it does not know itself.
    fileprivate mutating func fill(from other: FeedMedia) {
        type = type ?? other.type
        medium = medium ?? other.medium
        alt = alt ?? other.alt
        preview = preview ?? other.preview
        width = width ?? other.width
        height = height ?? other.height
        seconds = seconds ?? other.seconds
        size = size ?? other.size
    }
}

/// Durations as podcasts write them: `3723`, `62:03`, `1:02:03`.
enum FeedDuration {
    static func seconds(_ text: String) -> Double? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard (1...3).contains(parts.count), text.utf8.count <= 24 else { return nil }
        var total = 0.0
        for part in parts {
            let digits = part.filter { $0 != " " }
            guard !digits.isEmpty, digits.utf8.allSatisfy({ $0 &- UInt8(ascii: "0") < 10 || $0 == UInt8(ascii: ".") }),
                let value = Double(String(digits))
            else { return nil }
            total = total * 60 + value
        }
        return total < 1e9 ? total : nil
    }
}
