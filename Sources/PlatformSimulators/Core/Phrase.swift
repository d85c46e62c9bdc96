/// What somebody says, in parts, so that each platform can mark up mentions, tags and links in its own way.
package struct Phrase: Sendable, Hashable {
    /// A part of what is said.
    package enum Part: Sendable, Hashable {
        /// Words as they are, spaces included.
        case words(String)
        /// A hashtag, without the sign.
        case hashtag(String)
        /// A person, by index.
        case mention(Int)
        /// A web address.
        case link(String)
        /// A new paragraph.
        case paragraph
    }

    /// The parts in their order.
    package var parts: [Part]
    /// The BCP 47 tag of its language.
    package var language: String

    /// What is said.
    package init(_ parts: [Part], language: String) {
        self.parts = parts
        self.language = language
    }

    /// The hashtags in it.
    package var hashtags: [String] {
        parts.compactMap { if case .hashtag(let tag) = $0 { tag } else { nil } }
    }

    /// The people mentioned in it.
    package var mentions: [Int] {
        parts.compactMap { if case .mention(let index) = $0 { index } else { nil } }
    }

    /// The plain text, with people as `name` writes them.
    package func plain(name: (Int) -> String) -> String {
        var text = ""
        for part in parts {
            switch part {
            case .words(let words): text += words
            case .hashtag(let tag): text += "#" + tag
            case .mention(let index): text += name(index)
            case .link(let url): text += url
            case .paragraph: text += "\n\n"
            }
        }
        return text
    }

    /// Something to say, one of very many.
    ///
    /// - Parameters:
    ///   - number: which utterance it is; stands in the text, so that no two are alike.
    ///   - people: how many people there are to mention.
    ///   - dice: decides the rest.
    /// - Returns: the phrase.
    package static func random(_ number: Int, people: Int, dice: inout Dice) -> Phrase {
        let (language, opening) = dice.pick(openings)
        var parts: [Part] = [.words(opening)]
        if dice.oneIn(3), people > 0 { parts += [.words(" "), .mention(dice.roll(people))] }
        if dice.oneIn(2) { parts += [.words(" "), .hashtag(dice.pick(tags))] }
        if dice.oneIn(4) {
            parts += [.words(" "), .link("https://harbour.example.org/a/\(number)?from=quay&lang=\(language)")]
        }
        if dice.oneIn(4) { parts += [.paragraph, .words(dice.pick(endings))] }
        parts.append(.words(" (\(number))"))
        return Phrase(parts, language: language)
    }

    /// The same phrase as somebody mends it for the `revision`-th time.
    package func edited(_ revision: Int) -> Phrase {
        Phrase(parts + [.words(" [edit \(revision)]")], language: language)
    }

    /// The tags that people use here.
    package static let tags = ["harbourdays", "Fähre", "été", "港の日", "البحر", "quay2026"]

    private static let openings = [
        ("en", "Nobody had expected so many people on a weekday morning."),
        ("en", "\"I waited two hours & nobody told us <anything>,\" 😞"),
        ("de", "Die Nachbarn haben lange darauf gewartet, und nun ist es so weit."),
        ("fr", "Déçue mais pas fâchée\u{a0}: c'est ainsi."), ("ja", "港のカフェがまた開きました。"),
        ("ar", "المقهى يفتح أبوابه من جديد"), ("he", "בית הקפה נפתח שוב"), ("hi", "बंदरगाह का कैफ़े फिर खुला"),
        ("en", "👩‍👩‍👧‍👦 🇺🇦🇧🇷 family day, e\u{301}te\u{301} edition"), ("ko", "항구 카페가 다시 문을 열었어요"),
        ("en", "Z\u{334}a\u{320}l\u{347}g\u{32b}o\u{353} weather today"),
    ]

    private static let endings = [
        "We will be there again tomorrow. 🎉", "Bring a friend.", "Who can help, please write to us.",
        "And yes, dogs are welcome. 🐶",
    ]
}
