import ConnectorKit
import SocialEvents

/// Reads dead letters again: a whole document as it was fetched, or one entry of a document.
struct FeedRereading {
    let configuration: FeedConfiguration
    let now: Timestamp

    /// The media type of an entry by itself, which says the format of its document.
    static func contentType(_ format: FeedDocument.Format) -> String {
        format == .json ? "application/json; form=item" : "application/xml; charset=utf-8; form=\(format.rawValue)"
    }

    /// What a source that had never read anything would tell of it; throws `malformed` where it cannot be read.
    func read(_ letter: DeadLetter) throws(ConnectorError) -> Rereading {
        let form = letter.parameter("form")
        let bytes = document(letter.payload, of: form)
        let document: FeedDocument
        do {
            document = try FeedParser.parse(
                bytes,
                charset: FeedAPI.charset(of: letter.contentType),
                url: configuration.url
            )
        } catch {
            throw ConnectorError(.malformed, error.description)
        }
        if form != nil, document.entries.isEmpty, document.withdrawals.isEmpty {
            throw ConnectorError(.malformed, document.unreadable.first?.reason ?? "there is no entry in it")
        }
        var reading = FeedReading(FeedCursor(url: configuration.url), configuration, now: now)
        reading.read(document, url: configuration.url)
        return Rereading(events: reading.events, deadLetters: reading.deadLetters)
    }

    /// The smallest document of an entry's format with the entry in it; what is no entry by itself is a document already.
    private func document(_ payload: [UInt8], of form: String?) -> [UInt8] {
        func inside(_ start: String, _ end: String) -> [UInt8] { Array(start.utf8) + payload + Array(end.utf8) }
        return switch form {
        case "item": inside(#"{"version":"https://jsonfeed.org/version/1.1","items":["#, "]}")
        case FeedDocument.Format.rss.rawValue: inside(#"<rss version="2.0"><channel>"#, "</channel></rss>")
        case FeedDocument.Format.rdf.rawValue:
            inside(
                #"<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/">"#,
                "</rdf:RDF>"
            )
        case FeedDocument.Format.atom.rawValue: inside(#"<feed xmlns="http://www.w3.org/2005/Atom">"#, "</feed>")
        default: payload
        }
    }
}
