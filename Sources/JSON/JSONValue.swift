/// A value in a document that is being read: a place on simdjson's tape.
///
/// Copying it costs nothing and reading it allocates nothing except the strings that are asked for. It is valid only
/// inside the closure that `JSONParser.parse` calls. A member that is null reads like one that is absent, as
/// platforms use both for the same thing.
@frozen
public struct JSONValue {
    // The tape, as doc/tape.md of simdjson has it: a word's top byte is its tag, the rest its payload. `{` and `[`
    // carry the index after their end and their count, `"` an offset into the string buffer, where a 32-bit length
    // precedes the bytes; `l`, `u` and `d` are followed by a word with the number. Word 0 is the root.
    @usableFromInline let tape: UnsafePointer<UInt64>
    @usableFromInline let strings: UnsafePointer<UInt8>
    @usableFromInline let index: Int

    @inlinable
    init(tape: UnsafePointer<UInt64>, strings: UnsafePointer<UInt8>, index: Int) {
        self.tape = tape
        self.strings = strings
        self.index = index
    }

    /// The kinds of JSON values.
    public enum Kind: String, Hashable, Sendable {
        /// Named members.
        case object
        /// Elements in order.
        case array
        /// Text.
        case string
        /// A number, whole or not.
        case number
        /// True or false.
        case boolean
        /// Null.
        case null
    }

    /// Which kind of value this is.
    @inlinable
    public var kind: Kind {
        switch tag {
        case .object: .object
        case .array: .array
        case .string: .string
        case .signed, .unsigned, .double: .number
        case .true, .false: .boolean
        default: .null
        }
    }

    /// Whether this is null.
    @inlinable
    public var isNull: Bool { tag == .null }
}

// MARK: - Reading what is there

extension JSONValue {
    /// The string, or nil when this is of another kind.
    @inlinable
    public var string: String? {
        guard tag == .string else { return nil }
        return String(decoding: utf8, as: UTF8.self)
    }

    /// The number as an integer, or nil when it is none, or does not fit, or this is of another kind.
    ///
    /// A number written with a fraction or an exponent counts as an integer if its value is one (`3.0`, `1e3`) of at
    /// most 2^53, beyond which a `Double` no longer tells integers apart.
    @inlinable
    public var int: Int? {
        switch tag {
        case .signed: Int(truncatingIfNeeded: tape[index + 1])
        case .unsigned: Int(exactly: tape[index + 1])
        case .double: Self.whole(Double(bitPattern: tape[index + 1]))
        default: nil
        }
    }

    /// The number as an unsigned integer, or nil when it is none, or does not fit, or this is of another kind.
    @inlinable
    public var uint64: UInt64? {
        switch tag {
        case .signed: UInt64(exactly: Int64(bitPattern: tape[index + 1]))
        case .unsigned: tape[index + 1]
        case .double: Self.whole(Double(bitPattern: tape[index + 1])).flatMap { UInt64(exactly: $0) }
        default: nil
        }
    }

    /// The number, rounded to the nearest `Double`, or nil when this is of another kind.
    @inlinable
    public var double: Double? {
        switch tag {
        case .signed: Double(Int64(bitPattern: tape[index + 1]))
        case .unsigned: Double(tape[index + 1])
        case .double: Double(bitPattern: tape[index + 1])
        default: nil
        }
    }

    /// True or false, or nil when this is of another kind.
    @inlinable
    public var bool: Bool? {
        switch tag {
        case .true: true
        case .false: false
        default: nil
        }
    }

    /// Calls a closure with the string's bytes, valid UTF-8, escapes resolved, without making a `String`.
    ///
    /// - Parameter body: reads the bytes, which last as long as the value itself.
    /// - Returns: what `body` returns, or nil when this is no string.
    @inlinable
    public func withUTF8<R>(_ body: (UnsafeBufferPointer<UInt8>) throws -> R) rethrows -> R? {
        guard tag == .string else { return nil }
        return try body(utf8)
    }

