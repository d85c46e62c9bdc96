import Markup

/// Reads any bytes as XML and as HTML and holds the readers to what they promise; a broken promise traps.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let bytes = UnsafeBufferPointer(start: start, count: count)
    readXML(UnsafeRawBufferPointer(bytes))
    readHTML(ByteView(bytes))
    return 0
}

private let vocabulary = XMLVocabulary(
    namespaces: [.init(uris: ["http://www.w3.org/2005/Atom"], prefixes: ["atom"])],
    names: ["a", "feed", "title"]
)

private func readXML(_ bytes: UnsafeRawBufferPointer) {
    var limits = XMLReader.Limits()
    limits.depth = 8
    limits.attributes = 4
    limits.textBytes = 64
    let reader = XMLReader(vocabulary: vocabulary, limits: limits)
    for charset in [nil, "windows-1251", "shift_jis"] {
        var handler = Balance()
        guard let report = try? reader.read(bytes, charset: charset, base: "http://a/b", into: &handler) else {
            continue
        }
        precondition(handler.open.isEmpty, "an element was not ended")
        precondition(report.problems.count <= limits.problems)
        precondition(!report.problems.contains { $0.kind == .unreadable }, "mending was not enough")
        for problem in report.problems { precondition(problem.detail.utf8.count <= 3 * 64) }
    }
}

/// Ends answer starts, texts are bounded, and content comes as it was asked for.
private struct Balance: XMLHandler {
    var open: [String] = []

    mutating func start(_ element: XMLElement) -> XMLContent {
        precondition(element.depth == open.count && open.count < 8)
        precondition(element.attributes.count <= 4)
        open.append(element.name.local.string)
        element.attributes.forEach { _, local, value in
            precondition(String(validating: value.bytes, as: UTF8.self) != nil || value.isEmpty)
            _ = local.string
        }
        _ = element.attributes["href"]?.trimmed.string
        switch element.name.local.count % 5 {
        case 1: return .markup
        case 2: return .html
        case 3: return element.name.token == 1 ? .stop : .skip
        default: return .events
        }
    }

    mutating func text(_ text: ByteView) {
        precondition(!open.isEmpty && !text.isEmpty && text.count <= 64)
        precondition(String(validating: text.bytes, as: UTF8.self) != nil, "text is not UTF-8")
    }

    mutating func end(_ element: XMLElementEnd) {
        precondition(open.popLast() == element.name.local.string && element.depth == open.count)
        precondition(element.source.starts(withByte: UInt8(ascii: "<")))
    }
}

private func readHTML(_ bytes: ByteView) {
    var options = HTMLReader.Options()
    options.depth = 8
    let reader = HTMLReader(options: options)
    for base in [nil, "https://example.org/a/b?c"] {
        let first = reader.read(bytes, base: base)
        let second = reader.read(first.html, base: base)
        precondition(second.html == first.html, "sanitising again changes something")
        precondition(second.removed.isEmpty, "something was left that has to be removed")
        precondition(isBalanced(first.html), "tags are not in order")
        precondition(!first.html.utf8.contains { $0 < 0x20 && $0 != 0x09 && $0 != 0x0A })
        let length = first.text.unicodeScalars.count
        for link in first.links { precondition(link.range.upperBound <= length) }
        precondition(HTMLText.decodeEntities(HTMLText.plain(from: first.html)).utf8.count <= bytes.count * 3)
    }
}

/// Whether every `<` starts a tag and every tag is closed in order; on bytes, since `>` and an accent are one Character.
private func isBalanced(_ html: String) -> Bool {
    let void: Set<String> = ["br", "hr", "img", "wbr", "source", "track", "col"]
    var open: [String] = []
    for piece in html.utf8.split(separator: UInt8(ascii: "<"), omittingEmptySubsequences: false).dropFirst() {
        guard let end = piece.firstIndex(of: UInt8(ascii: ">")) else { return false }
        let isEnd = piece.first == UInt8(ascii: "/")
        let name = piece[..<end].dropFirst(isEnd ? 1 : 0).prefix { $0 != UInt8(ascii: " ") }
        guard !name.isEmpty, name.allSatisfy({ (0x61...0x7A).contains($0) || (0x31...0x36).contains($0) }) else {
            return false
        }
        let spelling = String(decoding: name, as: UTF8.self)
        if isEnd {
            guard open.popLast() == spelling else { return false }
        } else if !void.contains(spelling) {
            open.append(spelling)
        }
    }
    return open.isEmpty
}

extension ByteView {
    fileprivate func starts(withByte byte: UInt8) -> Bool { count > 0 && self[0] == byte }
}
