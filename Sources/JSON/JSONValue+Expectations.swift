// Readers for members that a payload must have, or must have in the right form. Each throws an error that names the
// place; finding the place costs nothing until then.

extension JSONValue {
    /// An error that says what was expected in place of this value, for use by those who read it further.
    ///
    /// - Parameter expected: what should have been there, with its article: "an RFC 3339 time".
    /// - Returns: an error with this value's path, and its kind but not its content.
    public func mismatch(_ expected: StaticString) -> JSONError {
        JSONError(.mismatch, "expected \(expected), found \(found)", path: path)
    }

    /// The same where only integers will do.
    @usableFromInline
    func integerMismatch(_ expected: StaticString) -> JSONError {
        guard kind == .number else { return mismatch(expected) }
        return JSONError(.mismatch, "expected \(expected), found a number with a fraction or out of range", path: path)
    }

    private var found: String {
        switch kind {
        case .object: "an object"
        case .array: "an array"
        case .string: "a string"
        case .number: "a number"
        case .boolean: "a boolean"
        case .null: "null"
        }
    }
}

// MARK: - This value

extension JSONValue {
    /// This value as a string.
    ///
    /// - Throws: `JSONError` of code `mismatch`, with the path, when it is of another kind or out of range.
    @inlinable
    public func expectString() throws(JSONError) -> String {
        guard let value = string else { throw mismatch("a string") }
        return value
    }

    /// This value as an integer.
    ///
    /// - Throws: `JSONError` of code `mismatch`, with the path, when it is of another kind or out of range.
    @inlinable
    public func expectInt() throws(JSONError) -> Int {
        guard let value = int else { throw integerMismatch("an integer") }
        return value
    }

    /// This value as an unsigned integer.
    ///
    /// - Throws: `JSONError` of code `mismatch`, with the path, when it is of another kind or out of range.
    @inlinable
    public func expectUInt64() throws(JSONError) -> UInt64 {
        guard let value = uint64 else { throw integerMismatch("an unsigned integer") }
        return value
    }

    /// This value as a number.
    ///
    /// - Throws: `JSONError` of code `mismatch`, with the path, when it is of another kind or out of range.
    @inlinable
    public func expectDouble() throws(JSONError) -> Double {
        guard let value = double else { throw mismatch("a number") }
        return value
    }

    /// This value as a boolean.
    ///
    /// - Throws: `JSONError` of code `mismatch`, with the path, when it is of another kind or out of range.
    @inlinable
    public func expectBool() throws(JSONError) -> Bool {
        guard let value = bool else { throw mismatch("a boolean") }
        return value
    }

    /// This value as an object.
    ///
    /// - Throws: `JSONError` of code `mismatch`, with the path, when it is of another kind or out of range.
    @inlinable
    public func expectObject() throws(JSONError) -> JSONValue {
        guard let value = asObject else { throw mismatch("an object") }
        return value
    }

    /// This value as an array.
    ///
    /// - Throws: `JSONError` of code `mismatch`, with the path, when it is of another kind or out of range.
    @inlinable
    public func expectArray() throws(JSONError) -> JSONElements {
        guard let value = asArray else { throw mismatch("an array") }
        return value
    }

    @inlinable var asObject: JSONValue? { tag == .object ? self : nil }
    @inlinable var asArray: JSONElements? { tag == .array ? elements : nil }
}

// MARK: - Members that must be there

extension JSONValue {
    /// The member of that name as a string.
    ///
    /// - Throws: `JSONError` of code `missing` when it is absent or null, `mismatch` when it is of another kind or out of
    ///   range or when this is no object; each with the path.
    @inlinable
    public func requiredString(_ key: StaticString) throws(JSONError) -> String {
        guard let member = self[key] else { throw missing(key, "a string") }
        return try member.expectString()
    }

    /// The member of that name as an integer.
    ///
    /// - Throws: `JSONError` of code `missing` when it is absent or null, `mismatch` when it is of another kind or out of
    ///   range or when this is no object; each with the path.
    @inlinable
    public func requiredInt(_ key: StaticString) throws(JSONError) -> Int {
        guard let member = self[key] else { throw missing(key, "an integer") }
        return try member.expectInt()
    }

    /// The member of that name as an unsigned integer.
    ///
    /// - Throws: `JSONError` of code `missing` when it is absent or null, `mismatch` when it is of another kind or out of
    ///   range or when this is no object; each with the path.
    @inlinable
    public func requiredUInt64(_ key: StaticString) throws(JSONError) -> UInt64 {
        guard let member = self[key] else { throw missing(key, "an unsigned integer") }
        return try member.expectUInt64()
    }

    /// The member of that name as a number.
    ///
    /// - Throws: `JSONError` of code `missing` when it is absent or null, `mismatch` when it is of another kind or out of
    ///   range or when this is no object; each with the path.
    @inlinable
    public func requiredDouble(_ key: StaticString) throws(JSONError) -> Double {
        guard let member = self[key] else { throw missing(key, "a number") }
        return try member.expectDouble()
    }

