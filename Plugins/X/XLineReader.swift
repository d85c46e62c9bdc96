/// Splits a stream into its lines, however it is cut into chunks: one JSON object a line, empty lines to keep the connection alive.
///
/// Holds at most one line that is not whole yet. What grows beyond the limit is reported once, with its beginning, and passed over up to its end.
package struct XLineReader {
    /// What stood in a line.
    package enum Line: Sendable, Hashable {
        /// A message.
        case message(ArraySlice<UInt8>)
        /// Nothing: a sign of life.
        case keepAlive
        /// The beginning of a line longer than the limit.
        case tooLong(ArraySlice<UInt8>)
    }

    /// The longest line accepted, in bytes.
    package let limit: Int
    private var pending: [UInt8] = []
    private var isSkipping = false

    /// How much of a line that is too long is kept to show what it was.
    private static let shown = 4096

    /// A reader that has read nothing.
    package init(limit: Int = 2 << 20) {
        self.limit = max(1, limit)
    }

    /// Whether a line has begun and not ended.
    package var isInsideLine: Bool { !pending.isEmpty || isSkipping }

    /// Takes a chunk and gives its lines in their order; a line that is cut waits for the rest.
    package mutating func take(_ chunk: [UInt8], _ body: (Line) throws -> Void) rethrows {
        var start = 0
        while let end = chunk[start...].firstIndex(of: UInt8(ascii: "\n")) {
            let piece = chunk[start..<end]
            start = end + 1
            if isSkipping {
                isSkipping = false
                continue
            }
            guard !pending.isEmpty else {
                try give(piece, body)
                continue
            }
            pending += piece
            let whole = pending[...]
            pending = []
            try give(whole, body)
        }
        guard start < chunk.count, !isSkipping else { return }
        pending += chunk[start...]
        guard pending.count > limit else { return }
        let head = pending.prefix(Self.shown)
        pending = []
        isSkipping = true
        try body(.tooLong(head))
    }

    private func give(_ line: ArraySlice<UInt8>, _ body: (Line) throws -> Void) rethrows {
        let text = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
        if text.isEmpty {
            try body(.keepAlive)
        } else if text.count > limit {
            try body(.tooLong(text.prefix(Self.shown)))
        } else {
            try body(.message(text))
        }
    }
}
