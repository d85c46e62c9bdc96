/// Reads XML as feeds really are: a pass over the bytes that calls a handler, gets over every flaw and says what it got over.
///
/// libxml2 parses. A document that it would refuse, or that has a document type, is first written anew without its flaws. So
/// reading never fails on ill-formed input, and never touches the network or a file: no document type reaches the parser,
/// there are no external entities, and those declared in the document are text of bounded length that is not expanded
/// again. A reader is an immutable value and may be used from many tasks at once.
public struct XMLReader: Sendable {
    /// How much a document may demand.
    public struct Limits: Sendable {
        /// Largest document in bytes, before and after decoding; a larger one is refused.
        public var bytes = 32 << 20
        /// Deepest nesting that is reported, at most 250; deeper elements are read over, their texts count as their ancestor's.
        public var depth = 128
        /// Most attributes of one element, namespace declarations included.
        public var attributes = 64
        /// Longest text, or captured content, in bytes; longer ones are cut between characters.
        public var textBytes = 4 << 20
        /// Most problems listed in the report.
        public var problems = 16

        /// Most namespace declarations in effect at a time; each costs every element with a prefix a look.
        static let openBindings = 256

        /// The limits above.
        public init() {}
    }

    private let vocabulary: XMLVocabulary
    private var limits: Limits

    /// Makes a reader for handlers that know a vocabulary.
    public init(vocabulary: XMLVocabulary, limits: Limits = Limits()) {
        self.vocabulary = vocabulary
        self.limits = limits
        // libxml2 itself stops at 256.
        self.limits.depth = min(limits.depth, 250)
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
        let isRisky = document.hasDoctype || document.hasLongTag
        if !isRisky, let outcome = parse(document, isMended: false, decoder.problems, base, &handler) {
            return report(decoder, outcome, isTruncated: false)
        }
        var mender = XMLMender(document, limits, decoder.problems)
        let mended = mender.mend()
        guard let outcome = parse(mended, isMended: true, mender.problems, base, &handler) else {
            preconditionFailure("a mended document is read to its end")
        }
        return report(decoder, outcome, isTruncated: mender.isTruncated)
    }

    /// Parses clean UTF-8; nil, and the handler untouched, if the document needs mending first.
    private func parse<Handler: XMLHandler>(
        _ document: ByteView,
        isMended: Bool,
        _ problems: ProblemList,
        _ base: String?,
        _ handler: inout Handler
    ) -> (problems: ProblemList, isTruncated: Bool)? {
        let delivery = XMLDelivery(handler)
        let session = UnsafeMutablePointer<XMLSession>.allocate(capacity: 1)
        session.initialize(
            to: XMLSession(document, isMended: isMended, vocabulary, limits, problems, base: base, telling: delivery)
        )
        defer {
            session.deinitialize(count: 1)
            session.deallocate()
        }
        XMLSession.parse(session)
        guard !session.pointee.needsMending else { return nil }
        handler = delivery.handler
        return (session.pointee.problems, session.pointee.isTruncated)
    }

    // Reading from the decoder last also keeps the memory that the document lies in.
    private func report(
        _ decoder: borrowing TextDecoder,
        _ outcome: (problems: ProblemList, isTruncated: Bool),
        isTruncated: Bool
    ) -> XMLReport {
        XMLReport(
            encoding: decoder.encoding,
            encodingSource: decoder.source,
            problems: outcome.problems.problems,
            isTruncated: isTruncated || outcome.isTruncated
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

extension ByteView {
    /// Whether a document type declaration stands before the first element.
    fileprivate var hasDoctype: Bool {
        var position = 0
        while true {
            position = self.position(of: UInt8(ascii: "<"), from: position, to: count)
            guard position + 1 < count else { return false }
            if startsIgnoringCase(with: "<!doctype", at: position) { return true }
            if starts(with: "<!--", at: position) {
                guard let end = self.position(of: "-->", from: position + 4) else { return false }
                position = end
            } else if self[position + 1] != UInt8(ascii: "?") {
                return false
            }
            position += 1
        }
    }
}

extension ByteView {
    /// Whether a start tag is longer than some kilobytes.
    ///
    /// libxml2 compares each attribute of a tag with all before it, before anybody could stop it, so that a megabyte of them
    /// would take seconds. Where `<` follows `<` within the length there is no such tag, and most bytes need no look.
    fileprivate var hasLongTag: Bool {
        let length = 8192
        var tag = position(of: UInt8(ascii: "<"), from: 0, to: count)
        while tag + length < count {
            var last = tag + length
            while last > tag, self[last] != UInt8(ascii: "<") { last -= 1 }
            if last > tag {
                tag = last
            } else {
                if self[tag + 1].startsName, endOfTag(from: tag) - tag > length { return true }
                tag = position(of: UInt8(ascii: "<"), from: tag + length, to: count)
            }
        }
        return false
    }

    /// The position of the `>` that ends a start tag, those in quotes not counting.
    private func endOfTag(from start: Int) -> Int {
        var position = start
        while position < count, self[position] != UInt8(ascii: ">") {
            let byte = self[position]
            if byte == 0x22 || byte == 0x27 { position = self.position(of: byte, from: position + 1, to: count) }
            position += 1
        }
        return position
    }
}
