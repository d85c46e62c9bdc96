/// A platform's name as it begins every id and stands in the event's `platform` attribute: `feed`, `mastodon`, `x`.
public struct Platform: Sendable, Hashable, CustomStringConvertible, ExpressibleByStringLiteral {
    /// Lower-case letters, digits and hyphens.
    public var name: String

    /// A platform by its name.
    public init(_ name: String) { self.name = name }

    /// A platform by a literal name.
    public init(stringLiteral value: String) { name = value }

    /// The name.
    public var description: String { name }

    /// The platform of events that the hub tells about itself.
    public static let hub = Platform("hub")
}

/// The name of one configured source, unique in a hub; written `/sources/NAME` in an event's `source` attribute.
public struct SourceName: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The name as configured.
    public var name: String

    /// A source name, as it is; the configuration has checked its form.
    public init(_ name: String) { self.name = name }

    /// The name.
    public var description: String { name }

    /// By code points.
    public static func < (lhs: Self, rhs: Self) -> Bool { lhs.name < rhs.name }
}

/// The id of something on a platform, `PLATFORM:KIND:NATIVE-ID`, the same by whichever way it was seen.
///
/// Opaque to readers.
public struct ObjectID: Sendable, Hashable, CustomStringConvertible {
    /// The whole id.
    public var text: String

    /// An id that is already in its final form.
    public init(text: String) { self.text = text }

    /// The id of `native` on `platform`.
    ///
    /// A native id longer than ``longestNative`` bytes is cut, control and format characters in it are percent-encoded;
    /// either is closed with a digest of the whole, so that different native ids stay different.
    public init(_ platform: Platform, _ kind: ObjectKind, _ native: String) {
        self.init(platform, kind.rawValue, native)
    }

    /// An id in a namespace that is no object's kind, such as `actor` or `conversation`.
    public init(_ platform: Platform, _ namespace: String, _ native: String) {
        self = native.withBytes { ObjectID(platform, namespace, utf8: $0) }
    }

    /// The id of a native id given in UTF-8; see ``init(_:_:_:)-(Platform,String,String)``.
    init(_ platform: Platform, _ namespace: String, utf8 native: UnsafeBufferPointer<UInt8>) {
        if native.count <= Self.longestNative && native.isPrintableASCII {
            text = String(platform.name, namespace, native, joinedBy: ":")
        } else {
            let bounded = Self.bounded(String(decoding: native, as: UTF8.self))
            text = bounded.withBytes { String(platform.name, namespace, $0, joinedBy: ":") }
        }
    }

    /// Native ids longer than this many UTF-8 bytes are shortened.
    public static let longestNative = 512

    /// The platform that it begins with.
    package var platform: Platform { Platform(String(text.prefix { $0 != ":" })) }

    /// Whether it is somebody's.
    package var isActor: Bool { text.drop { $0 != ":" }.hasPrefix(":actor:") }

    /// The id.
    public var description: String { text }
}

/// The id of an event: a function of platform, object, verb and revision, so that the same fact has the same id however often it is seen.
public struct EventID: Sendable, Hashable, CustomStringConvertible {
    /// The whole id.
    public var text: String

    /// An id that is already in its final form.
    public init(text: String) { self.text = text }

    /// The id of what `verb` did to `object`, for example `feed:article:tag:example.org,2026:1/updated/3`.
    ///
    /// - Parameters:
    ///   - object: what it happened to.
    ///   - verb: what happened.
    ///   - revision: counts repetitions of the verb on the object; 0 is left out.
    public init(_ object: ObjectID, _ verb: EventType.Verb, revision: Int = 0) {
        if revision == 0 {
            text = String(object.text, verb.rawValue, nil, joinedBy: "/")
        } else {
            text = String(revision).withBytes { String(object.text, verb.rawValue, $0, joinedBy: "/") }
        }
    }

    /// The id.
    public var description: String { text }
}

/// A position in the log.
///
/// Sequences rise strictly; 0 stands before the first event.
public struct Sequence: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The position as a number, never negative.
    public var number: Int64

    /// A position.
    public init(_ number: Int64) { self.number = number }

    /// Before the first event.
    public static let start = Sequence(0)

    /// How many digits a written position has.
    static let writtenLength = 20

    /// Twenty digits, zero-padded, so that text order is log order (the form of the CloudEvents `sequence` extension).
    public var description: String {
        String(unsafeUninitializedCapacity: Self.writtenLength) { buffer in
            write(to: buffer)
            return Self.writtenLength
        }
    }

    /// Writes ``description`` as UTF-8 to the first ``writtenLength`` bytes.
    func write(to bytes: UnsafeMutableBufferPointer<UInt8>) {
        // A number below zero is a mistake elsewhere, and no reason to end the program.
        var rest = max(number, 0)
        for position in stride(from: Self.writtenLength - 1, through: 0, by: -1) {
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
            bytes[position] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: digit)
            rest = quotient
        }
    }

    /// Reads decimal digits, padded or not.
    public init?(_ text: some StringProtocol) {
        guard text.utf8.count <= Self.writtenLength, text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }),
            let number = Int64(text)
        else { return nil }
        self.number = number
    }

    /// Earlier in the log is smaller.
    public static func < (lhs: Self, rhs: Self) -> Bool { lhs.number < rhs.number }
}
