import ConnectorTesting
import JSON
import SocialEvents
import Testing

@testable import XConnector

struct XTextTests {
    /// Deterministic chance (SplitMix64).
    private struct Dice: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }

    private static let pieces = [
        "word", " ", "é", "e\u{301}", "👋", "👨‍👩‍👧", "🇫🇷", "مرحبا", "שלום", "漢字", "\n", "&", "<", ">", "&amp;", "\u{200F}",
        "x & y", "🏳️‍🌈",
    ]

    private struct Marked {
        var text = ""
        var escaped = ""
        var marks: [(kind: String, value: String, start: Int, end: Int, piece: String)] = []

        var length: Int { escaped.unicodeScalars.count }

        mutating func append(_ piece: String) {
            text += piece
            escaped += piece.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
        }

        mutating func mark(_ kind: String, _ value: String, _ piece: String) {
            append(" ")
            let start = length
            append(piece)
            marks.append((kind, value, start, length, piece))
            append(" ")
        }
    }

    private static func make(_ dice: inout Dice) -> Marked {
        var marked = Marked()
        for _ in 0..<Int.random(in: 1...20, using: &dice) {
            switch Int.random(in: 0..<8, using: &dice) {
            case 0: marked.mark("hashtags", "Été漢", "#Été漢")
            case 1: marked.mark("mentions", "acme_help", "@acme_help")
            case 2: marked.mark("urls", "example.org", "https://t.co/AbC")
            case 3: marked.mark("cashtags", "ACME", "$ACME")
            default: marked.append(pieces.randomElement(using: &dice) ?? "")
            }
        }
        return marked
    }

    private static func payload(_ marked: Marked, shift: Int = 0) -> [UInt8] {
        XAPI.json { writer in
            writer.key("data")
            writer.beginObject()
            writer.member("id", "1900000000000000001")
            writer.member("text", marked.escaped)
            writer.key("entities")
            writer.beginObject()
            for kind in ["hashtags", "mentions", "urls", "cashtags"] {
                writer.key(kind)
                writer.beginArray()
                for mark in marked.marks where mark.kind == kind {
                    writer.beginObject()
                    writer.member("start", mark.start + shift)
                    writer.member("end", mark.end + shift)
                    switch kind {
                    case "mentions": writer.member("username", mark.value)
                    case "urls":
                        writer.member("url", mark.piece)
                        writer.member("expanded_url", "https://example.org/")
                        writer.member("display_url", mark.value)
                    default: writer.member("tag", mark.value)
                    }
                    writer.endObject()
                }
                writer.endArray()
            }
            writer.endObject()
            writer.endObject()
        }
    }

    private static func read(_ payload: [UInt8]) throws -> Event {
        var events: [Event] = []
        try JSONParser().parse(payload) { root in
            var normalizer = XNormalizer(now: XScript.start)
            normalizer.readPosts(root, into: &events)
        }
        return try #require(events.first)
    }

    private static func stretch(_ text: String, _ entity: Entity) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: Array(text.unicodeScalars)[entity.start..<entity.end])
        return String(view)
    }

    @Test("Offsets in code points name the same stretch in the plain text, whatever stands around", arguments: 0..<40)
    func offsets(seed: Int) throws {
        var dice = Dice(state: UInt64(seed))
        for _ in 0..<25 {
            let marked = Self.make(&dice)
            let object = try #require(try Self.read(Self.payload(marked)).data.object)
            #expect(object.text == marked.text)
            #expect(object.entities.count == marked.marks.count)
            let got = object.entities.map { Self.stretch(marked.text, $0) }.sorted()
            #expect(got == marked.marks.map(\.piece).sorted())
        }
    }

    @Test("Offsets beyond the text are mended or left out, and either is told", arguments: 0..<20)
    func beyond(seed: Int) throws {
        var dice = Dice(state: UInt64(seed) &+ 1000)
        for shift in [-3, 1000, Int.max / 2] {
            let marked = Self.make(&dice)
            guard !marked.marks.isEmpty else { continue }
            let event = try Self.read(Self.payload(marked, shift: shift))
            #expect(event.validate().isEmpty)
            let object = try #require(event.data.object)
            if shift > 0 {
                for entity in object.entities {
                    #expect(marked.marks.contains { $0.piece == Self.stretch(marked.text, entity) })
                }
                #expect(event.data.loss.contains { $0.field == "entities" })
            }
        }
    }

    @Test("Several pictures behind one link mark it once")
    func pictures() throws {
        let link =
            "{\"start\":4,\"end\":20,\"url\":\"https://t.co/abc\",\"expanded_url\":\"https://x.com/a/status/1/photo/1\",\"display_url\":\"pic.x.com/abc\"}"
        let event = try Self.read(
            Array(
                "{\"data\":{\"id\":\"1\",\"text\":\"see https://t.co/abc\",\"entities\":{\"urls\":[\(link),\(link)]}}}"
                    .utf8
            )
        )
        #expect(event.data.object?.entities.count == 1)
    }

    @Test("The old forms count in the same way")
    func legacy() throws {
        let payload = """
            {"for_user_id":"1","tweet_create_events":[{"id_str":"5","created_at":"Wed Oct 10 20:19:24 +0000 2018","text":"👋 R&amp;D #été",\
            "user":{"id_str":"2","screen_name":"a","name":"A"},"entities":{"hashtags":[{"text":"été","indices":[10,14]}]}}]}
            """
        var events: [Event] = []
        try JSONParser().parse(payload) { root in
            var normalizer = XNormalizer(now: XScript.start)
            normalizer.read(root, into: &events)
        }
        let object = try #require(events.first?.data.object)
        #expect(object.text == "👋 R&D #été")
        #expect(object.entities.map { Self.stretch(object.text ?? "", $0) } == ["#été"])
        #expect(events.first?.time == Timestamp(rfc3339: "2018-10-10T20:19:24Z"))
    }
}
