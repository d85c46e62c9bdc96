import Markup

/// Reads a feed of any format from its bytes, telling the format by its content alone.
package enum FeedParser {
    /// Reads a feed.
    ///
    /// - Parameters:
    ///   - bytes: the document as it was sent, compression undone.
    ///   - charset: the `charset` parameter of its media type, if any.
    ///   - url: where it was fetched, against which relative addresses are resolved.
    /// - Returns: what the feed says, unchecked.
    /// - Throws: ``FeedParserError`` when it is no feed. Ill-formed feeds are read as far as they go.
    package static func parse(_ bytes: [UInt8], charset: String? = nil, url: String? = nil) throws(FeedParserError)
        -> FeedDocument
    {
        switch firstSignificant(bytes) {
        case nil: throw .empty
        case UInt8(ascii: "{"), UInt8(ascii: "["): return try JSONFeedParser.parse(bytes, url: url)
        default: return try parseXML(bytes, charset: charset, url: url)
        }
    }

    /// The first byte that is neither white space nor part of a byte order mark.
    private static func firstSignificant(_ bytes: [UInt8]) -> UInt8? {
        let start = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        return bytes[start...].first { $0 > 0x20 }
    }

    private static let reader = XMLReader(vocabulary: FeedVocabulary.shared)

    private static func parseXML(_ bytes: [UInt8], charset: String?, url: String?) throws(FeedParserError)
        -> FeedDocument
    {
        var handler = FeedXMLHandler(url: url)
        let report: XMLReport
        do {
            report = try reader.read(bytes, charset: charset, base: url, into: &handler)
        } catch {
            switch error {
            case .empty: throw .empty
            case .tooLarge(let limit): throw .tooLarge(limit: limit)
            case .notMarkup: throw .foreign("text")
            }
        }
        guard handler.isFeed else {
            if handler.isHTMLPage { throw .page(alternates: handler.alternates) }
            throw .foreign(handler.foreignRoot.map { "XML with the root element `\($0)`" } ?? "text")
        }
        if report.isTruncated { handler.setAsideCutEntry() }
        var document = handler.document
        document.problems = report.problems.map(\.description)
        document.isTruncated = report.isTruncated
        return document
    }
}

/// Why a document is not read as a feed.
package enum FeedParserError: Error, Equatable, CustomStringConvertible {
    /// There is nothing in it.
    case empty
    /// It is an HTML page, which names these feeds as its alternates.
    case page(alternates: [String])
    /// It is something else.
    case foreign(String)
    /// It is JSON, but ill-formed.
    case illFormed(String)
    /// It is longer than is read.
    case tooLarge(limit: Int)

    /// What it is and how to mend it.
    package var description: String {
        switch self {
        case .empty: "the document is empty"
        case .page(let alternates) where alternates.isEmpty:
            "this is a web page, not a feed, and it names no feed in its head; set `url` to the address of the feed"
        case .page(let alternates):
            "this is a web page, not a feed; set `url` to a feed that it names: \(alternates.joined(separator: " or "))"
        case .foreign("XML with the root element `opml`"):
            "this is an OPML list of feeds, not a feed; save it and set `opml` to its path"
        case .foreign(let what): "expected RSS, Atom or JSON Feed, found \(what)"
        case .illFormed(let reason): "expected JSON Feed, found ill-formed JSON: \(reason)"
        case .tooLarge(let limit): "the document is longer than \(limit) bytes"
        }
    }
}
