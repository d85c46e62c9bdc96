/// The words of the simulated publishing house.
enum FeedPhrases {
    static func title(dice: UInt64, edited: Bool) -> String {
        let title = pick(subjects, dice) + " " + pick(predicates, dice >> 16)
        return edited ? title + " (updated)" : title
    }

    static func paragraphs(dice: UInt64, edited: Bool) -> [String] {
        var paragraphs = [
            pick(openings, dice), pick(middles, dice >> 8) + " " + pick(middles, dice >> 20), pick(endings, dice >> 32),
        ]
        if edited { paragraphs.append("Correction: an earlier version had the opening hours wrong.") }
        return paragraphs
    }

    static func author(dice: UInt64) -> String {
        pick(authors, dice)
    }

    static func categories(dice: UInt64) -> [String] {
        let first = pick(categories, dice)
        let second = pick(categories, dice >> 16)
        return first == second ? [first] : [first, second]
    }

    static func comment(dice: UInt64) -> String {
        pick(comments, dice)
    }

    private static func pick(_ words: [String], _ dice: UInt64) -> String {
        words[Int(dice % UInt64(words.count))]
    }

    private static let subjects = [
        "The harbour café", "Our night bus", "The repair shop", "A choir of ninety", "The new reading room",
        "The Saturday market",
        "An old tram", "The swimming bath", "The allotment club", "The ferry to the island",
    ]
    private static let predicates = [
        "opens its doors again", "is late for the third time", "finds a new home", "asks for patience",
        "thanks its helpers",
        "wins the heart of the quarter", "needs volunteers", "changes its timetable", "turns one hundred",
        "is sold out",
    ]
    private static let openings = [
        "Nobody had expected so many people on a weekday morning.",
        "\"I have waited two hours, and nobody told us anything,\" says Amélie, who came with her twins. 😞",
        "Fresh bread, warm light and a queue around the corner: that is how it began.",
        "Die Nachbarn haben lange darauf gewartet, und nun ist es so weit.",
        "Déçue mais pas fâchée : c'est ainsi qu'une habituée résume sa journée.",
        "It started with a handwritten note on the door.",
    ]
    private static let middles = [
        "The team answered every letter by hand.", "More under #harbourdays.", "Prices stay as they are until spring.",
        "Tickets are at https://tickets.example.org/today (while they last).", "Ask @harbourcafe for the details.",
        "Rain or shine, the doors stay open until eight.", "The council will decide in March.",
    ]
    private static let endings = [
        "We will be there again tomorrow. 🎉", "Bring a friend.", "Who can help, please write to us.",
        "To be continued.",
        "And yes, dogs are welcome. 🐶",
    ]
    private static let authors = ["Nora Lind", "Tomás Ruiz", "Aïcha Benali", "Jens Petersen", "渡辺 さくら"]
    private static let categories = ["Harbour", "Transport", "Culture", "Food", "Neighbours"]
    private static let comments = [
        "Finally! I missed this place.", "Two hours in the rain. Never again.",
        "Can somebody bring a chair for my mother?",
        "Merci à toute l'équipe !", "Is there parking nearby?",
    ]
}
