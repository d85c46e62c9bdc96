/// The state of one reading, driven by ``XMLReader``: position in the document, open elements, text on its way.
struct XMLScanner: ~Copyable {
    enum Event {
        case start, text, end, finished
    }

    struct Frame {
        var start: Int
        var name: Range<Int>
        /// Length of the prefix with its colon.
        var prefixLength: Int
        var namespace = XMLNamespace.none
        var token = -1
        /// Numbers of namespace bindings and scopes that were there before this element.
        var bindings: Int
        var scopes: Int
    }

    struct Binding {
        var prefix: Range<Int>
        var namespace: XMLNamespace
    }

    /// What `xml:base` and `xml:lang` say from an element on.
    struct Scope {
        var base: String?
        var language: String?
    }

    let document: ByteView
    let vocabulary: XMLVocabulary
    let limits: XMLReader.Limits
    var entities: XMLEntities
    var position = 0
    var frames: [Frame] = []
    var bindings: [Binding] = []
    var scopes: [Scope]
    var records: XMLAttributeStore
    var values = ByteBuffer(capacity: 1024)
    var isTruncated = false

    /// Elements open beyond the depth limit, which have no frame.
    var unreported = 0
    private var closesItself = false
    private var hasSeenDoctype = false
    private var lacksTerminators = false
    private var rootHasEnded = false
    private var impliedEnds = 0
    private var endingTag = (end: 0, isClosed: false)
    private var ended: Frame
    private var hasCapturedText = false
    private var pending: XMLText
    private var capture: XMLCapture

    init(
        _ document: ByteView,
        _ vocabulary: XMLVocabulary,
        _ limits: XMLReader.Limits,
        _ problems: ProblemList,
        base: String?
    ) {
        self.document = document
        self.vocabulary = vocabulary
        self.limits = limits
        entities = XMLEntities(problems: problems)
        scopes = [Scope(base: base, language: nil)]
        ended = Frame(start: 0, name: 0..<0, prefixLength: 0, bindings: 0, scopes: 0)
        records = XMLAttributeStore(capacity: limits.attributes)
        pending = XMLText(limit: limits.textBytes)
        capture = XMLCapture(limit: limits.textBytes)
    }

    var problems: [MarkupProblem] { entities.problems.problems }

    mutating func note(_ kind: MarkupProblem.Kind) {
        entities.problems.note(kind)
    }

    /// The element of the last `start` event.
    var element: XMLElement {
        let depth = frames.count - 1
        let scope = scopes[scopes.count - 1]
        return XMLElement(
            name: name(of: frames[depth]),
            attributes: attributes,
            depth: depth,
            base: scope.base,
            language: scope.language
        )
    }

    private var attributes: XMLAttributes {
        XMLAttributes(document: document, decoded: values.view, records: records.records)
    }

    /// The element of the last `end` event.
    var elementEnd: XMLElementEnd {
        XMLElementEnd(
            name: name(of: ended),
            depth: frames.count,
            source: document[ended.start..<endingTag.end],
            isClosed: endingTag.isClosed
        )
    }

    /// The text of the last `text` event.
    var text: ByteView {
        hasCapturedText ? capture.text(in: document) : pending.text(in: document)
    }

    private func name(of frame: Frame) -> XMLName {
        let prefixEnd = frame.name.lowerBound + max(0, frame.prefixLength - 1)
        return XMLName(
            namespace: frame.namespace,
            token: frame.token,
            prefix: document[frame.name.lowerBound..<prefixEnd],
            local: localName(of: frame)
        )
    }

    func localName(of frame: Frame) -> ByteView {
        document[(frame.name.lowerBound + frame.prefixLength)..<frame.name.upperBound]
    }

    /// Says how the content of the element that just started is to be delivered.
    mutating func deliverContent(as content: XMLContent) {
        switch content {
        case .events: break
        case .stop:
            position = document.count
            rootHasEnded = true
            impliedEnds = frames.count
            closesItself = false
            endingTag = (document.count, false)
        case .markup, .html, .skip: capture.begin(depth: frames.count, content)
        }
    }

    /// Reads on to what the handler has to be told next.
    mutating func next() -> Event {
        if hasCapturedText {
            hasCapturedText = false
            capture.finish()
            return .end
        }
        while true {
            let event = advance()
            guard capture.isActive else { return event }
            switch event {
            case .start:
                capture.start(localName(of: frames[frames.count - 1]), attributes, in: document)
            case .text:
                capture.append(pending, in: document)
            case .end:
                guard frames.count + 1 == capture.depth else {
                    capture.end(localName(of: ended), in: document)
                    continue
                }
                if capture.isCut { cutText() }
                hasCapturedText = !capture.isEmpty
                if hasCapturedText { return .text }
                capture.finish()
                return .end
            case .finished: return .finished
            }
        }
    }

    private mutating func cutText() {
        note(.textTooLong)
        isTruncated = true
    }

    /// Reads on to the next start, end or text, captured or not.
    private mutating func advance() -> Event {
        if impliedEnds > 0 {
            impliedEnds -= 1
            return endElement()
        }
        if closesItself {
            closesItself = false
            endingTag = (position, true)
            return endElement()
        }
        if pending.isDelivered { pending.removeAll() }
        while position < document.count {
            guard document[position] == UInt8(ascii: "<") else {
                let end = document.position(of: UInt8(ascii: "<"), from: position, to: document.count)
                appendText(position..<end)
                position = end
                continue
            }
            let following = position + 1 < document.count ? document[position + 1] : 0
            if following.startsName {
                if deliversText() { return .text }
                if startElement() { return .start }
            } else if following == UInt8(ascii: "/") {
                if deliversText() { return .text }
                if endTag() { return endElement() }
            } else if following == UInt8(ascii: "!") || following == UInt8(ascii: "?") {
                readDeclaration()
            } else {
                note(.bareLessThan)
                pending.append(position..<(position + 1), of: document)
                position += 1
            }
        }
        if deliversText() { return .text }
        guard !frames.isEmpty else { return .finished }
        isTruncated = true
        entities.problems.note(.unclosedElement, localName(of: frames[frames.count - 1]))
        impliedEnds = frames.count - 1
        endingTag = (document.count, false)
        return endElement()
    }

