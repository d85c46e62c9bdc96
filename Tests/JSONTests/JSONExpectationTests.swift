import JSON
import Testing

@Suite("JSON expectations and their errors")
struct JSONExpectationTests {
    private let parser = JSONParser()
    private let text = #"""
        {"data":{"id":"1","n":7,"big":18446744073709551615,"half":0.5,"ok":true,"none":null,"o":{"k":"v"},
        "entities":{"urls":[{"start":0},{"start":1},[],{"start":"secret-token"}]}},"a b":[{"\u001b[31m":1}]}
        """#

    private func message(_ body: (JSONValue) throws -> Void) -> String {
        do {
            try parser.parse(text, body)
            return "no error"
        } catch {
            return "\(error)"
        }
    }

    @Test("required and optional members give what is there")
    func values() throws {
        try parser.parse(text) { root in
            let data = try root.requiredObject("data")
            #expect(try data.requiredString("id") == "1")
            #expect(try data.requiredInt("n") == 7)
            #expect(try data.requiredUInt64("big") == .max)
            #expect(try data.requiredDouble("half") == 0.5)
            #expect(try data.requiredBool("ok"))
            #expect(try data.requiredObject("o").requiredString("k") == "v")
            #expect(try data.requiredObject("entities").requiredArray("urls").count == 4)
            #expect(try data.optionalString("id") == "1")
            #expect(try data.optionalInt("n") == 7)
            #expect(try data.optionalUInt64("n") == 7)
            #expect(try data.optionalDouble("n") == 7)
            #expect(try data.optionalBool("ok") == true)
            #expect(try data.optionalObject("o")?["k"]?.string == "v")
            #expect(try data.optionalArray("none") == nil)
            for absent in [try data.optionalString("none"), try data.optionalString("absent")] {
                #expect(absent == nil)
            }
        }
    }

    @Test("an error names the place, what was expected and the kind found, never the value")
    func messages() {
        #expect(
            message { root in
                for url in try root.requiredObject("data").requiredObject("entities").requiredArray("urls") {
                    _ = try (url.kind == .object ? url : nil)?.requiredInt("start")
                }
            } == "data.entities.urls[3].start: expected an integer, found a string"
        )
        #expect(message { _ = try $0["data"]?.requiredString("nope") } == "data.nope: expected a string, found nothing")
        #expect(message { _ = try $0["data"]?.requiredString("none") } == "data.none: expected a string, found nothing")
        #expect(message { _ = try $0.requiredString("x") } == "x: expected a string, found nothing")
        #expect(message { _ = try $0.expectArray() } == "expected an array, found an object")
        #expect(
            message { _ = try $0["data"]?["id"]?.requiredInt("x") } == "data.id: expected an object, found a string"
        )
        #expect(message { _ = try $0["data"]?["n"]?.optionalInt("x") } == "data.n: expected an object, found a number")
        #expect(
            message { _ = try $0["data"]?.requiredInt("big") }
                == "data.big: expected an integer, found a number with a fraction or out of range"
        )
        #expect(message { _ = try $0["data"]?.optionalBool("id") } == "data.id: expected a boolean, found a string")
        #expect(
            message { _ = try $0["a b"]?[0]?.requiredInt("b\n\"") }
                == #"["a b"][0]["b��"]: expected an integer, found nothing"#
        )
        #expect(
            message { root in
                for member in root["a b"]?[0]?.members ?? root.members { _ = try member.value.expectString() }
            } == #"["a b"][0]["�[31m"]: expected a string, found a number"#
        )
        #expect(
            message { root in throw root["data"]?["id"]?.mismatch("an RFC 3339 time") ?? root.mismatch("data") }
                == "data.id: expected an RFC 3339 time, found a string"
        )
    }

    @Test("a value knows its path")
    func paths() throws {
        try parser.parse(text) { root in
            #expect(root.path == "")
            #expect(root["data"]?["entities"]?["urls"]?[2]?.path == "data.entities.urls[2]")
            #expect(root["data"]?["o"]?["k"]?.path == "data.o.k")
            #expect(root["data"]?.path == "data")
        }
    }

    @Test("long names and deep places do not make long errors")
    func bounded() throws {
        let name = String(repeating: "n\u{1F600}", count: 5000)
        let depth = 60
        let deep = String(repeating: "{\"\(name)\":", count: depth) + "1" + String(repeating: "}", count: depth)
        let error = try parser.parse(deep) { root in
            var value = root
            while let next = value.members.first(where: { _ in true })?.value { value = next }
            return value.mismatch("a string")
        }
        #expect(error.path.unicodeScalars.count < 1500)
        #expect(error.path.contains("…"))
    }

    @Test("a code tells the program what is wrong")
    func codes() throws {
        try parser.parse(text) { root in
            #expect(throws: JSONError(.missing, "expected a string, found nothing", path: "nope")) {
                try root.requiredString("nope")
            }
            #expect(throws: JSONError(.mismatch, "expected a string, found an object", path: "data")) {
                try root.requiredString("data")
            }
        }
    }
}
