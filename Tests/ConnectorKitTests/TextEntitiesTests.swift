import ConnectorKit
import SocialEvents
import Testing

@Suite("Entities of a text")
struct TextEntitiesTests {
    /// Each entity as the text it marks, with its kind: `#tag`, `@name`, `$TICKER`, `link`.
    func marked(_ text: String) -> [String] {
        TextEntities.extract(from: text).map { slice(text, $0) }
    }

    func slice(_ text: String, _ entity: Entity) -> String {
        let scalars = Array(text.unicodeScalars)
        var slice = String.UnicodeScalarView()
        slice.append(contentsOf: scalars[entity.start..<entity.end])
        return String(slice)
    }

    @Test(
        "hashtags of all scripts are found",
        arguments: [
            ("#a", ["#a"]), ("see #Swift, and #Linux.", ["#Swift", "#Linux"]), ("#été #naïve", ["#été", "#naïve"]),
            ("#日本語 です", ["#日本語"]),
            ("＃日本", ["＃日本"]), ("#привет_мир!", ["#привет_мир"]), ("#हिन्दी", ["#हिन्दी"]), ("#عربي", ["#عربي"]),
            ("#2026年", ["#2026年"]),
            ("#3d", ["#3d"]), ("#_a", ["#_a"]), ("(#a)", ["#a"]), ("#a#b", ["#a"]), ("##a", ["#a"]),
            ("❤️#tag", ["#tag"]), ("#l·l", ["#l·l"]),
            ("#ドラゴン・クエスト", ["#ドラゴン・クエスト"]), ("#a·", ["#a"]), ("#می‌خواهم", ["#می‌خواهم"]), ("#a👍", ["#a"]),
            ("#e\u{301}t", ["#e\u{301}t"]),
        ]
    )
    func hashtags(text: String, expected: [String]) {
        #expect(marked(text) == expected)
    }

    @Test(
        "what only looks like a hashtag is none",
        arguments: [
            "#", "##", "#1", "#123", "#1️⃣", "#️⃣", "a#b", "5#b", "é#b", "日本#b", "_#b", "&#39;", "&#x27;", "# a", "#-a",
            "#👍", "example.org/#a", "#_",
            "#\u{301}",
        ]
    )
    func notHashtags(text: String) {
        #expect(marked(text) == [])
    }

    @Test(
        "mentions are found, with and without a host",
        arguments: [
            ("@ann", ["@ann"]), ("hi @ann, @bob.", ["@ann", "@bob"]), ("@ann@social.example!", ["@ann@social.example"]),
            (".@ann says", ["@ann"]),
            ("@ann.bsky.social.", ["@ann.bsky.social"]), ("@a_b-c.d", ["@a_b-c.d"]), ("(@ann)", ["@ann"]),
            ("@annさん", ["@ann"]), ("こんにちは@ann", ["@ann"]),
            ("＠ann", ["＠ann"]), ("@ann's", ["@ann"]), ("@ann@bücher.example", ["@ann@bücher.example"]),
            ("@ann@a.b-c.example: x", ["@ann@a.b-c.example"]),
            ("@1234", ["@1234"]), ("RT @ann: x", ["@ann"]), ("@ann@例え.jp", ["@ann@例え.jp"]),
        ]
    )
    func mentions(text: String, expected: [String]) {
        #expect(marked(text) == expected)
    }

    @Test(
        "what only looks like a mention is none",
        arguments: [
            "@", "@@", "@ ann", "ann@example.org", "é@ann", "@-ann", "@josé", "@ann@", "@ann@host", "@ann@1.2.3.4",
            "example.org/@ann", "@@ann", "#@ann", "@.",
            "a.b+@ann", "@ann@-.x",
        ]
    )
    func notMentions(text: String) {
        #expect(marked(text) == [])
    }

