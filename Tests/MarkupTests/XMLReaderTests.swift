import Markup
import Testing

@Suite("XML")
struct XMLReaderTests {
    @Test("elements, attributes, texts and CDATA come in order, and each text in one piece")
    func order() throws {
        let (recorder, report) = try record(
            """
            <?xml version="1.0"?>
            <!-- a > b --><feed a="1" b='&lt;x&gt;&amp;lt;&#38;'> <title>A &amp; <![CDATA[<B>]]>&#33;</title><e/></feed>
            """
        )
        #expect(recorder.lines == ["<feed a=1 b=<x>&lt;&", "<title", "\"A & <B>!", ">title", "<e", ">e", ">feed"])
        #expect(report.problems.isEmpty && !report.isTruncated)
        #expect(recorder.sources[1] == "<e/>")
        #expect(recorder.sources[0] == "<title>A &amp; <![CDATA[<B>]]>&#33;</title>")
    }

    @Test(
        "ill-formed documents are read as far as they go, and the report says what was wrong",
        arguments: [
            ("<r>AT&T ?a=1&b=2</r>", ["<r", "\"AT&T ?a=1&b=2", ">r"], ["bareAmpersand"]),
            ("<r>1 < 2</r>", ["<r", "\"1 < 2", ">r"], ["bareLessThan"]),
            (
                "<r>&nbsp;&eacute;&zzz;</r>", ["<r", "\"\u{A0}é&zzz;", ">r"],
                ["htmlEntity: nbsp", "htmlEntity: eacute", "unknownEntity: zzz"]
            ),
            (
                "<r><i><b>x</i><i>y</i></r>", ["<r", "<i", "<b", "\"x", "~b", ">i", "<i", "\"y", ">i", ">r"],
                ["unclosedElement: b"]
            ),
            (
                "<r><i>a</b></i><i>b</i></j></r>", ["<r", "<i", "\"a", ">i", "<i", "\"b", ">i", ">r"],
                ["strayEndTag: b", "strayEndTag: j"]
            ),
            ("<r><i a=1 b>x</i></r>", ["<r", "<i a=1", "\"x", ">i", ">r"], ["malformedAttribute"]),
            (
                "<r><i a=\"1>x</i><i a=\"2\"/></r>", ["<r", "<i a=1", "\"x", ">i", "<i a=2", ">i", ">r"],
                ["malformedAttribute"]
            ),
            ("<r><i>x", ["<r", "<i", "\"x", "~i", "~r"], ["unclosedElement: i"]),
            ("<r><i x=", ["<r", "~r"], ["unterminatedTag", "unclosedElement: r"]),
            ("<r><![CDATA[x</r>", ["<r", "\"x</r>", "~r"], ["unterminatedTag", "unclosedElement: r"]),
            (
                "<r>a<!-- x</r><r>b</r>", ["<r", "\"a", "<r", "\"b", ">r", "~r"],
                ["unterminatedTag", "unclosedElement: r"]
            ),
            ("<r>a\u{1}\u{0}b</r>", ["<r", "\"ab", ">r"], ["controlCharacters"]),
            (" \n<r/>", ["<r", ">r"], []),
            ("oops <r/>", ["<r", ">r"], ["textBeforeRoot"]),
            ("<r/><s/>", ["<r", ">r", "<s", ">s"], ["contentAfterRoot"]),
            ("<R><Title>x</title></r>", ["<R", "<Title", "\"x", ">Title", ">R"], []),
            ("<r>&#0;&#xD800;&#146;&#x1F426;</r>", ["<r", "\"\u{FFFD}\u{FFFD}’🐦", ">r"], []),
        ] as [(String, [String], [String])]
    )
    func recovery(document: String, lines: [String], problems: [String]) throws {
        let (recorder, report) = try record(document)
        #expect(recorder.lines == lines)
        #expect(report.problems.map(\.description) == problems)
    }

    @Test("a document that ends too early, and only that, is reported as truncated")
    func truncation() throws {
        #expect(try record("<r><i>x").report.isTruncated)
        #expect(try !record("<r><i>x</r>").report.isTruncated)
    }

