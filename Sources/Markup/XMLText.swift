/// The text between two tags: a slice of the document while that suffices, a copy as soon as it must be put together.
struct XMLText: ~Copyable {
    private(set) var slice: Range<Int>?
    /// Whether it has been told, so that the next text starts afresh.
    var isDelivered = false
    private(set) var isCut = false
    private var buffer = ByteBuffer(capacity: 1024)
    private let limit: Int

    init(limit: Int) {
        self.limit = limit
    }

    var isEmpty: Bool { slice == nil && buffer.isEmpty }

    func text(in document: ByteView) -> ByteView {
        slice.map { document[$0] } ?? buffer.view
    }

    mutating func removeAll() {
        slice = nil
        isDelivered = false
        isCut = false
        buffer.removeAll()
    }

    /// Appends a piece that stands in the document as it is.
    mutating func append(_ range: Range<Int>, of document: ByteView) {
        guard !range.isEmpty else { return }
        if isEmpty, range.count <= limit {
            slice = range
        } else {
            makeBuffer(document)
            buffer.append(document[range])
            cut()
        }
    }

    /// Appends a piece whose references are to be resolved.
    mutating func decode(_ range: Range<Int>, of document: ByteView, with entities: inout XMLEntities) {
        makeBuffer(document)
        entities.decode(document[range], into: &buffer)
        cut()
    }

    private mutating func makeBuffer(_ document: ByteView) {
        guard let kept = slice else { return }
        slice = nil
        buffer.append(document[kept])
    }

    private mutating func cut() {
        guard buffer.count > limit else { return }
        buffer.truncate(to: buffer.view.characterStart(atOrBefore: limit))
        isCut = true
    }
}

/// The content of an element that is delivered as one text: ``XMLContent/markup``, `html` or `skip`.
struct XMLCapture: ~Copyable {
    /// How many elements were open with the captured one, or 0 when nothing is captured.
    private(set) var depth = 0
    private(set) var isCut = false
    private var mode = XMLContent.skip
    private var slice: Range<Int>?
    private var buffer = ByteBuffer(capacity: 4096)
    private let limit: Int

    init(limit: Int) {
        self.limit = limit
    }

    var isActive: Bool { depth > 0 }
    var isEmpty: Bool { slice == nil && buffer.isEmpty }

    func text(in document: ByteView) -> ByteView {
        slice.map { document[$0] } ?? buffer.view
    }

    mutating func begin(depth: Int, _ mode: XMLContent) {
        self.depth = depth
        self.mode = mode
        isCut = false
        slice = nil
        buffer.removeAll()
    }

    mutating func finish() {
        depth = 0
    }

    mutating func append(_ text: borrowing XMLText, in document: ByteView) {
        switch mode {
        case .html:
            if isEmpty, let whole = text.slice {
                slice = whole
            } else {
                makeBuffer(document)
                buffer.append(text.text(in: document))
            }
        case .markup: buffer.append(escaping: text.text(in: document))
        case .events, .skip, .stop: break
        }
        if text.isCut { isCut = true }
        cut()
    }

    mutating func start(_ name: ByteView, _ attributes: XMLAttributes, in document: ByteView) {
        guard mode != .skip, !isCut else { return }
        makeBuffer(document)
        buffer.append(UInt8(ascii: "<"))
        buffer.append(name)
        attributes.forEach { prefix, local, value in
            guard prefix.isEmpty || (prefix == "xml" && local == "lang") else { return }
            buffer.append(UInt8(ascii: " "))
            buffer.append(local)
            buffer.append("=\"")
            buffer.append(escaping: value)
            buffer.append(UInt8(ascii: "\""))
        }
        buffer.append(UInt8(ascii: ">"))
        cut()
    }

    mutating func end(_ name: ByteView, in document: ByteView) {
        guard mode != .skip, !isCut, !HTMLElement(named: name).isVoid else { return }
        makeBuffer(document)
        buffer.append("</")
        buffer.append(name)
        buffer.append(UInt8(ascii: ">"))
        cut()
    }

    private mutating func makeBuffer(_ document: ByteView) {
        guard let kept = slice else { return }
        slice = nil
        buffer.append(document[kept])
    }

    private mutating func cut() {
        guard buffer.count > limit else { return }
        buffer.truncate(to: buffer.view.characterStart(atOrBefore: limit))
        isCut = true
    }
}

extension ByteView {
    /// The start of the character that a position is in the middle of, or the position itself.
    func characterStart(atOrBefore position: Int) -> Int {
        var start = position
        while start > 0, start < count, self[start] & 0xC0 == 0x80 { start -= 1 }
        return start
    }
}
