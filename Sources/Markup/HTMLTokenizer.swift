/// Cuts HTML into texts and tags where a browser would (HTML, section 13.2.5), in one pass and without copies.
struct HTMLTokenizer: ~Copyable {
    enum Token {
        /// Text, references not yet resolved.
        case text(ByteView)
        /// A start tag; its attributes are in ``attributes``.
        case start(HTMLElement, closesItself: Bool)
        case end(HTMLElement)
        /// A start tag whose element has no markup inside, all of it up to its end tag read over.
        case raw(HTMLElement)
        case finished
    }

    struct Attribute {
        var name: ByteView
        /// The value as written, references not yet resolved.
        var value: ByteView
    }

    private(set) var attributes: [Attribute] = []
    private var input = ByteView.empty
    private var position = 0
    private static let mostAttributes = 64

    init() {}

    mutating func begin(_ html: ByteView) {
        input = html
        position = 0
    }

    mutating func next() -> Token {
        let start = position
        var search = position
        while true {
            let bracket = input.position(of: UInt8(ascii: "<"), from: search, to: input.count)
            guard bracket < input.count else {
                position = input.count
                return start < position ? .text(input[start..<position]) : .finished
            }
            let following = bracket + 1 < input.count ? input[bracket + 1] : 0
            let isTag =
                following.isLetter || following == UInt8(ascii: "/") || following == UInt8(ascii: "!")
                || following == UInt8(ascii: "?")
            guard isTag, !(following == UInt8(ascii: "/") && bracket + 2 >= input.count) else {
                search = bracket + 1
                continue
            }
            if bracket > start {
                position = bracket
                return .text(input[start..<bracket])
            }
            return tag(at: bracket, following)
        }
    }

    private mutating func tag(at bracket: Int, _ following: UInt8) -> Token {
        if following.isLetter { return startTag(at: bracket) }
        if following == UInt8(ascii: "/"), input[bracket + 2].isLetter {
            let nameEnd = endOfName(from: bracket + 2)
            let element = HTMLElement(named: input[(bracket + 2)..<nameEnd])
            // Attributes of an end tag mean nothing, but a `>` inside one does not end it.
            _ = readAttributes(from: nameEnd)
            return position <= input.count ? .end(element) : .finished
        }
        if input.starts(with: "<!--", at: bracket) {
            position = endOfComment(from: bracket + 4)
        } else {
            position = min(input.count, input.position(of: UInt8(ascii: ">"), from: bracket, to: input.count) + 1)
        }
        return .text(.empty)
    }

    private mutating func startTag(at bracket: Int) -> Token {
        let nameEnd = endOfName(from: bracket + 1)
        let element = HTMLElement(named: input[(bracket + 1)..<nameEnd])
        guard let closesItself = readAttributes(from: nameEnd) else { return .finished }
        if element.traits.contains(.rawText) {
            skipRawText(of: element)
            return .raw(element)
        }
        return .start(element, closesItself: closesItself)
    }

    private func endOfName(from start: Int) -> Int {
        var end = start
        while end < input.count, !input[end].isMarkupSpace, input[end] != UInt8(ascii: "/"),
            input[end] != UInt8(ascii: ">")
        {
            end += 1
        }
        return end
    }

    /// Reads to the end of a tag, and tells whether that is `/>`.
    ///
    /// Nil if the input ends first, in which case a browser forgets the tag too.
    private mutating func readAttributes(from start: Int) -> Bool? {
        attributes.removeAll(keepingCapacity: true)
        var cursor = start
        var closesItself = false
        while cursor < input.count {
            let byte = input[cursor]
            if byte == UInt8(ascii: ">") {
                position = cursor + 1
                return closesItself
            }
            closesItself = byte == UInt8(ascii: "/")
            if closesItself || byte.isMarkupSpace {
                cursor += 1
            } else {
                cursor = readAttribute(at: cursor)
            }
        }
        position = input.count
        return nil
    }

    private mutating func readAttribute(at start: Int) -> Int {
        // A `=` may start a name, not be in it.
        var cursor = start + 1
        while cursor < input.count, input[cursor].isAttributeNameByte { cursor += 1 }
        let name = input[start..<cursor]
        var value = ByteView.empty
        var afterName = cursor
        while afterName < input.count, input[afterName].isMarkupSpace { afterName += 1 }
        if afterName < input.count, input[afterName] == UInt8(ascii: "=") {
            cursor = afterName + 1
            while cursor < input.count, input[cursor].isMarkupSpace { cursor += 1 }
            guard cursor < input.count else { return cursor }
            let quote = input[cursor]
            if quote == 0x22 || quote == 0x27 {
                let close = input.position(of: quote, from: cursor + 1, to: input.count)
                value = input[(cursor + 1)..<close]
                cursor = close + 1
            } else {
                let valueStart = cursor
                while cursor < input.count, !input[cursor].isMarkupSpace, input[cursor] != UInt8(ascii: ">") {
                    cursor += 1
                }
                value = input[valueStart..<cursor]
            }
        }
        if attributes.count < Self.mostAttributes { attributes.append(Attribute(name: name, value: value)) }
        return cursor
    }

    /// Comments end at `-->` or `--!>`; `<!-->` and `<!--->` are whole ones.
    private func endOfComment(from start: Int) -> Int {
        if input.starts(with: ">", at: start) { return start + 1 }
        if input.starts(with: "->", at: start) { return start + 2 }
        var cursor = start
        while let dashes = input.position(of: "--", from: cursor) {
            if input.starts(with: ">", at: dashes + 2) { return dashes + 3 }
            if input.starts(with: "!>", at: dashes + 2) { return dashes + 4 }
            cursor = dashes + 1
        }
        return input.count
    }

    private mutating func skipRawText(of element: HTMLElement) {
        if element == .plaintext {
            position = input.count
            return
        }
        var cursor = position
        while let bracket = input.position(of: "</", from: cursor) {
            let isItsEnd = element.withName { name in
                let nameEnd = bracket + 2 + name.count
                return nameEnd <= input.count && input[(bracket + 2)..<nameEnd].equalsIgnoringCase(name)
                    && endOfName(from: nameEnd) == nameEnd
            }
            if isItsEnd {
                position = min(input.count, input.position(of: UInt8(ascii: ">"), from: bracket, to: input.count) + 1)
                return
            }
            cursor = bracket + 2
        }
        position = input.count
    }
}

extension UInt8 {
    @inline(__always)
    fileprivate var isAttributeNameByte: Bool {
        !isMarkupSpace && self != UInt8(ascii: "=") && self != UInt8(ascii: "/") && self != UInt8(ascii: ">")
    }
}
