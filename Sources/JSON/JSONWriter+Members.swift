// A member at once: its name and its value. What is nil is left out, since in an event absent is absent, never null.

extension JSONWriter {
    /// Writes a member with a string.
    public mutating func member(_ name: StaticString, _ value: String) {
        let isWritten: Void? = value.utf8.withContiguousStorageIfAvailable { plainMember(name, $0) }
        guard isWritten == nil else { return }
        key(name)
        string(value)
    }

    /// Writes a member with an integer.
    @inlinable
    public mutating func member(_ name: StaticString, _ value: some FixedWidthInteger) {
        key(name)
        integer(value)
    }

    /// Writes a member with a boolean.
    public mutating func member(_ name: StaticString, _ value: Bool) {
        key(name)
        bool(value)
    }

    /// Writes a member with a number; null if it is not finite.
    public mutating func member(_ name: StaticString, _ value: Double) {
        key(name)
        double(value)
    }

    /// Writes a member with a string, or nothing for nil.
    public mutating func member(_ name: StaticString, _ value: String?) {
        if let value { member(name, value) }
    }

    /// Writes a member with an integer, or nothing for nil.
    @inlinable
    public mutating func member<Number: FixedWidthInteger>(_ name: StaticString, _ value: Number?) {
        if let value { member(name, value) }
    }

    /// Writes a member with a boolean, or nothing for nil.
    public mutating func member(_ name: StaticString, _ value: Bool?) {
        if let value { member(name, value) }
    }

    /// Writes a member with a number, or nothing for nil; null if it is not finite.
    public mutating func member(_ name: StaticString, _ value: Double?) {
        if let value { member(name, value) }
    }

    /// Writes a member with a value that was read.
    public mutating func member(_ name: StaticString, _ value: JSONValue) {
        key(name)
        value.write(into: &self)
    }
}
