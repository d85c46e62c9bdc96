/// Feeds made up for measuring: shaped like those of blogs and news sites, the same in every run.
struct FeedSamples {
    /// Words of the languages that feeds are written in, so that not everything is ASCII.
    private static let words = [
        "the", "of", "release", "river", "market", "über", "façade", "window", "people", "city", "data", "garden",
        "naïve",
        "station", "winter", "journal", "bridge", "music", "théâtre", "open", "source", "server", "harbour", "morning",
        "council", "voters", "weather", "forest", "engine", "paper", "question", "answer", "été", "straße", "history",
    ]

    private var state: UInt64

    init(seed: UInt64) {
        state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1
    }

    private mutating func number(below limit: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(state >> 33) % limit
    }

    private mutating func sentence(_ count: Int) -> String {
        var text = ""
        for index in 0..<count {
            if index > 0 { text += " " }
            text += Self.words[number(below: Self.words.count)]
        }
        return text
    }

    /// HTML of about 200 bytes, with what authors put into it.
    private mutating func html(_ entry: Int) -> String {
        var html = "<p>\(sentence(9)) <a href=\"https://example.org/links/\(entry)?a=1&amp;b=2\">\(sentence(2))</a>"
        html += " <em>\(sentence(2))</em> \(sentence(2)).</p>\n"
        if entry % 3 == 0 {
            html +=
                "<p><img src=\"/images/\(entry).jpg\" alt=\"\(sentence(3))\" class=\"wide\" onload=\"track()\"/></p>\n"
        }
        return html + "<p>\(sentence(4)) &#8211; \(sentence(2))&hellip;</p>"
    }

    /// A feed of so many entries, about 33 KB for 50: two of three are RSS, one is Atom.
    mutating func feed(_ index: Int, entries: Int = 50) -> [UInt8] {
        var text = ""
        text.reserveCapacity(entries * 800)
        let isAtom = index % 3 == 2
        text += isAtom ? Self.atomHead(index) : Self.rssHead(index)
        for entry in (0..<entries).reversed() {
            text += isAtom ? atomEntry(index, entry) : item(index, entry, isEscaped: index % 3 == 0)
        }
        text += isAtom ? "</feed>\n" : "</channel>\n</rss>\n"
        return Array(text.utf8)
    }

    private static func rssHead(_ index: Int) -> String {
        """
        <?xml version="1.0" encoding="UTF-8"?>
        <rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/"
          xmlns:atom="http://www.w3.org/2005/Atom">
        <channel>
          <title>Blog \(index)</title>
          <atom:link href="https://blog\(index).example.org/feed" rel="self" type="application/rss+xml"/>
          <link>https://blog\(index).example.org/</link>
          <description>Words from blog \(index)</description>
          <language>en-GB</language>

        """
    }

    private static func atomHead(_ index: Int) -> String {
        """
        <?xml version="1.0" encoding="utf-8"?>
        <feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en">
          <title>Blog \(index)</title>
          <link rel="self" href="https://blog\(index).example.org/atom"/>
          <link href="https://blog\(index).example.org/"/>
          <id>tag:blog\(index).example.org,2026:feed</id>
          <updated>2026-05-01T12:00:00Z</updated>

        """
    }

    private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    private mutating func item(_ feed: Int, _ entry: Int, isEscaped: Bool) -> String {
        let html = html(entry)
        let content =
            isEscaped
            ? "<description>" + Self.escaped(html) + "</description>"
            : "<content:encoded><![CDATA[\(html)]]></content:encoded>"
        return """
              <item>
                <title>\(sentence(6)) &amp; \(entry)</title>
                <link>https://blog\(feed).example.org/posts/\(entry)</link>
                <dc:creator>Author \(entry % 7)</dc:creator>
                <pubDate>Fri, 01 May 2026 \(Self.two(entry % 24)):\(Self.two(entry % 60)):00 +0000</pubDate>
                <category>\(sentence(1))</category>
                <guid isPermaLink="false">https://blog\(feed).example.org/?p=\(entry)</guid>
                \(content)
              </item>

            """
    }

    private mutating func atomEntry(_ feed: Int, _ entry: Int) -> String {
        """
          <entry>
            <title>\(sentence(6)) \(entry)</title>
            <link href="https://blog\(feed).example.org/posts/\(entry)"/>
            <id>tag:blog\(feed).example.org,2026:\(entry)</id>
            <published>2026-05-01T\(Self.two(entry % 24)):\(Self.two(entry % 60)):00Z</published>
            <updated>2026-05-01T\(Self.two(entry % 24)):\(Self.two(entry % 60)):30Z</updated>
            <author><name>Author \(entry % 7)</name></author>
            <category term="\(sentence(1))"/>
            <content type="html">\(Self.escaped(html(entry)))</content>
          </entry>

        """
    }

    private static func escaped(_ html: String) -> String {
        var text = ""
        text.reserveCapacity(html.utf8.count + 100)
        for character in html.unicodeScalars {
            switch character {
            case "&": text += "&amp;"
            case "<": text += "&lt;"
            case ">": text += "&gt;"
            default: text.unicodeScalars.append(character)
            }
        }
        return text
    }
}