    /// Whether this is the given string.
    @inlinable
    public func isString(_ text: StaticString) -> Bool {
        tag == .string && Self.equal(utf8, text.utf8Start, text.utf8CodeUnitCount)
    }

    /// Whether both are strings, and the same.
    @inlinable
    public func isSameString(as other: JSONValue) -> Bool {
        guard tag == .string, other.tag == .string else { return false }
        let bytes = other.utf8
        guard let start = bytes.baseAddress else { return false }
        return Self.equal(utf8, start, bytes.count)
    }
}

// MARK: - Going further

extension JSONValue {
    /// The member of that name, or nil when it is absent or null, or this is no object.
    ///
    /// Where an object has a name more than once, the first counts.
    @inlinable
    public subscript(_ key: StaticString) -> JSONValue? {
        let name = key.utf8Start
        let count = key.utf8CodeUnitCount
        return member(name, count, prefix: Self.prefix(name, count))
    }

    /// The member of a name that is not known beforehand, or nil when it is absent or null, or this is no object.
    ///
    /// Labelled, so that a literal always finds the subscript whose name is prepared by the compiler.
    @inlinable
    public subscript(named key: String) -> JSONValue? {
        var key = key
        return key.withUTF8 { utf8 in
            guard let name = utf8.baseAddress else { return member(strings, 0, prefix: 0) }
            return member(name, utf8.count, prefix: Self.prefix(name, utf8.count))
        }
    }

    /// The element at that position, counted from 0, or nil when there is none or it is null, or this is no array.
    @inlinable
    public subscript(_ position: Int) -> JSONValue? {
        guard tag == .array, position >= 0 else { return nil }
        var element = index + 1
        for _ in 0..<position {
            if element >= end { return nil }
            element = after(element)
        }
        if element >= end { return nil }
        let value = at(element)
        return value.isNull ? nil : value
    }

    /// The members of an object in the order of the document, nulls and repeated names included; none for other kinds.
    @inlinable
    public var members: JSONMembers {
        JSONMembers(self)
    }

    /// The elements of an array in order, nulls included; none for other kinds.
    @inlinable
    public var elements: JSONElements {
        JSONElements(self)
    }

    /// How many members an object or elements an array has; 0 for other kinds.
    public var count: Int {
        guard tag == .object || tag == .array else { return 0 }
        let count = Int(tape[index] >> 32) & 0xFF_FFFF
        // The tape's count stops at its greatest value.
        guard count == 0xFF_FFFF else { return count }
        return tag == .object ? members.reduce(0) { sum, _ in sum + 1 } : elements.reduce(0) { sum, _ in sum + 1 }
    }
}

// MARK: - The tape

extension JSONValue {
    @frozen @usableFromInline
    struct Tag: Equatable {
        @usableFromInline let byte: UInt8

        @inlinable
        init(_ byte: UInt8) { self.byte = byte }

        @inlinable static var object: Tag { Tag(UInt8(ascii: "{")) }
        @inlinable static var array: Tag { Tag(UInt8(ascii: "[")) }
        @inlinable static var string: Tag { Tag(UInt8(ascii: "\"")) }
        @inlinable static var signed: Tag { Tag(UInt8(ascii: "l")) }
        @inlinable static var unsigned: Tag { Tag(UInt8(ascii: "u")) }
        @inlinable static var double: Tag { Tag(UInt8(ascii: "d")) }
        @inlinable static var `true`: Tag { Tag(UInt8(ascii: "t")) }
        @inlinable static var `false`: Tag { Tag(UInt8(ascii: "f")) }
        @inlinable static var null: Tag { Tag(UInt8(ascii: "n")) }

        @inlinable
        static func == (a: Tag, b: Tag) -> Bool { a.byte == b.byte }
        @inlinable
        static func ~= (a: Tag, b: Tag) -> Bool { a.byte == b.byte }
    }

