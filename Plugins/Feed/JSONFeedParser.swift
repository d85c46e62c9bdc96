import JSON
import Markup
import SocialEvents

/// Reads JSON Feed 1.0 and 1.1, and what claims to be it.
enum JSONFeedParser {
    static func parse(_ bytes: [UInt8], url: String?) throws(FeedParserError) -> FeedDocument {
        let parser = JSONParser(maximumSize: 64 << 20)
        do {
            return try parser.parse(bytes) { root in try document(root, url: url) }
        } catch let error as FeedParserError {
            throw error
        } catch {
            throw .illFormed((error as? JSONError)?.description ?? "unreadable")
        }
    }

    private static func document(_ root: JSONValue, url: String?) throws(FeedParserError) -> FeedDocument {
        guard root.kind == .object else { throw .foreign("a JSON array") }
        var document = FeedDocument(format: .json)
        var hasItems = false
        var hasVersion = false
        for (key, value) in root.members {
            switch key.trimmed {
            case "version": hasVersion = value.string?.contains("jsonfeed.org/version/") == true
            case "title": document.head.title = text(value, .plain)
            case "home_page_url": document.head.link = address(value, url)
            case "feed_url": document.head.id = address(value, url)
            case "next_url": document.head.next = address(value, url)
            case "language": document.head.language = word(value)
            case "author", "authors": document.head.authors += persons(value, url)
            case "items" where value.kind == .array:
                hasItems = true
                readItems(value, url, &document)
            default: break
            }
        }
        guard hasItems else { throw .foreign("JSON without `items`") }
        if !hasVersion { document.problems.append("no JSON Feed version") }
        return document
    }

    private static func readItems(_ items: JSONValue, _ url: String?, _ document: inout FeedDocument) {
        for item in items.elements {
            guard document.entries.count < FeedXMLHandler.mostEntries else {
                document.hasUnreadEntries = true
                return
            }
            guard item.kind == .object else {
                setAside(item, "an item that is no object", &document)
                continue
            }
            let entry = entry(item, url)
            if entry.isEmpty {
                setAside(item, "an item without id, url, title, content and attachments", &document)
            } else {
                document.entries.append(entry)
            }
        }
    }

    private static func setAside(_ item: JSONValue, _ reason: String, _ document: inout FeedDocument) {
        guard document.unreadable.count < FeedXMLHandler.mostParts else { return }
        var writer = JSONWriter()
        item.write(into: &writer)
        let bytes = Array(writer.bytes.prefix(FeedXMLHandler.longestFragment))
        let isCut = bytes.count < writer.count
        document.unreadable.append(FeedFragment(reason: reason, bytes: bytes, isCut: isCut))
    }

    // MARK: - One item

    private static func entry(_ item: JSONValue, _ url: String?) -> FeedEntry {
        var entry = FeedEntry()
        var externalURL: String?
        var contentText: FeedText?
        var pictures: [FeedMedia] = []
        for (key, value) in item.members {
            switch key.trimmed {
            case "id": entry.id = identifier(value)
            case "url": entry.link = address(value, url)
            case "external_url": externalURL = address(value, url)
            case "title": entry.title = text(value, .plain)
            case "content_html": entry.content = text(value, .html)
            case "content_text": contentText = text(value, .plain)
            case "summary": entry.summary = text(value, .plain)
            case "image", "banner_image":
                if let address = address(value, url) { pictures.append(FeedMedia(url: address, medium: "image")) }
            case "date_published": entry.published = date(value, &entry)
            case "date_modified": entry.updated = date(value, &entry)
            case "author", "authors": if entry.authors.isEmpty { entry.authors = persons(value, url) }
            case "tags":
                entry.categories = value.elements.prefix(FeedXMLHandler.mostParts).compactMap { word($0) }
            case "language": entry.language = word(value)
            case "attachments":
                entry.media = value.elements.prefix(FeedXMLHandler.mostParts).compactMap { attachment($0, url) }
            default: break
            }
        }
        if entry.link == nil {
            entry.link = externalURL
        } else if externalURL != nil {
            entry.dropped.append("external_url")
        }
        if entry.content == nil { entry.content = contentText }
        for picture in pictures where !entry.media.contains(where: { $0.url == picture.url }) {
            entry.media.append(picture)
        }
        return entry
    }

    private static func attachment(_ value: JSONValue, _ url: String?) -> FeedMedia? {
        guard let link = value["url"], let link = address(link, url) else { return nil }
        var media = FeedMedia(url: link, type: value["mime_type"].flatMap { word($0) })
        media.alt = value["title"].flatMap { word($0) }
        media.size = value["size_in_bytes"]?.int
        media.seconds = value["duration_in_seconds"]?.double
        return media
    }

    /// One author of version 1.0, or the list of 1.1.
    private static func persons(_ value: JSONValue, _ url: String?) -> [FeedPerson] {
        guard value.kind == .array else { return [person(value, url)].compactMap { $0 } }
        return value.elements.prefix(FeedXMLHandler.mostParts).compactMap { person($0, url) }
    }

    private static func person(_ value: JSONValue, _ url: String?) -> FeedPerson? {
        let person = FeedPerson(
            name: value["name"].flatMap { word($0) },
            url: value["url"].flatMap { address($0, url) },
            avatar: value["avatar"].flatMap { address($0, url) }
        )
        return person.isEmpty ? nil : person
    }

    // MARK: - Values

    /// Ids are strings, but numbers occur and mean their digits.
    private static func identifier(_ value: JSONValue) -> String? {
        switch value.kind {
        case .string: word(value)
        case .number: value.int.map(String.init) ?? value.double?.description
        default: nil
        }
    }

    private static func word(_ value: JSONValue) -> String? {
        value.withUTF8 { bytes in
            let trimmed = ByteView(bytes).trimmed
            return trimmed.isEmpty ? nil : trimmed.string
        } ?? nil
    }

    private static func address(_ value: JSONValue, _ base: String?) -> String? {
        word(value).map { URLReference.resolve($0, against: base) }
    }

    private static func text(_ value: JSONValue, _ form: FeedText.Form) -> FeedText? {
        value.withUTF8 { bytes in
            ByteView(bytes).isBlank ? nil : FeedText(form, Array(bytes))
        } ?? nil
    }

    private static func date(_ value: JSONValue, _ entry: inout FeedEntry) -> Timestamp? {
        let text = word(value) ?? value.int.map(String.init)
        let date = text.flatMap { FeedDate.parse($0) }
        if date == nil, !value.isNull { entry.hasUnreadableDate = true }
        return date
    }
}

extension JSONKey {
    /// The name without white space after it: MyBB writes `"date_modified "`.
    fileprivate var trimmed: JSONName {
        var end = utf8.count
        while end > 0, utf8[end - 1] == 0x20 { end -= 1 }
        return JSONName(bytes: UnsafeBufferPointer(rebasing: utf8[..<end]))
    }
}

/// The name of a member, to be told from literals.
private struct JSONName {
    var bytes: UnsafeBufferPointer<UInt8>

    static func ~= (literal: StaticString, name: JSONName) -> Bool {
        ByteView(name.bytes) == literal
    }
}
