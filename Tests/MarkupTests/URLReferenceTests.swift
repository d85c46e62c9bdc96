import Markup
import Testing

@Suite("URL references")
struct URLReferenceTests {
    /// RFC 3986, sections 5.4.1 and 5.4.2.
    @Test(
        "resolve as the examples of RFC 3986 do",
        arguments: [
            ("g:h", "g:h"), ("g", "http://a/b/c/g"), ("./g", "http://a/b/c/g"), ("g/", "http://a/b/c/g/"),
            ("/g", "http://a/g"), ("//g", "http://g"), ("?y", "http://a/b/c/d;p?y"), ("g?y", "http://a/b/c/g?y"),
            ("#s", "http://a/b/c/d;p?q#s"), ("g#s", "http://a/b/c/g#s"), ("g?y#s", "http://a/b/c/g?y#s"),
            (";x", "http://a/b/c/;x"), ("g;x", "http://a/b/c/g;x"), ("", "http://a/b/c/d;p?q"), (".", "http://a/b/c/"),
            ("./", "http://a/b/c/"), ("..", "http://a/b/"), ("../", "http://a/b/"), ("../g", "http://a/b/g"),
            ("../..", "http://a/"), ("../../", "http://a/"), ("../../g", "http://a/g"), ("../../../g", "http://a/g"),
            ("../../../../g", "http://a/g"), ("/./g", "http://a/g"), ("/../g", "http://a/g"), ("g.", "http://a/b/c/g."),
            (".g", "http://a/b/c/.g"), ("g..", "http://a/b/c/g.."), ("..g", "http://a/b/c/..g"),
            ("./../g", "http://a/b/g"), ("./g/.", "http://a/b/c/g/"), ("g/./h", "http://a/b/c/g/h"),
            ("g/../h", "http://a/b/c/h"), ("g;x=1/./y", "http://a/b/c/g;x=1/y"), ("g;x=1/../y", "http://a/b/c/y"),
            ("g?y/./x", "http://a/b/c/g?y/./x"), ("g#s/../x", "http://a/b/c/g#s/../x"),
        ]
    )
    func examples(reference: String, expected: String) {
        #expect(URLReference.resolve(reference, against: "http://a/b/c/d;p?q") == expected)
    }

    @Test(
        "resolve against bases without a path, and stay as they are without a base",
        arguments: [
            ("g", "http://a", "http://a/g"), ("?y", "http://a", "http://a?y"), ("../g", "http://a", "http://a/g"),
            ("  g ", "http://a/b", "http://a/g"), ("g", "no-scheme/x", "g"), ("g", "", "g"),
            ("x", "http://a?q/r/s", "http://a/x"),
        ]
    )
    func bases(reference: String, base: String, expected: String) {
        #expect(URLReference.resolve(reference, against: base) == expected)
        #expect(URLReference.resolve(reference, against: nil) == (reference == "  g " ? "g" : reference))
    }
}
