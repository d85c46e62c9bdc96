/// A part of a list, as the Graph API pages: with cursors that mean a place in the list, newest first.
struct GraphPaging {
    /// The values on the page, and where each stands in the whole list.
    var values: [GraphValue]
    var first: Int?
    var last: Int?
    var hasNext: Bool
    var hasPrevious: Bool

    /// A page of what `items` show.
    ///
    /// A page is cut before what nobody may see is left out, as the platforms do: it may be short, or empty with a next one.
    ///
    /// - Parameters:
    ///   - items: for each element, newest first, its place (falling) and what it shows, `nil` for what is gone.
    ///   - request: has `limit`, `after`, `before`, `since`, `until`.
    ///   - size: how many there are on a page unless the request says otherwise.
    ///   - isEmpty: whether the page says nothing though there is more.
    init?(_ items: [(place: Int, value: GraphValue?)], _ request: SimulatedRequest, size: Int, isEmpty: Bool = false) {
        let limit = request.number("limit", default: size, in: 1...100)
        var range = items[...]
        hasPrevious = false
        if let cursor = request.parameter("after") {
            guard let place = Self.place(cursor) else { return nil }
            range = range.drop { $0.place >= place }
            hasPrevious = range.startIndex > items.startIndex
        }
        if let cursor = request.parameter("before") {
            guard let place = Self.place(cursor) else { return nil }
            range = range.prefix { $0.place > place }.suffix(limit)
            hasPrevious = range.startIndex > items.startIndex
        }
        let page = isEmpty ? [] : range.prefix(limit)
        values = page.compactMap(\.value)
        hasNext = isEmpty || page.count < range.count || (request.parameter("before") != nil && !page.isEmpty)
        // An empty page goes on where it began.
        first = page.first?.place ?? range.first.map { $0.place + 1 }
        last = page.last?.place ?? range.first.map { $0.place + 1 }
        if range.isEmpty { hasNext = false }
    }

    /// `{data, paging}`, with links back to `request` under its token, as the platforms write them.
    func value(_ request: SimulatedRequest, token: String) -> GraphValue {
        guard let first, let last else {
            let previous: GraphValue = hasPrevious ? ["previous": .string(request.base + request.path)] : .absent
            return ["data": .array(values), "paging": previous]
        }
        let (before, after) = (Self.cursor(first), Self.cursor(last))
        return [
            "data": .array(values),
            "paging": [
                "cursors": ["before": .string(before), "after": .string(after)],
                "previous": hasPrevious ? .string(Self.link(request, token, "before", before)) : .absent,
                "next": hasNext ? .string(Self.link(request, token, "after", after)) : .absent,
            ],
        ]
    }

    private static func link(_ request: SimulatedRequest, _ token: String, _ name: String, _ cursor: String) -> String {
        let kept = request.query.filter { !["after", "before", "access_token", "appsecret_proof"].contains($0.name) }
        let query = [(name: "access_token", value: token)] + kept + [(name: name, value: cursor)]
        return request.base + request.path + "?"
            + query.map { "\(escaped($0.name))=\(escaped($0.value))" }.joined(separator: "&")
    }

    /// Percent-encodes all but unreserved characters.
    static func escaped(_ text: String) -> String {
        var escaped = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                escaped.unicodeScalars.append(Unicode.Scalar(byte))
            default: escaped += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return escaped
    }

    private static let mark = "QVFIU"

    private static func cursor(_ place: Int) -> String { mark + String(place, radix: 36) + "ZD" }

    private static func place(_ cursor: String) -> Int? {
        guard cursor.hasPrefix(mark), cursor.hasSuffix("ZD") else { return nil }
        return Int(cursor.dropFirst(mark.count).dropLast(2), radix: 36)
    }
}
