import ConnectorKit
import HTTPTypes
import Testing

@Suite("Link headers")
struct LinkHeaderTests {
    let base = "https://example.org/api/v1/timelines/home?limit=40"

    @Test("Mastodon's next and previous pages are found")
    func mastodon() {
        let headers: HTTPFields = [
            .link:
                #"<https://m.example/api/v1/timelines/home?max_id=109>; rel="next", <https://m.example/api/v1/timelines/home?since_id=110>; rel="prev""#
        ]
        #expect(
            LinkHeader.target("next", in: headers, base: base) == "https://m.example/api/v1/timelines/home?max_id=109"
        )
        #expect(
            LinkHeader.target("prev", in: headers, base: base) == "https://m.example/api/v1/timelines/home?since_id=110"
        )
        #expect(LinkHeader.target("last", in: headers, base: base) == nil)
    }

    @Test("several fields are read as one list")
    func severalFields() {
        var headers = HTTPFields()
        headers.append(HTTPField(name: .link, value: "</a>; rel=hub"))
        headers.append(HTTPField(name: .link, value: "</b>; rel=self"))
        #expect(
            LinkHeader.all(in: headers, base: base).map(\.target) == ["https://example.org/a", "https://example.org/b"]
        )
    }

    @Test("a target may hold commas and semicolons, a quoted value commas, quotes and backslashes")
    func quoting() {
        let links = LinkHeader.parse(
            #"<http://a/?x=1,2;3>; title="a, \"b\" \\ <c>; d"; rel=next , <http://b/>;rel="prev""#
        )
        #expect(links.map(\.target) == ["http://a/?x=1,2;3", "http://b/"])
        #expect(links.first?.parameter("title") == #"a, "b" \ <c>; d"#)
        #expect(links.map(\.relations) == [["next"], ["prev"]])
    }

    @Test("a relation may be a list, in any case, and only the first rel counts")
    func relations() {
        let links = LinkHeader.parse(#"<http://a/>; REL="Next  last"; rel=prev"#)
        #expect(links.first?.relations == ["next", "last"])
    }

    @Test("a parameter may lack its value, and spaces may stand anywhere")
    func spaces() {
        let links = LinkHeader.parse("  < http://a/ >  ;  crossorigin ;  rel = next  ")
        #expect(links.first?.target == "http://a/")
        #expect(links.first?.parameter("crossorigin") == "")
        #expect(links.first?.relations == ["next"])
    }

    @Test("a relative target is resolved against the page")
    func relative() {
        let headers: HTTPFields = [.link: "<?page=2>; rel=next"]
        #expect(
            LinkHeader.target("next", in: headers, base: base) == "https://example.org/api/v1/timelines/home?page=2"
        )
    }

    @Test("a link about another page is not the next page")
    func anchor() {
        let headers: HTTPFields = [.link: "</x>; anchor=\"/other\"; rel=next, </y>; rel=next"]
        #expect(LinkHeader.target("next", in: headers, base: base) == "https://example.org/y")
    }

    @Test(
        "what is ill-formed is left out, and what follows is read",
        arguments: [
            "garbage, </y>; rel=next", "garbage \"a, b\", </y>; rel=next", ",,, </y>; rel=next", "</y>; rel=next; \"x",
            "</y> x; rel=prev, </y>;rel=next",
        ]
    )
    func illFormed(value: String) {
        #expect(LinkHeader.target("next", in: [.link: value], base: base) == "https://example.org/y")
    }

    @Test(
        "hostile values end soon and give few links",
        arguments: ["<", "<a", "<>", ";", "\"", "<a>;", "<a>;=", "<a>;b=\"", "<a>;b=\"\\"]
    )
    func hostile(piece: String) {
        let value = String(repeating: piece, count: 20_000)
        #expect(LinkHeader.parse(value, base: base).count <= 100)
    }
}

extension HTTPField.Name {
    fileprivate static var link: Self { HTTPField.Name("Link") ?? .via }
}