    @Test(
        "cashtags are found",
        arguments: [
            ("$AAPL", ["$AAPL"]), ("buy $aapl, $TSLA.", ["$aapl", "$TSLA"]), ("($BRK.A)", ["$BRK.A"]),
            ("$BRK.A.", ["$BRK.A"]), ("$BT.ABC", ["$BT"]),
        ]
    )
    func cashtags(text: String, expected: [String]) {
        #expect(marked(text) == expected)
    }

    @Test(
        "what only looks like a cashtag is none",
        arguments: [
            "$", "$5", "$$", "US$AAPL", "$TOOLONGX", "$PATH/bin", "$x=1", "$é", "$AB1", "\\$AB", "$$AB", "$f(x)",
            "$AAPL$",
        ]
    )
    func notCashtags(text: String) {
        #expect(marked(text) == [])
    }

    @Test(
        "links end where a reader would end them",
        arguments: [
            ("https://example.org", "https://example.org"), ("see https://example.org.", "https://example.org"),
            ("https://example.org/a?b=c&d=e#f!", "https://example.org/a?b=c&d=e#f"),
            ("(https://example.org/a)", "https://example.org/a"),
            ("https://en.wikipedia.org/wiki/A_(b)", "https://en.wikipedia.org/wiki/A_(b)"),
            ("(https://en.wikipedia.org/wiki/A_(b))", "https://en.wikipedia.org/wiki/A_(b)"),
            ("[https://a.example/x]", "https://a.example/x"),
            ("https://a.example/x[1]", "https://a.example/x[1]"), ("<https://a.example/x>", "https://a.example/x"),
            ("\"https://a.example/x\"", "https://a.example/x"), ("‘https://a.example/x’", "https://a.example/x"),
            ("“https://a.example/x”,", "https://a.example/x"), ("https://a.example/x...", "https://a.example/x"),
            ("https://a.example/x…", "https://a.example/x"),
            ("HTTP://EXAMPLE.ORG/A", "HTTP://EXAMPLE.ORG/A"),
            ("https://bücher.example/ä?ö=ü", "https://bücher.example/ä?ö=ü"),
            ("https://日本語.jp/", "https://日本語.jp/"), ("https://пример.рф/путь", "https://пример.рф/путь"),
            ("見てhttps://example.jp/aを", "https://example.jp/a"),
            ("https://example.jpを見て", "https://example.jp"), ("https://example.jp/を見て", "https://example.jp/"),
            ("https://ja.wikipedia.org/wiki/日本_語。", "https://ja.wikipedia.org/wiki/日本_語"),
            ("https://example.jp/a。次", "https://example.jp/a"),
            ("「https://example.jp/a」", "https://example.jp/a"), ("http://localhost:9300/x", "http://localhost:9300/x"),
            ("http://[::1]:80/x", "http://[::1]:80/x"),
            ("http://127.0.0.1/", "http://127.0.0.1/"), ("https://a.example:8080", "https://a.example:8080"),
            ("https://a.example: x", "https://a.example"),
            ("https://a.example/#tag", "https://a.example/#tag"),
            ("https://m.example/@ann@b.example", "https://m.example/@ann@b.example"),
            ("https://a.example/?", "https://a.example/"), ("https://a.example?x=1", "https://a.example?x=1"),
            ("https://a.example/x\u{3000}次", "https://a.example/x"),
            ("https://a.example/👍", "https://a.example/"), ("https://a.example/%F0%9F", "https://a.example/%F0%9F"),
            ("https://a.example/x\nnext", "https://a.example/x"), ("https://a.example/it's", "https://a.example/it's"),
            ("https://a.example/x'", "https://a.example/x"),
            (
                "https://web.archive.org/web/2026/https://b.example/",
                "https://web.archive.org/web/2026/https://b.example/"
            ),
        ]
    )
    func links(text: String, expected: String) {
        let entities = TextEntities.extract(from: text)
        #expect(entities.count == 1)
        #expect(entities.first?.kind == .link)
        #expect(entities.first?.url == expected)
        #expect(entities.first.map { slice(text, $0) } == expected)
    }

