/// Somebody in a simulated world.
package struct Person: Sendable, Hashable {
    /// Which one, from 0.
    package var index: Int
    /// A user name of lower-case Latin letters, digits and `_`; unique in the world.
    package var handle: String
    /// The name that is shown, in any script.
    package var name: String
    /// What they say about themselves.
    package var bio: String
    /// How many follow them.
    package var followers: Int
    /// Whether it is a machine.
    package var isBot: Bool

    /// The people of a world, `count` of them.
    package static func all(_ count: Int, seed: UInt64) -> [Person] {
        var dice = Dice(seed: seed ^ 0x7065_6f70_6c65)
        return (0..<count).map { index in
            let (handle, name) = names[index % names.count]
            let round = index / names.count
            return Person(
                index: index,
                handle: round == 0 ? handle : "\(handle)_\(round)",
                name: name,
                bio: dice.pick(bios),
                followers: dice.roll(20_000),
                isBot: dice.oneIn(17)
            )
        }
    }

    private static let names = [
        ("nora_lind", "Nora Lind"), ("tomas_ruiz", "Tomás Ruiz"), ("aicha_b", "Aïcha Benali"),
        ("jens_p", "Jens Petersen"),
        ("sakura", "渡辺 さくら"), ("amelie", "Amélie 🌻"), ("dawit", "ዳዊት ተስፋዬ"), ("layla", "ليلى حداد"),
        ("noam", "נועם לוי"),
        ("priya", "प्रिया शर्मा"), ("minjun", "김민준"), ("olena", "Олена Коваль"), ("kofi", "Kofi 👨🏿‍🌾 Mensah"),
        ("harbourcafe", "The Harbour Café"), ("quay_bot", "Quay timetable"), ("zoe", "Zoe\u{308} e\u{301}tude"),
    ]

    private static let bios = [
        "Ferries, bread, and the weather.", "Ici pour les chats. 🐈", "Nachbarin. Liest Fahrpläne zum Vergnügen.",
        "He/him · #harbourdays · opinions are the tide's", "عن البحر والخبز", "",
    ]
}
