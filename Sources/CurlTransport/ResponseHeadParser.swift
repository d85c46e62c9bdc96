import ConnectorKit
import HTTPTypes

/// Gathers the header lines of an exchange as libcurl reports them, through interim responses to the final one (RFC
/// 9110 §15.2).
struct ResponseHeadCollector {
    /// What a line was.
    enum Step: Sendable, Hashable {
        /// One among others.
        case more
        /// The last of the final response's head.
        case complete
        /// More than is accepted.
        case tooLarge
    }

    /// Most bytes of all header lines of an exchange together.
    static let limit = 256 << 10

    /// The status of the response being read.
    private(set) var status = 0
    /// The field lines of the response being read.
    private(set) var lines: [UInt8] = []
    private var size = 0
    private var isInBlock = false
    private(set) var isComplete = false

    /// Takes one line with its line end.
    mutating func receive(_ line: UnsafeRawBufferPointer) -> Step {
        size += line.count
        guard size <= Self.limit else { return .tooLarge }
        if isComplete { return .more }  // trailers
        if !isInBlock {
            isInBlock = true
            lines.removeAll(keepingCapacity: true)
            status = Self.status(line)
            return .more
        }
        if line.first == UInt8(ascii: "\r") || line.first == UInt8(ascii: "\n") {
            isInBlock = false
            if status < 200 { return .more }
            isComplete = true
            return .complete
        }
        if lines.isEmpty { lines.reserveCapacity(512) }
        lines.append(contentsOf: line)
        return .more
    }

    /// The gathered lines; the collector keeps none.
    mutating func takeLines() -> [UInt8] {
        defer { lines = [] }
        return lines
    }

    /// The code in `HTTP/1.1 200 OK`, 0 when there is none.
    private static func status(_ line: UnsafeRawBufferPointer) -> Int {
        guard let space = line.firstIndex(of: UInt8(ascii: " ")), space + 3 < line.count else { return 0 }
        var code = 0
        for byte in line[(space + 1)...(space + 3)] {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return 0 }
            code = code * 10 + Int(byte - UInt8(ascii: "0"))
        }
        return code
    }
}

/// Reads field lines (RFC 9112 §5) that a ``ResponseHeadCollector`` gathered.
enum FieldLines {
    /// Most fields of one response.
    static let limit = 1000

    /// The fields, without lines that are none.
    ///
    /// Throws ``HTTPClientError`` when there are more than ``limit``.
    static func fields(_ lines: [UInt8]) throws -> HTTPFields {
        var fields = HTTPFields()
        var count = 0
        try lines.withUnsafeBufferPointer { bytes in
            try forEach(bytes) { name, value in
                guard let name = HTTPField.Name(String(decoding: name, as: UTF8.self)) else { return }
                count += 1
                guard count <= limit else {
                    throw HTTPClientError(.protocolViolation, "the response has more than \(limit) header fields")
                }
                fields.append(HTTPField(name: name, lenientValue: value))
            }
        }
        return fields
    }

    /// The value of the first `Location` field.
    static func location(_ lines: [UInt8]) -> String? {
        var location: String?
        lines.withUnsafeBufferPointer { bytes in
            forEach(bytes) { name, value in
                guard location == nil, name.count == 8 else { return }
                let isLocation = zip(name, "location".utf8).allSatisfy { $0 | 0x20 == $1 }
                if isLocation { location = String(decoding: value, as: UTF8.self) }
            }
        }
        return location
    }

    private static func forEach<Failure: Error>(
        _ bytes: UnsafeBufferPointer<UInt8>,
        _ body: (Slice<UnsafeBufferPointer<UInt8>>, Slice<UnsafeBufferPointer<UInt8>>) throws(Failure) -> Void
    ) throws(Failure) {
        var start = 0
        while start < bytes.count {
            var end = start
            var colon = -1
            while end < bytes.count, bytes[end] != UInt8(ascii: "\n") {
                if colon < 0, bytes[end] == UInt8(ascii: ":") { colon = end }
                end += 1
            }
            if colon > start {
                var first = colon + 1
                var last = end
                while first < last, isSpace(bytes[first]) { first += 1 }
                while last > first, isSpace(bytes[last - 1]) { last -= 1 }
                try body(bytes[start..<colon], bytes[first..<last])
            }
            start = end + 1
        }
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r")
    }
}
