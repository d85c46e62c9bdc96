/// The state of ``HTMLReader``: the elements that are open in its output, and the outputs.
struct HTMLCore: ~Copyable {
    let options: HTMLReader.Options
    var tokenizer = HTMLTokenizer()
    var output = ByteBuffer(capacity: 4096)
    var text = PlainText()
    var value = ByteBuffer(capacity: 512)
    var url = HTMLURL()
    private var repaired = ByteBuffer(capacity: 16)
    var fragment = HTMLFragment()
    private(set) var base: URLBase?
    private var baseText: String?
    private var isBaseRead = true
    private var open: [HTMLElement] = []
    private var skipped = (element: HTMLElement.unknown, depth: 0)
    private var isInLink = false

    init(_ options: HTMLReader.Options) {
        self.options = options
    }

    mutating func read(_ html: ByteView, base: String?) -> HTMLFragment {
        begin(html, base: base)
        reading: while output.count <= options.outputBytes {
            switch tokenizer.next() {
            case .text(let run): if skipped.depth == 0 { append(run) }
            case .start(let element, let closesItself): start(element, closesItself: closesItself)
            case .end(let element): end(element)
            case .raw(let element): if skipped.depth == 0 { leaveOut(element) }
            case .finished: break reading
            }
        }
        if output.count > options.outputBytes { fragment.removed.insert(.excess) }
        while !open.isEmpty { closeInnermost() }
        if options.html { fragment.html = output.string }
        if options.text { fragment.text = text.string }
        return fragment
    }

    private mutating func begin(_ html: ByteView, base: String?) {
        if base != baseText {
            baseText = base
            isBaseRead = false
        }
        fragment = HTMLFragment()
        output.removeAll()
        text.begin()
        open.removeAll(keepingCapacity: true)
        skipped.depth = 0
        isInLink = false
        var input = html
        if html.count > options.inputBytes {
            fragment.removed.insert(.excess)
            input = html[0..<html.characterStart(atOrBefore: options.inputBytes)]
        }
        let check = UTF8Check(input)
        if !check.isValid {
            repaired.removeAll()
            check.repair(input, into: &repaired)
            input = repaired.view
        }
        tokenizer.begin(input)
    }

    /// Takes the base URL apart where a URL needs it, which few do.
    mutating func readBase(for url: ByteView) {
        guard !isBaseRead, URLReference.schemeLength(url) == nil else { return }
        isBaseRead = true
        base = baseText.flatMap { URLBase($0) }.flatMap { $0.isWeb ? $0 : nil }
    }

    /// Writes a run of text to both outputs, its references resolved on the way.
    private mutating func append(_ run: ByteView) {
        var position = 0
        while position < run.count {
            let ampersand = run.position(of: UInt8(ascii: "&"), from: position, to: run.count)
            appendPlain(run[position..<ampersand])
            guard ampersand < run.count else { return }
            if case .scalar(let scalar, let length) = CharacterReference.readHTML(
                run,
                at: ampersand,
                inAttribute: false
            ) {
                if options.html { output.append(escapingScalar: scalar) }
                if options.text { text.append(scalar: scalar) }
                position = ampersand + length
            } else {
                appendPlain(run[ampersand..<(ampersand + 1)])
                position = ampersand + 1
            }
        }
    }

    private mutating func appendPlain(_ piece: ByteView) {
        if options.html { output.append(escaping: piece) }
        if options.text { text.append(piece) }
    }

    private mutating func start(_ element: HTMLElement, closesItself: Bool) {
        let traits = element.traits
        if skipped.depth > 0 {
            // Foreign markup ends where HTML goes on (HTML, section 13.2.6.5), so that an unclosed `svg` costs little.
            let isForeign = skipped.element == .svg || skipped.element == .math
            guard isForeign, traits.contains(.endsParagraph) || element == .img else {
                if element == skipped.element, !closesItself { skipped.depth += 1 }
                return
            }
            skipped.depth = 0
        }
        guard traits.contains(.allowed) else {
            leaveOut(element)
            if traits.contains(.dropped), !(closesItself && traits.contains(.embed)) { skipped = (element, 1) }
            if traits.contains(.block) { text.breakBlock(lines: 1) }
            return
        }
        closeImplied(by: element, traits)
        layOut(element, traits)
        guard open.count < options.depth || traits.contains(.void) else {
            fragment.removed.insert(.excess)
            return
        }
        let before = output.count
        guard writeStart(element) else {
            output.truncate(to: before)
            return
        }
        guard !traits.contains(.void) else { return }
        open.append(element)
        if element == .pre { text.preformatted += 1 }
        if element == .audio || element == .video { text.silenced += 1 }
    }

