import CSimdJSON

/// Reads JSON text (RFC 8259) with simdjson, keeping its buffers from one document to the next.
///
/// One parser serves one thread or task at a time; it is not `Sendable`. A byte order mark at the start is skipped.
/// Every document is checked whole before its first value is handed out: text that is not UTF-8, unpaired surrogate
/// escapes, numbers beyond 64 bits (integers outside `Int64.min...UInt64.max`, decimals that overflow a `Double`),
/// documents nested too deep or too long all end in a `JSONError`, never in a guess.
public final class JSONParser {
    /// The greatest number of objects and arrays inside one another, an empty innermost one not counted.
    public let maximumDepth: Int
    /// The greatest length of a document, in bytes.
    public let maximumSize: Int

    /// Buffers that served a longer document than this are given back after it: they hold about 12 times its length.
    private static let retainedSize = 1 << 20

    private var parser: OpaquePointer?
    private var isReading = false

    /// Creates a parser, which takes memory only when the first document arrives.
    ///
    /// - Parameters:
    ///   - maximumDepth: how many objects and arrays may stand inside one another, 1 to 1,024.
    ///   - maximumSize: the greatest length of a document, in bytes, up to 1 GiB.
    public init(maximumDepth: Int = 64, maximumSize: Int = 16 << 20) {
        self.maximumDepth = min(max(maximumDepth, 1), 1024)
        self.maximumSize = min(max(maximumSize, 1), 1 << 30)
    }

    deinit {
        csimdjson_destroy(parser)
    }

    /// Parses a document and hands its root value to a closure.
    ///
    /// - Parameters:
    ///   - bytes: the JSON text, UTF-8.
    ///   - body: reads the value. The value and all that is reached from it are valid only until `body` returns;
    ///     what is kept must be copied out. The parser may not be used inside `body`.
    /// - Returns: what `body` returns.
    /// - Throws: `JSONError` when the bytes are not an acceptable document, and whatever `body` throws.
    @inlinable
    public func parse<R>(_ bytes: UnsafeRawBufferPointer, _ body: (JSONValue) throws -> R) throws -> R {
        let root = try begin(bytes)
        defer { end(length: bytes.count) }
        return try body(root)
    }

    /// Parses a document held in an array; see `parse(_:_:)` over raw bytes.
    @inlinable
    public func parse<R>(_ bytes: [UInt8], _ body: (JSONValue) throws -> R) throws -> R {
        try bytes.withUnsafeBytes { try parse($0, body) }
    }

    /// Parses a document held in a slice; see `parse(_:_:)` over raw bytes.
    @inlinable
    public func parse<R>(_ bytes: ArraySlice<UInt8>, _ body: (JSONValue) throws -> R) throws -> R {
        try bytes.withUnsafeBytes { try parse($0, body) }
    }

    /// Parses a document held in a string; see `parse(_:_:)` over raw bytes.
    @inlinable
    public func parse<R>(_ text: String, _ body: (JSONValue) throws -> R) throws -> R {
        var text = text
        return try text.withUTF8 { try parse(UnsafeRawBufferPointer($0), body) }
    }

    /// Parses the bytes and returns the root of their tape.
    @usableFromInline
    func begin(_ bytes: UnsafeRawBufferPointer) throws(JSONError) -> JSONValue {
        guard !isReading else {
            throw JSONError(.parserInUse, "the parser is still reading another document")
        }
        guard bytes.count <= maximumSize else {
            throw JSONError(.tooLarge, "the document has \(bytes.count) bytes, more than the \(maximumSize) allowed")
        }
        if parser == nil {
            parser = csimdjson_create(maximumDepth)
        }
        guard let parser else {
            throw JSONError(.outOfMemory, "no memory for the document")
        }
        var text = bytes
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
            text = UnsafeRawBufferPointer(rebasing: bytes.dropFirst(3))
        }
        var document = CSimdJSONDocument()
        let status = csimdjson_parse(parser, text.baseAddress, text.count, &document)
        guard status == CSimdJSONStatusOK, let tape = document.tape, let strings = document.strings else {
            csimdjson_trim(parser, Self.retainedSize)
            throw error(status)
        }
        isReading = true
        return JSONValue(tape: tape, strings: strings, index: 1)
    }

    /// Ends the life of the values that `begin` gave out.
    @usableFromInline
    func end(length: Int) {
        isReading = false
        if length > Self.retainedSize, let parser {
            csimdjson_trim(parser, Self.retainedSize)
        }
    }

    private func error(_ status: CSimdJSONStatus) -> JSONError {
        switch status {
        case CSimdJSONStatusEmpty:
            JSONError(.empty, "the document is empty")
        case CSimdJSONStatusTooLarge:
            JSONError(.tooLarge, "the document is too long")
        case CSimdJSONStatusTooDeep:
            JSONError(.tooDeep, "more than \(maximumDepth) objects and arrays inside one another")
        case CSimdJSONStatusInvalidUTF8:
            JSONError(.invalidUTF8, "the document is not UTF-8")
        case CSimdJSONStatusInvalidString:
            JSONError(.invalidString, "a string is not closed, or has a bad escape or an unescaped control character")
        case CSimdJSONStatusInvalidNumber:
            JSONError(.invalidNumber, "a number is ill-formed or beyond 64 bits")
        case CSimdJSONStatusOutOfMemory:
            JSONError(.outOfMemory, "no memory for the document")
        default:
            JSONError(.invalidSyntax, "the document is not JSON, or ends early")
        }
    }
}
