/// Converts offsets into a text from the units that platforms count in to Unicode scalars, the unit of an event's entities.
///
/// Offsets come from outside: one that lies beyond the text or inside a scalar gives nil, never another place. Making
/// one takes time linear in the text, each conversion afterwards only a short walk.
public struct TextOffsets: Sendable {
    /// What a platform counts in.
    public enum Unit: Sendable, Hashable, CaseIterable {
        /// Bytes of UTF-8, as Bluesky counts.
        case utf8
        /// UTF-16 code units, as Facebook and JavaScript count.
        case utf16
        /// Unicode code points, as X and Tumblr count.
        case codePoints
    }

    /// A place in the text that is a border between scalars.
    private struct Place: Sendable {
        var scalars = 0
        var utf8 = 0
        var utf16 = 0

        func offset(in unit: Unit) -> Int {
            switch unit {
            case .utf8: utf8
            case .utf16: utf16
            case .codePoints: scalars
            }
        }

        /// Moves over the scalar that begins with the byte `lead`.
        mutating func advance(over lead: UInt8) {
            scalars += 1
            switch lead {
            case ..<0x80: utf8 += 1
            case ..<0xE0: utf8 += 2
            case ..<0xF0: utf8 += 3
            default: utf8 += 4
            }
            utf16 += lead < 0xF0 ? 1 : 2
        }
    }

    private static let stride = 128

    private let text: String
    private let end: Place
    /// Every ``stride``-th border; empty for ASCII, where all units agree.
    private let landmarks: [Place]

    /// Prepares the conversion of offsets into `text`.
    public init(_ text: String) {
        var text = text
        text.makeContiguousUTF8()
        self.text = text
        var place = Place()
        var landmarks: [Place] = []
        text.withUTF8 { bytes in
            if bytes.allSatisfy({ $0 < 0x80 }) {
                place = Place(scalars: bytes.count, utf8: bytes.count, utf16: bytes.count)
                return
            }
            while place.utf8 < bytes.count {
                if place.scalars % Self.stride == 0 { landmarks.append(place) }
                place.advance(over: bytes[place.utf8])
            }
        }
        end = place
        self.landmarks = landmarks
    }

    /// How many Unicode scalars the text has.
    public var scalarCount: Int { end.scalars }

    /// The scalar that begins at `offset`; the end of the text counts as a place too.
    ///
    /// - Returns: nil when `offset` is negative, beyond the end, or inside a scalar.
    public func scalar(at offset: Int, in unit: Unit) -> Int? {
        guard offset >= 0, offset <= end.offset(in: unit) else { return nil }
        guard !landmarks.isEmpty, unit != .codePoints else { return offset }
        var place = landmark(before: offset, in: unit)
        text.utf8.withContiguousStorageIfAvailable { bytes in
            while place.offset(in: unit) < offset { place.advance(over: bytes[place.utf8]) }
        }
        return place.offset(in: unit) == offset ? place.scalars : nil
    }

    /// The stretch of scalars between two offsets.
    ///
    /// - Returns: nil when either has no place in the text, or the end lies before the start.
    public func range(from start: Int, to end: Int, in unit: Unit) -> Range<Int>? {
        guard start <= end, let lower = scalar(at: start, in: unit), let upper = scalar(at: end, in: unit) else {
            return nil
        }
        return lower..<upper
    }

    /// The last landmark that does not lie beyond `offset`.
    private func landmark(before offset: Int, in unit: Unit) -> Place {
        var low = 0
        var high = landmarks.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if landmarks[middle].offset(in: unit) <= offset {
                low = middle
            } else {
                high = middle
            }
        }
        return landmarks[low]
    }
}