    @inlinable
    var tag: Tag { Tag(UInt8(truncatingIfNeeded: tape[index] >> 56)) }

    /// The index of the closing word of an object or array.
    @inlinable
    var end: Int { Int(tape[index] & 0xFFFF_FFFF) - 1 }

    /// The bytes of a string.
    @inlinable
    var utf8: UnsafeBufferPointer<UInt8> { utf8(at: index) }

    @inlinable
    func utf8(at index: Int) -> UnsafeBufferPointer<UInt8> {
        let start = strings + Int(tape[index] & 0x00FF_FFFF_FFFF_FFFF)
        let count = UnsafeRawPointer(start).loadUnaligned(as: UInt32.self)
        return UnsafeBufferPointer(start: start + 4, count: Int(count))
    }

    @inlinable
    func at(_ index: Int) -> JSONValue {
        JSONValue(tape: tape, strings: strings, index: index)
    }

    /// The index after the value at an index.
    @inlinable
    func after(_ index: Int) -> Int {
        switch at(index).tag {
        case .string: index + 1
        case .object, .array: Int(tape[index] & 0xFFFF_FFFF)
        case .signed, .unsigned, .double: index + 2
        default: index + 1
        }
    }

    /// Looks a member up by its name and the first eight bytes of that, which tell most names apart.
    @inlinable
    func member(_ name: UnsafePointer<UInt8>, _ count: Int, prefix: UInt64) -> JSONValue? {
        guard tag == .object else { return nil }
        let mask = count >= 8 ? UInt64.max : 1 << (8 * UInt64(count)) - 1
        let end = end
        var place = index + 1
        while place < end {
            // Fewer than eight bytes are followed by others of the string buffer, or by its padding.
            let start = UnsafeRawPointer(strings + Int(tape[place] & 0x00FF_FFFF_FFFF_FFFF))
            if start.loadUnaligned(as: UInt32.self) == count,
                start.loadUnaligned(fromByteOffset: 4, as: UInt64.self) & mask == prefix,
                count <= 8 || Self.equal(utf8(at: place), name, count)
            {
                let value = at(place + 1)
                return value.isNull ? nil : value
            }
            place = after(place + 1)
        }
        return nil
    }

    /// The first eight bytes of a name as a number, zeros after a shorter one.
    ///
    /// Folds to a constant for a literal.
    @inlinable @inline(__always)
    static func prefix(_ name: UnsafePointer<UInt8>, _ count: Int) -> UInt64 {
        let bytes = UnsafeRawPointer(name)
        if count >= 8 { return bytes.loadUnaligned(as: UInt64.self) }
        if count >= 4 {
            let head = UInt64(bytes.loadUnaligned(as: UInt32.self))
            let tail = UInt64(bytes.loadUnaligned(fromByteOffset: count - 4, as: UInt32.self))
            return head | tail << (8 * UInt64(count - 4))
        }
        if count == 0 { return 0 }
        let middle = UInt64(name[count / 2]) << (8 * UInt64(count / 2))
        return UInt64(name[0]) | middle | UInt64(name[count - 1]) << (8 * UInt64(count - 1))
    }

    @usableFromInline
    static func whole(_ number: Double) -> Int? {
        number.magnitude <= 0x1p53 ? Int(exactly: number) : nil
    }

    @inlinable
    static func equal(_ bytes: UnsafeBufferPointer<UInt8>, _ other: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        guard bytes.count == count, let start = bytes.baseAddress else { return false }
        guard count > 8 else { return prefix(start, count) == prefix(other, count) }
        let a = UnsafeRawPointer(start)
        let b = UnsafeRawPointer(other)
        var offset = 0
        while true {
            let word = a.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            if word != b.loadUnaligned(fromByteOffset: offset, as: UInt64.self) { return false }
            if offset + 8 == count { return true }
            offset = min(offset + 8, count - 8)
        }
    }
}
