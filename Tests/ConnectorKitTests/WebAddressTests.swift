import ConnectorKit
import Testing

@Suite("Web addresses")
struct WebAddressTests {
    @Test(
        "an absolute http or https URL is accepted",
        arguments: [
            "https://example.org", "http://127.0.0.1:9300/feed?x=1#y", "HTTPS://Example.org/", "https://[::1]:8080/a",
            "https://bücher.example/ä", "http://localhost",
        ]
    )
    func good(url: String) {
        #expect(WebAddress.isValid(url))
    }

    @Test(
        "everything else is refused",
        arguments: [
            "", "example.org", "ftp://example.org", "https:example.org", "https://", "https:///path",
            "https://ex ample.org", "/path",
            "https://example.org:99999/", "https://example.org:8a/", "javascript:alert(1)", "https://a\u{0}b/",
            "https://u:p@example.org/",
            "https://[::1", "https://[zz]/", "https://example.org\\@evil/", "https://example.org/\u{2028}",
            "https://a/\u{301}\u{20}b",
        ]
    )
    func bad(url: String) {
        #expect(!WebAddress.isValid(url))
    }

    @Test(
        "a missing or odd scheme is mended in the complaint",
        arguments: [
            ("example.org/feed", "https://example.org/feed"), ("feed://example.org/a", "https://example.org/a"),
        ]
    )
    func suggestion(written: String, meant: String) {
        #expect {
            try SettingForm.url.read(SettingNode(.scalar(written, isQuoted: false)), "url")
        } throws: { error in
            "\(error)".hasSuffix("found \"\(written)\"; did you mean `\(meant)`?")
        }
    }

    /// The examples of RFC 3986 §5.4, base `http://a/b/c/d;p?q`.
    @Test(
        "references resolve as RFC 3986 says",
        arguments: [
            ("g:h", "g:h"), ("g", "http://a/b/c/g"), ("./g", "http://a/b/c/g"), ("g/", "http://a/b/c/g/"),
            ("/g", "http://a/g"),
            ("//g", "http://g"), ("?y", "http://a/b/c/d;p?y"), ("g?y", "http://a/b/c/g?y"),
            ("#s", "http://a/b/c/d;p?q#s"),
            ("g#s", "http://a/b/c/g#s"), ("g?y#s", "http://a/b/c/g?y#s"), (";x", "http://a/b/c/;x"),
            ("g;x", "http://a/b/c/g;x"),
            ("g;x?y#s", "http://a/b/c/g;x?y#s"), ("", "http://a/b/c/d;p?q"), (".", "http://a/b/c/"),
            ("./", "http://a/b/c/"),
            ("..", "http://a/b/"), ("../", "http://a/b/"), ("../g", "http://a/b/g"), ("../..", "http://a/"),
            ("../../", "http://a/"),
            ("../../g", "http://a/g"), ("../../../g", "http://a/g"), ("../../../../g", "http://a/g"),
            ("/./g", "http://a/g"),
            ("/../g", "http://a/g"), ("g.", "http://a/b/c/g."), (".g", "http://a/b/c/.g"), ("g..", "http://a/b/c/g.."),
            ("..g", "http://a/b/c/..g"), ("./../g", "http://a/b/g"), ("./g/.", "http://a/b/c/g/"),
            ("g/./h", "http://a/b/c/g/h"),
            ("g/../h", "http://a/b/c/h"), ("g;x=1/./y", "http://a/b/c/g;x=1/y"), ("g;x=1/../y", "http://a/b/c/y"),
            ("g?y/./x", "http://a/b/c/g?y/./x"), ("g?y/../x", "http://a/b/c/g?y/../x"),
            ("g#s/../x", "http://a/b/c/g#s/../x"),
            ("http:g", "http:g"),
        ]
    )
    func resolution(reference: String, expected: String) {
        #expect(WebAddress.resolve(reference, against: "http://a/b/c/d;p?q") == expected)
    }

    @Test("a reference resolves against a base without a path")
    func bareBase() {
        #expect(WebAddress.resolve("feed", against: "https://example.org") == "https://example.org/feed")
        #expect(WebAddress.resolve("../feed", against: "https://example.org") == "https://example.org/feed")
        #expect(WebAddress.resolve("/a", against: "relative") == nil)
    }
}
