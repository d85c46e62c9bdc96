import CLibXML2
import Glibc

/// One parse by libxml2: its callbacks turned into elements with scopes, whole texts and captured content.
///
/// It is worked on through a pointer, since C callbacks cannot be given anything else, and tells a receiver, since they cannot
/// be generic either. libxml2 sees no document type, hence no entities but its own five and no reason to load anything.
struct XMLSession: ~Copyable {
    private struct Frame {
        var start: Int
        var name: XMLName
        var scopes: Int
    }

    /// What `xml:base` and `xml:lang` say from an element on.
    private struct Scope {
        var base: String?
        var language: String?
    }

    /// What becomes of the content of the element that is innermost, and how many elements inside it are open.
    private struct Capture {
        var content: XMLContent
        var depth = 0
    }

    private let receiver: any XMLReceiver
    private let document: ByteView
    /// Whether the document has the mender's root around it and its marks on implied end tags.
    private let isMended: Bool
    private let vocabulary: XMLVocabulary
    private let limits: XMLReader.Limits
    private var parser: UnsafeMutableRawPointer?
    private var isInMendersRoot = false
    private var frames: [Frame] = []
    private var scopes: [Scope]
    private var uris: [(pointer: UnsafePointer<UInt8>, namespace: XMLNamespace)] = []
    private var records: [XMLAttributes.Record] = []
    /// How many namespaces each open element declares, and all of them.
    private var bindings: [Int] = []
    private var bindingTotal = 0
    private var text: XMLText
    private var capture: Capture?

    /// Whether libxml2 or the limits refused the document as it is.
    private(set) var needsMending = false
    private(set) var isTruncated = false
    private(set) var problems: ProblemList

    init(
        _ document: ByteView,
        isMended: Bool,
        _ vocabulary: XMLVocabulary,
        _ limits: XMLReader.Limits,
        _ problems: ProblemList,
        base: String?,
        telling receiver: any XMLReceiver
    ) {
        self.receiver = receiver
        self.document = document
        self.isMended = isMended
        self.vocabulary = vocabulary
        self.limits = limits
        self.problems = problems
        scopes = [Scope(base: base, language: nil)]
        text = XMLText(limit: limits.textBytes)
    }

    private static let prepareLibrary: Void = clibxml2_initialize()

    /// Parses the document, giving it up where it needs mending.
    static func parse(_ session: UnsafeMutablePointer<XMLSession>) {
        prepareLibrary
        let context = UnsafeMutableRawPointer(session)
        guard let parser = clibxml2_parser(context, startElement, endElement, characters, failure) else {
            preconditionFailure("no memory for an XML parser")
        }
        session.pointee.parser = parser
        let document = session.pointee.document
        clibxml2_parse(parser, document.bytes.baseAddress, document.count)
        session.pointee.finish()
        clibxml2_free(parser)
    }

    private mutating func finish() {
        parser = nil
        guard !needsMending else { return }
        while !frames.isEmpty { closeInnermost(at: document.count, isClosed: false) }
    }

    fileprivate mutating func fail() {
        if isMended {
            problems.note(.unreadable)
            isTruncated = true
        } else {
            needsMending = true
            stop()
        }
    }

    private func stop() {
        if let parser { clibxml2_stop(parser) }
    }

    /// How far libxml2 has read.
    private var offset: Int {
        min(max(0, parser.map { clibxml2_offset($0) } ?? 0), document.count)
    }

