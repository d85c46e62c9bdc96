/// A second opinion on sanitised HTML, sharing no code with the sanitiser: a parser that knows only the strictest form.
struct SafeHTML {
    private static let elements: Set<String> = Set(
        """
        a abbr acronym address article aside audio b bdi bdo big blockquote br caption center cite code col colgroup dd del \
        details dfn div dl dt em figcaption figure footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li main mark nav ol p \
        picture pre q rp rt ruby s samp section small source span strike strong sub summary sup table tbody td tfoot th thead \
        time tr track tt u ul var video wbr
        """.split(separator: " ").map(String.init)
    )
    private static let void: Set<String> = ["br", "col", "hr", "img", "source", "track", "wbr"]
    private static let attributes: Set<String> = Set(
        """
        alt cite colspan controls datetime dir height href kind label lang open poster rel reversed rowspan scope span src \
        srclang start title type value width
        """.split(separator: " ").map(String.init)
    )
    private static let urls: Set<String> = ["cite", "href", "poster", "src"]
    private static let schemes: Set<String> = ["http", "https", "mailto", "tel"]

    private let bytes: [UInt8]
    private var position = 0
    private var open: [String] = []

    /// What is wrong with the HTML, or nil.
    static func flaw(in html: String) -> String? {
        var check = SafeHTML(bytes: Array(html.utf8))
        return check.run()
    }

    private init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    private mutating func run() -> String? {
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            if byte == UInt8(ascii: ">") || byte == UInt8(ascii: "\"") { return "a bare \(byte) in text" }
            if byte < 0x20, byte != 0x0A, byte != 0x09 { return "a control character" }
            if byte == UInt8(ascii: "&"), let flaw = reference() { return flaw }
            if byte == UInt8(ascii: "<"), let flaw = tag() { return flaw }
        }
        return open.isEmpty ? nil : "unclosed \(open)"
    }

    private mutating func reference() -> String? {
        for name in ["amp;", "lt;", "gt;", "quot;"] where bytes[position...].starts(with: name.utf8) { return nil }
        return "a bare ampersand"
    }

    private mutating func word() -> String {
        let start = position
        while position < bytes.count, (0x61...0x7A).contains(bytes[position]) || (0x30...0x39).contains(bytes[position])
        {
            position += 1
        }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private mutating func take(_ character: Character) -> Bool {
        guard position < bytes.count, bytes[position] == character.asciiValue else { return false }
        position += 1
        return true
    }

    private mutating func tag() -> String? {
        let isEnd = take("/")
        let name = word()
        guard Self.elements.contains(name) else { return "element <\(name)" }
        if isEnd {
            guard open.popLast() == name else { return "</\(name)> out of order" }
            return take(">") ? nil : "an end tag with more than a name"
        }
        while take(" ") {
            let attribute = word()
            guard Self.attributes.contains(attribute) else { return "attribute \(attribute)" }
            guard take("="), take("\"") else { return "attribute without quotes" }
            let start = position
            while position < bytes.count, bytes[position] != UInt8(ascii: "\"") {
                if bytes[position] == UInt8(ascii: "<") || bytes[position] == UInt8(ascii: ">") {
                    return "a tag in a value"
                }
                position += 1
            }
            let value = String(decoding: bytes[start..<position], as: UTF8.self)
            guard take("\"") else { return "a value without end" }
            if Self.urls.contains(attribute), let flaw = url(value) { return flaw }
        }
        if !Self.void.contains(name) { open.append(name) }
        return take(">") ? nil : "a tag without end"
    }

    private func url(_ value: String) -> String? {
        if value.utf8.contains(where: { $0 <= 0x20 }) { return "white space in a URL" }
        let head = value.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard let colon = head.firstIndex(of: ":") else { return nil }
        return Self.schemes.contains(head[..<colon].lowercased()) ? nil : "scheme \(head[..<colon])"
    }
}
