/// Text that gathers from several pieces, up to a limit.
struct XMLText: ~Copyable {
    private(set) var isCut = false
    private var buffer = ByteBuffer(capacity: 4096)
    private let limit: Int

    init(limit: Int) {
        self.limit = limit
    }

    var isEmpty: Bool { buffer.isEmpty }
    var view: ByteView { buffer.view }

    mutating func removeAll() {
        isCut = false
        buffer.removeAll()
    }

    mutating func append(_ piece: ByteView) {
        guard !isCut else { return }
        buffer.append(piece)
        cut()
    }

    mutating func append(escaping piece: ByteView) {
        guard !isCut else { return }
        buffer.append(escaping: piece)
        cut()
    }

    /// Writes a start tag as HTML has it: prefixes left out, `xml:lang` as `lang`.
    mutating func appendStart(_ name: ByteView, _ attributes: XMLAttributes) {
        guard !isCut else { return }
        buffer.append(UInt8(ascii: "<"))
        buffer.append(name)
        attributes.forEach { prefix, local, value in
            guard prefix.isEmpty || (prefix == "xml" && local == "lang") else { return }
            buffer.append(UInt8(0x20))
            buffer.append(local)
            buffer.append("=\"")
            buffer.append(escaping: value)
            buffer.append(UInt8(ascii: "\""))
        }
        buffer.append(UInt8(ascii: ">"))
        cut()
    }

    /// Writes an end tag as HTML has it: none for elements that have no content there.
    mutating func appendEnd(_ name: ByteView) {
        guard !isCut, !HTMLElement(named: name).isVoid else { return }
        buffer.append("</")
        buffer.append(name)
        buffer.append(UInt8(ascii: ">"))
        cut()
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