    private mutating func end(_ element: HTMLElement) {
        if skipped.depth > 0 {
            if element == skipped.element { skipped.depth -= 1 }
            return
        }
        let traits = element.traits
        if traits.contains(.void) {
            if element == .br { text.breakLine() }
            return
        }
        if traits.contains(.block) { text.breakBlock(lines: traits.contains(.paragraph) ? 2 : 1) }
        let isTable = traits.contains(.table)
        guard traits.contains(.allowed), isOpen(element, within: { isTable ? $0 == .table : $0.isBoundary }) else {
            return
        }
        close(through: element)
    }

    private func isOpen(_ element: HTMLElement, within isBoundary: (HTMLElement) -> Bool) -> Bool {
        for candidate in open.reversed() {
            if candidate == element { return true }
            if isBoundary(candidate) { return false }
        }
        return false
    }

    func isInside(_ element: HTMLElement) -> Bool {
        open.contains(element)
    }

    private mutating func close(through element: HTMLElement) {
        while let innermost = open.last {
            closeInnermost()
            if innermost == element { return }
        }
    }

    private mutating func closeInnermost() {
        guard let element = open.popLast() else { return }
        output.append("</")
        element.withName { output.append($0) }
        output.append(UInt8(ascii: ">"))
        if element == .a { endLink() }
        if element == .pre { text.preformatted -= 1 }
        if element == .audio || element == .video { text.silenced -= 1 }
    }

    /// Ends what cannot go on around or before an element, as browsers do.
    private mutating func closeImplied(by element: HTMLElement, _ traits: HTMLElement.Traits) {
        guard !open.isEmpty else { return }
        if traits.contains(.endsParagraph), isOpen(.p, within: \.isBoundary) { close(through: .p) }
        if traits.contains(.heading), let innermost = open.last, innermost.traits.contains(.heading) {
            closeInnermost()
        }
        switch element {
        case .a: closeOpen({ $0 == .a }, within: \.isBoundary)
        case .li: closeOpen({ $0 == .li }, within: { $0 == .ul || $0 == .ol || $0.isBoundary })
        case .dd, .dt: closeOpen({ $0 == .dd || $0 == .dt }, within: { $0 == .dl || $0.isBoundary })
        case .td, .th: closeOpen({ $0 == .td || $0 == .th }, within: { $0 == .table })
        case .tr: closeOpen({ $0 == .tr }, within: { $0 == .table })
        case .tbody, .thead, .tfoot:
            closeOpen({ $0 == .tbody || $0 == .thead || $0 == .tfoot }, within: { $0 == .table })
        default: break
        }
    }

    private mutating func closeOpen(_ isMeant: (HTMLElement) -> Bool, within isBoundary: (HTMLElement) -> Bool) {
        for candidate in open.reversed() {
            if isMeant(candidate) { return close(through: candidate) }
            if isBoundary(candidate) { return }
        }
    }

    private mutating func layOut(_ element: HTMLElement, _ traits: HTMLElement.Traits) {
        switch element {
        case .br: text.breakLine()
        case .li: text.beginItem()
        case .td, .th: text.space()
        default: if traits.contains(.block) { text.breakBlock(lines: traits.contains(.paragraph) ? 2 : 1) }
        }
    }

    /// Lists a link, whose words follow.
    mutating func beginLink(_ url: ByteView) {
        guard options.links, fragment.links.count < options.listed else { return }
        isInLink = true
        text.beginStretch()
        if fragment.links.isEmpty { fragment.links.reserveCapacity(8) }
        fragment.links.append(HTMLFragment.Link(url: url.string, range: 0..<0))
    }

    private mutating func endLink() {
        guard isInLink else { return }
        isInLink = false
        fragment.links[fragment.links.count - 1].range = text.endStretch()
    }

    /// Notes what the absence of an element means.
    private mutating func leaveOut(_ element: HTMLElement) {
        let traits = element.traits
        if element == .iframe { listEmbed() }
        if traits.contains(.frame) { return }
        if element == .script {
            fragment.removed.insert(.scripts)
        } else if element == .style {
            fragment.removed.insert(.styles)
        } else if traits.contains(.embed) {
            fragment.removed.insert(.embeds)
        } else {
            fragment.removed.insert(traits.contains(.form) ? .forms : .elements)
        }
    }
}
