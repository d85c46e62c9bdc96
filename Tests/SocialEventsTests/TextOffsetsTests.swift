import SocialEvents
import Testing

@Suite struct TextOffsetsTests {
    @Test("Offsets of every platform's unit lead to the same scalar")
    func knownText() {
        let offsets = TextOffsets("a👍é日b")
        #expect(offsets.scalarCount == 5)
        #expect([0, 1, 5, 7, 10, 11].map { offsets.scalar(at: $0, in: .utf8) } == [0, 1, 2, 3, 4, 5])
        #expect([0, 1, 3, 4, 5, 6].map { offsets.scalar(at: $0, in: .utf16) } == [0, 1, 2, 3, 4, 5])
        #expect((0...5).map { offsets.scalar(at: $0, in: .codePoints) } == [0, 1, 2, 3, 4, 5])
    }

    @Test("Offsets inside a scalar or outside the text are refused")
    func refusal() {
        let offsets = TextOffsets("a👍é")
        #expect([2, 3, 4, 6].allSatisfy { offsets.scalar(at: $0, in: .utf8) == nil })
        #expect(offsets.scalar(at: 2, in: .utf16) == nil)
        for unit in TextOffsets.Unit.allCases {
            for offset in [-1, 100, .min, .max] { #expect(offsets.scalar(at: offset, in: unit) == nil) }
        }
    }

    @Test("A range is given only when both ends have a place and stand in order")
    func ranges() {
        let offsets = TextOffsets("👍 #tag")
        #expect(offsets.range(from: 3, to: 7, in: .utf16) == 2..<6)
        #expect(offsets.range(from: 7, to: 7, in: .utf16) == 6..<6)
        #expect(offsets.range(from: 7, to: 3, in: .utf16) == nil)
        #expect(offsets.range(from: 1, to: 7, in: .utf16) == nil)
        #expect(offsets.range(from: 3, to: 8, in: .utf16) == nil)
    }

    @Test("The empty text has one place")
    func emptyText() {
        for unit in TextOffsets.Unit.allCases {
            #expect(TextOffsets("").scalar(at: 0, in: unit) == 0)
            #expect(TextOffsets("").scalar(at: 1, in: unit) == nil)
        }
    }

    @Test(
        "In random texts every offset agrees with Swift's own string views",
        arguments: [
            ["a"], ["a", "é", "日", "👍"], ["👩‍👩‍👧‍👦", "🇫🇷", "e\u{301}\u{323}", " "],
            ["שלום", "\u{200f}", "مرحبا", "abc", "\r\n"],
        ]
    )
    func agreement(alphabet: [String]) {
        var generator = EventGenerator(seed: 7)
        for length in [1, 5, 60, 300] {
            let text = (0..<length).map { _ in generator.pick(alphabet) }.joined()
            let offsets = TextOffsets(text)
            #expect(offsets.scalarCount == text.unicodeScalars.count)
            for offset in 0...text.utf8.count {
                let index = text.utf8.index(text.startIndex, offsetBy: offset)
                #expect(offsets.scalar(at: offset, in: .utf8) == scalar(at: index, of: text))
            }
            for offset in 0...text.utf16.count {
                let index = text.utf16.index(text.startIndex, offsetBy: offset)
                #expect(offsets.scalar(at: offset, in: .utf16) == scalar(at: index, of: text))
            }
            for offset in 0...text.unicodeScalars.count {
                #expect(offsets.scalar(at: offset, in: .codePoints) == offset)
            }
        }
    }

    private func scalar(at index: String.Index, of text: String) -> Int? {
        index.samePosition(in: text.unicodeScalars).map {
            text.unicodeScalars.distance(from: text.startIndex, to: $0)
        }
    }
}
