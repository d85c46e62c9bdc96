import JSON

/// One page of a simulated feed, as bytes.
struct FeedDocument {
    let world: FeedWorld
    let channel: FeedChannel
    let page: Int
    /// Milliseconds since 1970.
    let now: Int64
    /// Scheme, host and port the simulator is reached at.
    let base: String

    func render() -> [UInt8] {
        switch channel {
        case .news: Array(atom().utf8)
        case .blog: Array(rss().utf8)
        case .notes: jsonFeed()
        }
    }

    private var indices: [Int] { world.indices(of: channel, page: page, at: now) }
    private var hasOlder: Bool { !world.indices(of: channel, page: page + 1, at: now).isEmpty }
    private var olderURL: String { "\(base)\(channel.path)?page=\(page + 1)" }

    private func id(_ index: Int) -> String { "tag:roost.example,2026:\(channel.rawValue):\(world.seed):\(index)" }
    private func url(_ index: Int) -> String { "\(base)/articles/\(index)" }

    private func atom() -> String {
        var xml = """
            <?xml version="1.0" encoding="utf-8"?>
            <feed xmlns="http://www.w3.org/2005/Atom" xmlns:at="http://purl.org/atompub/tombstones/1.0" xml:lang="en">
            <title>\(channel.title)</title><id>tag:roost.example,2026:\(channel.rawValue)</id>
            <link rel="self" href="\(base)\(channel.path)"/><link rel="alternate" href="\(base)/"/>
            <updated>\(FeedDates.rfc3339(world.lastChange(of: indices, by: now)))</updated>\n
            """
        if hasOlder { xml += "<link rel=\"prev-archive\" href=\"\(olderURL)\"/>\n" }
        for index in indices {
            if let article = world.article(index, at: now) {
                xml += """
                    <entry><id>\(id(index))</id><title>\(escape(article.title))</title><link href="\(url(index))"/>
                    <published>\(FeedDates.rfc3339(article.publishedAt))</published><updated>\(FeedDates.rfc3339(article.updatedAt))</updated>
                    <author><name>\(escape(article.author))</name></author>\(article.categories.map { "<category term=\"\($0)\"/>" }.joined())
                    <content type="html">\(escape(html(article)))</content></entry>\n
                    """
            } else if let at = world.withdrawal(of: index) {
                xml += "<at:deleted-entry ref=\"\(id(index))\" when=\"\(FeedDates.rfc3339(at))\"/>\n"
            }
        }
        return xml + "</feed>\n"
    }

    private func rss() -> String {
        var xml = """
            <?xml version="1.0" encoding="utf-8"?>
            <rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:atom="http://www.w3.org/2005/Atom" \
            xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel>
            <title>\(channel.title)</title><link>\(base)/</link><description>What happens on the quay.</description><language>en</language>
            <atom:link rel="self" href="\(base)\(channel.path)"/>\n
            """
        if hasOlder { xml += "<atom:link rel=\"prev-archive\" href=\"\(olderURL)\"/>\n" }
        for article in indices.compactMap({ world.article($0, at: now) }) {
            xml += """
                <item><guid isPermaLink="false">\(id(article.index))</guid><title>\(escape(article.title))</title><link>\(url(article.index))</link>
                <pubDate>\(FeedDates.rfc822(article.publishedAt))</pubDate><dc:creator>\(escape(article.author))</dc:creator>
                \(article.categories.map { "<category>\($0)</category>" }.joined())
                <description>\(escape(article.paragraphs[0]))</description>
                <content:encoded><![CDATA[\(html(article))]]></content:encoded></item>\n
                """
        }
        return xml + "</channel></rss>\n"
    }

    private func jsonFeed() -> [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        json.member("version", "https://jsonfeed.org/version/1.1")
        json.member("title", channel.title)
        json.member("home_page_url", base + "/")
        json.member("feed_url", base + channel.path)
        json.member("language", "en")
        if hasOlder { json.member("next_url", olderURL) }
        json.key("items")
        json.beginArray()
        for article in indices.compactMap({ world.article($0, at: now) }) {
            json.beginObject()
            json.member("id", id(article.index))
            json.member("url", url(article.index))
            json.member("title", article.title)
            json.member("content_html", html(article))
            json.member("date_published", FeedDates.rfc3339(article.publishedAt))
            if article.revision > 0 { json.member("date_modified", FeedDates.rfc3339(article.updatedAt)) }
            json.key("authors")
            json.beginArray()
            json.beginObject()
            json.member("name", article.author)
            json.endObject()
            json.endArray()
            json.key("tags")
            json.beginArray()
            for category in article.categories { json.string(category) }
            json.endArray()
            json.endObject()
        }
        json.endArray()
        json.endObject()
        return json.bytes
    }

    private func html(_ article: FeedWorld.Article) -> String {
        article.paragraphs.map { "<p>\(escape($0))</p>" }.joined(separator: "\n")
    }

    private func escape(_ text: String) -> String {
        var escaped = ""
        for character in text.unicodeScalars {
            switch character {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            default: escaped.unicodeScalars.append(character)
            }
        }
        return escaped
    }
}
