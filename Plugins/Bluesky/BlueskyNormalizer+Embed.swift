import JSON
import SocialEvents

extension PostReader {
    private static let mostMedia = 100

    /// Reads what a record embeds: pictures, a film, a card of a page, a quoted post, or a quoted post with one of the others.
    mutating func embed(_ embed: JSONValue) {
        guard let type = embed["$type"] else { return lose("embed", .dropped, "it does not say its type") }
        if type.isString("app.bsky.embed.images") {
            pictures(embed["images"])
        } else if type.isString("app.bsky.embed.gallery") {
            pictures(embed["items"])
        } else if type.isString("app.bsky.embed.video") {
            video(embed)
        } else if type.isString("app.bsky.embed.external") {
            external(embed["external"])
        } else if type.isString("app.bsky.embed.record") {
            quoted(embed["record"])
        } else if type.isString("app.bsky.embed.recordWithMedia") {
            quoted(embed["record"]?["record"])
            if let media = embed["media"], media["record"] == nil { self.embed(media) }
        } else {
            lose("embed", .dropped, "of an unknown type")
        }
    }

    private mutating func pictures(_ images: JSONValue?) {
        guard let images else { return lose("embed.images", .dropped, "there are none") }
        var unreadable = 0
        for image in images.elements.prefix(Self.mostMedia) {
            guard let cid = Self.cid(image["image"]) else {
                unreadable += 1
                continue
            }
            var media = Media(.image)
            media.url = String(
                joining: "https://cdn.bsky.app/img/feed_fullsize/plain/",
                author,
                "/",
                cid,
                "@jpeg"
            )
            media.previewURL = String(
                joining: "https://cdn.bsky.app/img/feed_thumbnail/plain/",
                author,
                "/",
                cid,
                "@jpeg"
            )
            describe(image, blob: image["image"], &media)
            object.media.append(media)
        }
        if !object.media.isEmpty {
            lose("embed.images", .inferred, "their addresses are put together from their hashes")
        }
        if unreadable > 0 { lose("embed.images", .dropped, "\(unreadable) without a file") }
    }

    private mutating func video(_ embed: JSONValue) {
        guard let cid = Self.cid(embed["video"]) else { return lose("embed.video", .dropped, "without a file") }
        let isLoop = embed["presentation"]?.isString("gif") ?? false
        var media = Media(isLoop ? .animation : .video)
        media.url = String(joining: "https://video.bsky.app/watch/", author, "/", cid, "/playlist.m3u8")
        media.previewURL = String(joining: "https://video.bsky.app/watch/", author, "/", cid, "/thumbnail.jpg")
        describe(embed, blob: embed["video"], &media)
        object.media.append(media)
        lose("embed.video", .inferred, "its address is put together from its hash")
        if embed["captions"] != nil { lose("embed.captions", .dropped) }
    }

    /// The card of a page: what stands on it becomes a description of the page, which is told as a file.
    private mutating func external(_ card: JSONValue?) {
        guard let url = Self.url(card?["uri"]) else { return lose("embed.external", .dropped, "without an address") }
        var media = Media(.file, url: url)
        media.contentType = "text/html"
        if url.utf8.prefix(while: { $0 != UInt8(ascii: "?") }).suffix(4).elementsEqual(".gif".utf8) {
            media.kind = .animation
            media.contentType = "image/gif"
        }
        let title = Self.phrase(card?["title"])
        let description = Self.phrase(card?["description"])
        if let title, let description, title != description {
            media.alt = "\(title)\n\(description)"
        } else {
            media.alt = title ?? description
        }
        if let alt = media.alt, alt.utf8.count > EventLimits.phrase { media.alt = title }
        if let cid = Self.cid(card?["thumb"]) {
            media.previewURL = String(
                joining: "https://cdn.bsky.app/img/feed_thumbnail/plain/",
                author,
                "/",
                cid,
                "@jpeg"
            )
        }
        object.media.append(media)
        if card?["associatedRefs"] != nil { lose("embed.external.associatedRefs", .dropped) }
    }

    /// A quoted post; other records that can stand there are told by their page.
    private mutating func quoted(_ record: JSONValue?) {
        guard let uri = RecordURI(record?["uri"]) else { return lose("embed.record", .dropped, "without an address") }
        if uri.isPost {
            quoteOf = BlueskyID.reference(uri)
        } else if let page = BlueskyID.page(of: uri) {
            var media = Media(.file, url: page)
            media.contentType = "text/html"
            object.media.append(media)
        } else {
            lose("embed.record", .dropped, "a record of an unknown kind")
        }
    }