    fileprivate mutating func start(
        _ local: ByteView,
        _ prefix: ByteView,
        _ uri: UnsafePointer<UInt8>?,
        bindings count: Int
    ) {
        if capture == nil { deliverText() }
        if isMended, !isInMendersRoot {
            isInMendersRoot = true
            return
        }
        let depth = frames.count + (capture?.depth ?? 0)
        if depth >= limits.depth || records.count + count > limits.attributes
            || bindingTotal + count > XMLReader.Limits.openBindings
        {
            return fail()
        }
        bindings.append(count)
        bindingTotal += count
        if capture != nil { return captureStart(local) }
        var start = offset
        // No value of a well-formed document has this character, so it is the tag's.
        while start > 0, start == document.count || document[start] != UInt8(ascii: "<") { start -= 1 }
        let name = XMLName(
            namespace: namespace(uri, prefix),
            token: vocabulary.token(of: local),
            prefix: prefix,
            local: local
        )
        frames.append(Frame(start: start, name: name, scopes: scopes.count))
        openScope()
        let scope = scopes[scopes.count - 1]
        let content = records.withUnsafeBufferPointer { records in
            receiver.start(
                XMLElement(
                    name: name,
                    attributes: XMLAttributes(records: records),
                    depth: depth,
                    base: scope.base,
                    language: scope.language
                )
            )
        }
        switch content {
        case .events: break
        case .stop: stop()
        case .markup, .html, .skip: capture = Capture(content: content)
        }
    }

    fileprivate mutating func end(_ local: ByteView) {
        bindingTotal -= bindings.popLast() ?? 0
        if let depth = capture?.depth, depth > 0 {
            capture?.depth = depth - 1
            if capture?.content.isKept == true { text.appendEnd(local) }
            return
        }
        let end = offset
        let isImplied = isMended && end >= 2 && document[end - 2] == 0x20 && document[end - 1] == UInt8(ascii: ">")
        closeInnermost(at: end, isClosed: !isImplied)
    }

    fileprivate mutating func append(_ piece: ByteView) {
        guard let capture else {
            return text.append(piece)
        }
        switch capture.content {
        case .markup: text.append(escaping: piece)
        case .html: text.append(piece)
        case .events, .skip, .stop: break
        }
    }

    private mutating func captureStart(_ local: ByteView) {
        capture?.depth += 1
        guard capture?.content.isKept == true else { return }
        records.withUnsafeBufferPointer { text.appendStart(local, XMLAttributes(records: $0)) }
    }

    private mutating func closeInnermost(at end: Int, isClosed: Bool) {
        deliverText()
        capture = nil
        guard let frame = frames.popLast() else { return }
        if scopes.count > frame.scopes { scopes.removeLast(scopes.count - frame.scopes) }
        receiver.end(
            XMLElementEnd(
                name: frame.name,
                depth: frames.count,
                source: document[frame.start..<max(frame.start, end)],
                isClosed: isClosed
            )
        )
    }

    /// Tells the text that has gathered, unless it is white space between tags.
    private mutating func deliverText() {
        guard !text.isEmpty else { return }
        if text.isCut {
            problems.note(.textTooLong)
            isTruncated = true
        }
        if !frames.isEmpty, capture != nil || !text.view.isBlank { receiver.text(text.view) }
        text.removeAll()
    }

    /// Takes over the attributes: libxml2 gives five pointers for each.
    fileprivate mutating func takeAttributes(_ pointers: UnsafeMutablePointer<UnsafePointer<UInt8>?>?, count: Int) {
        records.removeAll(keepingCapacity: true)
        guard let pointers else { return }
        for index in 0..<count {
            let attribute = pointers + index * 5
            guard let local = attribute[0], let start = attribute[3], let end = attribute[4] else { continue }
            let prefix = ByteView(terminated: attribute[1])
            records.append(
                XMLAttributes.Record(
                    local: ByteView(terminated: local),
                    prefix: prefix,
                    namespace: prefix.isEmpty ? .none : namespace(attribute[2], prefix),
                    value: ByteView(UnsafeBufferPointer(start: start, count: end - start))
                )
            )
        }
    }

    private mutating func openScope() {
        var scope = scopes[scopes.count - 1]
        var isChanged = false
        for record in records where record.namespace == .xml {
            let value = record.value.trimmed
            if record.local == "base" {
                scope.base = URLReference.resolve(value.string, against: scope.base)
                isChanged = true
            } else if record.local == "lang" {
                scope.language = value.isEmpty ? nil : value[0..<min(value.count, 64)].string
                isChanged = true
            }
        }
        if isChanged { scopes.append(scope) }
    }

