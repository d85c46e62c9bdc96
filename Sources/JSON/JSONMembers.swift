/// The members of an object, in the order of the document.
@frozen
public struct JSONMembers: Sequence {
    @usableFromInline let value: JSONValue

    @inlinable
    init(_ value: JSONValue) {
        self.value = value
    }

    /// Starts a walk over the members.
    @inlinable
    public func makeIterator() -> Iterator {
        Iterator(value)
    }

    /// Whether there is none.
    @inlinable
    public var isEmpty: Bool { value.tag != .object || value.index + 1 == value.end }

    /// A walk over the members of an object.
    @frozen
    public struct Iterator: IteratorProtocol {
        @usableFromInline var place: JSONValue
        @usableFromInline let end: Int

        @inlinable
        init(_ object: JSONValue) {
            place = object.at(object.index + 1)
            end = object.tag == .object ? object.end : 0
        }

        /// The next name and its value, or nil after the last.
        @inlinable
        public mutating func next() -> (key: JSONKey, value: JSONValue)? {
            guard place.index < end else { return nil }
            let key = JSONKey(place.utf8)
            let value = place.at(place.index + 1)
            place = place.at(place.after(value.index))
            return (key, value)
        }
    }
}

/// The elements of an array, in order.
@frozen
public struct JSONElements: Sequence {
    @usableFromInline let value: JSONValue

    @inlinable
    init(_ value: JSONValue) {
        self.value = value
    }

    /// How many elements there are.
    public var count: Int { value.tag == .array ? value.count : 0 }

    /// Whether there is none.
    @inlinable
    public var isEmpty: Bool { value.tag != .array || value.index + 1 == value.end }

    /// Starts a walk over the elements.
    @inlinable
    public func makeIterator() -> Iterator {
        Iterator(value)
    }

    /// A walk over the elements of an array.
    @frozen
    public struct Iterator: IteratorProtocol {
        @usableFromInline var place: JSONValue
        @usableFromInline let end: Int

        @inlinable
        init(_ array: JSONValue) {
            place = array.at(array.index + 1)
            end = array.tag == .array ? array.end : 0
        }

        /// The next element, or nil after the last.
        @inlinable
        public mutating func next() -> JSONValue? {
            guard place.index < end else { return nil }
            let value = place
            place = place.at(place.after(value.index))
            return value
        }
    }
}

/// The name of an object's member; valid as long as the value it came from.
@frozen
public struct JSONKey {
    /// The name's bytes, valid UTF-8, escapes resolved.
    public let utf8: UnsafeBufferPointer<UInt8>
    /// The first eight bytes, zeros after fewer: they tell most names apart, so that a `switch` compares numbers.
    @usableFromInline let word: UInt64

    /// A name on the tape, behind which there are always eight bytes to read: others of the string buffer, or its padding.
    @inlinable @inline(__always)
    init(_ utf8: UnsafeBufferPointer<UInt8>) {
        self.utf8 = utf8
        guard let start = utf8.baseAddress else {
            word = 0
            return
        }
        let mask = utf8.count >= 8 ? UInt64.max : 1 << (8 * UInt64(utf8.count)) - 1
        word = UnsafeRawPointer(start).loadUnaligned(as: UInt64.self) & mask
    }

    /// The name.
    @inlinable
    public var string: String { String(decoding: utf8, as: UTF8.self) }

    /// Whether the name is the given one.
    @inlinable @inline(__always)
    public static func == (key: JSONKey, name: StaticString) -> Bool {
        let count = name.utf8CodeUnitCount
        guard key.utf8.count == count, key.word == JSONValue.prefix(name.utf8Start, count) else { return false }
        return count <= 8 || JSONValue.equal(key.utf8, name.utf8Start, count)
    }

    /// Whether the name is another than the given one.
    @inlinable
    public static func != (key: JSONKey, name: StaticString) -> Bool {
        !(key == name)
    }

    /// Lets `switch` choose by name: `switch member.key { case "id": ... }`.
    @inlinable @inline(__always)
    public static func ~= (name: StaticString, key: JSONKey) -> Bool {
        key == name
    }
}
