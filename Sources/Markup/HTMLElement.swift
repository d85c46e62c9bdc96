/// The elements of HTML that the readers treat in a way of their own; all others are `unknown`.
enum HTMLElement: UInt8, CaseIterable {
    case unknown
    case a, abbr, acronym, b, bdi, bdo, big, cite, code, del, dfn, em, i, ins, kbd, mark, q, rp, rt, ruby, s, samp,
        small
    case span, strike, strong, sub, sup, time, tt, u, `var`, audio, video, picture, br, wbr, img, source, track, hr
    case address, article, aside, blockquote, center, dd, details, div, dl, dt, figcaption, figure, footer, h1, h2, h3,
        h4
    case h5, h6, header, li, main, nav, ol, p, pre, section, summary, ul
    case caption, col, colgroup, table, tbody, td, tfoot, th, thead, tr
    case script, style, xmp, noembed, noframes, noscript, plaintext, title, textarea, iframe
    case svg, math, template, select, datalist, object, applet, embed, param, frame, frameset, canvas
    case form, fieldset, legend, button, label, option, input, keygen
    case html, head, body, base, meta, link, area, basefont, bgsound

    struct Traits: OptionSet {
        let rawValue: UInt16

        /// Kept by the sanitiser.
        static let allowed = Traits(rawValue: 1 << 0)
        /// Has no content and no end tag.
        static let void = Traits(rawValue: 1 << 1)
        /// Stands on lines of its own in plain text.
        static let block = Traits(rawValue: 1 << 2)
        /// Is set off by an empty line in plain text.
        static let paragraph = Traits(rawValue: 1 << 3)
        /// Its start ends an open `p`.
        static let endsParagraph = Traits(rawValue: 1 << 4)
        /// Its content is not markup (HTML, section 13.2.5.1); it is left out up to its end tag.
        static let rawText = Traits(rawValue: 1 << 5)
        /// It is left out with everything inside.
        static let dropped = Traits(rawValue: 1 << 6)
        /// Part of a table.
        static let table = Traits(rawValue: 1 << 7)
        /// Part of a form.
        static let form = Traits(rawValue: 1 << 8)
        /// Brings in other documents or programs.
        static let embed = Traits(rawValue: 1 << 9)
        /// A heading.
        static let heading = Traits(rawValue: 1 << 10)
        /// Belongs around a document, not into a piece of one; its absence is no loss.
        static let frame = Traits(rawValue: 1 << 11)
    }

    /// The element with a name in any case.
    init(named name: ByteView) {
        let index = Self.names.find(name)
        self = index < 0 ? .unknown : Self.allCases[index + 1]
    }

    var traits: Traits { Self.traits[Int(rawValue)] }
    var isVoid: Bool { traits.contains(.void) }

    /// Whether end tags of other elements do not reach beyond it, nor do the ends that tags imply.
    var isBoundary: Bool { self == .table || self == .td || self == .th || self == .caption }

    /// The name in lower case.
    func withName<Result>(_ body: (ByteView) -> Result) -> Result {
        Self.spellings[Int(rawValue)].withUnsafeBufferPointer { body(ByteView($0)) }
    }

    private static let spellings = allCases.map { Array("\($0)".utf8) }
    private static let names = NameTable(allCases.dropFirst().map { "\($0)" }, foldsCase: true)

    private static let traits: [Traits] = allCases.map { element in
        switch element {
        case .unknown: []
        case .br, .wbr, .img, .source, .track: [.allowed, .void]
        case .hr: [.allowed, .void, .block, .endsParagraph]
        case .address, .article, .aside, .center, .dd, .details, .div, .dt, .figcaption, .figure, .footer, .header, .li,
            .main, .nav, .section, .summary:
            [.allowed, .block, .endsParagraph]
        case .p, .blockquote, .dl, .ol, .pre, .ul: [.allowed, .block, .paragraph, .endsParagraph]
        case .h1, .h2, .h3, .h4, .h5, .h6: [.allowed, .block, .paragraph, .endsParagraph, .heading]
        case .table: [.allowed, .block, .paragraph, .endsParagraph, .table]
        case .caption, .tr: [.allowed, .block, .table]
        case .td, .th, .tbody, .thead, .tfoot, .colgroup: [.allowed, .table]
        case .col: [.allowed, .void, .table]
        case .script, .style, .xmp, .noembed, .noframes, .noscript, .plaintext: .rawText
        case .title: [.rawText, .frame]
        case .textarea: [.rawText, .form]
        case .iframe: [.rawText, .embed]
        case .svg, .math: [.dropped, .embed]
        case .template: .dropped
        case .select, .datalist: [.dropped, .form]
        case .object, .applet, .frameset, .canvas: .embed
        case .embed, .param, .frame: [.embed, .void]
        case .form, .fieldset: [.form, .block, .endsParagraph]
        case .legend, .button, .label, .option: .form
        case .input, .keygen: [.form, .void]
        case .html, .head: .frame
        case .body: [.frame, .block]
        case .base, .meta, .link: [.frame, .void]
        case .area, .basefont, .bgsound: .void
        default: .allowed
        }
    }
}
