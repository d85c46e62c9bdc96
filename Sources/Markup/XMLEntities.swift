/// Resolves references in XML text and attribute values, within bounds.
struct XMLEntities {
    /// Declarations looked at, and bytes of one replacement and of all together.
    private static let limits = (declarations: 64, replacement: 1024, total: 256 * 1024)

    var problems: ProblemList
    private var declared: [[UInt8]: Replacement] = [:]
    private var expanded = 0

    private enum Replacement {
        case text([UInt8])
        case refused
    }

    init(problems: ProblemList) {
        self.problems = problems
    }

    /// Appends text with its references resolved; what cannot be resolved stays as it is written.
    mutating func decode(_ text: ByteView, into buffer: inout ByteBuffer) {
        var position = 0
        while position < text.count {
            let ampersand = text.position(of: UInt8(ascii: "&"), from: position, to: text.count)
            buffer.append(text[position..<ampersand])
            guard ampersand < text.count else { return }
            position = ampersand
            switch CharacterReference.read(text, at: ampersand) {
            case .scalar(let scalar, let length):
                if !scalar.isForbiddenControl { buffer.append(scalar: scalar) }
                position += length
            case .name(let name, let length):
                if !resolve(name, into: &buffer) { buffer.append(text[ampersand..<(ampersand + length)]) }
                position += length
            case .bare:
                problems.note(.bareAmpersand)
                buffer.append(UInt8(ascii: "&"))
                position += 1
            }
        }
    }

    private mutating func resolve(_ name: ByteView, into buffer: inout ByteBuffer) -> Bool {
        switch name {
        case "lt": buffer.append(UInt8(ascii: "<"))
        case "gt": buffer.append(UInt8(ascii: ">"))
        case "amp": buffer.append(UInt8(ascii: "&"))
        case "quot": buffer.append(UInt8(ascii: "\""))
        case "apos": buffer.append(UInt8(ascii: "'"))
        default: return resolveUncommon(name, into: &buffer)
        }
        return true
    }

    private mutating func resolveUncommon(_ name: ByteView, into buffer: inout ByteBuffer) -> Bool {
        if !declared.isEmpty, let replacement = declared[Array(name.bytes)] {
            guard case .text(let text) = replacement, expanded + text.count <= Self.limits.total else {
                problems.note(.refusedEntity, name)
                return true
            }
            expanded += text.count
            text.withUnsafeBufferPointer { buffer.append($0) }
            return true
        }
        guard let scalar = HTMLEntities.shared.scalar(named: name) else {
            problems.note(.unknownEntity, name)
            return false
        }
        problems.note(.htmlEntity, name)
        buffer.append(scalar: scalar)
        return true
    }

    /// Reads over a document type declaration, keeping the plain texts that it declares as entities.
    ///
    /// - Returns: the position after the declaration, or nil if it never ends.
    mutating func readDoctype(_ document: ByteView, at start: Int) -> Int? {
        var position = start
        while position < document.count {
            switch document[position] {
            case UInt8(ascii: ">"): return position + 1
            case UInt8(ascii: "["): position = readSubset(document, from: position + 1)
            case UInt8(ascii: "\""), UInt8(ascii: "'"): position = afterLiteral(document, at: position)
            default: position += 1
            }
        }
        return nil
    }

    private mutating func readSubset(_ document: ByteView, from start: Int) -> Int {
        var position = start
        while position < document.count {
            if document[position] == UInt8(ascii: "]") { return position + 1 }
            if document.starts(with: "<!--", at: position) {
                position = document.position(of: "-->", from: position + 4).map { $0 + 3 } ?? document.count
            } else if document.starts(with: "<!ENTITY", at: position) {
                position = readDeclaration(document, from: position + 8)
            } else if document[position] == UInt8(ascii: "<") {
                position = afterDeclaration(document, from: position + 1)
            } else {
                position += 1
            }
        }
        return position
    }

    private mutating func readDeclaration(_ document: ByteView, from start: Int) -> Int {
        let end = afterDeclaration(document, from: start)
        let body = document[start..<end].trimmed
        var nameEnd = 0
        while nameEnd < body.count, !body[nameEnd].isMarkupSpace { nameEnd += 1 }
        let name = body[0..<nameEnd]
        guard !name.isEmpty, name.count <= 64, name != "%", declared.count < Self.limits.declarations,
            declared[Array(name.bytes)] == nil
        else { return end }
        declared[Array(name.bytes)] = Self.replacement(body[nameEnd..<body.count].trimmed)
        return end
    }

    /// The text in quotes, its numeric references resolved.
    ///
    /// External definitions, other references and tags are refused: they
    /// would be read again, which is how small documents grow without end.
    private static func replacement(_ definition: ByteView) -> Replacement {
        guard let quote = definition.isEmpty ? nil : definition[0], quote == 0x22 || quote == 0x27 else {
            return .refused
        }
        let close = definition.position(of: quote, from: 1, to: definition.count)
        let value = definition[1..<close]
        guard close < definition.count, value.count <= limits.replacement else { return .refused }
        var text = ByteBuffer(capacity: value.count)
        var position = 0
        while position < value.count {
            if value[position] == UInt8(ascii: "<") { return .refused }
            guard value[position] == UInt8(ascii: "&") else {
                text.append(value[position])
                position += 1
                continue
            }
            guard case .scalar(let scalar, let length) = CharacterReference.read(value, at: position) else {
                return .refused
            }
            if !scalar.isForbiddenControl { text.append(scalar: scalar) }
            position += length
        }
        return .text(Array(text.view.bytes))
    }

    /// The position after the `>` of a declaration, one inside quotes not counting.
    private func afterDeclaration(_ document: ByteView, from start: Int) -> Int {
        var position = start
        while position < document.count {
            switch document[position] {
            case UInt8(ascii: ">"): return position + 1
            case UInt8(ascii: "\""), UInt8(ascii: "'"): position = afterLiteral(document, at: position)
            default: position += 1
            }
        }
        return position
    }

    /// The position after a quoted literal, or just after its quote if it never closes.
    private func afterLiteral(_ document: ByteView, at quote: Int) -> Int {
        let close = document.position(of: document[quote], from: quote + 1, to: document.count)
        return close < document.count ? close + 1 : quote + 1
    }
}
