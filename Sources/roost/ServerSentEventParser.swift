/// Reads server-sent events (WHATWG HTML §9.2.6) from the pieces they arrive in.
struct ServerSentEventParser {
    struct Message {
        /// The last id seen so far; `nil` before the first.
        var id: String?
        var event: String
        /// Empty for a message that only sets the id.
        var data: [UInt8]
    }

    /// A message that is longer than this is not one of ours.
    static let longestLine = 32 << 20

    struct LineTooLong: Error {}

    private var line: [UInt8] = []
    private var id: String?
    private var event = ""
    private var data: [UInt8] = []
    private var hasData = false
    private var setsID = false

    /// The messages that `chunk` completes.
    mutating func read(_ chunk: [UInt8]) throws -> [Message] {
        var messages: [Message] = []
        var rest = chunk[...]
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            line.append(contentsOf: rest[..<end])
            rest = rest[(end + 1)...]
            if line.last == UInt8(ascii: "\r") { line.removeLast() }
            if let message = endLine() { messages.append(message) }
            line.removeAll(keepingCapacity: true)
        }
        line.append(contentsOf: rest)
        guard line.count <= Self.longestLine else { throw LineTooLong() }
        return messages
    }

    private mutating func endLine() -> Message? {
        if line.isEmpty { return dispatch() }
        guard line.first != UInt8(ascii: ":") else { return nil }
        let colon = line.firstIndex(of: UInt8(ascii: ":")) ?? line.endIndex
        let name = String(decoding: line[..<colon], as: UTF8.self)
        var value = line[min(colon + 1, line.endIndex)...]
        if value.first == UInt8(ascii: " ") { value = value.dropFirst() }
        switch name {
        case "id":
            id = String(decoding: value, as: UTF8.self)
            setsID = true
        case "event": event = String(decoding: value, as: UTF8.self)
        case "data":
            if hasData { data.append(UInt8(ascii: "\n")) }
            data.append(contentsOf: value)
            hasData = true
        default: break
        }
        return nil
    }

    private mutating func dispatch() -> Message? {
        defer {
            event = ""
            data = []
            hasData = false
            setsID = false
        }
        guard hasData || setsID else { return nil }
        return Message(id: id, event: event, data: data)
    }
}
