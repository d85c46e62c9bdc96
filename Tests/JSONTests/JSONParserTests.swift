import JSON
import Testing

/// Parses and writes back: the shortest way to see what was read.
func rewritten(_ text: String, parser: JSONParser = JSONParser()) throws -> String {
    var writer = JSONWriter(reserving: 0)
    try parser.parse(text) { $0.write(into: &writer) }
    return String(decoding: writer.bytes, as: UTF8.self)
}

func errorCode(_ bytes: [UInt8], parser: JSONParser = JSONParser()) -> JSONError.Code? {
    do {
        try parser.parse(bytes) { _ in }
        return nil
    } catch {
        return (error as? JSONError)?.code
    }
}

@Suite("JSON parser")
struct JSONParserTests {
    @Test(
        "reads every form of value, white space around it",
        arguments: [
            "{}", "[]", "\"\"", "0", "true", "false", "null", "[[],{}]",
            #"{"a":{"b":[1,-2,3.5,"x",true,false,null]},"":{}}"#,
        ]
    )
    func valid(text: String) throws {
        #expect(try rewritten(" \r\n\t" + text + "\n ") == text)
    }

    @Test(
        "answers hostile and broken text with an error that fits",
        arguments: [
            ("", .empty), (" \n\t", .empty), ("\u{FEFF}", .empty),
            ("nul", .invalidSyntax), ("nulll", .invalidSyntax), ("True", .invalidSyntax), ("NaN", .invalidSyntax),
            ("Infinity", .invalidSyntax), ("undefined", .invalidSyntax), ("'a'", .invalidSyntax),
            ("{", .invalidSyntax), ("[", .invalidSyntax), ("}", .invalidSyntax), ("[1,]", .invalidSyntax),
            ("[,1]", .invalidSyntax), ("[1 2]", .invalidSyntax), ("{\"a\"}", .invalidSyntax), ("{a:1}", .invalidSyntax),
            ("{\"a\":1,}", .invalidSyntax), ("{\"a\":}", .invalidSyntax), ("{1:2}", .invalidSyntax),
            ("[1]]", .invalidSyntax), ("1 2", .invalidSyntax), ("{} {}", .invalidSyntax), ("[1}", .invalidSyntax),
            ("// a\n1", .invalidSyntax), ("[1,/* a */2]", .invalidSyntax), ("\u{0}", .invalidSyntax),
            ("1\u{0}", .invalidNumber), ("[\u{FEFF}1]", .invalidSyntax), ("\u{A0}1", .invalidSyntax),
            ("\"", .invalidString), ("\"a", .invalidString), ("\"\\\"", .invalidString), ("\"a\nb\"", .invalidString),
            ("\"\t\"", .invalidString), ("\"\u{0}\"", .invalidString), ("\"\\x41\"", .invalidString),
            ("\"\\u12\"", .invalidString), ("\"\\uD83D\"", .invalidString), ("\"\\uDE00\"", .invalidString),
            ("\"\\uD83D\\u0041\"", .invalidString), ("\"\\uD83Dx\"", .invalidString),
            ("\"\\ude00\\ud83d\"", .invalidString),
            ("\"\\uD83D\\uD83D\\uDE00\"", .invalidString), ("{\"\\udfff\":1}", .invalidString),
            ("01", .invalidNumber), ("-", .invalidNumber), ("1.", .invalidNumber), (".5", .invalidSyntax),
            ("1e", .invalidNumber), ("1e+", .invalidNumber), ("+1", .invalidSyntax), ("0x10", .invalidNumber),
            ("1e400", .invalidNumber), ("-1e400", .invalidNumber), ("18446744073709551616", .invalidNumber),
            ("-9223372036854775809", .invalidNumber), ("1e999999999999999999999", .invalidNumber),
        ] as [(String, JSONError.Code)]
    )
    func invalid(text: String, code: JSONError.Code) {
        #expect(errorCode(Array(text.utf8)) == code)
    }

    @Test(
        "refuses bytes that are not UTF-8, in values and in names",
        arguments: [
            [0x22, 0xFF, 0x22], [0x22, 0xC3, 0x22], [0x22, 0xC0, 0x80, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22],
            [0x22, 0xF4, 0x90, 0x80, 0x80, 0x22], [0x7B, 0x22, 0x80, 0x22, 0x3A, 0x31, 0x7D], [0xFF, 0xFE, 0x31, 0x00],
        ] as [[UInt8]]
    )
    func invalidUTF8(bytes: [UInt8]) {
        #expect(errorCode(bytes) == .invalidUTF8)
    }

    @Test("skips one byte order mark")
    func byteOrderMark() throws {
        #expect(try rewritten("\u{FEFF}{\"a\":1}") == #"{"a":1}"#)
        #expect(errorCode(Array("\u{FEFF}\u{FEFF}1".utf8)) == .invalidSyntax)
    }

