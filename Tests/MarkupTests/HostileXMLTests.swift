import Markup
import Testing

@Suite("XML from enemies")
struct HostileXMLTests {
    @Test("entities that refer to entities are not expanded, however small the document that bids for it")
    func entityBombs() throws {
        var document = "<!DOCTYPE r [<!ENTITY l0 \"lol\">"
        for level in 1...9 {
            document += "<!ENTITY l\(level) \"" + String(repeating: "&l\(level - 1);", count: 10) + "\">"
        }
        let (recorder, report) = try record(document + "]><r>&l9;&l0;</r>")
        #expect(recorder.lines == ["<r", "\"lol", ">r"])
        #expect(report.problems == [MarkupProblem(.refusedEntity, detail: "l9")])
    }

    @Test("one long entity used often stops at the limit of all expansions")
    func quadraticBlowup() throws {
        let document =
            "<!DOCTYPE r [<!ENTITY a \"" + String(repeating: "a", count: 1000) + "\">]><r>"
            + String(repeating: "&a;", count: 100_000) + "</r>"
        let (recorder, report) = try record(document)
        #expect(recorder.lines[1].utf8.count <= 256 * 1024 + 1)
        #expect(report.problems.contains(MarkupProblem(.refusedEntity, detail: "a")))
    }

    @Test("external entities and DTDs are never read, parameter entities neither")
    func externalEntities() throws {
        let (recorder, _) = try record(
            """
            <!DOCTYPE r PUBLIC "-//x" "file:///etc/passwd" [
            <!ENTITY % p SYSTEM "file:///etc/passwd"> %p; <!ENTITY x SYSTEM "file:///etc/passwd">
            <!ENTITY y PUBLIC "y" "http://127.0.0.1:1/"><!ENTITY z "plain > text"><!-- ]> -->
            <!ATTLIST r a CDATA "]>">]>
            <r a="&x;">&x;&y;&z;<i xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="/etc/passwd"/></i></r>
            """
        )
        #expect(
            recorder.lines == [
                "<r a=", "\"plain > text", "<i", "<?:include href=/etc/passwd", ">?:include", ">i", ">r",
            ]
        )
    }

    @Test("nesting of any depth is read in bounded memory and reported as deep as allowed")
    func nesting() throws {
        let count = 100_000
        let document = String(repeating: "<d>", count: count) + "x" + String(repeating: "</d>", count: count)
        for contents in [[:], ["d": XMLContent.markup]] {
            let (recorder, report) = try record(document, contents: contents)
            #expect(recorder.lines.filter { $0 == "<d" }.count == (contents.isEmpty ? 128 : 1))
            #expect(report.problems == [MarkupProblem(.tooDeep)])
            #expect(report.isTruncated)
        }
    }

    @Test("texts, captures and attributes stop at their limits, between characters")
    func limits() throws {
        var limits = XMLReader.Limits()
        limits.textBytes = 9
        limits.attributes = 2
        let text = try record("<r>éééééé&amp;é</r>", limits: limits)
        #expect(text.recorder.lines == ["<r", "\"éééé", ">r"])
        #expect(text.report.problems == [MarkupProblem(.textTooLong)] && text.report.isTruncated)
        let capture = try record("<r><b>1234</b><b/></r>", contents: ["r": .markup], limits: limits)
        #expect(capture.recorder.lines == ["<r", "\"<b>1234</", ">r"])
        #expect(capture.report.isTruncated)
        let attributes = try record("<r a='1' b='2' c='3'/>", limits: limits)
        #expect(attributes.recorder.lines == ["<r a=1 b=2", ">r"])
        #expect(attributes.report.problems == [MarkupProblem(.tooManyAttributes)])
    }

    @Test("the list of problems is bounded, without repetition and with short details")
    func problems() throws {
        var document = "<r>"
        for index in 0..<1000 { document += "&n\(index);&&</x\(index)>" }
        document += "</" + String(repeating: "y", count: 1000) + ">"
        let report = try record(document).report
        #expect(report.problems.count == 16)
        #expect(Set(report.problems).count == 16)
        let long = try record("<r></" + String(repeating: "y", count: 1000) + "></r>").report
        #expect(long.problems.map(\.detail.utf8.count) == [64])
    }

    @Test(
        "half a megabyte of what tempts a parser to go back is read in time proportional to its length",
        arguments: [
            "<!-- ", "<!-- >", "<?x >", "<![CDATA[", "<?x ", "<!DOCTYPE r [", "<a b=\"", "<a b='>", "</a", "&a", "&#1",
            "<a ",
            "<a xmlns:b='c'>",
            "<!ENTITY ", "<a/></b>", "]]>", "\r\u{1}",
        ]
    )
    func linearTime(piece: String) throws {
        let document = "<r>" + String(repeating: piece, count: (1 << 19) / piece.utf8.count)
        let time = try cpuSeconds { _ = try record(document) }
        // Debug builds take a quarter of a second; going back for each piece would take several, or hours.
        #expect(time < 2)
    }

    @Test("a tag of megabytes of attributes does not hold the parser up, and keeps the first of them")
    func attributes() throws {
        var document = "<r><e"
        for index in 0..<250_000 { document += " a\(index)='>'" }
        document += "/></r>"
        let time = try cpuSeconds {
            let (recorder, report) = try record(document)
            #expect(recorder.lines.count == 4 && recorder.lines[1].hasPrefix("<e a0=> a1=> "))
            #expect(report.problems == [MarkupProblem(.tooManyAttributes)])
        }
        // Comparing each with all before it takes half a minute.
        #expect(time < 10)
    }

    @Test("namespace declarations are bounded where they add up, not where they follow each other")
    func bindings() throws {
        let declaration = (0..<60).map { " xmlns:p\($0)='u'" }.joined()
        let nested = String(repeating: "<d\(declaration)>", count: 100) + String(repeating: "</d>", count: 100)
        #expect(try record(nested).report.problems == [MarkupProblem(.tooManyAttributes)])
        let flat = "<r>" + String(repeating: "<d\(declaration)/>", count: 100) + "</r>"
        #expect(try record(flat).report.problems.isEmpty)
        #expect(
            try record(flat + "<x>").report.problems == [
                .init(.contentAfterRoot), .init(.unclosedElement, detail: "x"),
            ]
        )
    }
}