    /// The namespace of a URI, which libxml2 keeps once for all elements; without one, what the prefix customarily means.
    private mutating func namespace(_ uri: UnsafePointer<UInt8>?, _ prefix: ByteView) -> XMLNamespace {
        guard let uri else {
            if prefix.isEmpty { return .none }
            problems.note(.undeclaredPrefix, prefix)
            return vocabulary.namespace(ofPrefix: prefix)
        }
        for known in uris where known.pointer == uri { return known.namespace }
        let name = ByteView(terminated: uri)
        let namespace: XMLNamespace =
            name == "http://www.w3.org/XML/1998/namespace" ? .xml : vocabulary.namespace(ofURI: name)
        if uris.count < 64 { uris.append((uri, namespace)) }
        return namespace
    }
}

/// What a session tells of what it reads.
protocol XMLReceiver: AnyObject {
    func start(_ element: XMLElement) -> XMLContent
    func text(_ text: ByteView)
    func end(_ element: XMLElementEnd)
}

/// A receiver that hands on to a handler.
final class XMLDelivery<Handler: XMLHandler>: XMLReceiver {
    private(set) var handler: Handler

    init(_ handler: Handler) {
        self.handler = handler
    }

    func start(_ element: XMLElement) -> XMLContent { handler.start(element) }
    func text(_ text: ByteView) { handler.text(text) }
    func end(_ element: XMLElementEnd) { handler.end(element) }
}

extension XMLContent {
    fileprivate var isKept: Bool {
        switch self {
        case .markup, .html: true
        case .events, .skip, .stop: false
        }
    }
}

extension ByteView {
    /// A string of C, looked at up to its end.
    fileprivate init(terminated string: UnsafePointer<UInt8>?) {
        guard let string else {
            self = .empty
            return
        }
        self.init(
            UnsafeBufferPointer(
                start: string,
                count: strlen(UnsafeRawPointer(string).assumingMemoryBound(to: CChar.self))
            )
        )
    }
}

// The callbacks of libxml2. The context is the session, which is not otherwise touched while libxml2 parses.

private func session(_ context: UnsafeMutableRawPointer?) -> UnsafeMutablePointer<XMLSession>? {
    context?.assumingMemoryBound(to: XMLSession.self)
}

private func startElement(
    context: UnsafeMutableRawPointer?,
    local: UnsafePointer<UInt8>?,
    prefix: UnsafePointer<UInt8>?,
    uri: UnsafePointer<UInt8>?,
    namespaceCount: Int32,
    namespaces: UnsafeMutablePointer<UnsafePointer<UInt8>?>?,
    attributeCount: Int32,
    defaultedCount: Int32,
    attributes: UnsafeMutablePointer<UnsafePointer<UInt8>?>?
) {
    guard let session = session(context) else { return }
    session.pointee.takeAttributes(attributes, count: Int(attributeCount))
    session.pointee.start(
        ByteView(terminated: local),
        ByteView(terminated: prefix),
        uri,
        bindings: Int(namespaceCount)
    )
}

private func endElement(
    context: UnsafeMutableRawPointer?,
    local: UnsafePointer<UInt8>?,
    prefix: UnsafePointer<UInt8>?,
    uri: UnsafePointer<UInt8>?
) {
    session(context)?.pointee.end(ByteView(terminated: local))
}

private func characters(context: UnsafeMutableRawPointer?, text: UnsafePointer<UInt8>?, length: Int32) {
    session(context)?.pointee.append(ByteView(UnsafeBufferPointer(start: text, count: Int(length))))
}

private func failure(context: UnsafeMutableRawPointer?, error: UnsafeRawPointer?) {
    if clibxml2_is_fatal(error) != 0 { session(context)?.pointee.fail() }
}