    @Test("takes nesting up to its limit and not one deeper", arguments: [1, 2, 64, 1024])
    func depth(limit: Int) throws {
        let parser = JSONParser(maximumDepth: limit)
        func arrays(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + "1" + String(repeating: "]", count: depth)
        }
        func objects(_ depth: Int) -> String {
            String(repeating: "{\"a\":", count: depth) + "1" + String(repeating: "}", count: depth)
        }
        #expect(try rewritten(arrays(limit), parser: parser) == arrays(limit))
        #expect(try rewritten(objects(limit), parser: parser) == objects(limit))
        #expect(errorCode(Array(arrays(limit + 1).utf8), parser: parser) == .tooDeep)
        #expect(errorCode(Array(objects(limit + 1).utf8), parser: parser) == .tooDeep)
    }

    @Test("answers a million opening brackets")
    func bracketBomb() {
        let parser = JSONParser()
        #expect(errorCode([UInt8](repeating: UInt8(ascii: "["), count: 1_000_000), parser: parser) != nil)
        let nested =
            [UInt8](repeating: UInt8(ascii: "["), count: 500_000)
            + [UInt8](repeating: UInt8(ascii: "]"), count: 500_000)
        #expect(errorCode(nested, parser: parser) == .tooDeep)
    }

    @Test("takes a document of its greatest size and none longer")
    func size() throws {
        let parser = JSONParser(maximumSize: 100)
        let text = "\"" + String(repeating: "a", count: 98) + "\""
        #expect(try rewritten(text, parser: parser) == text)
        #expect(errorCode(Array((text + " ").utf8), parser: parser) == .tooLarge)
    }

    @Test("is good for the next document after an error, a long document and a short one")
    func reuse() throws {
        let parser = JSONParser()
        let long = "[" + Array(repeating: #"{"name":"value","n":1}"#, count: 100_000).joined(separator: ",") + "]"
        for _ in 0..<3 {
            #expect(errorCode(Array("{\"a\":".utf8), parser: parser) == .invalidSyntax)
            #expect(try rewritten("[1]", parser: parser) == "[1]")
            #expect(try rewritten(long, parser: parser) == long)
            #expect(errorCode(Array("[".utf8) + Array(long.utf8), parser: parser) == .invalidSyntax)
            for length in [4094, 4095, 4096, 4097, 8192] {
                let text = "\"" + String(repeating: "é", count: length / 2) + "\""
                #expect(try rewritten(text, parser: parser) == text)
            }
        }
    }

    @Test("refuses a second document while the first is being read, and recovers when the reader throws")
    func nestedUse() throws {
        struct Stop: Error {}
        let parser = JSONParser()
        try parser.parse("[1]") { outer in
            #expect(errorCode([0x31], parser: parser) == .parserInUse)
            #expect(outer[0]?.int == 1)
        }
        #expect(throws: Stop.self) { try parser.parse("[1]") { _ in throw Stop() } }
        #expect(try rewritten("[2]", parser: parser) == "[2]")
    }

    @Test("reads arrays, slices, strings and raw bytes alike")
    func inputs() throws {
        let parser = JSONParser()
        let bytes = Array(#"xx{"id":"é"}yy"#.utf8)
        let slice = bytes[2..<bytes.count - 2]
        #expect(try parser.parse(slice) { $0["id"]?.string } == "é")
        #expect(try parser.parse(Array(slice)) { $0["id"]?.string } == "é")
        #expect(try parser.parse(#"{"id":"é"}"#) { $0["id"]?.string } == "é")
        #expect(try slice.withUnsafeBytes { try parser.parse($0) { $0["id"]?.string } } == "é")
        #expect(throws: JSONError.self) { try parser.parse(UnsafeRawBufferPointer(start: nil, count: 0)) { _ in } }
    }

    @Test("a document cut off anywhere is an error, one with any byte changed never harms")
    func truncatedAndChanged() throws {
        let parser = JSONParser()
        let document = Array(
            #"{"data":{"id":"194\n5","text":"d\u00e9\ud83d\ude00 été","n":[1,-2.5e3,18446744073709551615,{}],"ok":true,"no":null}}"#
                .utf8
        )
        #expect(errorCode(document, parser: parser) == nil)
        for length in 0..<document.count {
            // From the heap and of exact size, so that the sanitizer sees a read beyond the end.
            #expect(errorCode(Array(document[..<length]), parser: parser) != nil, "the first \(length) bytes")
        }
        for position in document.indices {
            for byte in [0x00, 0x22, 0x5C, 0x75, 0x7B, 0x5D, 0x80, 0xFF] as [UInt8] {
                var changed = document
                changed[position] = byte
                try? parser.parse(changed) { value in
                    var writer = JSONWriter()
                    value.write(into: &writer)
                    #expect(String(validating: writer.bytes, as: UTF8.self) != nil)
                }
            }
        }
    }
}
