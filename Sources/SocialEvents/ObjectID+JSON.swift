public import JSON

extension ObjectID {
    /// The id of what a payload names by a member of an object, a string or an integer.
    ///
    /// It is equal to the id made from the member as a `String`, and cheaper: the native id is not copied twice.
    ///
    /// - Parameters:
    ///   - platform: the platform.
    ///   - kind: what kind of object it is.
    ///   - object: the object that has the member.
    ///   - key: the member's name.
    /// - Throws: `JSONError` with the path when the member is missing, or of another kind.
    public init(_ platform: Platform, _ kind: ObjectKind, in object: JSONValue, _ key: StaticString) throws(JSONError) {
        try self.init(platform, kind.rawValue, in: object, key)
    }

    /// The id of what a payload names by a member, in a namespace that is no object's kind, such as `actor`.
    ///
    /// - Parameters:
    ///   - platform: the platform.
    ///   - namespace: what the id is unique in.
    ///   - object: the object that has the member.
    ///   - key: the member's name.
    /// - Throws: `JSONError` with the path when the member is missing, or of another kind.
    public init(_ platform: Platform, _ namespace: String, in object: JSONValue, _ key: StaticString) throws(JSONError)
    {
        guard let value = object[key] else { throw object.missing(key, "an id") }
        try self.init(platform, namespace, of: value)
    }

    /// The id of what a payload names by a value, a string or an integer.
    ///
    /// - Parameters:
    ///   - platform: the platform.
    ///   - namespace: what the id is unique in: an object's kind, or another name such as `actor`.
    ///   - value: the native id.
    /// - Throws: `JSONError` with the path when the value is of another kind.
    public init(_ platform: Platform, _ namespace: String, of value: JSONValue) throws(JSONError) {
        if let id = value.withUTF8({ ObjectID(platform, namespace, utf8: $0) }) {
            self = id
        } else if let number = value.int {
            self.init(platform, namespace, String(number))
        } else {
            throw value.mismatch("an id")
        }
    }
}
