import JSON
import Testing

@Suite("JSON values")
struct JSONValueTests {
    private func read<R>(_ text: String, _ body: (JSONValue) throws -> R) throws -> R {
        try JSONParser().parse(text, body)
    }

    @Test("tells kinds apart and reads only what is of the kind asked for")
    func kinds() throws {
        try read(#"{"o":{},"a":[],"s":"1","i":1,"d":1.5,"t":true,"f":false}"#) { root in
            let kinds = root.members.map { "\($0.key.string) \($0.value.kind)" }
            #expect(kinds == ["o object", "a array", "s string", "i number", "d number", "t boolean", "f boolean"])
            for member in root.members {
                let value = member.value
                #expect((value.string != nil) == (member.key == "s"))
                #expect((value.int != nil) == (member.key == "i"))
                #expect((value.uint64 != nil) == (member.key == "i"))
                #expect((value.double != nil) == (member.key == "i" || member.key == "d"))
                #expect((value.bool != nil) == (member.key == "t" || member.key == "f"))
                #expect((value.withUTF8 { _ in } != nil) == (member.key == "s"))
                #expect(value["x"] == nil && value[0] == nil && value[-1] == nil)
                #expect(!value.isNull)
            }
            #expect(root["t"]?.bool == true && root["f"]?.bool == false)
        }
    }

    @Test("null reads like an absent member, yet can be seen when walking")
    func null() throws {
        try read(#"{"a":null,"b":[null,1]}"#) { root in
            #expect(root["a"] == nil && root["b"]?[0] == nil && root["b"]?[1]?.int == 1)
            #expect(root.members.map(\.value.isNull) == [true, false])
            #expect(root["b"]?.elements.map(\.isNull) == [true, false])
            #expect(root["b"]?.count == 2 && root.count == 2)
        }
    }

    @Test("the first of repeated names counts, also when the first is null")
    func duplicates() throws {
        try read(#"{"a":1,"a":2,"b":null,"b":3,"\u0061":4}"#) { root in
            #expect(root["a"]?.int == 1)
            #expect(root["b"] == nil)
            #expect(root.members.filter { $0.key == "a" }.map(\.value.int) == [1, 2, 4])
        }
    }

    @Test("finds a member by names of every length, whatever its neighbours")
    func names() throws {
        let alphabet = Array("abcdefghijklmnopqrstuvwxyz")
        let names = (0...26).map { String(alphabet[..<$0]) }
        for name in names {
            // Neighbours of the same length that differ in one place, and longer and shorter ones, come first.
            var others = names.filter { $0 != name }
            for place in name.indices {
                others.append(name.replacingCharacters(at: place, with: "Z"))
            }
            let text = "{" + (others + [name]).map { "\"\($0)\":\($0 == name ? 1 : 0)" }.joined(separator: ",") + "}"
            try read(text) { root in
                #expect(root[named: name]?.int == 1, "\(name)")
                #expect(root[named: name + "\u{0}"] == nil)
            }
        }
        try read(#"{"":1,"a\u0000":2,"a":3,"é":4,"authorship_is":5}"#) { root in
            #expect(root[""]?.int == 1 && root["a"]?.int == 3 && root["a\u{0}"]?.int == 2)
            #expect(root["é"]?.int == 4 && root["e\u{301}"] == nil, "names are compared by their bytes")
            #expect(root["author_id"] == nil && root["authorship_is"]?.int == 5)
        }
    }

    @Test("goes to elements by position and stops at the ends")
    func elements() throws {
        try read(#"[{"a":[1,2]},"x",3.5,[],[[4]]]"#) { root in
            #expect(root[0]?["a"]?[1]?.int == 2 && root[1]?.isString("x") == true && root[2]?.double == 3.5)
            #expect(root[4]?[0]?[0]?.int == 4 && root[5] == nil && root[-1] == nil && root[.max] == nil)
            #expect(root.elements.map(\.kind) == [.object, .string, .number, .array, .array])
            #expect(root[3]?.elements.isEmpty == true && !root.elements.isEmpty && root.elements.count == 5)
            #expect(root[1]?.elements.isEmpty == true && root[0]?.elements.count == 0)
            #expect(root.members.isEmpty && root[3]?.members.isEmpty == true && root[0]?.members.isEmpty == false)
        }
    }

    @Test(
        "integers are read exactly over the whole range",
        arguments: [
            ("0", 0, 0, 0), ("-0", 0, 0, 0), ("9007199254740993", 9_007_199_254_740_993, 9_007_199_254_740_993, nil),
            ("9223372036854775807", Int.max, UInt64(Int.max), 0x1p63), ("-9223372036854775808", Int.min, nil, -0x1p63),
            ("18446744073709551615", nil, UInt64.max, 0x1p64), ("-1", -1, nil, -1), ("3.0", 3, 3, 3),
            ("1e3", 1000, 1000, 1000),
            ("1.5", nil, nil, 1.5), ("-2.0", -2, nil, -2), ("1e19", nil, nil, 1e19),
            ("9007199254740993.0", 1 << 53, 1 << 53, 0x1p53),
            ("9007199254740994.0", nil, nil, 9007199254740994), ("5e-324", nil, nil, Double.leastNonzeroMagnitude),
            ("1e-400", 0, 0, 0),
            ("1.7976931348623157e308", nil, nil, Double.greatestFiniteMagnitude),
        ] as [(String, Int?, UInt64?, Double?)]
    )
    func numbers(text: String, int: Int?, uint64: UInt64?, double: Double?) throws {
        try read(text) { value in
            #expect(value.int == int)
            #expect(value.uint64 == uint64)
            if let double { #expect(value.double == double) }
        }
    }

    @Test(
        "resolves escapes, surrogate pairs and zeros in strings",
        arguments: [
            (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"), (#""\u00e9\u00E9""#, "éé"), (#""\ud83d\uDE00""#, "😀"),
            (#""a\u0000b""#, "a\u{0}b"), (#""\\ud83d""#, "\\ud83d"), (#""\\\ud83d\ude00\\""#, "\\😀\\"),
            (#""\uffff\ufeff\ud7ff\ue000""#, "\u{FFFF}\u{FEFF}\u{D7FF}\u{E000}"), (#""\udbff\udfff""#, "\u{10FFFF}"),
            ("\"😀é\u{2028}\u{7F}\"", "😀é\u{2028}\u{7F}"), (#""""#, ""),
        ]
    )
    func strings(text: String, expected: String) throws {
        try read(text) { value in
            #expect(value.string.map { Array($0.unicodeScalars) } == Array(expected.unicodeScalars))
            #expect(value.withUTF8 { Array($0) } == Array(expected.utf8))
            #expect(!value.isString("something else"))
        }
    }

    @Test("a key can be switched over")
    func keys() throws {
        let seen = try read(#"{"id":1,"name":2,"other":3}"#) { root in
            root.members.map { key, _ in
                switch key {
                case "id": "first"
                case "name": "second"
                default: key != "id" ? key.string : ""
                }
            }
        }
        #expect(seen == ["first", "second", "other"])
    }
}

extension String {
    fileprivate func replacingCharacters(at place: Index, with character: Character) -> String {
        var characters = Array(self)
        characters[distance(from: startIndex, to: place)] = character
        return String(characters)
    }
}
