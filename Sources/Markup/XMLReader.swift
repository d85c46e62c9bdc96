/// Reads XML as feeds really are: a pass over the bytes that calls a handler, gets over every flaw and says what it got over.
///
/// It never fails on ill-formed input and never touches the network or a file: there are no external entities, no DTD is
/// loaded, and entities declared in the document are text of bounded length that is not expanded again. A reader is an
/// immutable value and may be used from many tasks at once.
public struct XMLReader: Sendable {
    /// How much a document may demand.
    public struct Limits: Sendable {
        /// Largest document in bytes, before and after decoding; a larger one is refused.
        public var bytes = 32 << 20
        /// Deepest nesting that is reported; deeper elements are read over, their texts count as their ancestor's.
        public var depth = 128
        /// Most attributes of one element, namespace declarations included.
        public var attributes = 64
        /// Longest text, or captured content, in bytes; longer ones are cut between characters.
        public var textBytes = 4 << 20
        /// Most problems listed in the report.
        public var problems = 16

        /// The limits above.
        public init() {}
    }

    private let vocabulary: XMLVocabulary
    private let limits: Limits

    /// Makes a reader for handlers that know a vocabulary.
    public init(vocabulary: XMLVocabulary, limits: Limits = Limits()) {
        self.vocabulary = vocabulary
        self.limits = limits
    }

    /// Reads a document from start to end.
    ///
    /// - Parameters:
    ///   - bytes: the document in whatever encoding.
    ///   - charset: what the transport said of the encoding (HTTP `Content-Type`), if anything.
    ///   - base: the URL of the document, against which `xml:base` is resolved.
    ///   - handler: is told what is read.
    /// - Returns: encoding, problems, and whether content is missing.
    /// - Throws: ``XMLReaderError`` if there is nothing to read; the handler has not been called then.
    public func read<Handler: XMLHandler>(
        _ bytes: UnsafeRawBufferPointer,
        charset: String? = nil,
        base: String? = nil,
        into handler: inout Handler
    ) throws(XMLReaderError) -> XMLReport {
        guard bytes.count <= limits.bytes else { throw .tooLarge(limit: limits.bytes) }
        var decoder = TextDecoder(problemLimit: limits.problems)
        let document = decoder.decode(ByteView(bytes.bindMemory(to: UInt8.self)), charset: charset)
        guard document.count <= limits.bytes else { throw .tooLarge(limit: limits.bytes) }
        guard !document.isBlank else { throw .empty }
        guard document.position(of: UInt8(ascii: "<"), from: 0, to: document.count) < document.count else {
            throw .notMarkup
        }
        var scanner = XMLScanner(document, vocabulary, limits, decoder.problems, base: base)
        reading: while true {
            switch scanner.next() {
            case .start:
                let content = handler.start(scanner.element)
                scanner.deliverContent(as: content)
            case .text: handler.text(scanner.text)
            case .end: handler.end(scanner.elementEnd)
            case .finished: break reading
            }
        }
        // Reading from the decoder last also keeps the memory that the document lies in.
        return XMLReport(
            encoding: decoder.encoding,
            encodingSource: decoder.source,
            problems: scanner.problems,
            isTruncated: scanner.isTruncated
        )
    }

    /// Reads a document held in an array; otherwise as the other `read`.
    public func read<Handler: XMLHandler>(
        _ bytes: [UInt8],
        charset: String? = nil,
        base: String? = nil,
        into handler: inout Handler
    ) throws(XMLReaderError) -> XMLReport {
        let outcome = bytes.withUnsafeBytes { buffer in
            Result { () throws(XMLReaderError) in try read(buffer, charset: charset, base: base, into: &handler) }
        }
        return try outcome.get()
    }
}

/// Why a document could not be read at all.
public enum XMLReaderError: Error, Equatable, CustomStringConvertible {
    /// It is longer than the limit in bytes.
    case tooLarge(limit: Int)
    /// It has no bytes but white space.
    case empty
    /// It has not one `<`.
    case notMarkup

    /// What happened, in words fit for a log.
    public var description: String {
        switch self {
        case .tooLarge(let limit): "the document is longer than \(limit) bytes"
        case .empty: "the document is empty"
        case .notMarkup: "the document is not XML: it contains no tag"
        }
    }
}
