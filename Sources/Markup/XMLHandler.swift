/// What a caller of ``XMLReader`` is told while it reads: the elements and texts of a document, in order.
///
/// Implement it as a struct, with nothing in it that a copy would share: a document that turns out to be ill-formed is
/// mended and told again from its start to a copy of the handler as it was before. The reader calls from one thread, never
/// concurrently, and always pairs every `start` with one `end`, whatever the document does: tags that were never closed
/// are closed for you.
public protocol XMLHandler {
    /// An element starts; the answer says how its content is to be delivered.
    mutating func start(_ element: XMLElement) -> XMLContent

    /// The text between two tags, entities and CDATA sections resolved and joined into one call.
    ///
    /// Text of white space alone is not reported where content is delivered as ``XMLContent/events``. For
    /// ``XMLContent/markup`` and ``XMLContent/html`` it is called at most once, before `end`, with the whole content.
    mutating func text(_ text: ByteView)

    /// An element ends.
    mutating func end(_ element: XMLElementEnd)
}

/// How the content of an element is delivered.
public enum XMLContent: Sendable {
    /// As starts, texts and ends of what is inside.
    case events
    /// As one text: the subtree written as HTML, its texts escaped. For Atom's `type="xhtml"`.
    case markup
    /// As one text: texts as they are (they *are* HTML once unescaped), and elements that should have been escaped written
    /// as tags. For RSS `description`, `content:encoded` and Atom's `type="html"`.
    case html
    /// Not at all; only the `end` of this element is reported.
    case skip
    /// Not at all, and nothing after it either: reading stops with an `end` for every open element.
    case stop
}

/// The name of an element or attribute; its views are valid during the callback only.
public struct XMLName {
    /// Which namespace of the vocabulary it is in.
    public let namespace: XMLNamespace
    /// Position of the local name in the vocabulary's list of names, or -1.
    public let token: Int
    /// The prefix as written, empty if there is none.
    public let prefix: ByteView
    /// The local name as written.
    public let local: ByteView
}

/// The start of an element; its views are valid during the callback only.
public struct XMLElement {
    /// Its name.
    public let name: XMLName
    /// Its attributes, namespace declarations left out.
    public let attributes: XMLAttributes
    /// How many elements are open around it: 0 for the root.
    public let depth: Int
    /// The base URL in effect: `xml:base` of the element and those around it, resolved against the document's own URL.
    public let base: String?
    /// The language in effect (`xml:lang`), as written.
    public let language: String?
}

/// The end of an element; its views are valid during the callback only.
public struct XMLElementEnd {
    /// Its name.
    public let name: XMLName
    /// How many elements are open around it: 0 for the root.
    public let depth: Int
    /// The element from `<` to `>`, in UTF-8; as it stands in the document, or as it was mended if the document is ill-formed.
    public let source: ByteView
    /// Whether its own end tag was there (or it was written `<empty/>`), rather than implied by another tag or the end.
    public let isClosed: Bool
}

/// The attributes of an element, read where they lie; valid during the callback only.
public struct XMLAttributes {
    struct Record {
        var local: ByteView
        var prefix: ByteView
        var namespace: XMLNamespace
        var value: ByteView
    }

    let records: UnsafeBufferPointer<Record>

    /// Number of attributes.
    public var count: Int { records.count }

    /// The value of the attribute with this name and no prefix, names compared without case; nil if there is none.
    public subscript(name: StaticString) -> ByteView? {
        for record in records where record.prefix.isEmpty && record.local.equalsIgnoringCase(name) {
            return record.value
        }
        return nil
    }

    /// The value of the attribute with this local name in a namespace; nil if there is none.
    public subscript(namespace: XMLNamespace, name: StaticString) -> ByteView? {
        for record in records
        where !record.prefix.isEmpty && record.namespace == namespace && record.local.equalsIgnoringCase(name) {
            return record.value
        }
        return nil
    }

    /// Calls back with each attribute: prefix (empty if none), local name, value.
    public func forEach(_ body: (_ prefix: ByteView, _ local: ByteView, _ value: ByteView) -> Void) {
        for record in records { body(record.prefix, record.local, record.value) }
    }
}
