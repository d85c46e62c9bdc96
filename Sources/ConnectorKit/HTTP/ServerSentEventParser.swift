/// Reads server-sent events (WHATWG HTML §9.2.6) from the pieces they arrive in: a bounded state machine without I/O.
///
/// Lines may end in LF, CRLF or CR, and anywhere within a piece. Comments and `retry` are read over: that something came at all is seen by who reads the
/// connection. After an error it is in no state to go on.
public struct ServerSentEventParser: Sendable {
    /// One event.
    public struct Message: Sendable, Hashable {
        /// The last id seen so far; `nil` before the first.
        public var id: String?
        /// The event's name; empty where the stream gave none.
        public var event: String
        /// Its data, lines joined with LF; empty for a message that only sets the id.
        public var data: [UInt8]

        /// An event.
        public init(id: String? = nil, event: String, data: [UInt8]) {
            self.id = id
            self.event = event
            self.data = data
        }
    }

    /// A line, or the data of an event, is longer than allowed.
    public struct TooLong: Error, Sendable, Hashable, CustomStringConvertible {
        /// How long it may be, in bytes.
        public var limit: Int

        /// What happened.
        public var description: String { "an event of the stream is longer than \(limit) bytes" }
    }

    /// Most bytes of a line, and of an event's data.
    public let longest: Int

    private var line: [UInt8] = []
    private var isAfterReturn = false
    private var isAtStart = true
    private var id: String?
    private var event = ""
    private var data: [UInt8] = []
    private var hasData = false
    private var setsID = false

    /// A parser at the start of a stream.
    ///
    /// - Parameter longest: most bytes of a line, and of an event's data.
    public init(longest: Int = 32 << 20) {
        self.longest = longest
    }

    /// Whether nothing is begun that a later piece will complete.
    public var isBetweenEvents: Bool { line.isEmpty && !hasData && !setsID && event.isEmpty }

    /// The messages that `chunk` completes.
    public mutating func read(_ chunk: [UInt8]) throws(TooLong) -> [Message] {
        var messages: [Message] = []
        var rest = chunk[...]
        if isAfterReturn, rest.first == UInt8(ascii: "\n") { rest = rest.dropFirst() }
        if !rest.isEmpty { isAfterReturn = false }
        while let end = rest.firstIndex(where: { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }) {
            if line.isEmpty {
                try endLine(rest[..<end], into: &messages)
            } else {
                line.append(contentsOf: rest[..<end])
                try endLine(line[...], into: &messages)
                line.removeAll(keepingCapacity: line.capacity <= 1 << 16)
            }
            var next = end + 1
            if rest[end] == UInt8(ascii: "\r") {
                if next == rest.endIndex {
                    isAfterReturn = true
                } else if rest[next] == UInt8(ascii: "\n") {
                    next += 1
                }
            }
            rest = rest[next...]
        }
        line.append(contentsOf: rest)
        guard line.count <= longest else { throw TooLong(limit: longest) }
        return messages
    }

    private mutating func endLine(_ whole: ArraySlice<UInt8>, into messages: inout [Message]) throws(TooLong) {
        var line = whole
        if isAtStart {
            isAtStart = false
            if line.starts(with: [0xEF, 0xBB, 0xBF]) { line = line.dropFirst(3) }
        }
        guard !line.isEmpty else { return dispatch(into: &messages) }
        guard line.first != UInt8(ascii: ":") else { return }
        let colon = line.firstIndex(of: UInt8(ascii: ":")) ?? line.endIndex
        var value = colon < line.endIndex ? line[(colon + 1)...] : line[colon...]
        if value.first == UInt8(ascii: " ") { value = value.dropFirst() }
        let name = line[..<colon]
        if name.elementsEqual("data".utf8) {
            guard data.count + value.count < longest else { throw TooLong(limit: longest) }
            if hasData { data.append(UInt8(ascii: "\n")) }
            data.append(contentsOf: value)
            hasData = true
        } else if name.elementsEqual("event".utf8) {
            event = String(decoding: value, as: UTF8.self)
        } else if name.elementsEqual("id".utf8), !value.contains(0) {
            id = String(decoding: value, as: UTF8.self)
            setsID = true
        }
    }

    private mutating func dispatch(into messages: inout [Message]) {
        if hasData || setsID { messages.append(Message(id: id, event: event, data: data)) }
        event = ""
        data = []
        hasData = false
        setsID = false
    }
}
