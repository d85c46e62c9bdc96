import SocialEvents
import Testing

@testable import XConnector

struct XLineReaderTests {
    private func read(_ text: String, cutAt cuts: [Int], limit: Int = 1 << 20) -> [XLineReader.Line] {
        var reader = XLineReader(limit: limit)
        let bytes = Array(text.utf8)
        var lines: [XLineReader.Line] = []
        var start = 0
        for cut in cuts.sorted() + [bytes.count] where cut <= bytes.count {
            reader.take(Array(bytes[start..<cut])) { lines.append(copy($0)) }
            start = cut
        }
        return lines
    }

    /// Slices are equal by their elements but print their indices.
    private func copy(_ line: XLineReader.Line) -> XLineReader.Line {
        switch line {
        case .message(let bytes): .message(Array(bytes)[...])
        case .tooLong(let bytes): .tooLong(Array(bytes)[...])
        case .keepAlive: .keepAlive
        }
    }

    private func message(_ text: String) -> XLineReader.Line { .message(Array(text.utf8)[...]) }

    private static let text = "\r\n{\"a\":1}\r\n\r\n{\"b\":\"é👋\"}\n\n{\"c\":3}\r\n{\"cut"

    @Test("Wherever a stream is cut, its lines are the same")
    func cuts() {
        let expected = [
            .keepAlive, message("{\"a\":1}"), .keepAlive, message("{\"b\":\"é👋\"}"), .keepAlive, message("{\"c\":3}"),
        ]
        let count = Self.text.utf8.count
        for first in 0...count {
            for second in first...count { #expect(read(Self.text, cutAt: [first, second]) == expected) }
        }
        #expect(read(Self.text, cutAt: Array(0...count)) == expected)
    }

    @Test("A line that is not whole is no line")
    func unfinished() {
        var reader = XLineReader()
        reader.take(Array("{\"a\"".utf8)) { _ in Issue.record("there is no line yet") }
        #expect(reader.isInsideLine)
    }

    @Test("A line beyond the limit is told once, takes no memory, and the next is read", arguments: [1, 7, 64])
    func tooLong(step: Int) {
        var reader = XLineReader(limit: 100)
        let bytes = Array((String(repeating: "x", count: 5000) + "\r\n{\"a\":1}\r\n").utf8)
        var lines: [XLineReader.Line] = []
        for start in stride(from: 0, to: bytes.count, by: step) {
            reader.take(Array(bytes[start..<min(start + step, bytes.count)])) { lines.append(copy($0)) }
        }
        #expect(lines.count == 2)
        #expect(lines.last == message("{\"a\":1}"))
        guard case .tooLong(let head) = lines[0] else {
            Issue.record("the first line is too long")
            return
        }
        #expect(head.count <= 4096)
    }

    @Test("A line beyond the limit within one chunk is told too")
    func tooLongInOneChunk() {
        let lines = read(String(repeating: "x", count: 200) + "\n\n", cutAt: [], limit: 100)
        #expect(lines.count == 2)
        #expect(lines[1] == .keepAlive)
    }
}
