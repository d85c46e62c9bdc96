import Markup
import SocialEvents

extension FeedNormalizer {
    // MARK: - Media

    func setMedia(_ entry: FeedEntry, _ object: inout SocialObject) {
        guard !entry.media.isEmpty else { return }
        // What the entry lists goes before the pictures inside its text.
        let inline = object.media
        object.media = []
        for media in entry.media {
            guard let converted = convert(media, seconds: entry.seconds) else { continue }
            object.media.append(converted)
        }
        for media in inline where !object.media.contains(where: { $0.url == media.url || $0.previewURL == media.url }) {
            object.media.append(media)
        }
    }

    private func convert(_ media: FeedMedia, seconds: Double?) -> Media? {
        let url = webAddress(media.url)
        let preview = webAddress(media.preview)
        guard url != nil || preview != nil else { return nil }
        let kind = kind(of: media)
        var result = Media(kind, url: url)
        result.contentType = media.type.flatMap { $0.utf8.count <= 127 ? $0.lowercased() : nil }
        result.alt = media.alt.flatMap { plainWord($0, longest: Self.longestWord.title) }
        result.previewURL = preview
        result.width = media.width.flatMap { $0 > 0 ? $0 : nil }
        result.height = media.height.flatMap { $0 > 0 ? $0 : nil }
        result.size = media.size.flatMap { $0 > 0 ? $0 : nil }
        if let seconds = media.seconds ?? (kind == .audio || kind == .video ? seconds : nil), seconds > 0, seconds < 1e9
        {
            result.durationMilliseconds = Int(seconds * 1000)
        }
        return result
    }

    private func kind(of media: FeedMedia) -> Media.Kind {
        if let kind = Self.kind(named: media.medium) ?? Self.kind(named: media.type) { return kind }
        let path = (media.url ?? "").prefix { $0 != "?" && $0 != "#" }
        guard let dot = path.lastIndex(of: "."), path[dot...].utf8.count <= 6 else { return .file }
        switch path[path.index(after: dot)...].lowercased() {
        case "jpg", "jpeg", "png", "webp", "avif", "svg", "gif": return .image
        case "mp3", "m4a", "ogg", "oga", "opus", "wav", "flac", "aac": return .audio
        case "mp4", "m4v", "mov", "webm", "mkv", "ogv": return .video
        default: return .file
        }
    }

    /// The kind by a medium (`video`) or a media type (`video/mp4`).
    private static func kind(named name: String?) -> Media.Kind? {
        guard let name else { return nil }
        if name.hasPrefix("image") { return .image }
        if name.hasPrefix("audio") { return .audio }
        if name.hasPrefix("video") { return .video }
        if name == "document" || name == "executable" || name.hasPrefix("text/") || name == "application/pdf" {
            return .file
        }
        return nil
    }

    /// A picture or the like from inside the text.
    ///
    /// Pictures with an empty description are decoration, and WordPress draws its emoji.
    func add(_ media: HTMLFragment.Media, to object: inout SocialObject) {
        guard media.alt != "", !Self.isEmoji(media.url), let url = webAddress(media.url),
            !object.media.contains(where: { $0.url == url })
        else { return }
        var result: Media
        switch media.kind {
        case .image: result = Media(.image, url: url)
        case .video: result = Media(.video, url: url)
        case .audio: result = Media(.audio, url: url)
        case .embed:
            result = Media(.file, url: url)
            result.contentType = "text/html"
        }
        result.alt = media.alt.flatMap { plainWord($0, longest: Self.longestWord.title) }
        object.media.append(result)
    }

    /// WordPress serves its emoji from `s.w.org/images/core/emoji/`.
    private static func isEmoji(_ url: String) -> Bool {
        url.hasPrefix("https://s.w.org/images/core/emoji/") || url.hasPrefix("http://s.w.org/images/core/emoji/")
    }

    // MARK: - Threads

    /// Says what the entry answers: by the feed's own word (RFC 4685), or, in a WordPress comment feed, by its address.
    func setThread(
        _ entry: FeedEntry,
        _ context: DocumentContext,
        _ object: inout SocialObject,
        _ data: inout EventData
    ) {
        let commentID = entry.id.flatMap(Self.commentedID)
        if let reply = entry.inReplyTo {
            object.kind = commentID == nil ? .reply : .comment
            data.inReplyTo = Reference(id: reply.id.map { identity.entry($0) }, url: webAddress(reply.url))
        } else if let commentID {
            object.kind = .comment
            let page = object.url.map { url in String(url.prefix { $0 != "#" }) }
            data.inReplyTo = Reference(id: identity.entry(commentID), url: page)
            data.loss.append(Loss("in_reply_to", .inferred, "the feed does not say which comment is answered"))
        } else if context.isMyBB {
            object.kind = .topic
        }
        if let commentID { data.conversation = identity.entry(commentID) }
    }

    /// The id of the post that `https://example.org/?p=1#comment-2` is a comment on.
    static func commentedID(_ id: String) -> String? {
        let bytes = id.utf8
        guard let last = bytes.last, last &- UInt8(ascii: "0") < 10, let hash = bytes.lastIndex(of: UInt8(ascii: "#")),
            hash > id.startIndex
        else { return nil }
        let fragment = bytes[bytes.index(after: hash)...]
        guard fragment.starts(with: "comment-".utf8), fragment.count > 8,
            fragment.dropFirst(8).allSatisfy({ $0 &- UInt8(ascii: "0") < 10 })
        else { return nil }
        return String(id[..<hash])
    }

    // MARK: - Addresses

    /// An `http` or `https` address fit for an event; nil for others, such as `javascript:`, and for overlong ones.
    func webAddress(_ text: String?) -> String? {
        guard var text, text.utf8.count <= Self.longestAddress else { return nil }
        let isGood = text.withUTF8 { bytes in
            let view = ByteView(bytes)
            return view.isWebAddress && bytes.count > 8 && !bytes.contains { $0 <= 0x20 || $0 == 0x7F }
        }
        if isGood { return text }
        guard text.utf8.contains(0x20) else { return nil }
        // Spaces are common in file names that nobody escaped.
        var escaped = ""
        for character in text.unicodeScalars {
            if character == " " { escaped += "%20" } else { escaped.unicodeScalars.append(character) }
        }
        return webAddress(escaped)
    }

    // MARK: - Edits

    /// A digest of what a reader would call an edit: words, links, media, author, tags.
    ///
    /// Not white space, counts, dates, styling, or the query of a picture's address, which carries signatures that
    /// change from fetch to fetch.
    func digest(_ object: SocialObject, _ data: EventData) -> UInt64 {
        var hasher = FeedHasher()
        hasher.combine(tidy: object.title)
        // The HTML reader leaves single spaces; plain text comes as its author spaced it.
        if object.html != nil { hasher.combine(tidy: object.text) } else { hasher.combine(object.text) }
        hasher.combine(tidy: object.url)
        hasher.combine(tidy: data.actor?.name)
        for tag in object.tags { hasher.combine(tidy: tag) }
        for entity in object.entities { hasher.combine(tidy: entity.url) }
        for media in object.media {
            guard var url = media.url ?? media.previewURL else { continue }
            url.withUTF8 { bytes in
                let end = bytes.firstIndex(of: UInt8(ascii: "?")) ?? bytes.count
                hasher.combine(UnsafeBufferPointer(rebasing: bytes[..<end]))
            }
            hasher.combine(tidy: media.alt)
        }
        return hasher.value
    }
}
