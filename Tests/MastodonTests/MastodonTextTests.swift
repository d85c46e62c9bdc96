import JSON
import MastodonConnector
import PlatformSimulators
import SocialEvents
import Testing

/// Offsets of what is marked in a text: HTML has none, an event counts Unicode scalars.
struct MastodonTextTests {
    /// What makes offsets go wrong: scalars of all lengths, clusters, marks, text from right to left, markup.
    private static let pieces = [
        "plain", " ", "é", "e\u{301}", "👩‍👩‍👧‍👦", "🇺🇦🇧🇷", "שלום", "مرحبا", "港の朝", "हिन्दी", "Z\u{334}\u{320}a", "\u{200F}", "𝕏",
        "&", "<",
        ">", "\"", "'", "&amp;", "ﷺ", "\u{1F1E6}", "café", ":", "#", "@",
    ]

    private static func escaped(_ text: String) -> String {
        text.unicodeScalars.reduce(into: "") { result, scalar in
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            default: result.unicodeScalars.append(scalar)
            }
        }
    }

    private struct Marked {
        var html = "<p>"
        var shown: [(kind: Entity.Kind, text: String)] = []
        var mentions: [String] = []
        var emojis: [String] = []

        mutating func add(_ dice: inout Dice, _ number: Int) {
            switch dice.roll(8) {
            case 0:
                let tag = dice.pick(["quay", "été", "港", "Fähre2026", "البحر"]) + "\(number)"
                html +=
                    "<a href=\"https://harbour.example/tags/\(tag)\" class=\"mention hashtag\" rel=\"tag\">#<span>\(tag)</span></a> "
                shown.append((.hashtag, "#" + tag))
            case 1:
                let url = "https://quay.example/@p\(number)"
                html +=
                    "<span class=\"h-card\"><a href=\"\(url)\" class=\"u-url mention\">@<span>p\(number)</span></a></span> "
                mentions.append(
                    "{\"id\":\"\(number)\",\"username\":\"p\(number)\",\"url\":\"\(url)\",\"acct\":\"p\(number)@quay.example\"}"
                )
                shown.append((.mention, "@p\(number)"))
            case 2:
                let rest = "tickets.example.org/a/\(number)?x=1&y=é"
                html +=
                    "<a href=\"https://\(escaped(rest))\"><span class=\"invisible\">https://</span><span class=\"ellipsis\">\(escaped(String(rest.prefix(20))))</span><span class=\"invisible\">\(escaped(String(rest.dropFirst(20))))</span></a> "
                shown.append((.link, "https://" + rest))
            case 3:
                html += " :ferry_\(number): "
                emojis.append(
                    "{\"shortcode\":\"ferry_\(number)\",\"url\":\"https://files.harbour.example/\(number).png\"}"
                )
                shown.append((.emoji, ":ferry_\(number):"))
            case 4: html += dice.pick(["<br>", "</p><p>", "<br /> "])
            default: html += escaped(dice.pick(MastodonTextTests.pieces)) + (dice.oneIn(2) ? " " : "")
            }
        }

        func status(_ id: Int) -> String {
            var writer = JSONWriter()
            writer.string(html + "</p>")
            let content = String(decoding: writer.bytes, as: UTF8.self)
            return
                "{\"id\":\"\(id)\",\"uri\":\"https://harbour.example/s/\(id)\",\"created_at\":\"2026-03-01T08:00:00Z\",\"content\":\(content),\"mentions\":[\(mentions.joined(separator: ","))],\"emojis\":[\(emojis.joined(separator: ","))]}"
        }

        private func escaped(_ text: String) -> String { MastodonTextTests.escaped(text) }
    }

    @Test("Every mark covers exactly the scalars that show it, whatever stands around it", arguments: 1...40)
    func marks(seed: UInt64) throws {
        var dice = Dice(seed: seed)
        let normalizer = MastodonNormalizer(host: "harbour.example", now: Timestamp(seconds: 1_780_000_000))
        for round in 0..<25 {
            var marked = Marked()
            for number in 0..<(1 + dice.roll(30)) { marked.add(&dice, number) }
            var events: [Event] = []
            try JSONParser().parse(marked.status(round)) { root in
                _ = try normalizer.status(root, on: .appearance, into: &events)
            }
            let event = try #require(events.first)
            #expect(event.validate().isEmpty, "\(event.validate())")
            let object = try #require(event.data.object)
            let scalars = Array((object.text ?? "").unicodeScalars)
            let found = object.entities.map { entity in
                var text = ""
                text.unicodeScalars.append(contentsOf: scalars[entity.start..<entity.end])
                return "\(entity.kind) \(text)"
            }
            #expect(found == marked.shown.map { "\($0.kind) \($0.text)" }, "\(marked.html)")
            for entity in object.entities where entity.kind == .mention {
                #expect(entity.actor?.text == "mastodon:actor:\(entity.url ?? "")")
                #expect(entity.value?.hasSuffix("@quay.example") == true)
            }
        }
    }

    @Test("Emoji within a link stay part of the link, and colons alone are none")
    func emojiEdges() throws {
        let status = """
            {"id":"1","uri":"https://h.example/1","created_at":"2026-03-01T08:00:00Z","emojis":[{"shortcode":"a","url":"https://h.example/a.png"}],
            "content":"<p>:: :b: 10:a:30 <a href=\\"https://h.example/\\">see :a:</a> :a::a: :a</p>"}
            """
        var events: [Event] = []
        try JSONParser().parse(status) { root in
            let normalizer = MastodonNormalizer(host: "h.example", now: Timestamp(seconds: 0))
            _ = try normalizer.status(root, on: .appearance, into: &events)
        }
        let object = try #require(events.first?.data.object)
        #expect(object.text == ":: :b: 10:a:30 see :a: :a::a: :a")
        #expect(object.entities.map { "\($0.kind) \($0.start)" } == ["emoji 9", "link 15", "emoji 23", "emoji 26"])
    }
}