    @Test(
        "what only looks like a link is none",
        arguments: [
            "http://", "https:///x", "://", "http:/a.b", "xhttps://example.org", "ftp://example.org", "https://nodot/",
            "https://.example", "www.example.org",
            "https://u:p@example.org/", "https://u@example.org", "https://[zz]/", "http://-", "https://😀.example",
        ]
    )
    func notLinks(text: String) {
        #expect(marked(text) == [])
    }

    @Test("entities of all kinds come in order, with offsets in scalars and values without signs")
    func together() {
        let text = "👩‍👩‍👧 é @ann@b.example said #日本 costs $AAPL at https://x.example/1#y 🎉"
        let entities = TextEntities.extract(from: text)
        #expect(entities.map(\.kind) == [.mention, .hashtag, .cashtag, .link])
        #expect(entities.map { slice(text, $0) } == ["@ann@b.example", "#日本", "$AAPL", "https://x.example/1#y"])
        #expect(entities.map(\.value) == ["ann@b.example", "日本", "AAPL", nil])
        #expect(entities.map(\.url) == [nil, nil, nil, "https://x.example/1#y"])
    }

    @Test("the number of entities is bounded")
    func limit() {
        #expect(TextEntities.extract(from: String(repeating: "#a ", count: 50), limit: 10).count == 10)
        #expect(TextEntities.extract(from: String(repeating: "#a ", count: 12_000)).count == EventLimits.entities)
    }

    @Test("what is too long for an event is no entity")
    func tooLong() {
        let long = String(repeating: "a", count: 70_000)
        #expect(marked("#\(long) @\(long) https://x.example/\(long) #b") == ["#b"])
    }

    @Test("offsets always slice the text to what is claimed, in order and apart", arguments: 0..<8)
    func property(seed: UInt64) {
        var random = SplitMix(state: seed)
        let pieces = [
            "#", "＃", "@", "＠", "$", "http", "https", "://", ":", "/", ".", "a", "B", "9", "_", "-", " ", "\n", "é",
            "e\u{301}", "日", "を", "。", "👍", "👩‍👧",
            "❤️", "(", ")", "[", "]", "example.org", "x.jp", "@ann@b.example", "#tag", "?", "=", "&", "%", "'", "\"",
            "\u{200D}", "・", "ß", "ا", "हि", "\u{0}", "ﬀ",
        ]
        for _ in 0..<400 {
            let text = (0..<Int.random(in: 0...40, using: &random)).map { _ in
                pieces.randomElement(using: &random) ?? ""
            }.joined()
            var end = 0
            for entity in TextEntities.extract(from: text) {
                #expect(
                    entity.start >= end && entity.end > entity.start && entity.end <= text.unicodeScalars.count,
                    "\(text)"
                )
                end = entity.end
                let slice = slice(text, entity)
                switch entity.kind {
                case .link:
                    #expect(entity.url == slice)
                    #expect(WebAddress.isValid(slice), "\(slice) in \(text)")
                case .hashtag, .mention, .cashtag:
                    let value = entity.value ?? ""
                    #expect(!value.isEmpty)
                    #expect(Array(slice.unicodeScalars.dropFirst()) == Array(value.unicodeScalars))
                case .emoji: Issue.record("an emoji in \(text)")
                }
            }
        }
    }

    @Test(
        "hostile text takes time linear in its length",
        .timeLimit(.minutes(1)),
        arguments: [
            "#", "@", "$", ":", "/", "://", "http://", "https://a", "https://a.", "@a@", "@a.", "@a@b.", "@a@b.c", "#1",
            "#a", "(", "https://a.b/(", "$A",
            "http://a.b/:", "＃", "#·a", "@a-", "[", "http://[", "http://[:", "h", "ht", "\u{301}", "https://a.b/.",
            "&#", "http://x@",
        ]
    )
    func hostile(piece: String) {
        let text = String(repeating: piece, count: 100_000 / piece.utf8.count)
        #expect(TextEntities.extract(from: text).count <= EventLimits.entities)
    }
}

/// The generator of the same name by Steele, Lea and Flood: small, and the same everywhere.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
