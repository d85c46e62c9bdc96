/// Writes an ill-formed document anew as a well-formed one of the same content, for a strict parser to read.
///
/// In recovery mode libxml2 itself would turn `AT&T` into `AT` and `?a=1&b=2` into `?a=1=2`, leave out what only HTML calls an
/// entity, and give up the rest of the document after two stray end tags or one attribute without quotes. So documents
/// it refuses come through here first. What is written has a root of its own around everything, no document type, no comments,
/// no CDATA sections and no references but those of XML itself; end tags that the author forgot are written with a
/// space (`</b >`), by which they are told apart later.
struct XMLMender: ~Copyable {
    let document: ByteView
    let limits: XMLReader.Limits
    var entities: XMLEntities
    var output: ByteBuffer
    var scratch = ByteBuffer(capacity: 256)
    var position = 0
    private var open: [(name: Range<Int>, bindings: Int)] = []
    /// How many namespace declarations are in effect.
    var bindings = 0
    var attributeNames: [ByteView] = []
    private(set) var isTruncated = false
    private var unreported = 0
    private var rootHasEnded = false
    private var hasSeenDoctype = false
    private var lacksTerminators = false

    init(_ document: ByteView, _ limits: XMLReader.Limits, _ problems: ProblemList) {
        self.document = document
        self.limits = limits
        entities = XMLEntities(problems: problems)
        output = ByteBuffer(capacity: document.count + document.count / 8 + 64)
    }

    var problems: ProblemList { entities.problems }

    mutating func note(_ kind: MarkupProblem.Kind) {
        entities.problems.note(kind)
    }

    mutating func noteMissing(_ kind: MarkupProblem.Kind) {
        note(kind)
        isTruncated = true
    }

    /// Mends the whole document; the answer holds for as long as the mender does.
    mutating func mend() -> ByteView {
        output.append("<document>")
        while position < document.count {
            guard document[position] == UInt8(ascii: "<") else {
                let end = document.position(of: UInt8(ascii: "<"), from: position, to: document.count)
                appendText(document[position..<end])
                position = end
                continue
            }
            let following = position + 1 < document.count ? document[position + 1] : 0
            if following == UInt8(ascii: "/") {
                endTag()
            } else if following == UInt8(ascii: "!") || following == UInt8(ascii: "?") {
                readDeclaration()
            } else if !following.startsName || !startElement() {
                note(.bareLessThan)
                appendText(document[position..<(position + 1)])
                position += 1
            }
        }
        if let innermost = open.last {
            isTruncated = true
            entities.problems.note(.unclosedElement, document[innermost.name])
        }
        while !open.isEmpty { closeInnermost(isImplied: true) }
        output.append("</document>")
        return output.view
    }

    /// Writes text with its references resolved, escaped anew; text outside of every element is left out.
    private mutating func appendText(_ text: ByteView) {
        guard !open.isEmpty else {
            if !text.isBlank { note(rootHasEnded ? .contentAfterRoot : .textBeforeRoot) }
            return
        }
        guard text.position(of: UInt8(ascii: "&"), from: 0, to: text.count) < text.count else {
            return write(text)
        }
        scratch.removeAll()
        entities.decode(text, into: &scratch)
        write(scratch.view)
    }

    /// Writes text escaped, with U+FFFD for the two non-characters that XML forbids (section 2.2).
    mutating func write(_ text: ByteView) {
        var kept = 0
        var position = 0
        while true {
            position = text.position(of: 0xEF, from: position, to: text.count)
            guard position + 2 < text.count else { break }
            if text[position + 1] == 0xBF, text[position + 2] >= 0xBE {
                output.append(escaping: text[kept..<position])
                output.append(scalar: 0xFFFD)
                kept = position + 3
            }
            position += 3
        }
        output.append(escaping: text[kept..<text.count])
    }

    /// Reads a comment, CDATA section, document type, declaration or processing instruction.
    private mutating func readDeclaration() {
        if document.starts(with: "<![CDATA[", at: position) {
            let start = position + 9
            let end = document.position(of: "]]>", from: start)
            if end == nil { note(.unterminatedTag) }
            if !open.isEmpty { write(document[start..<(end ?? document.count)]) }
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
    /// What was not found once will not be found later, so the rest is searched in vain at most once.
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

    /// Reads and writes a start tag; false if it is not one, and its `<` is text.
    private mutating func startElement() -> Bool {
        guard let name = tagName(from: position + 1) else { return false }
        let before = output.count
        let outerBindings = bindings
        output.append(UInt8(ascii: "<"))
        output.append(document[name])
        guard let isEmpty = writeAttributes(from: name.upperBound) else {
            output.truncate(to: before)
            bindings = outerBindings
            noteMissing(.unterminatedTag)
            return true
        }
        guard open.count < limits.depth else {
            output.truncate(to: before)
            bindings = outerBindings
            noteMissing(.tooDeep)
            if !isEmpty { unreported += 1 }
            return true
        }
        if open.isEmpty, rootHasEnded { note(.contentAfterRoot) }
        if isEmpty {
            output.append("/>")
            bindings = outerBindings
            if open.isEmpty { rootHasEnded = true }
        } else {
            output.append(UInt8(ascii: ">"))
            open.append((name, outerBindings))
        }
        return true
    }

    /// Reads an end tag and closes what it ends; tags in between were forgotten.
    private mutating func endTag() {
        let nameStart = position + 2
        var nameEnd = nameStart
        while nameEnd < document.count, document[nameEnd].isTagNameByte { nameEnd += 1 }
        var end = nameEnd
        while end < document.count, document[end] != UInt8(ascii: ">"), document[end] != UInt8(ascii: "<") { end += 1 }
        if end < document.count, document[end] == UInt8(ascii: ">") { end += 1 } else { note(.unterminatedTag) }
        position = end
        if unreported > 0 {
            unreported -= 1
            return
        }
        let name = document[nameStart..<nameEnd]
        guard let index = open.lastIndex(where: { document[$0.name].equalsIgnoringCase(name) }) else {
            entities.problems.note(.strayEndTag, name)
            return
        }
        if index < open.count - 1 {
            entities.problems.note(.unclosedElement, document[open[open.count - 1].name])
            while open.count - 1 > index { closeInnermost(isImplied: true) }
        }
        closeInnermost(isImplied: false)
    }

    private mutating func closeInnermost(isImplied: Bool) {
        guard let (name, outerBindings) = open.popLast() else { return }
        bindings = outerBindings
        output.append("</")
        output.append(document[name])
        if isImplied { output.append(UInt8(0x20)) }
        output.append(UInt8(ascii: ">"))
        if open.isEmpty { rootHasEnded = true }
    }
}
