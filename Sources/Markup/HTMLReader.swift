/// Reads pieces of HTML, each in one pass, to sanitised HTML, plain text, links and media.
///
/// It keeps its buffers from piece to piece: make one per task that reads many pieces (about 12 KiB) and use it from one
/// task at a time. Any bytes are taken; none makes it fail, and the time it takes is proportional to their number.
public final class HTMLReader {
    /// What is wanted, and how much a piece may demand.
    public struct Options: Sendable {
        /// Whether ``HTMLFragment/html`` is wanted.
        public var html = true
        /// Whether ``HTMLFragment/text`` is wanted.
        public var text = true
        /// Whether ``HTMLFragment/links`` and ``HTMLFragment/media`` are wanted; links need `text` for their ranges.
        public var links = true
        /// Longest input in bytes; what is longer is cut.
        public var inputBytes = 4 << 20
        /// Longest HTML in bytes; reading stops where it is reached.
        public var outputBytes = 8 << 20
        /// Deepest nesting of elements in the HTML; deeper tags are left out, their content is kept.
        public var depth = 100
        /// Most links, and most media, that are listed.
        public var listed = 500

        /// All of it, within the limits above.
        public init() {}
    }

    private var core: HTMLCore

    /// Makes a reader with buffers of its own.
    public init(options: Options = Options()) {
        core = HTMLCore(options)
    }

    /// Reads a piece of HTML.
    ///
    /// - Parameters:
    ///   - html: the piece, in UTF-8; other bytes become U+FFFD.
    ///   - base: the URL that relative ones are resolved against; used only if it is http or https. Without it they stay
    ///     relative.
    /// - Returns: what the options asked for.
    public func read(_ html: ByteView, base: String? = nil) -> HTMLFragment {
        core.read(html, base: base)
    }

    /// Reads a piece of HTML held in a string; see ``read(_:base:)-(ByteView,_)``.
    public func read(_ html: String, base: String? = nil) -> HTMLFragment {
        var html = html
        return html.withUTF8 { core.read(ByteView($0), base: base) }
    }
}
