extension UInt8 {
    /// A byte that may stand in the name of a tag or attribute as careless authors write them.
    @inline(__always)
    var isTagNameByte: Bool {
        switch self {
        case UInt8(ascii: ">"), UInt8(ascii: "/"), UInt8(ascii: "<"), UInt8(ascii: "="), 0x22, 0x27: false
        default: !isMarkupSpace
        }
    }
}

extension XMLMender {
    /// Longest name of a tag or attribute, and longest value, that is taken for one.
    private static let longest = (name: 256, value: 1 << 20)

    /// The name that starts here, or nil if it is none, as in `<me@example.org>`.
    func tagName(from start: Int) -> Range<Int>? {
        var end = start
        while end < document.count, end - start <= Self.longest.name, document[end].isTagNameByte { end += 1 }
        return end - start <= Self.longest.name && document[start..<end].isXMLName ? start..<end : nil
    }

    /// Reads the attributes of a start tag and writes them quoted and escaped, each name once.
    ///
    /// - Returns: whether the tag ends itself (`<br/>`); nil if the document ends in it.
    mutating func writeAttributes(from start: Int) -> Bool? {
        attributeNames.removeAll(keepingCapacity: true)
        var cursor = start
        var isEmpty = false
        while true {
            while cursor < document.count, document[cursor].isMarkupSpace { cursor += 1 }
            guard cursor < document.count else {
                position = cursor
                return nil
            }
            switch document[cursor] {
            case UInt8(ascii: ">"):
                position = cursor + 1
                return isEmpty
            case UInt8(ascii: "<"):
                note(.unterminatedTag)
                position = cursor
                return isEmpty
            case UInt8(ascii: "/"):
                cursor += 1
                isEmpty = cursor < document.count && document[cursor] == UInt8(ascii: ">")
            case UInt8(ascii: "="), 0x22, 0x27:
                note(.malformedAttribute)
                cursor += 1
            default: cursor = writeAttribute(at: cursor)
            }
        }
    }

    private mutating func writeAttribute(at start: Int) -> Int {
        var cursor = start
        while cursor < document.count, document[cursor].isTagNameByte { cursor += 1 }
        let name = document[start..<cursor]
        while cursor < document.count, document[cursor].isMarkupSpace { cursor += 1 }
        guard cursor < document.count, document[cursor] == UInt8(ascii: "=") else {
            note(.malformedAttribute)
            return cursor
        }
        cursor += 1
        while cursor < document.count, document[cursor].isMarkupSpace { cursor += 1 }
        let (value, end) = readValue(at: cursor)
        guard name.count <= Self.longest.name, value.count <= Self.longest.value, name.isXMLName,
            !attributeNames.contains(where: { $0 == name })
        else {
            note(.malformedAttribute)
            return end
        }
        let isBinding = name == "xmlns" || name.starts(with: "xmlns:")
        guard attributeNames.count < limits.attributes, !isBinding || bindings < XMLReader.Limits.openBindings else {
            noteMissing(.tooManyAttributes)
            return end
        }
        if isBinding { bindings += 1 }
        attributeNames.append(name)
        output.append(UInt8(0x20))
        output.append(name)
        output.append("=\"")
        scratch.removeAll()
        entities.decode(document[value], into: &scratch)
        write(scratch.view)
        output.append(UInt8(ascii: "\""))
        return end
    }

    /// The range of an attribute's value and the position after it.
    private mutating func readValue(at start: Int) -> (value: Range<Int>, end: Int) {
        guard start < document.count else { return (start..<start, start) }
        let quote = document[start]
        if quote == 0x22 || quote == 0x27 {
            let close = document.position(of: quote, from: start + 1, to: document.count)
            // A quote that closes only after `> ... <` was forgotten: the value ends with the tag.
            let tagEnd = document.position(of: UInt8(ascii: ">"), from: start + 1, to: close)
            let isForgotten =
                close == document.count
                || (tagEnd < close && document.position(of: UInt8(ascii: "<"), from: tagEnd, to: close) < close
                    && document.position(of: UInt8(ascii: "<"), from: start + 1, to: tagEnd) == tagEnd)
            guard isForgotten else { return ((start + 1)..<close, close + 1) }
            note(.malformedAttribute)
            return ((start + 1)..<tagEnd, tagEnd)
        }
        note(.malformedAttribute)
        var end = start
        while end < document.count, !document[end].isMarkupSpace, document[end] != UInt8(ascii: ">"),
            document[end] != UInt8(ascii: "<")
        {
            end += 1
        }
        return (start..<end, end)
    }
}

extension ByteView {
    /// Whether the bytes are a name with at most one prefix (Namespaces in XML, section 4).
    fileprivate var isXMLName: Bool {
        var isStart = true
        var colons = 0
        var position = 0
        while position < count {
            let byte = self[position]
            if byte == UInt8(ascii: ":") {
                colons += 1
                guard !isStart, colons == 1 else { return false }
                isStart = true
                position += 1
                continue
            }
            let (scalar, length) = scalar(at: position)
            guard isStart ? scalar.startsXMLName : scalar.continuesXMLName else { return false }
            isStart = false
            position += length
        }
        return !isStart
    }

    /// The scalar of the well-formed UTF-8 sequence at a position, and its length.
    private func scalar(at position: Int) -> (value: UInt32, length: Int) {
        let lead = self[position]
        let length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4
        var value = length == 1 ? UInt32(lead) : UInt32(lead) & (0x7F >> UInt32(length))
        for index in 1..<length where position + index < count {
            value = value << 6 | UInt32(self[position + index] & 0x3F)
        }
        return (value, length)
    }
}

extension UInt32 {
    /// NameStartChar without the colon (XML 1.0, fifth edition, section 2.3).
    fileprivate var startsXMLName: Bool {
        switch self {
        case 0x41...0x5A, 0x5F, 0x61...0x7A, 0xC0...0xD6, 0xD8...0xF6, 0xF8...0x2FF, 0x370...0x37D, 0x37F...0x1FFF,
            0x200C...0x200D, 0x2070...0x218F, 0x2C00...0x2FEF, 0x3001...0xD7FF, 0xF900...0xFDCF, 0xFDF0...0xFFFD,
            0x10000...0xEFFFF:
            true
        default: false
        }
    }

    /// NameChar without the colon.
    fileprivate var continuesXMLName: Bool {
        switch self {
        case 0x2D, 0x2E, 0x30...0x39, 0xB7, 0x300...0x36F, 0x203F...0x2040: true
        default: startsXMLName
        }
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
