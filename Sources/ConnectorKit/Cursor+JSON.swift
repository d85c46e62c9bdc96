public import JSON

extension Cursor {
    /// A cursor that holds a JSON object.
    ///
    /// - Parameters:
    ///   - version: the version of its form.
    ///   - write: writes the object's members.
    /// - Returns: the cursor.
    public static func json(version: Int = 1, _ write: (inout JSONWriter) -> Void) -> Cursor {
        var writer = JSONWriter(reserving: 256)
        writer.beginObject()
        write(&writer)
        writer.endObject()
        return Cursor(version: version, bytes: writer.bytes)
    }

    /// Reads the JSON object of a cursor.
    ///
    /// - Parameters:
    ///   - version: the newest version the connector knows; it looks at ``version`` itself to read older ones.
    ///   - read: reads the object.
    /// - Returns: what `read` returns.
    /// - Throws: ``ConnectorError`` of code `rejected` when the cursor is newer than `version` or cannot be read: going on without it
    ///   would double or lose events, so a person decides.
    public func json<Result>(upTo version: Int = 1, _ read: (JSONValue) throws -> Result) throws -> Result {
        guard self.version <= version else {
            throw ConnectorError(
                .rejected,
                "the cursor has version \(self.version), this connector knows versions up to \(version); run the newer one or forget the cursor"
            )
        }
        do {
            return try JSONParser(maximumSize: Cursor.maximumSize).parse(bytes) { root in try read(root.expectObject())
            }
        } catch let error as JSONError {
            throw ConnectorError(.rejected, "the cursor cannot be read: \(error.description)", underlying: error)
        }
    }
}
