import Glibc

/// UTF-8 bytes borrowed from a reader, to be looked at and not kept.
///
/// A view is valid only until the callback that received it returns: take ``string`` or copy ``bytes`` to keep it. Every
/// access by index is checked, also in release builds, since the bytes behind it come from strangers.
public struct ByteView {
    /// The bytes themselves, as a buffer for C functions and copies.
    public let bytes: UnsafeBufferPointer<UInt8>

    /// Looks at a buffer that the caller keeps alive for as long as the view is in use.
    public init(_ bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
    }

    /// The view of nothing.
    public static var empty: ByteView { ByteView(UnsafeBufferPointer(start: nil, count: 0)) }

    /// Number of bytes.
    public var count: Int { bytes.count }

    /// Whether there are no bytes.
    public var isEmpty: Bool { bytes.isEmpty }

    /// The byte at a position; a position outside is a programming error and stops the process.
    public subscript(position: Int) -> UInt8 {
        @inline(__always) get {
            precondition(
                UInt(bitPattern: position) < UInt(bitPattern: bytes.count),
                "byte position outside of the view"
            )
            return bytes.baseAddress.unsafelyUnwrapped[position]
        }
    }

    /// The part of the view in a range; a range outside is a programming error and stops the process.
    public subscript(range: Range<Int>) -> ByteView {
        @inline(__always) get {
            precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count, "byte range outside of the view")
            guard let base = bytes.baseAddress else { return self }
            return ByteView(UnsafeBufferPointer(start: base + range.lowerBound, count: range.count))
        }
    }

    /// A copy as a string; bytes that are not UTF-8 become U+FFFD.
    public var string: String { String(decoding: bytes, as: UTF8.self) }

    /// The view without white space (space, tab, line feed, carriage return, form feed) at either end.
    public var trimmed: ByteView {
        var start = 0
        var end = count
        while start < end, self[start].isMarkupSpace { start += 1 }
        while end > start, self[end - 1].isMarkupSpace { end -= 1 }
        return self[start..<end]
    }

    /// Whether there is nothing but white space.
    public var isBlank: Bool {
        for index in 0..<count where !self[index].isMarkupSpace { return false }
        return true
    }

    /// Whether the bytes are exactly those of a literal.
    public static func == (view: ByteView, literal: StaticString) -> Bool {
        view.count == literal.utf8CodeUnitCount && view.starts(with: literal)
    }

    /// Whether the bytes differ from those of a literal.
    public static func != (view: ByteView, literal: StaticString) -> Bool { !(view == literal) }

    /// Whether two views hold the same bytes.
    public static func == (left: ByteView, right: ByteView) -> Bool {
        guard left.count == right.count else { return false }
        guard let one = left.bytes.baseAddress, let other = right.bytes.baseAddress else { return true }
        return memcmp(one, other, left.count) == 0
    }

    /// Pattern matching of a view against literals in a `switch`.
    public static func ~= (literal: StaticString, view: ByteView) -> Bool { view == literal }

    /// Whether the bytes are those of a literal in lower case, upper and lower ASCII letters counting as the same.
    public func equalsIgnoringCase(_ literal: StaticString) -> Bool {
        count == literal.utf8CodeUnitCount && startsIgnoringCase(with: literal, at: 0)
    }

    /// Whether the bytes from a position on start with a literal in lower case, ASCII letters compared without case.
    func startsIgnoringCase(with literal: StaticString, at position: Int) -> Bool {
        let length = literal.utf8CodeUnitCount
        guard position >= 0, count - position >= length else { return false }
        for index in 0..<length where self[position + index].lowercased != literal.utf8Start[index] { return false }
        return true
    }

    /// Whether the bytes from a position on start with a literal.
    func starts(with literal: StaticString, at position: Int = 0) -> Bool {
        let length = literal.utf8CodeUnitCount
        guard position >= 0, count - position >= length, let base = bytes.baseAddress else { return length == 0 }
        return memcmp(base + position, literal.utf8Start, length) == 0
    }

    /// The first position of a byte in a range, or the end of the range.
    @inline(__always)
    func position(of byte: UInt8, from start: Int, to end: Int) -> Int {
        precondition(start >= 0 && end <= count, "byte range outside of the view")
        guard start < end, let base = bytes.baseAddress, let found = memchr(base + start, Int32(byte), end - start)
        else { return end }
        return UnsafeRawPointer(found) - UnsafeRawPointer(base)
    }

    /// The first position of a literal from a position on, or nil.
    func position(of literal: StaticString, from start: Int) -> Int? {
        var position = start
        while true {
            position = self.position(of: literal.utf8Start.pointee, from: position, to: count)
            guard position < count else { return nil }
            if starts(with: literal, at: position) { return position }
            position += 1
        }
    }
}

extension UInt8 {
    /// Space, tab, line feed, carriage return or form feed.
    @inline(__always)
    var isMarkupSpace: Bool { self == 0x20 || self == 0x0A || self == 0x09 || self == 0x0D || self == 0x0C }

    /// An ASCII letter.
    @inline(__always)
    var isLetter: Bool { (self | 0x20) &- 0x61 < 26 }

    /// An ASCII digit.
    @inline(__always)
    var isDigit: Bool { self &- 0x30 < 10 }

    /// The lower-case form of an ASCII capital letter, other bytes unchanged.
    @inline(__always)
    var lowercased: UInt8 { self &- 0x41 < 26 ? self | 0x20 : self }

    /// A byte that may start an XML name; every non-ASCII character may, since nothing here depends on telling them apart.
    @inline(__always)
    var startsName: Bool { isLetter || self == 0x5F || self == 0x3A || self >= 0x80 }
}
