import JSON
import SocialEvents
import Testing

@Suite struct IdentifierTests {
    @Test("An id is platform, kind and native id")
    func plainID() {
        #expect(ObjectID("feed", .article, "tag:example.org,2026:1").text == "feed:article:tag:example.org,2026:1")
        #expect(ObjectID("x", "actor", "Zoë 👍").text == "x:actor:Zoë 👍")
        let longest = String(repeating: "a", count: ObjectID.longestNative)
        #expect(ObjectID("x", .post, longest).text == "x:post:" + longest)
    }

    // The digests are those of FNV-1a with 128 bits, computed independently.
    @Test(
        "A native id that is long or unprintable is shortened, encoded and told apart by a digest",
        arguments: [
            ("a\nb", "a%0Ab~a68d632d1b8b5822836dbc79784d42e8"),
            ("a%0Ab\n", "a%0Ab%0A~40969ce1ac3c64bf6f0ff8c3ae72805c"),
            ("~\u{7f}", "~%7F~08809556d0ab1be95aa0733055c2410a"),
            ("\u{202e}x", "%E2%80%AEx~65cb62f792757277b806e8577a2d58b9"),
            ("nul\u{0}", "nul%00~692d4a7c27757277b806e961fef3b920"),
            (
                String(repeating: "a", count: 513),
                String(repeating: "a", count: 479) + "~5fe2d718ee2d8b7e7276dd9620ac5f64"
            ),
            (
                "a" + String(repeating: "é", count: 300),
                "a" + String(repeating: "é", count: 239) + "~1509736ecf2b171d62b48e9e2e464924"
            ),
            (
                String(repeating: "\u{1}", count: 400),
                String(repeating: "%01", count: 159) + "~4908fd1c3859c6e489b56aa0c319561d"
            ),
        ]
    )
    func boundedID(native: String, expected: String) {
        let text = ObjectID("p", "k", native).text
        #expect(text == "p:k:" + expected)
        #expect(text.utf8.count <= 4 + ObjectID.longestNative)
    }

    @Test("An id read from a payload is the one made from the same string or number")
    func payloadID() throws {
        try JSONParser().parse(#"{"a":"Zoë 1","b":"x\ny","c":12345678901234567,"d":true}"#) { json throws in
            #expect(try ObjectID("x", .post, in: json, "a") == ObjectID("x", .post, "Zoë 1"))
            #expect(try ObjectID("x", "actor", in: json, "b") == ObjectID("x", "actor", "x\ny"))
            #expect(try ObjectID("x", .post, in: json, "c") == ObjectID("x", .post, "12345678901234567"))
            #expect(throws: JSONError.self) { try ObjectID("x", .post, in: json, "d") }
            #expect(throws: JSONError.self) { try ObjectID("x", .post, in: json, "e") }
        }
    }

    @Test("Long ids that begin alike stay apart")
    func distinctness() {
        let head = String(repeating: "x", count: 600)
        let ids = (0..<1000).map { ObjectID("p", "k", head + String($0)) }
        #expect(Set(ids).count == ids.count)
    }

    @Test("An event's id names object, verb and repetition")
    func eventID() {
        let object = ObjectID("feed", .article, "1")
        #expect(EventID(object, .created).text == "feed:article:1/created")
        #expect(EventID(object, .updated, revision: 3).text == "feed:article:1/updated/3")
    }

    @Test("A type's verb is its last word", arguments: EventType.allCases)
    func verbs(type: EventType) {
        #expect(type.rawValue.hasSuffix("." + type.verb.rawValue))
    }

    @Test("A sequence has twenty digits and reads back, padded or not")
    func sequences() {
        #expect(Sequence(42).description == "00000000000000000042")
        #expect(Sequence(-1).description == "00000000000000000000")
        #expect(Sequence(.max).description == "09223372036854775807")
        for number in [0, 7, 1 << 40, Int64.max] {
            #expect(Sequence(Sequence(number).description)?.number == number)
            #expect(Sequence(String(number))?.number == number)
        }
        for text in ["", "-1", "+1", " 1", "1 ", "1.0", "0x1", "٣", "99999999999999999999", "000000000000000000001"] {
            #expect(Sequence(text) == nil)
        }
    }

    @Test(
        "A source's name is a path segment of its URI reference",
        arguments: [
            ("acme-on-x", "/sources/acme-on-x"), ("a b/c?d", "/sources/a%20b%2Fc%3Fd"),
            ("läden", "/sources/l%C3%A4den"),
            ("100%", "/sources/100%25"), ("a:b@c~!$&'()*+,;=._", "/sources/a:b@c~!$&'()*+,;=._"),
        ]
    )
    func sourceReferences(name: String, reference: String) {
        #expect(SourceName(name).uriReference == reference)
        #expect(SourceName(uriReference: reference) == SourceName(name))
    }

    @Test(
        "What is no source's reference is refused",
        arguments: [
            "", "/sources/", "/source/a", "sources/a", "/sources/a b", "/sources/a/b", "/sources/ä", "/sources/%",
            "/sources/%4",
            "/sources/%4G", "/sources/%FF", "/sources/%+1",
        ]
    )
    func sourceReferenceRefusal(text: String) {
        #expect(SourceName(uriReference: text) == nil)
    }
}
