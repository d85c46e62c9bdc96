/// Plain text on its way out of HTML: white space collapsed, blocks on lines of their own.
struct PlainText: ~Copyable {
    private var buffer = ByteBuffer(capacity: 4096)
    private var hasSpace = false
    private var lineBreaks = 0
    private var blockBreaks = 0
    private var isItem = false
    private var isStretchOpen = false
    private var stretchStart: Int?
    private var counted = (bytes: 0, scalars: 0)

    /// How many elements around keep their white space (`pre`), and how many are silent (`video`).
    var preformatted = 0
    var silenced = 0

    init() {}

    var string: String { buffer.string }

    mutating func begin() {
        buffer.removeAll()
        hasSpace = false
        lineBreaks = 0
        blockBreaks = 0
        isItem = false
        isStretchOpen = false
        counted = (0, 0)
        preformatted = 0
        silenced = 0
    }

    /// A `br`.
    mutating func breakLine() {
        lineBreaks = min(lineBreaks + 1, 2)
    }

    /// The edge of a block; `lines` is 2 for an empty line between.
    mutating func breakBlock(lines: Int) {
        blockBreaks = max(blockBreaks, lines)
    }

    /// The start of a list item.
    mutating func beginItem() {
        blockBreaks = max(blockBreaks, 1)
        isItem = true
    }

    /// The edge of a table cell.
    mutating func space() {
        hasSpace = true
    }

    /// Appends text, its references resolved.
    mutating func append(_ text: ByteView) {
        guard silenced == 0 else { return }
        if preformatted > 0 { return appendPreformatted(text) }
        var position = 0
        while position < text.count {
            if let length = text.lengthOfSpace(at: position) {
                hasSpace = true
                position += length
                continue
            }
            // A run of words with one space between them is copied at once.
            var end = position + 1
            while end < text.count {
                if text[end] == 0x20 {
                    guard end + 1 < text.count, text.lengthOfSpace(at: end + 1) == nil else { break }
                } else if text.lengthOfSpace(at: end) != nil {
                    break
                }
                end += 1
            }
            flush()
            buffer.append(text[position..<end])
            position = end
        }
    }

    /// Appends one decoded character.
    mutating func append(scalar: UInt32) {
        guard silenced == 0, !scalar.isForbiddenControl else { return }
        if preformatted == 0, scalar == 0x20 || scalar == 0xA0 || scalar == 0x0A || scalar == 0x09 || scalar == 0x0D {
            hasSpace = true
        } else {
            flush()
            buffer.append(scalar: scalar)
        }
    }

    /// Starts a stretch of words: it begins where the next text is written, after the white space before that.
    mutating func beginStretch() {
        stretchStart = nil
        isStretchOpen = true
    }

    /// Ends the stretch: where its words are, in Unicode scalars.
    mutating func endStretch() -> Range<Int> {
        isStretchOpen = false
        let lower = scalars(before: stretchStart ?? buffer.count)
        return lower..<scalars(before: buffer.count)
    }

    /// The number of Unicode scalars before a position in bytes; positions must not fall from call to call.
    private mutating func scalars(before position: Int) -> Int {
        let view = buffer.view
        for index in counted.bytes..<max(counted.bytes, position) where view[index] & 0xC0 != 0x80 {
            counted.scalars += 1
        }
        counted.bytes = max(counted.bytes, position)
        return counted.scalars
    }

    private mutating func appendPreformatted(_ text: ByteView) {
        guard !text.isEmpty else { return }
        flush()
        for index in 0..<text.count where !UInt32(text[index]).isForbiddenControl && text[index] != 0x0D {
            buffer.append(text[index])
        }
    }

    private mutating func flush() {
        if hasSpace || lineBreaks > 0 || blockBreaks > 0 {
            let breaks = max(lineBreaks, blockBreaks)
            if !buffer.isEmpty {
                if breaks > 0 {
                    for _ in 0..<breaks { buffer.append(UInt8(0x0A)) }
                } else {
                    buffer.append(UInt8(0x20))
                }
            }
            hasSpace = false
            lineBreaks = 0
            blockBreaks = 0
        }
        if isItem {
            isItem = false
            buffer.append("- ")
        }
        if isStretchOpen, stretchStart == nil { stretchStart = buffer.count }
    }
}

extension ByteView {
    /// Length of the white space character at a position, the no-break space among them; nil if it is another.
    @inline(__always)
    fileprivate func lengthOfSpace(at position: Int) -> Int? {
        let byte = self[position]
        if byte <= 0x20 || byte == 0x7F { return 1 }
        return byte == 0xC2 && position + 1 < count && self[position + 1] == 0xA0 ? 2 : nil
    }
}
