import JSON
import Testing

@Suite("JSON writer")
struct JSONWriterTests {
    private func written(_ body: (inout JSONWriter) -> Void) -> String {
        var writer = JSONWriter(reserving: 0)
        body(&writer)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    @Test("sets commas and colons")
    func structure() {
        let text = written { writer in
            writer.beginObject()
            writer.key("a")
            writer.beginArray()
            writer.integer(1)
            writer.beginArray()
            writer.endArray()
            writer.beginObject()
            writer.endObject()
            writer.null()
            writer.endArray()
            writer.key(String("b") + "\"")
            writer.rawString(#"{"raw":true}"#)
            writer.member("c", "d")
            writer.endObject()
        }
        #expect(text == #"{"a":[1,[],{},null],"b\"":{"raw":true},"c":"d"}"#)
    }

    @Test("members take every kind and leave nil out")
    func members() {
        let text = written { writer in
            writer.beginObject()
            writer.member("s", "x")
            writer.member("i", 1)
            writer.member("u", UInt8(2))
            writer.member("d", 1.5)
            writer.member("b", true)
            writer.member("ns", nil as String?)
            writer.member("ni", nil as Int?)
            writer.member("nd", nil as Double?)
            writer.member("nb", nil as Bool?)
            writer.member("os", "y" as String?)
            writer.member("oi", -3 as Int64?)
            writer.member("od", 0.5 as Double?)
            writer.member("ob", false as Bool?)
            writer.endObject()
        }
        #expect(text == #"{"s":"x","i":1,"u":2,"d":1.5,"b":true,"os":"y","oi":-3,"od":0.5,"ob":false}"#)
    }

    @Test("escapes every byte that must be, at every place of strings of every length, and no other")
    func escapes() throws {
        let parser = JSONParser()
        for special in (0..<0x80).compactMap(Unicode.Scalar.init) {
            let mustEscape = special.value < 0x20 || special == "\"" || special == "\\"
            for length in [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 24] {
                for place in 0..<length {
                    var scalars = [Unicode.Scalar](repeating: "x", count: length)
                    scalars[place] = special
                    var string = ""
                    string.unicodeScalars.append(contentsOf: scalars)
                    let text = written { $0.string(string) }
                    #expect(text.utf8.contains(UInt8(ascii: "\\")) == mustEscape)
                    #expect(try parser.parse(text) { $0.string } == string)
                }
            }
        }
        #expect(written { $0.string("\u{8}\u{9}\u{A}\u{C}\u{D}\u{0}\u{1F}\"\\/") } == #""\b\t\n\f\r\u0000\u001f\"\\/""#)
        #expect(written { $0.string("é\u{2028}\u{2029}😀\u{7F}") } == "\"é\u{2028}\u{2029}😀\u{7F}\"")
    }

    @Test("a string of nothing but escapes fits, whatever room there was")
    func growth() throws {
        for count in [0, 1, 50, 63, 64, 65, 1000, 100_000] {
            let string = String(repeating: "\u{1}", count: count)
            let text = written { $0.string(string) }
            #expect(text.utf8.count == 2 + 6 * count)
            let plain = String(repeating: "a", count: count)
            #expect(written { $0.string(plain) } == "\"\(plain)\"")
        }
    }

    @Test("bytes that are not UTF-8 are repaired")
    func invalidUTF8() {
        let bytes: [UInt8] = [0x61, 0xFF, 0x62, 0xED, 0xA0, 0x80]
        var writer = JSONWriter()
        bytes.withUnsafeBufferPointer { writer.string(utf8: $0) }
        #expect(writer.bytes == Array("\"\(String(decoding: bytes, as: UTF8.self))\"".utf8))
        #expect(
            Array("é\n".utf8).withUnsafeBufferPointer { buffer in written { $0.string(utf8: buffer) } } == "\"é\\n\""
        )
        #expect(written { $0.string(utf8: UnsafeBufferPointer(start: nil, count: 0)) } == "\"\"")
    }

    @Test("integers of every length and width")
    func integers() {
        var power: UInt64 = 1
        for _ in 0..<20 {
            for number in [power - 1, power, power &+ 1] {
                #expect(written { $0.integer(number) } == String(number))
                if let signed = Int64(exactly: number) { #expect(written { $0.integer(-signed) } == String(-signed)) }
            }
            power = power.multipliedReportingOverflow(by: 10).partialValue
        }
        #expect(written { $0.integer(Int64.min) } == "-9223372036854775808")
        #expect(written { $0.integer(UInt64.max) } == "18446744073709551615")
        #expect(written { $0.integer(Int8.min) } == "-128")
        #expect(written { $0.integer(Int128.min) } == String(Int128.min))
    }

    @Test("doubles read back the same; what JSON does not have becomes null")
    func doubles() throws {
        let parser = JSONParser()
        for number in [
            0, -0.0, 1, -1.5, 0.1, 1e21, 1e-7, 123456789.125, .pi, .leastNonzeroMagnitude, .greatestFiniteMagnitude,
        ] {
            let text = written { $0.double(number) }
            let read = try parser.parse(text) { $0.double }
            #expect(read?.bitPattern == number.bitPattern, "\(text)")
        }
        for number in [Double.nan, .signalingNaN, .infinity, -.infinity] {
            #expect(written { $0.double(number) } == "null")
        }
    }

    @Test("can be emptied and used again, lines included")
    func reuse() {
        var writer = JSONWriter()
        writer.beginObject()
        writer.removeAll()
        #expect(writer.bytes.isEmpty && writer.count == 0)
        writer.bool(true)
        writer.endLine()
        writer.beginArray()
        writer.endArray()
        writer.endLine()
        #expect(writer.withUnsafeBytes { Array($0) } == Array("true\n[]\n".utf8))
        let copy = writer
        writer.removeAll()
        writer.bool(false)
        #expect(copy.bytes == Array("true\n[]\n".utf8), "a copy does not see what is written later")
    }

    @Test("takes raw JSON from arrays, slices and lazy collections")
    func raw() {
        let bytes = Array("[1,2]".utf8)
        let text = written { writer in
            writer.beginArray()
            writer.raw(bytes)
            writer.raw(bytes[1...1])
            writer.raw("{}".utf8.lazy.map { $0 })
            writer.endArray()
        }
        #expect(text == "[[1,2],1,{}]")
    }
}
