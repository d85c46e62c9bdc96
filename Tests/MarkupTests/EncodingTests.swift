import Glibc
import Markup
import Testing

@Suite("Encodings of feeds")
struct EncodingTests {
    /// Encodes as the C library does, so that the table under test is not checked against itself.
    private func encode(_ text: String, _ name: String) throws -> [UInt8] {
        let converter = try #require(iconv_open(name, "UTF-8"))
        defer { iconv_close(converter) }
        var input = Array(text.utf8).map { CChar(bitPattern: $0) }
        var output = [CChar](repeating: 0, count: input.count * 4 + 16)
        var written = 0
        input.withUnsafeMutableBufferPointer { source in
            output.withUnsafeMutableBufferPointer { target in
                var from = source.baseAddress
                var to = target.baseAddress
                var left = source.count
                var room = target.count
                _ = iconv(converter, &from, &left, &to, &room)
                written = target.count - room
            }
        }
        return output[0..<written].map { UInt8(bitPattern: $0) }
    }

    @Test(
        "documents are read in the encoding they declare, by declaration or by transport",
        arguments: [
            ("ISO-8859-1", "ISO-8859-1", "windows-1252", "Crème brûlée"),
            ("windows-1252", "CP1252", "windows-1252", "“naïve” €"),
            ("ISO-8859-2", "ISO-8859-2", "iso-8859-2", "Žluťoučký kůň"),
            ("ISO-8859-15", "ISO-8859-15", "iso-8859-15", "œuvre 5 €"),
            ("windows-1250", "CP1250", "windows-1250", "Příliš"),
            ("windows-1251", "CP1251", "windows-1251", "Привет, мир"),
            ("KOI8-R", "KOI8-R", "koi8-r", "Привет, мир"), ("windows-1253", "CP1253", "windows-1253", "Ελληνικά"),
            ("iso-8859-9", "CP1254", "windows-1254", "Türkçe ığüş"), ("windows-1255", "CP1255", "windows-1255", "שלום"),
            ("windows-1256", "CP1256", "windows-1256", "مرحبا"), ("TIS-620", "CP874", "windows-874", "สวัสดี"),
            ("Shift_JIS", "CP932", "shift_jis", "日本語テスト①"), ("EUC-JP", "EUC-JP", "euc-jp", "日本語テスト"),
            ("ISO-2022-JP", "ISO-2022-JP", "iso-2022-jp", "日本語テスト"), ("GBK", "GBK", "gb18030", "中文测试"),
            ("gb2312", "GBK", "gb18030", "中文测试"), ("GB18030", "GB18030", "gb18030", "中文𠀀"),
            ("Big5", "BIG5-HKSCS", "big5", "中文測試"), ("EUC-KR", "EUC-KR", "euc-kr", "한국어"),
            ("UTF-8", "UTF-8", "utf-8", "🐦"),
        ]
    )
    func declared(label: String, iconv: String, name: String, text: String) throws {
        let declared = try encode("<?xml version='1.0' encoding='\(label)'?><r>\(text)</r>", iconv)
        let byDeclaration = try record(declared)
        #expect(byDeclaration.recorder.lines == ["<r", "\"\(text)", ">r"])
        #expect(byDeclaration.report.encoding == name)
        #expect(byDeclaration.report.encodingSource == .declaration)
        #expect(byDeclaration.report.problems.isEmpty)

        let bare = try encode("<r>\(text)</r>", iconv)
        let byTransport = try record(bare, charset: label)
        #expect(byTransport.recorder.lines == ["<r", "\"\(text)", ">r"])
        #expect(byTransport.report.encodingSource == .transport)
    }

