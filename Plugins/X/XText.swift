import Glibc
import JSON
import SocialEvents

/// The words of a post, plain, and the places in them that entities name.
///
/// X escapes `&`, `<` and `>` as HTML does and counts code points of the escaped text. Where a text has such escapes, the place an
/// entity names is looked up in both ways of counting and believed only where the entity's sign stands.
struct XText {
    /// What an entity begins with.
    enum Sign {
        case hash, at, dollar, link

        func matches(_ scalar: Unicode.Scalar) -> Bool {
            switch self {
            case .hash: scalar == "#" || scalar == "＃"
            case .at: scalar == "@" || scalar == "＠"
            case .dollar: scalar == "$" || scalar == "＄"
            case .link: scalar == "h" || scalar == "H"
            }
        }
    }

    /// A character that stood escaped: where it stands in the escaped text, and how many scalars its escape has beyond itself.
    private struct Escape {
        var place: Int
        var surplus: Int
    }

    /// The words.
    let text: String
    /// How many Unicode scalars they have.
    let scalarCount: Int
    /// Whether the text was cut at the greatest length an event may have.
    let isCut: Bool
    private var escapes: [Escape] = []
    /// Only where there are escapes.
    private var scalars: [Unicode.Scalar] = []

    /// Reads a string of a payload; `nil` when it is none.
    init?(_ value: JSONValue) {
        let read: (String, Int, Bool, Bool)? = value.withUTF8 { bytes in
            let kept = Self.bounded(bytes)
            var continuations = 0
            for byte in kept where byte & 0xC0 == 0x80 { continuations += 1 }
            let isEscaped = kept.baseAddress.map { memchr($0, 0x26, kept.count) != nil } ?? false
            return (
                String(decoding: kept, as: UTF8.self), kept.count - continuations, kept.count < bytes.count, isEscaped
            )
        }
        guard let (text, count, isCut, isEscaped) = read else { return nil }
        self.isCut = isCut
        guard isEscaped else {
            self.text = text
            scalarCount = count
            return
        }
        (scalars, escapes) = Self.unescape(Array(text.unicodeScalars))
        guard !escapes.isEmpty else {
            scalars = []
            self.text = text
            scalarCount = count
            return
        }
        var plain = String.UnicodeScalarView()
        plain.append(contentsOf: scalars)
        self.text = String(plain)
        scalarCount = scalars.count
    }

    /// A text that is plain already.
    init(plain text: String) {
        self.text = text
        scalarCount = text.unicodeScalars.count
        isCut = false
    }

    /// The stretch that an entity names, or `nil` when there is none such.
    func range(from start: Int, to end: Int, _ sign: Sign) -> Range<Int>? {
        guard start >= 0, start < end else { return nil }
        guard !escapes.isEmpty else { return end <= scalarCount ? start..<end : nil }
        let counted = plain(start)..<max(plain(start), plain(end))
        for range in [counted, start..<end] where range.upperBound <= scalarCount && !range.isEmpty {
            if sign.matches(scalars[range.lowerBound]) { return range }
        }
        return nil
    }

    /// Where a piece of text first stands, for entities whose offsets lead nowhere; ASCII letters compare in any case.
    func find(_ piece: String) -> Range<Int>? {
        let wanted = piece.unicodeScalars.map(Self.folded)
        guard !wanted.isEmpty, wanted.count <= 512 else { return nil }
        let all = text.unicodeScalars.map(Self.folded)
        guard all.count >= wanted.count else { return nil }
        for start in 0...(all.count - wanted.count) where all[start] == wanted[0] {
            if all[start..<(start + wanted.count)].elementsEqual(wanted) { return start..<(start + wanted.count) }
        }
        return nil
    }

    private static func folded(_ scalar: Unicode.Scalar) -> UInt32 {
        scalar.value >= 0x41 && scalar.value <= 0x5A ? scalar.value | 0x20 : scalar.value
    }

    /// An offset into the escaped text as one into the plain text.
    private func plain(_ offset: Int) -> Int {
        var shift = 0
        for escape in escapes {
            guard escape.place < offset else { break }
            // An offset inside an escape counts as the place behind it.
            shift += min(escape.surplus, offset - escape.place - 1)
        }
        return offset - shift
    }

    /// At most as much as an event may hold, cut between scalars.
    private static func bounded(_ bytes: UnsafeBufferPointer<UInt8>) -> UnsafeBufferPointer<UInt8> {
        guard bytes.count > EventLimits.text else { return bytes }
        var end = EventLimits.text
        while end > 0, bytes[end] & 0xC0 == 0x80 { end -= 1 }
        return UnsafeBufferPointer(rebasing: bytes[..<end])
    }

    private static func unescape(_ escaped: [Unicode.Scalar]) -> ([Unicode.Scalar], [Escape]) {
        var scalars: [Unicode.Scalar] = []
        scalars.reserveCapacity(escaped.count)
        var escapes: [Escape] = []
        var place = 0
        while place < escaped.count {
            let scalar = escaped[place]
            if scalar == "&", let (meant, length) = reference(escaped[place...]) {
                scalars.append(meant)
                escapes.append(Escape(place: place, surplus: length - 1))
                place += length
            } else {
                scalars.append(scalar)
                place += 1
            }
        }
        return (scalars, escapes)
    }

    private static func reference(_ text: ArraySlice<Unicode.Scalar>) -> (Unicode.Scalar, Int)? {
        for (name, meant) in references where text.starts(with: name) { return (meant, name.count) }
        return nil
    }

    private static let references: [([Unicode.Scalar], Unicode.Scalar)] = [
        (Array("&amp;".unicodeScalars), "&"), (Array("&lt;".unicodeScalars), "<"), (Array("&gt;".unicodeScalars), ">"),
    ]
}
