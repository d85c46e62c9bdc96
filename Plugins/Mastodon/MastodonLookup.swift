import JSON

/// Finds elements of an array by one of their members, in time that does not grow with their number.
///
/// Posts come from anybody's server, with as many emoji and mentions as it likes.
struct MastodonLookup {
    /// More elements than this are not looked at.
    static let most = 500
    /// Up to so many are walked through each time, which is faster than a table.
    private static let few = 8

    private let list: JSONValue?
    private let member: StaticString
    private var table: [String: JSONValue]?

    /// Looks in `list`, by the text of `member`.
    init(_ list: JSONValue?, by member: StaticString) {
        self.list = list
        self.member = member
    }

    /// The first element with that text.
    mutating func find(_ text: UnsafeBufferPointer<UInt8>) -> JSONValue? {
        guard let list else { return nil }
        if list.elements.count <= Self.few {
            return list.elements.first { element in
                element[member]?.withUTF8 { $0.count == text.count && $0.elementsEqual(text) } == true
            }
        }
        return filled(list)[String(decoding: text, as: UTF8.self)]
    }

    private mutating func filled(_ list: JSONValue) -> [String: JSONValue] {
        if let table { return table }
        var new: [String: JSONValue] = [:]
        for element in list.elements.prefix(Self.most) {
            guard let text = element[member]?.string, new[text] == nil else { continue }
            new[text] = element
        }
        table = new
        return new
    }
}
