/// The attributes that the sanitiser keeps on some elements, and `style`, whose absence has a name of its own.
enum HTMLAttribute: UInt8, CaseIterable {
    case href, src, poster, cite, alt, title, lang, dir, width, height, datetime, colspan, rowspan, start, reversed,
        type
    case value, open, kind, srclang, label, scope, style

    /// What the value must be.
    enum Form {
        case text, url, resource, number, flag, word
    }

    init?(named name: ByteView) {
        let index = Self.names.find(name)
        guard index >= 0 else { return nil }
        self = Self.allCases[index]
    }

    var form: Form {
        switch self {
        case .href: .url
        case .src, .poster, .cite: .resource
        case .width, .height, .colspan, .rowspan, .start, .value: .number
        case .reversed, .open: .flag
        case .lang, .dir, .kind, .srclang, .scope, .type: .word
        case .alt, .title, .datetime, .label, .style: .text
        }
    }

    func isAllowed(on element: HTMLElement) -> Bool {
        switch self {
        case .title, .lang, .dir: true
        case .href: element == .a
        case .src: element == .img || element == .source || element == .video || element == .audio || element == .track
        case .poster: element == .video
        case .cite: element == .blockquote || element == .q || element == .del || element == .ins
        case .alt: element == .img
        case .width, .height: element == .img || element == .video
        case .datetime: element == .time || element == .del || element == .ins
        case .colspan, .rowspan: element == .td || element == .th
        case .start, .reversed: element == .ol
        case .type: element == .ol || element == .source
        case .value: element == .li
        case .open: element == .details
        case .kind, .srclang, .label: element == .track
        case .scope: element == .th
        case .style: false
        }
    }

    func withName<Result>(_ body: (ByteView) -> Result) -> Result {
        Self.spellings[Int(rawValue)].withUnsafeBufferPointer { body(ByteView($0)) }
    }

    private static let spellings = allCases.map { Array("\($0)".utf8) }
    private static let names = NameTable(allCases.map { "\($0)" }, foldsCase: true)
}

extension HTMLCore {
    /// Writes the start tag of an allowed element from the tokenizer's attributes.
    ///
    /// - Returns: whether the element can stay; a link, picture or track without a URL that may be kept cannot.
    mutating func writeStart(_ element: HTMLElement) -> Bool {
        output.append(UInt8(ascii: "<"))
        element.withName { output.append($0) }
        var seen: UInt32 = 0
        var address: String?
        var hasAddress = false
        var alt: String?
        for index in 0..<tokenizer.attributes.count {
            let attribute = tokenizer.attributes[index]
            guard let name = HTMLAttribute(named: attribute.name), name.isAllowed(on: element) else {
                noteRemoved(attribute.name)
                continue
            }
            guard seen & 1 << name.rawValue == 0 else { continue }
            seen |= 1 << name.rawValue
            let decoded = decode(attribute.value)
            if name == .alt {
                if options.text { text.append(decoded) }
                if options.links, !decoded.isBlank { alt = decoded.trimmed.string }
            }
            guard write(name, decoded) else {
                if name.form == .url || name.form == .resource { fragment.removed.insert(.scripts) }
                continue
            }
            if name == .src || name == .href { hasAddress = true }
            if options.links {
                if name == .src { address = url.view.string }
                if name == .poster { list(.image, url.view.string, nil) }
                if name == .href { beginLink(url.view) }
            }
        }
        switch element {
        case .a:
            guard hasAddress else { return false }
            output.append(" rel=\"nofollow noopener noreferrer\"")
        case .img, .source, .track: guard hasAddress else { return false }
        // Without its buttons a reader could not stop it.
        case .audio, .video: output.append(" controls=\"\"")
        default: break
        }
        output.append(UInt8(ascii: ">"))
        if let address { listMedia(element, address, alt) }
        return true
    }

    private mutating func listMedia(_ element: HTMLElement, _ address: String, _ alt: String?) {
        switch element {
        case .img: list(.image, address, alt)
        case .video: list(.video, address, nil)
        case .audio: list(.audio, address, nil)
        case .source where isInside(.video): list(.video, address, nil)
        case .source where isInside(.audio): list(.audio, address, nil)
        default: break
        }
    }

    /// Lists the document that an `iframe` would have shown.
    mutating func listEmbed() {
        guard options.links else { return }
        for index in 0..<tokenizer.attributes.count where tokenizer.attributes[index].name.equalsIgnoringCase("src") {
            let value = decode(tokenizer.attributes[index].value)
            readBase(for: value)
            if url.take(value, base: base, for: .resource) {
                list(.embed, url.view.string, nil)
            }
            return
        }
    }

    private mutating func list(_ kind: HTMLFragment.Media.Kind, _ address: String, _ alt: String?) {
        guard fragment.media.count < options.listed else { return }
        fragment.media.append(HTMLFragment.Media(kind: kind, url: address, alt: alt))
    }

    private mutating func decode(_ written: ByteView) -> ByteView {
        guard written.position(of: UInt8(ascii: "&"), from: 0, to: written.count) < written.count else {
            return written
        }
        value.removeAll()
        value.append(decoding: written, inAttribute: true)
        return value.view
    }

    /// Writes one attribute if its value is of the form that it must have.
    private mutating func write(_ name: HTMLAttribute, _ value: ByteView) -> Bool {
        var written = value
        switch name.form {
        case .text: break
        case .url, .resource:
            readBase(for: value)
            guard url.take(value, base: base, for: name.form == .url ? .link : .resource) else { return false }
            written = url.view
        case .number:
            written = value.trimmed
            guard written.isNumber else { return false }
        case .word:
            written = value.trimmed
            guard written.isWord else { return false }
        case .flag: written = .empty
        }
        output.append(UInt8(ascii: " "))
        name.withName { output.append($0) }
        output.append("=\"")
        output.append(escaping: written)
        output.append(UInt8(ascii: "\""))
        return true
    }

    /// Attributes for looks and scripts' use are everywhere and no loss; event handlers and styles are told apart.
    private mutating func noteRemoved(_ name: ByteView) {
        if name.count > 2, name[0] | 0x20 == UInt8(ascii: "o"), name[1] | 0x20 == UInt8(ascii: "n") {
            fragment.removed.insert(.scripts)
        } else if name.equalsIgnoringCase("style") {
            fragment.removed.insert(.styles)
        } else if !name.equalsIgnoringCase("class"), !name.equalsIgnoringCase("rel"), !name.equalsIgnoringCase("id"),
            !name.equalsIgnoringCase("target"), !name.equalsIgnoringCase("controls")
        {
            fragment.removed.insert(.attributes)
        }
    }
}

extension ByteView {
    /// A whole number of at most nine digits.
    fileprivate var isNumber: Bool {
        guard !isEmpty, count < 10 else { return false }
        for index in 0..<count where !self[index].isDigit { return false }
        return true
    }

    /// A short word such as a language tag or a media type.
    fileprivate var isWord: Bool {
        guard !isEmpty, count <= 64 else { return false }
        for index in 0..<count {
            let byte = self[index]
            guard byte.isLetter || byte.isDigit || byte == 0x2D || byte == 0x2F || byte == 0x2B || byte == 0x2E else {
                return false
            }
        }
        return true
    }
}
