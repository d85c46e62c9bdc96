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

extension XMLScanner {
    /// A start tag, its attributes being in `records`: its name, and whether it ends itself (`<br/>`).
    struct StartTag {
        var name: Range<Int>
        var isEmpty: Bool
    }

    /// Reads the start tag at the position; nil if the document ends in it.
    mutating func readStartTag() -> StartTag? {
        records.removeAll()
        values.removeAll()
        let nameStart = position + 1
        var cursor = nameStart
        while cursor < document.count, document[cursor].isTagNameByte { cursor += 1 }
        var tag = StartTag(name: nameStart..<cursor, isEmpty: false)
        while true {
            while cursor < document.count, document[cursor].isMarkupSpace { cursor += 1 }
            guard cursor < document.count else {
                note(.unterminatedTag)
                isTruncated = true
                position = cursor
                return nil
            }
            switch document[cursor] {
            case UInt8(ascii: ">"):
                position = cursor + 1
                return tag
            case UInt8(ascii: "<"):
                note(.unterminatedTag)
                position = cursor
                return tag
            case UInt8(ascii: "/"):
                cursor += 1
                tag.isEmpty = cursor < document.count && document[cursor] == UInt8(ascii: ">")
            case UInt8(ascii: "="), 0x22, 0x27:
                note(.malformedAttribute)
                cursor += 1
            default: cursor = readAttribute(at: cursor)
            }
        }
    }

    private mutating func readAttribute(at start: Int) -> Int {
        var cursor = start
        var colon = 0
        while cursor < document.count, document[cursor].isTagNameByte {
            if document[cursor] == UInt8(ascii: ":"), colon == 0 { colon = cursor + 1 - start }
            cursor += 1
        }
        let name = start..<cursor
        while cursor < document.count, document[cursor].isMarkupSpace { cursor += 1 }
        guard cursor < document.count, document[cursor] == UInt8(ascii: "=") else {
            note(.malformedAttribute)
            return cursor
        }
        cursor += 1
        while cursor < document.count, document[cursor].isMarkupSpace { cursor += 1 }
        let (value, end) = readValue(at: cursor)
        guard !records.isFull else {
            note(.tooManyAttributes)
            isTruncated = true
            return end
        }
        let written = document[value]
        var record = XMLAttributes.Record(
            name: name,
            prefixLength: colon == name.count ? 0 : colon,
            namespace: .none,
            value: value,
            isDecoded: false
        )
        if written.position(of: UInt8(ascii: "&"), from: 0, to: written.count) < written.count {
            let before = values.count
            entities.decode(written, into: &values)
            record.value = before..<values.count
            record.isDecoded = true
        }
        records.append(record)
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

    /// Opens an element: its namespace declarations, base and language take effect, its name and attributes get theirs.
    mutating func openFrame(_ tag: StartTag, at start: Int) {
        var frame = Frame(
            start: start,
            name: tag.name,
            prefixLength: prefixLength(tag.name),
            bindings: bindings.count,
            scopes: scopes.count
        )
        var hasDeclarations = false
        var hasPrefixes = false
        for index in 0..<records.count {
            let record = records[index]
            if document[record.name] == "xmlns" {
                bindings.append(
                    Binding(prefix: record.name.lowerBound..<record.name.lowerBound, namespace: uri(record))
                )
                hasDeclarations = true
            } else if record.prefixLength > 0 {
                if record.prefixLength == 6, document.starts(with: "xmlns:", at: record.name.lowerBound) {
                    let prefix = (record.name.lowerBound + 6)..<record.name.upperBound
                    bindings.append(Binding(prefix: prefix, namespace: uri(record)))
                    hasDeclarations = true
                } else {
                    hasPrefixes = true
                }
            }
        }
        if hasDeclarations { removeDeclarations() }
        if hasPrefixes { resolveAttributes() }
        frame.namespace = namespace(
            ofPrefix: frame.name.lowerBound..<(frame.name.lowerBound + max(0, frame.prefixLength - 1))
        )
        frame.token = vocabulary.token(of: localName(of: frame))
        frames.append(frame)
    }

    /// Length of the prefix with its colon; a name that starts or ends with the colon has none.
    private func prefixLength(_ name: Range<Int>) -> Int {
        let colon = document.position(of: UInt8(ascii: ":"), from: name.lowerBound, to: name.upperBound)
        return colon == name.lowerBound || colon >= name.upperBound - 1 ? 0 : colon + 1 - name.lowerBound
    }

    private func value(_ record: XMLAttributes.Record) -> ByteView {
        record.isDecoded ? values.view[record.value] : document[record.value]
    }

    private func uri(_ record: XMLAttributes.Record) -> XMLNamespace {
        vocabulary.namespace(ofURI: value(record))
    }

    private mutating func removeDeclarations() {
        let document = document
        records.removeAll {
            document[$0.name] == "xmlns"
                || ($0.prefixLength == 6 && document.starts(with: "xmlns:", at: $0.name.lowerBound))
        }
    }

    private mutating func resolveAttributes() {
        var scope = scopes[scopes.count - 1]
        var opensScope = false
        for index in 0..<records.count where records[index].prefixLength > 0 {
            let name = records[index].name
            let prefix = name.lowerBound..<(name.lowerBound + records[index].prefixLength - 1)
            records[index].namespace = namespace(ofPrefix: prefix)
            guard records[index].namespace == .xml else { continue }
            let text = value(records[index]).trimmed
            if document[name] == "xml:base" {
                scope.base = URLReference.resolve(text.string, against: scope.base)
                opensScope = true
            } else if document[name] == "xml:lang" {
                scope.language = text.isEmpty ? nil : text[0..<min(text.count, 64)].string
                opensScope = true
            }
        }
        if opensScope { scopes.append(scope) }
    }

    private mutating func namespace(ofPrefix prefix: Range<Int>) -> XMLNamespace {
        let name = document[prefix]
        for binding in bindings.reversed() where binding.prefix.count == name.count {
            if document[binding.prefix] == name { return binding.namespace }
        }
        if name.isEmpty { return .none }
        if name == "xml" { return .xml }
        entities.problems.note(.undeclaredPrefix, name)
        return vocabulary.namespace(ofPrefix: name)
    }
}