    @Test("namespaces are known by URI whatever the prefix, and by prefix where the declaration is missing")
    func namespaces() throws {
        let (recorder, report) = try record(
            """
            <feed xmlns="https://www.w3.org/2005/atom/" xmlns:p="http://www.itunes.com/DTDs/Podcast-1.0.dtd">
            <p:title p:k="v"/><itunes:x/><x xmlns=""/><dc:y/><q:z xmlns:q="urn:other"/></feed>
            """
        )
        #expect(
            recorder.lines == [
                "<0:feed", "<1:title p:k=v", ">1:title", "<1:x", ">1:x", "<x", ">x", "<?:y", ">?:y", "<?:z", ">?:z",
                ">0:feed",
            ]
        )
        #expect(report.problems.map(\.description) == ["undeclaredPrefix: itunes", "undeclaredPrefix: dc"])
    }

    @Test("names are told as the tokens of the vocabulary, in any case, and attributes are found by name")
    func tokens() throws {
        struct Tokens: XMLHandler {
            var seen: [Int] = []
            var values: [String?] = []
            mutating func start(_ element: XMLElement) -> XMLContent {
                seen.append(element.name.token)
                values.append(element.attributes["href"]?.string)
                values.append(element.attributes[XMLNamespace(rawValue: 0), "rel"]?.string)
                return .events
            }
            mutating func text(_ text: ByteView) {}
            mutating func end(_ element: XMLElementEnd) {}
        }
        var tokens = Tokens()
        let document = "<feed><pubDate HREF='a' atom:rel='b' rel='c'/><other/></feed>"
        _ = try XMLReader(vocabulary: Recorder.vocabulary).read(Array(document.utf8), into: &tokens)
        #expect(tokens.seen == [0, 2, -1])
        #expect(tokens.values == [nil, nil, "a", "b", nil, nil])
    }

    @Test("xml:base and xml:lang hold for an element and what is inside it, and no further")
    func scopes() throws {
        let (recorder, _) = try record(
            "<a xml:lang='en'><b xml:base='x/'><c xml:base='../y' xml:lang=''/></b><d/></a>",
            base: "http://h/p/q"
        )
        #expect(
            recorder.context == ["0 http://h/p/q en", "1 http://h/p/x/ en", "2 http://h/p/y -", "1 http://h/p/q en"]
        )
    }

    @Test(
        "content is delivered as asked: as markup, as HTML, not at all",
        arguments: [
            (
                XMLContent.markup, "<c><d>1 &lt; <h:b x='\"'>2</h:b><br/><a/></d></c>",
                ["<c", "\"<d>1 &lt; <b x=\"&quot;\">2</b><br><a></a></d>", ">c"]
            ),
            (.html, "<c>&lt;p>1<b>2</b><![CDATA[<i>]]></c>", ["<c", "\"<p>1<b>2</b><i>", ">c"]),
            (.html, "<c><![CDATA[<p>]]></c>", ["<c", "\"<p>", ">c"]),
            (.html, "<c></c>", ["<c", ">c"]),
            (.markup, "<c/>", ["<c", ">c"]),
            (.skip, "<c>x<c>y</c><d></c>", ["<c", ">c"]),
            (.stop, "<c>x<d/></c>", ["<c", "~c"]),
        ] as [(XMLContent, String, [String])]
    )
    func contents(content: XMLContent, document: String, lines: [String]) throws {
        #expect(try record(document, contents: ["c": content]).recorder.lines == lines)
        let after = try record("<r>\(document)<e/></r>", contents: ["c": content]).recorder.lines
        let isStopped: Bool = if case .stop = content { true } else { false }
        #expect(after == ["<r"] + lines + (isStopped ? ["~r"] : ["<e", ">e", ">r"]))
    }

    @Test("line ends become line feeds, and nothing else of the white space changes")
    func lineEnds() throws {
        #expect(try record("<r>a\r\nb\rc\n\td</r>").recorder.lines == ["<r", "\"a\nb\nc\n\td", ">r"])
    }

    @Test("what is no document is refused with the reason, before the handler hears of it")
    func refusals() throws {
        var limits = XMLReader.Limits()
        limits.bytes = 8
        #expect(throws: XMLReaderError.empty) { try record(" \n") }
        #expect(throws: XMLReaderError.empty) { try record("") }
        #expect(throws: XMLReaderError.notMarkup) { try record("{\"version\": 1}") }
        #expect(throws: XMLReaderError.tooLarge(limit: 8)) { try record("<r>12345</r>", limits: limits) }
    }
}