    /// The member of that name as a boolean.
    ///
    /// - Throws: `JSONError` of code `missing` when it is absent or null, `mismatch` when it is of another kind or out of
    ///   range or when this is no object; each with the path.
    @inlinable
    public func requiredBool(_ key: StaticString) throws(JSONError) -> Bool {
        guard let member = self[key] else { throw missing(key, "a boolean") }
        return try member.expectBool()
    }

    /// The member of that name as an object.
    ///
    /// - Throws: `JSONError` of code `missing` when it is absent or null, `mismatch` when it is of another kind or out of
    ///   range or when this is no object; each with the path.
    @inlinable
    public func requiredObject(_ key: StaticString) throws(JSONError) -> JSONValue {
        guard let member = self[key] else { throw missing(key, "an object") }
        return try member.expectObject()
    }

    /// The member of that name as an array.
    ///
    /// - Throws: `JSONError` of code `missing` when it is absent or null, `mismatch` when it is of another kind or out of
    ///   range or when this is no object; each with the path.
    @inlinable
    public func requiredArray(_ key: StaticString) throws(JSONError) -> JSONElements {
        guard let member = self[key] else { throw missing(key, "an array") }
        return try member.expectArray()
    }

    @usableFromInline
    func missing(_ key: StaticString, _ expected: StaticString) -> JSONError {
        guard kind == .object else { return mismatch("an object") }
        let name = JSONPath.component(key.withUTF8Buffer { String(decoding: $0, as: UTF8.self) })
        let path = JSONPath.join(path, name)
        return JSONError(.missing, "expected \(expected), found nothing", path: path)
    }
}

// MARK: - Members that may be there

extension JSONValue {
    /// The member of that name as a string, or nil when it is absent or null.
    ///
    /// - Throws: `JSONError` of code `mismatch`, with the path, when it is of another kind or out of range or when this is
    ///   no object.
    @inlinable
    public func optionalString(_ key: StaticString) throws(JSONError) -> String? {
        guard let member = self[key] else {
            guard tag == .object else { throw mismatch("an object") }
            return nil
        }
        return try member.expectString()
    }

    /// The member of that name as an integer, or nil when it is absent or null.
    ///
    /// - Throws: `JSONError` of code `mismatch`, with the path, when it is of another kind or out of range or when this is
    ///   no object.
    @inlinable
    public func optionalInt(_ key: StaticString) throws(JSONError) -> Int? {
        guard let member = self[key] else {
            guard tag == .object else { throw mismatch("an object") }
            return nil
        }
        return try member.expectInt()
    }

    /// The member of that name as an unsigned integer, or nil when it is absent or null.
    ///
    /// - Throws: `JSONError` of code `mismatch`, with the path, when it is of another kind or out of range or when this is
    ///   no object.
    @inlinable
    public func optionalUInt64(_ key: StaticString) throws(JSONError) -> UInt64? {
        guard let member = self[key] else {
            guard tag == .object else { throw mismatch("an object") }
            return nil
        }
        return try member.expectUInt64()
    }

    /// The member of that name as a number, or nil when it is absent or null.
    ///
    /// - Throws: `JSONError` of code `mismatch`, with the path, when it is of another kind or out of range or when this is
    ///   no object.
    @inlinable
    public func optionalDouble(_ key: StaticString) throws(JSONError) -> Double? {
        guard let member = self[key] else {
            guard tag == .object else { throw mismatch("an object") }
            return nil
        }
        return try member.expectDouble()
    }

    /// The member of that name as a boolean, or nil when it is absent or null.
    ///
    /// - Throws: `JSONError` of code `mismatch`, with the path, when it is of another kind or out of range or when this is
    ///   no object.
    @inlinable
    public func optionalBool(_ key: StaticString) throws(JSONError) -> Bool? {
        guard let member = self[key] else {
            guard tag == .object else { throw mismatch("an object") }
            return nil
        }
        return try member.expectBool()
    }

    /// The member of that name as an object, or nil when it is absent or null.
    ///
    /// - Throws: `JSONError` of code `mismatch`, with the path, when it is of another kind or out of range or when this is
    ///   no object.
    @inlinable
    public func optionalObject(_ key: StaticString) throws(JSONError) -> JSONValue? {
        guard let member = self[key] else {
            guard tag == .object else { throw mismatch("an object") }
            return nil
        }
        return try member.expectObject()
    }

    /// The member of that name as an array, or nil when it is absent or null.
    ///
    /// - Throws: `JSONError` of code `mismatch`, with the path, when it is of another kind or out of range or when this is
    ///   no object.
    @inlinable
    public func optionalArray(_ key: StaticString) throws(JSONError) -> JSONElements? {
        guard let member = self[key] else {
            guard tag == .object else { throw mismatch("an object") }
            return nil
        }
        return try member.expectArray()
    }
}