    @Test(
        "UTF-16 and UTF-32 are known by their marks, UTF-16 also without one",
        arguments: [("UTF-16LE", [0xFF, 0xFE]), ("UTF-16BE", [0xFE, 0xFF]), ("UTF-32LE", [0xFF, 0xFE, 0, 0])]
            as [(String, [UInt8])]
    )
    func wide(name: String, mark: [UInt8]) throws {
        let document = try encode("<?xml version='1.0' encoding='UTF-16'?><r>日本🐦</r>", name)
        for bytes in name == "UTF-32LE" ? [mark + document] : [mark + document, document] {
            let (recorder, report) = try record(bytes)
            #expect(recorder.lines == ["<r", "\"日本🐦", ">r"])
            #expect(report.encoding == name.lowercased())
            #expect(report.problems.isEmpty)
        }
    }

    @Test("the transport's charset outranks the declaration, a byte order mark outranks both")
    func precedence() throws {
        let russian = try encode("<?xml version='1.0' encoding='iso-8859-1'?><r>мир</r>", "CP1251")
        #expect(try record(russian, charset: "\"windows-1251\"").recorder.lines == ["<r", "\"мир", ">r"])
        let marked = [0xEF, 0xBB, 0xBF] + Array("<?xml version='1.0' encoding='x'?><r>мир</r>".utf8)
        let (recorder, report) = try record(marked, charset: "windows-1251")
        #expect(recorder.lines == ["<r", "\"мир", ">r"])
        #expect(report.encodingSource == .byteOrderMark)
        #expect(report.problems == [MarkupProblem(.wrongEncoding, detail: "windows-1251")])
    }

    @Test("a wrong declaration is seen through, and the report says so")
    func wrongDeclarations() throws {
        let latin = try record(encode("<?xml version='1.0' encoding='UTF-8'?><r>Crème</r>", "CP1252"))
        #expect(latin.recorder.lines == ["<r", "\"Crème", ">r"])
        #expect(latin.report.encoding == "windows-1252" && latin.report.encodingSource == .content)
        #expect(latin.report.problems == [MarkupProblem(.wrongEncoding, detail: "UTF-8")])

        let utf8 = try record(Array("<?xml version='1.0' encoding='ISO-8859-1'?><r>Crème</r>".utf8))
        #expect(utf8.recorder.lines == ["<r", "\"Crème", ">r"])
        #expect(utf8.report.problems == [MarkupProblem(.wrongEncoding, detail: "ISO-8859-1")])

        let unknown = try record(Array("<?xml version='1.0' encoding='../x'?><r>é</r>".utf8), charset: "utf-7")
        #expect(unknown.recorder.lines == ["<r", "\"é", ">r"])
        #expect(unknown.report.problems.map(\.kind) == [.unknownEncoding, .unknownEncoding])

        let narrow = try record(Array("<?xml version='1.0' encoding='UTF-16'?><r>é</r>".utf8), charset: "us-ascii")
        #expect(narrow.recorder.lines == ["<r", "\"é", ">r"])
    }

    @Test("a few broken bytes in good UTF-8 become U+FFFD and leave the rest alone")
    func brokenBytes() throws {
        var bytes = Array("<r>日本語 é".utf8)
        bytes += [0xE6, 0x97] + Array("</r>".utf8)
        let (recorder, report) = try record(bytes)
        #expect(recorder.lines == ["<r", "\"日本語 é\u{FFFD}\u{FFFD}", ">r"])
        #expect(report.problems == [MarkupProblem(.undecodableBytes)])
        let overlong = try record(Array("<r>éé".utf8) + [0xC0, 0xBC] + Array("</r>".utf8))
        #expect(overlong.recorder.lines == ["<r", "\"éé\u{FFFD}\u{FFFD}", ">r"])
    }

    @Test("broken bytes of another encoding become U+FFFD too")
    func brokenDoubleBytes() throws {
        let bytes = try encode("<r>日本</r>", "CP932").dropLast(4) + [0xFF, 0x81] + Array("</r>".utf8)
        let (recorder, report) = try record(Array(bytes), charset: "shift_jis")
        #expect(recorder.lines[1].hasPrefix("\"日本\u{FFFD}"))
        #expect(report.problems.contains(MarkupProblem(.undecodableBytes)))
    }
}
