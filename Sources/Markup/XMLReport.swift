/// What ``XMLReader`` found out about a document besides its content.
public struct XMLReport: Sendable {
    /// The encoding the bytes were read in, by its usual lower-case name (`utf-8`, `windows-1252`, `shift_jis`).
    public var encoding: String
    /// Who said so.
    public var encodingSource: TextEncodingSource
    /// What was wrong and how it was read all the same; bounded, each kind and detail once.
    public var problems: [MarkupProblem]
    /// Whether content is missing: the document ended before its root did, or a limit cut something off.
    public var isTruncated: Bool
}

/// Who decided in which encoding bytes were read.
public enum TextEncodingSource: String, Sendable {
    /// A byte order mark, which outranks the others (RFC 7303, section 3).
    case byteOrderMark
    /// The `charset` parameter of the HTTP response.
    case transport
    /// The XML declaration.
    case declaration
    /// Nobody: UTF-8 by default, or by the pattern of the first bytes.
    case standard
    /// The bytes themselves, since what was declared did not fit them.
    case content
}

/// A flaw of a document that reading got over.
public struct MarkupProblem: Hashable, Sendable, CustomStringConvertible {
    /// What kind of flaw.
    public enum Kind: String, Sendable {
        /// The declared encoding does not exist or is not allowed; detail: its name.
        case unknownEncoding
        /// The bytes are not in the declared encoding and were read in another; detail: the declared one.
        case wrongEncoding
        /// Bytes that mean nothing in the encoding became U+FFFD.
        case undecodableBytes
        /// Control characters that XML forbids were left out.
        case controlCharacters
        /// Something other than white space stood before the first tag.
        case textBeforeRoot
        /// Something other than comments stood after the root element.
        case contentAfterRoot
        /// An entity that only HTML knows was used; detail: its name.
        case htmlEntity
        /// An entity that nobody knows was kept as it is written; detail: its name.
        case unknownEntity
        /// An entity with an external, nested or overlong definition was left out; detail: its name.
        case refusedEntity
        /// An ampersand that should have been escaped was kept.
        case bareAmpersand
        /// A less-than sign that should have been escaped was kept.
        case bareLessThan
        /// An attribute without quotes, without value or without end.
        case malformedAttribute
        /// A tag, comment, CDATA section or declaration without its end.
        case unterminatedTag
        /// An element without its end tag; detail: its name.
        case unclosedElement
        /// An end tag without its element; detail: its name.
        case strayEndTag
        /// A namespace prefix without declaration, read by its customary meaning; detail: the prefix.
        case undeclaredPrefix
        /// What even mending could not make readable was left out.
        case unreadable
        /// Elements nested deeper than the limit were not reported.
        case tooDeep
        /// Attributes above the limit were not reported.
        case tooManyAttributes
        /// A text longer than the limit was cut.
        case textTooLong
    }

    /// What kind of flaw.
    public var kind: Kind
    /// The name concerned, at most 64 bytes of it; empty if the kind says it all.
    public var detail: String
    /// The kind, with the detail if there is one.
    public var description: String { detail.isEmpty ? kind.rawValue : "\(kind.rawValue): \(detail)" }

    /// A flaw of a kind, with the name concerned.
    public init(_ kind: Kind, detail: String = "") {
        self.kind = kind
        self.detail = detail
    }
}

/// A bounded list of problems without repetition.
struct ProblemList {
    private(set) var problems: [MarkupProblem] = []
    private let limit: Int

    init(limit: Int) {
        self.limit = limit
    }

    mutating func note(_ kind: MarkupProblem.Kind) {
        for problem in problems where problem.kind == kind { return }
        if problems.count < limit { problems.append(MarkupProblem(kind)) }
    }

    mutating func note(_ kind: MarkupProblem.Kind, _ detail: ByteView) {
        guard problems.count < limit else { return }
        let name = detail[0..<min(detail.count, 64)].string
        let problem = MarkupProblem(kind, detail: name)
        if !problems.contains(problem) { problems.append(problem) }
    }
}