    private mutating func appendText(_ range: Range<Int>) {
        let run = document[range]
        if run.position(of: UInt8(ascii: "&"), from: 0, to: run.count) == run.count {
            pending.append(range, of: document)
        } else {
            pending.decode(range, of: document, with: &entities)
        }
    }

    /// Whether text has gathered that is to be told now; otherwise it is dropped.
    private mutating func deliversText() -> Bool {
        guard !pending.isEmpty else { return false }
        if pending.isCut { cutText() }
        let isBlank = (frames.isEmpty || !capture.isActive) && pending.text(in: document).isBlank
        if frames.isEmpty, !isBlank { note(rootHasEnded ? .contentAfterRoot : .textBeforeRoot) }
        guard !frames.isEmpty, !isBlank else {
            pending.removeAll()
            return false
        }
        pending.isDelivered = true
        return true
    }

    /// Reads a comment, CDATA section, document type, declaration or processing instruction.
    private mutating func readDeclaration() {
        if document.starts(with: "<![CDATA[", at: position) {
            let start = position + 9
            let end = document.position(of: "]]>", from: start)
            if end == nil { note(.unterminatedTag) }
            pending.append(start..<(end ?? document.count), of: document)
            position = end.map { $0 + 3 } ?? document.count
        } else if document.starts(with: "<!--", at: position) {
            skip(past: "-->", from: position + 4)
        } else if document.startsIgnoringCase(with: "<!doctype", at: position), !hasSeenDoctype {
            hasSeenDoctype = true
            if let end = entities.readDoctype(document, at: position + 9) {
                position = end
            } else {
                skip(past: ">", from: position)
            }
        } else {
            skip(past: document[position + 1] == UInt8(ascii: "?") ? "?>" : ">", from: position + 2)
        }
    }

    /// Goes on after a terminator; without one, only the tag's first line is given up, not the rest of the document.
    ///
    /// What was not found once will not be found later, so the rest is searched for each terminator at most once in vain.
    private mutating func skip(past terminator: StaticString, from start: Int) {
        let isLong = terminator.utf8CodeUnitCount > 1
        if !(isLong && lacksTerminators), let end = document.position(of: terminator, from: start) {
            position = end + terminator.utf8CodeUnitCount
        } else {
            note(.unterminatedTag)
            if isLong { lacksTerminators = true }
            position = min(
                document.count,
                document.position(of: UInt8(ascii: ">"), from: start, to: document.count) + 1
            )
        }
    }

    /// Reads a start tag; false if nothing is to be reported for it.
    private mutating func startElement() -> Bool {
        let start = position
        guard let tag = readStartTag() else { return false }
        guard frames.count < limits.depth else {
            note(.tooDeep)
            isTruncated = true
            if !tag.isEmpty { unreported += 1 }
            return false
        }
        if frames.isEmpty, rootHasEnded { note(.contentAfterRoot) }
        openFrame(tag, at: start)
        closesItself = tag.isEmpty
        return true
    }

    /// Reads an end tag; true if an element is to be closed now, after which others may follow.
    private mutating func endTag() -> Bool {
        let start = position
        let nameStart = position + 2
        var nameEnd = nameStart
        while nameEnd < document.count, document[nameEnd].isTagNameByte { nameEnd += 1 }
        var end = nameEnd
        while end < document.count, document[end] != UInt8(ascii: ">"), document[end] != UInt8(ascii: "<") { end += 1 }
        if end < document.count, document[end] == UInt8(ascii: ">") { end += 1 } else { note(.unterminatedTag) }
        position = end
        if unreported > 0 {
            unreported -= 1
            return false
        }
        let name = document[nameStart..<nameEnd]
        if let innermost = frames.last, document[innermost.name] == name {
            endingTag = (end, true)
            return true
        }
        guard let index = frames.lastIndex(where: { document[$0.name].equalsIgnoringCase(name) }) else {
            entities.problems.note(.strayEndTag, name)
            return false
        }
        // The tags in between were forgotten: they end where this one starts, and this one is read again when they have.
        if index < frames.count - 1 {
            entities.problems.note(.unclosedElement, document[frames[frames.count - 1].name])
            impliedEnds = frames.count - 2 - index
            position = start
            endingTag = (start, false)
        } else {
            endingTag = (end, true)
        }
        return true
    }

    private mutating func endElement() -> Event {
        guard let frame = frames.popLast() else { return .finished }
        ended = frame
        bindings.removeLast(bindings.count - frame.bindings)
        if scopes.count > frame.scopes { scopes.removeLast(scopes.count - frame.scopes) }
        if frames.isEmpty { rootHasEnded = true }
        return .end
    }
}

extension ByteView {
    /// Whether two views hold the same bytes, ASCII letters compared without case.
    func equalsIgnoringCase(_ other: ByteView) -> Bool {
        guard count == other.count else { return false }
        for index in 0..<count where self[index].lowercased != other[index].lowercased { return false }
        return true
    }
}
