public import ConnectorKit
import Markup

/// Lists of feeds as feed readers export them (OPML 1.0 and 2.0).
package enum OPML {
    /// A feed in a list.
    package struct Feed: Sendable, Hashable {
        /// What the list calls it.
        package var title: String?
        /// Its address.
        package var url: String
        /// The outlines it lies in, from the outermost, and the words of its own `category`.
        package var categories: [String]
    }

    /// Why a file is no usable list.
    package struct Problem: Error, Hashable, CustomStringConvertible {
        /// What is wrong with it.
        package var description: String
    }

    /// Longer lists are refused.
    package static let mostFeeds = 10_000

    /// The feeds of a list in its order, each address once.
    ///
    /// - Throws: ``Problem`` when the file is no OPML, names an address that is none, or has no feed or too many.
    package static func feeds(in bytes: [UInt8]) throws(Problem) -> [Feed] {
        var handler = Handler()
        do {
            _ = try reader.read(bytes, into: &handler)
        } catch {
            throw Problem(description: "expected OPML: \(error)")
        }
        guard handler.isOPML else { throw Problem(description: "expected OPML, found no `<opml>` in it") }
        if let bad = handler.badAddress {
            throw Problem(description: "the outline \"\(bad.title)\" has an `xmlUrl` that is no http or https address")
        }
        if handler.isTooLong { throw Problem(description: "the list has more than \(mostFeeds) feeds; split it") }
        guard !handler.feeds.isEmpty else { throw Problem(description: "no outline of the list has an `xmlUrl`") }
        return handler.feeds
    }

    private static let reader = XMLReader(
        vocabulary: XMLVocabulary(namespaces: [], names: ["opml", "outline", "head"])
    )

    private struct Handler: XMLHandler {
        var feeds: [Feed] = []
        var isOPML = false
        var isTooLong = false
        var badAddress: (title: String, url: String)?
        private var known: Set<String> = []
        private var outlines: [(title: String, depth: Int)] = []

        mutating func start(_ element: XMLElement) -> XMLContent {
            switch element.name.token {
            case 0:
                isOPML = true
                return .events
            case 1 where isOPML: return startOutline(element)
            case 2: return .skip
            default: return .events
            }
        }

        mutating func text(_ text: ByteView) {}

        mutating func end(_ element: XMLElementEnd) {
            if outlines.last?.depth == element.depth { outlines.removeLast() }
        }

        private mutating func startOutline(_ element: XMLElement) -> XMLContent {
            let title = word(element.attributes["title"]) ?? word(element.attributes["text"])
            guard let address = word(element.attributes["xmlurl"]) else {
                outlines.append((title ?? "", element.depth))
                return .events
            }
            // Some readers registered a scheme of their own for feeds.
            let url = address.lowercased().hasPrefix("feed://") ? "http://" + address.dropFirst(7) : address
            guard WebAddress.isValid(url) else {
                if badAddress == nil { badAddress = (String((title ?? "").prefix(100)), url) }
                return .events
            }
            guard known.insert(url).inserted else { return .events }
            guard feeds.count < mostFeeds else {
                isTooLong = true
                return .stop
            }
            let own = word(element.attributes["category"])?.split(separator: ",").map(String.init) ?? []
            let around = outlines.map(\.title).filter { !$0.isEmpty }
            feeds.append(Feed(title: title, url: url, categories: around + own))
            return .events
        }

        private func word(_ view: ByteView?) -> String? {
            guard let view = view?.trimmed, !view.isEmpty else { return nil }
            return view[0..<min(view.count, 2000)].string
        }
    }
}

extension FeedConnector: SourceExpanding {
    /// Makes one source of every feed that the file of the setting `opml` names.
    public static func expand(_ settings: Settings, readFile: (_ path: String) throws -> [UInt8]) throws
        -> [ExpandedSource]?
    {
        let opml = FeedConfiguration.opmlSetting
        guard let path = try settings.value(opml) else { return nil }
        if try settings.value(FeedConfiguration.urlSetting) != nil { throw FeedConfiguration.bothGiven(settings) }
        let feeds: [OPML.Feed]
        do {
            feeds = try OPML.feeds(in: readFile(path))
        } catch let problem as OPML.Problem {
            throw settings.error(opml.name, "\(path): \(problem)")
        }
        return feeds.map { feed in
            ExpandedSource(
                nameSuffix: nameSuffix(of: feed.url),
                settings: settings.replacing(opml.name, with: FeedConfiguration.urlSetting.name, feed.url)
            )
        }
    }

    /// A name made of the address alone, so that a feed keeps its cursor when its list is sorted or renamed: the host and a digest.
    static func nameSuffix(of url: String) -> String {
        let host = FeedIdentity(url: url).scope.prefix { $0 != "/" && $0 != "~" && $0 != ":" }
        let letters = host.utf8.map { byte in
            let isPlain = byte &- UInt8(ascii: "a") < 26 || byte &- UInt8(ascii: "0") < 10 || byte == UInt8(ascii: ".")
            return isPlain ? byte : UInt8(ascii: "-")
        }
        let name = String(decoding: letters.prefix(22), as: UTF8.self)
        return "\(name)-\(FeedCursor.digest(url).prefix(8))"
    }
}
