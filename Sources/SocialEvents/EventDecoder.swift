public import JSON

/// Reads events from their JSON, strict about the types of known members, tolerant of unknown ones.
///
/// One decoder serves one thread or task at a time and reuses its parser's buffers; it is not `Sendable`. It reads the
/// form, not the sense: ``Event/validate()`` checks limits and what each type requires.
public final class EventDecoder {
    private let parser: JSONParser

    /// A decoder.
    ///
    /// - Parameter maximumSize: the longest event it reads, in bytes.
    public init(maximumSize: Int = 16 << 20) {
        parser = JSONParser(maximumDepth: 32, maximumSize: maximumSize)
    }

    /// Reads an event with its stamp.
    ///
    /// - Throws: `JSONError` with the path of the first value that is missing or of another type.
    public func decodeRecorded(_ bytes: [UInt8]) throws -> RecordedEvent {
        try parser.parse(bytes) { try RecordedEvent(json: $0) }
    }

    /// Reads an event as ``EventEncoder/encodeBody(_:source:into:)`` wrote it; a stamp, if there is one, is passed over.
    ///
    /// - Throws: `JSONError` with the path of the first value that is missing or of another type.
    public func decodeBody(_ bytes: [UInt8]) throws -> (event: Event, source: SourceName) {
        try parser.parse(bytes) { (event: try Event(decoding: $0), source: try $0.requiredSource("source")) }
    }

    /// Reads an event as ``EventEncoder/encodeBody(_:source:into:)`` wrote it, from a part of a buffer.
    ///
    /// - Throws: `JSONError` with the path of the first value that is missing or of another type.
    public func decodeBody(_ bytes: UnsafeRawBufferPointer) throws -> (event: Event, source: SourceName) {
        try parser.parse(bytes) { (event: try Event(decoding: $0), source: try $0.requiredSource("source")) }
    }
}

extension Event {
    /// Reads an event from a value of a document that is being parsed.
    ///
    /// Its source and stamp are passed over, and may be absent.
    ///
    /// - Throws: `JSONError` with the path of the first value that is missing or of another type.
    public init(decoding value: JSONValue) throws(JSONError) {
        try self.init(json: value.expectObject())
    }
}

extension RecordedEvent {
    fileprivate init(json: JSONValue) throws(JSONError) {
        self.init(
            event: try Event(decoding: json),
            source: try json.requiredSource("source"),
            stamp: try EventStamp(json: json)
        )
    }
}

extension JSONValue {
    fileprivate func requiredSource(_ name: StaticString) throws(JSONError) -> SourceName {
        guard let value = self[name] else { throw missing(name, "a source") }
        guard let source = value.string.flatMap(SourceName.init(uriReference:)) else {
            throw value.mismatch("a source of the form /sources/NAME")
        }
        return source
    }
}
