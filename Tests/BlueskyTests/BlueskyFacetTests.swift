import BlueskyConnector
import ConnectorKit
import JSON
import SocialEvents
import Testing

@Suite("Facets")
struct BlueskyFacetTests {
    /// A generator of its own, so that a failing case can be run again.
    private struct Dice: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ (state >> 33)
        }
    }

    private static let pieces = [
        "a", "Z", " ", "\n", "é", "e\u{301}", "ß", "日本", "한", "م", "ש", "\u{200F}", "👍", "👍🏿", "👩‍👩‍👧‍👦", "🇫🇷", "🇺🇦🇧🇷",
        "#", "@x", "\u{1F3FB}", "\u{FEFF}", "क्षि", "Z\u{334}\u{320}", "\u{10FFFF}",
    ]

    private func object(_ text: String, _ facets: [(Int, Int)]) throws -> (object: SocialObject, loss: [Loss]) {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("did", "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa")
        writer.member("time_us", 1_780_000_000_000_000)
        writer.member("kind", "commit")
        writer.key("commit")
        writer.beginObject()
        writer.member("operation", "create")
        writer.member("collection", "app.bsky.feed.post")
        writer.member("rkey", "3aaaaaaaaaa2a")
        writer.member("rev", "3mptbypkxkx2g")
        writer.key("record")
        writer.beginObject()
        writer.member("text", text)
        writer.member("createdAt", "2026-05-28T20:00:00Z")
        writer.key("facets")
        writer.beginArray()
        for (start, end) in facets {
            writer.beginObject()
            writer.key("index")
            writer.beginObject()
            writer.member("byteStart", start)
            writer.member("byteEnd", end)
            writer.endObject()
            writer.key("features")
            writer.beginArray()
            writer.beginObject()
            writer.member("$type", "app.bsky.richtext.facet#tag")
            writer.member("tag", "t")
            writer.endObject()
            writer.endArray()
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
        writer.endObject()
        writer.endObject()
        var normalizer = BlueskyNormalizer(now: Timestamp(seconds: 1_780_000_000))
        _ = normalizer.jetstream(writer.bytes, with: JSONParser())
        let event = try #require(normalizer.events.first)
        #expect(event.validate() == [])
        return (try #require(event.data.object), event.data.loss)
    }

    @Test("A facet between two borders of the text marks exactly what stands between them", arguments: 0..<200)
    func exact(seed: Int) throws {
        var dice = Dice(state: UInt64(seed))
        let parts = (0..<Int.random(in: 1...40, using: &dice)).map { _ in Self.pieces.randomElement(using: &dice) ?? ""
        }
        let text = parts.joined()
        var borders = [0]
        for part in parts { borders.append((borders.last ?? 0) + part.utf8.count) }
        let facets = (0..<6).map { _ -> (Int, Int) in
            let first = Int.random(in: 0..<parts.count, using: &dice)
            return (borders[first], borders[Int.random(in: first + 1...parts.count, using: &dice)])
        }
        let (object, loss) = try object(text, facets)
        #expect(loss.isEmpty)
        let scalars = Array(text.unicodeScalars)
        #expect(object.entities.count == facets.count)
        for (entity, facet) in zip(object.entities, facets) {
            var marked = String.UnicodeScalarView()
            marked.append(contentsOf: scalars[entity.start..<entity.end])
            #expect(Array(String(marked).utf8) == Array(Array(text.utf8)[facet.0..<facet.1]))
        }
    }

    @Test("Whatever a facet says, the text is whole and every mark lies within it", arguments: 0..<200)
    func hostile(seed: Int) throws {
        var dice = Dice(state: UInt64(seed) &* 77)
        let text = (0..<Int.random(in: 0...20, using: &dice)).map { _ in Self.pieces.randomElement(using: &dice) ?? "" }
            .joined()
        let length = text.utf8.count
        let facets = (0..<20).map { _ in
            (Int.random(in: -3...length + 5, using: &dice), Int.random(in: -3...length + 5, using: &dice))
        }
        let (object, loss) = try object(text, facets + [(Int.min, Int.max), (0, Int.max), (Int.max, Int.min)])
        #expect(object.text == text)
        for entity in object.entities {
            #expect(entity.start >= 0 && entity.start < entity.end && entity.end <= text.unicodeScalars.count)
        }
        // Three at least are beyond repair or repaired.
        #expect(loss.contains { $0.field == "facets" })
    }

    @Test("A split scalar is marked whole, and the repair is told")
    func split() throws {
        let (object, loss) = try object("a👍b", [(2, 4)])
        #expect(object.entities.map { [$0.start, $0.end] } == [[1, 2]])
        #expect(loss.map(\.reason) == [.repaired])
    }

    @Test("A facet that reaches beyond the text ends with it, one beyond the text is left out")
    func outside() throws {
        let (object, loss) = try object("abc", [(1, 99), (3, 4)])
        #expect(object.entities.map { [$0.start, $0.end] } == [[1, 3]])
        #expect(Set(loss.map(\.reason)) == [.repaired, .dropped])
    }
}
