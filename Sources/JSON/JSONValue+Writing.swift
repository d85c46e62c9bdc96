extension JSONValue {
    /// Writes the value back as compact JSON: members in their order, repeated names included, escapes and numbers in
    /// the writer's form.
    ///
    /// - Parameter writer: takes the value as its next one.
    public func write(into writer: inout JSONWriter) {
        switch tag {
        case .object:
            writer.beginObject()
            for (key, value) in members {
                writer.key(validated: key.utf8)
                value.write(into: &writer)
            }
            writer.endObject()
        case .array:
            writer.beginArray()
            for value in elements { value.write(into: &writer) }
            writer.endArray()
        case .string: writer.string(validated: utf8)
        case .signed: writer.integer(Int64(bitPattern: tape[index + 1]))
        case .unsigned: writer.integer(tape[index + 1])
        case .double: writer.double(Double(bitPattern: tape[index + 1]))
        case .true: writer.bool(true)
        case .false: writer.bool(false)
        default: writer.null()
        }
    }
}
