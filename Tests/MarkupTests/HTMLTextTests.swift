import Markup
import Testing

@Suite("Plain text from HTML")
struct HTMLTextTests {
    @Test(
        "keeps words and line breaks and nothing else",
        arguments: [
            ("just  words\n here ", "just words here"), ("a<br>b<br/>c", "a\nb\nc"), ("a<br><br><br>b", "a\n\nb"),
            ("<p>a</p>\n<p>b</p>", "a\n\nb"),
            ("<div>a</div><div>b</div>", "a\nb"), ("<div><div>a</div></div><div>b", "a\nb"),
            ("x<p>y</p>z", "x\n\ny\n\nz"),
            ("<ul><li>a</li><li>b <b>c</b></li></ul>d", "- a\n- b c\n\nd"), ("<ul>\n<li>\n<p>a</p></li></ul>", "- a"),
            ("<h1>T</h1>x", "T\n\nx"), ("a <b> b </b> c", "a b c"), ("<b>a</b><i>b</i>", "ab"),
            ("a&nbsp;&nbsp;b\u{A0}", "a b"),
            ("&lt;b&gt; &amp;amp; &eacute;&#8217;&#x1F426;&#146;", "<b> &amp; é’🐦’"),
            ("&copy 2020 &notin; &notit; AT&T", "© 2020 ∉ ¬it; AT&T"),
            ("<script>x</script>a<style>y</style><!-- z --><title>t</title><head></head>b", "ab"),
            ("<img src=x alt='a cat'> sits", "a cat sits"), ("see <a href='http://e.x'>this</a>.", "see this."),
            ("<pre>a\n  b</pre>c", "a\n  b\n\nc"),
            ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
            ("<video>no video</video>x<audio>no</audio>", "x"), ("<noscript>n</noscript>x", "x"),
            ("<blockquote>q</blockquote>r", "q\n\nr"),
            ("", ""), (" \n ", ""), ("<p></p>", ""), ("a<hr>b", "a\nb"), ("日本<br>語", "日本\n語"),
        ]
    )
    func plain(html: String, expected: String) {
        #expect(HTMLText.plain(from: html) == expected)
    }

    @Test(
        "references are resolved in text without tags, and all else stays",
        arguments: [
            ("Tom &amp; Jerry", "Tom & Jerry"), ("&lt;b&gt;", "<b>"), ("a  b\n<i>", "a  b\n<i>"),
            ("&unknown; & &", "&unknown; & &"),
            ("&#39;&apos;&quot;", "''\""), ("&#0;&#x110000;&#xDFFF;", "\u{FFFD}\u{FFFD}\u{FFFD}"),
            ("&#;&#x;&", "&#;&#x;&"), ("", ""),
            ("&Eacute;&eacute;&EACUTE;", "Éé&EACUTE;"), ("&amp;lt;", "&lt;"),
        ]
    )
    func entities(text: String, expected: String) {
        #expect(HTMLText.decodeEntities(text) == expected)
    }

    @Test("links are listed with the place of their words, counted in Unicode scalars")
    func links() throws {
        let fragment = HTMLReader().read(
            "🐦é <p>x</p> <ul><li><a href='/1'>one <b>e\u{301}</b> </a></li></ul> <a href=http://h/><img src=i></a><a href=tel:1>t",
            base: "https://e.org/d/"
        )
        #expect(fragment.links.map(\.url) == ["https://e.org/1", "http://h/", "tel:1"])
        let scalars = Array(fragment.text.unicodeScalars)
        let words = fragment.links.map { link in
            var word = String.UnicodeScalarView()
            word.append(contentsOf: scalars[link.range])
            return String(word)
        }
        #expect(words == ["one e\u{301}", "", "t"])
    }

    @Test("pictures, sound, video and frames are listed with their descriptions")
    func media() {
        let fragment = HTMLReader().read(
            """
            <img src=a alt=' A "b" '><img src=data:x alt=no><video src=v poster=p><source src=w></video>
            <audio><source src=s></audio><iframe src='https://v.example/1'></iframe><source src=lost>
            """,
            base: "https://e.org/"
        )
        #expect(
            fragment.media == [
                .init(kind: .image, url: "https://e.org/a", alt: "A \"b\""),
                .init(kind: .image, url: "https://e.org/p"),
                .init(kind: .video, url: "https://e.org/v"), .init(kind: .video, url: "https://e.org/w"),
                .init(kind: .audio, url: "https://e.org/s"), .init(kind: .embed, url: "https://v.example/1"),
            ]
        )
    }

    @Test("only what is asked for is made, and a reader forgets the piece before")
    func options() {
        var options = HTMLReader.Options()
        options.html = false
        let reader = HTMLReader(options: options)
        let html = "<pre>x<video><a href=y>z<ul><li>"
        let first = reader.read(html)
        #expect(first.html.isEmpty && first.text == "x" && first.links.count == 1)
        #expect(reader.read("a  b").text == "a b")
        #expect(reader.read(html) == first)
        options.text = false
        options.links = false
        #expect(HTMLReader(options: options).read(html) == HTMLFragment())
    }

    @Test("What has to be escaped is, wherever it stands", arguments: 0...24)
    func escapes(place: Int) {
        let reader = HTMLReader()
        let before = String(repeating: "a", count: place)
        for byte in UInt8(0x20)...0xFF {
            let character = String(Unicode.Scalar(byte))
            let (written, escaped) =
                switch character {
                case "&": ("&amp;", "&amp;")
                case "<": ("&lt;", "&lt;")
                case ">": (">", "&gt;")
                case "\"": ("\"", "&quot;")
                case "\u{7F}": ("\u{7F}", "")
                default: (character, character)
                }
            let html = reader.read("<b>\(before)\(written)zzzzzzzzz\(written)</b>").html
            #expect(html == "<b>\(before)\(escaped)zzzzzzzzz\(escaped)</b>")
        }
    }

    @Test("bytes that are not UTF-8 become U+FFFD before anything else, also where links are counted")
    func brokenBytes() {
        let bytes = [0x80] + Array("<b>".utf8) + [0xC3] + Array("</b><a href=x>l".utf8)
        let fragment = bytes.withUnsafeBufferPointer { HTMLReader().read(ByteView($0)) }
        #expect(fragment.html.hasPrefix("\u{FFFD}<b>\u{FFFD}</b><a "))
        #expect(fragment.text == "\u{FFFD}\u{FFFD}l")
        #expect(fragment.links.map(\.range) == [2..<3])
    }

    @Test("readers may be used from many tasks at once, each its own")
    func concurrency() async throws {
        let texts = try await withThrowingTaskGroup(of: (String, Int).self) { group in
            for task in 0..<8 {
                group.addTask {
                    let reader = HTMLReader()
                    var text = ""
                    var problems = 0
                    for _ in 0..<50 {
                        text = reader.read("<p>\(task)<script>x</script> &eacute;").text
                        problems = try record("<r>\(task)&eacute;</i></r>").report.problems.count
                    }
                    return (text, problems)
                }
            }
            return try await group.reduce(into: [(String, Int)]()) { $0.append($1) }
        }
        #expect(texts.map(\.0).sorted() == (0..<8).map { "\($0) é" })
        #expect(texts.allSatisfy { $0.1 == 2 })
    }
}
