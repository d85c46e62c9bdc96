import ConnectorKit
import Testing

struct ServerSentEventParserTests {
    private static let stream =
        "\u{FEFF}:)\n\nevent: update\ndata: {\"a\":1}\n\n:thump\n\ndata: one\r\ndata:two\r\n\r\nid: 7\rdata\r\revent: lost\n\nid: 8\n\nretry: 5\ndata: x\n\n"

    private static let expected: [ServerSentEventParser.Message] = [
        .init(event: "update", data: Array("{\"a\":1}".utf8)), .init(event: "", data: Array("one\ntwo".utf8)),
        .init(id: "7", event: "", data: []), .init(id: "8", event: "", data: []),
        .init(id: "8", event: "", data: Array("x".utf8)),
    ]

    @Test("Events are the same wherever the stream is cut, with every ending of lines", arguments: 1...40)
    func cuts(size: Int) throws {
        let bytes = Array(Self.stream.utf8)
        var parser = ServerSentEventParser()
        var messages: [ServerSentEventParser.Message] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            messages += try parser.read(Array(bytes[start..<min(start + size, bytes.count)]))
        }
        #expect(messages == Self.expected)
        #expect(parser.isBetweenEvents)
    }

    @Test("A line or an event that is too long ends the stream", arguments: ["data: ", ": ", ""])
    func tooLong(prefix: String) throws {
        var parser = ServerSentEventParser(longest: 100)
        #expect(throws: ServerSentEventParser.TooLong.self) {
            for _ in 0..<20 { _ = try parser.read(Array((prefix + "xxxxxxxxxx").utf8)) }
        }
        var lines = ServerSentEventParser(longest: 100)
        #expect(throws: ServerSentEventParser.TooLong.self) {
            for _ in 0..<20 { _ = try lines.read(Array("data: xxxxxxxxxx\n".utf8)) }
        }
    }

    @Test("It is between events when nothing is begun")
    func between() throws {
        var parser = ServerSentEventParser()
        #expect(parser.isBetweenEvents)
        _ = try parser.read(Array("event: x\n".utf8))
        #expect(!parser.isBetweenEvents)
        _ = try parser.read(Array("data: y\n\n:thum".utf8))
        #expect(!parser.isBetweenEvents)
        _ = try parser.read(Array("p\n\n".utf8))
        #expect(parser.isBetweenEvents)
    }
}
