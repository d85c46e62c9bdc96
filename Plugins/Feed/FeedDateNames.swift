/// The words that stand in the dates of feeds: months in the languages that blog software writes, and time zones.
enum FeedDateNames {
    /// The month of an English three-letter name, in any case.
    @inline(__always)
    static func englishMonth(_ first: UInt8, _ second: UInt8, _ third: UInt8) -> Int? {
        let key = UInt32(first | 0x20) << 16 | UInt32(second | 0x20) << 8 | UInt32(third | 0x20)
        switch key {
        case 0x6A616E: return 1  // jan
        case 0x666562: return 2  // feb
        case 0x6D6172: return 3  // mar
        case 0x617072: return 4  // apr
        case 0x6D6179: return 5  // may
        case 0x6A756E: return 6  // jun
        case 0x6A756C: return 7  // jul
        case 0x617567: return 8  // aug
        case 0x736570: return 9  // sep
        case 0x6F6374: return 10  // oct
        case 0x6E6F76: return 11  // nov
        case 0x646563: return 12  // dec
        default: return nil
        }
    }

    /// The month that a lower-case word begins, or nil.
    static func month(_ word: String) -> Int? {
        for (prefix, month) in otherMonths where word.hasPrefix(prefix) { return month }
        let bytes = Array(word.utf8.prefix(3))
        return bytes.count == 3 ? englishMonth(bytes[0], bytes[1], bytes[2]) : nil
    }

    /// Names that do not begin like the English ones, by the shortest beginning that tells them apart; French `juin` and
    /// `juil` stand here since they begin alike.
    private static let otherMonths: [(String, Int)] = [
        ("janv", 1), ("ene", 1), ("gen", 1), ("ιαν", 1), ("янв", 1),
        ("fév", 2), ("fev", 2), ("φεβ", 2), ("фев", 2),
        ("mär", 3), ("maer", 3), ("mrt", 3), ("már", 3), ("μάώ", 3), ("μαώ", 3), ("μαρ", 3), ("μάρ", 3), ("мар", 3),
        ("avr", 4), ("abr", 4), ("ápr", 4), ("απρ", 4), ("апр", 4),
        ("mai", 5), ("mag", 5), ("mei", 5), ("máj", 5), ("maj", 5), ("μάι", 5), ("μαϊ", 5), ("μαι", 5), ("май", 5),
        ("мая", 5),
        ("juin", 6), ("giu", 6), ("jún", 6), ("ιούν", 6), ("ιουν", 6), ("ιον", 6), ("июн", 6),
        ("juil", 7), ("lug", 7), ("júl", 7), ("ιούλ", 7), ("ιουλ", 7), ("ιολ", 7), ("июл", 7),
        ("aoû", 8), ("aou", 8), ("ago", 8), ("αύγ", 8), ("αυγ", 8), ("авг", 8),
        ("set", 9), ("szep", 9), ("σεπ", 9), ("сен", 9),
        ("okt", 10), ("ott", 10), ("out", 10), ("οκτ", 10), ("окт", 10),
        ("νοέ", 11), ("νοε", 11), ("ноя", 11),
        ("dez", 12), ("dic", 12), ("déc", 12), ("δεκ", 12), ("дек", 12),
    ]

    /// Minutes east of UTC of a zone's lower-case name, or nil.
    ///
    /// Where a name means several zones, the one that blog software means by it counts; RFC 822's single letters but
    /// `Z` were defined the wrong way round and mean nothing (RFC 5322 §4.3).
    static func zone(_ word: String) -> Int? {
        switch word {
        case "z", "ut", "utc", "gmt", "wet", "zulu": 0
        case "est", "cdt": -300
        case "edt", "ast", "at": -240
        case "et": -300
        case "cst", "mdt", "ct": -360
        case "mst", "pdt", "mt": -420
        case "pst", "akdt", "pt": -480
        case "akst": -540
        case "hst": -600
        case "adt", "brt", "art": -180
        case "nst": -210
        case "ndt": -150
        case "bst", "cet", "met", "mez", "west": 60
        case "cest", "mest", "mesz", "eet", "sast", "cat": 120
        case "eest", "msk", "eat": 180
        case "msd", "gst": 240
        case "pkt": 300
        case "ist": 330
        case "ict", "wib": 420
        case "sgt", "hkt", "awst", "myt", "pht": 480
        case "jst", "kst": 540
        case "aest": 600
        case "aedt": 660
        case "nzst": 720
        case "nzdt": 780
        default: nil
        }
    }
}