    private func describe(_ item: JSONValue, blob: JSONValue?, _ media: inout Media) {
        media.alt = Self.phrase(item["alt"])
        media.width = Self.size(item["aspectRatio"]?["width"])
        media.height = Self.size(item["aspectRatio"]?["height"])
        media.size = Self.size(blob?["size"])
        if let type = blob?["mimeType"]?.withUTF8({ $0.count <= 127 && $0.isClean ? $0 : nil }) ?? nil {
            media.contentType = String(decoding: type, as: UTF8.self)
        }
    }

    private static func size(_ value: JSONValue?) -> Int? {
        value?.int.flatMap { $0 > 0 ? $0 : nil }
    }

    /// Text for people, cut where it is too long; nil when it is empty.
    static func phrase(_ value: JSONValue?) -> String? {
        value?.withUTF8 { bytes -> String? in
            guard !bytes.isEmpty else { return nil }
            guard bytes.count > EventLimits.phrase else { return String(decoding: bytes, as: UTF8.self) }
            var end = EventLimits.phrase
            while end > 0, bytes[end] & 0xC0 == 0x80 { end -= 1 }
            return String(decoding: bytes[..<end], as: UTF8.self)
        } ?? nil
    }

    /// The hash that a blob is found by, in either of its forms.
    static func cid(_ blob: JSONValue?) -> Bytes? {
        guard let link = blob?["ref"]?["$link"] ?? blob?["cid"] else { return nil }
        return link.withUTF8 { bytes -> Bytes? in
            guard (8...200).contains(bytes.count) else { return nil }
            var isGood = true
            for byte in bytes {
                isGood = isGood && ((byte | 0x20) &- UInt8(ascii: "a") < 26 || byte &- UInt8(ascii: "0") < 10)
            }
            return isGood ? bytes : nil
        } ?? nil
    }

    // MARK: - Embeds as the AppView shows them

    /// Takes the addresses that the AppView gives, and the state of what is quoted.
    mutating func embed(view: JSONValue) {
        guard let type = view["$type"] else { return }
        if type.isString("app.bsky.embed.images#view") {
            addresses(view["images"], thumbnail: "thumb")
        } else if type.isString("app.bsky.embed.gallery#view") {
            addresses(view["items"], thumbnail: "thumbnail")
        } else if type.isString("app.bsky.embed.video#view") {
            guard let index = object.media.firstIndex(where: { $0.kind == .video || $0.kind == .animation }) else {
                return
            }
            if let url = Self.url(view["playlist"]) { object.media[index].url = url }
            if let url = Self.url(view["thumbnail"]) { object.media[index].previewURL = url }
            found("embed.video")
        } else if type.isString("app.bsky.embed.external#view") {
            guard let index = object.media.lastIndex(where: { $0.kind == .file || $0.kind == .animation }) else {
                return
            }
            if let url = Self.url(view["external"]?["thumb"]) { object.media[index].previewURL = url }
        } else if type.isString("app.bsky.embed.record#view") {
            quoted(view: view["record"])
        } else if type.isString("app.bsky.embed.recordWithMedia#view") {
            quoted(view: view["record"]?["record"])
            if let media = view["media"], media["record"] == nil { embed(view: media) }
        }
    }

    private mutating func addresses(_ images: JSONValue?, thumbnail: StaticString) {
        guard let images else { return }
        var index = object.media.startIndex
        for image in images.elements.prefix(Self.mostMedia) {
            guard index < object.media.endIndex, object.media[index].kind == .image else { return }
            if let url = Self.url(image["fullsize"]) { object.media[index].url = url }
            if let url = Self.url(image[thumbnail]) { object.media[index].previewURL = url }
            index += 1
        }
        found("embed.images")
    }

    /// Says that nothing had to be inferred after all.
    private mutating func found(_ field: String) {
        loss.removeAll { $0.field == field && $0.reason == .inferred }
    }

    private mutating func quoted(view: JSONValue?) {
        guard let view, let type = view["$type"] else { return }
        if type.isString("app.bsky.embed.record#viewNotFound") {
            lose("embed.record", .inferred, "the quoted post is gone")
            gone.append(view)
        } else if type.isString("app.bsky.embed.record#viewBlocked") {
            lose("embed.record", .dropped, "the quoted post is hidden from this account")
        } else if type.isString("app.bsky.embed.record#viewDetached") {
            lose("embed.record", .dropped, "the author of the quoted post detached it from this one")
        }
    }
}
