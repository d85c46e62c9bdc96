import MessageBus
import NIOCore
import SocialEvents

/// A stretch of the log as it goes over the wire, encoded once for all who read it.
struct EventFrames: Sendable {
    /// The position before the stretch.
    let after: Sequence
    /// The stretch covers everything up to here, also what the filter left out.
    let through: Sequence
    /// For each event, its position and where its frame ends in ``bytes``.
    private let ends: [(sequence: Sequence, offset: Int)]
    private let bytes: ByteBuffer

    var size: Int { bytes.readableBytes }
    var count: Int { ends.count }

    /// Encodes a page as lines or server-sent events; anything beyond `limit` events is left out.
    init(_ page: LogPage, after: Sequence, format: EventFormat, limit: Int = .max) {
        var output: [UInt8] = []
        output.reserveCapacity(page.storage.count + page.entries.count * 160)
        var ends: [(Sequence, Int)] = []
        ends.reserveCapacity(page.entries.count)
        page.storage.withUnsafeBytes { storage in
            for entry in page.entries.prefix(limit) {
                Self.append(
                    entry,
                    body: UnsafeRawBufferPointer(rebasing: storage[entry.body]),
                    format: format,
                    to: &output
                )
                ends.append((entry.sequence, output.count))
            }
        }
        self.after = after
        through = page.entries.count > limit ? page.entries[limit - 1].sequence : page.scannedThrough
        self.ends = ends
        bytes = ByteBuffer(bytes: output)
    }

    /// The frames of the events after `position`, at most `limit`; `nil` when there are none.
    func frames(after position: Sequence, limit: Int = .max) -> (bytes: ByteBuffer, count: Int, last: Sequence)? {
        var low = 0
        var high = ends.count
        while low < high {
            let middle = (low + high) / 2
            if ends[middle].sequence <= position { low = middle + 1 } else { high = middle }
        }
        let end = limit < ends.count - low ? low + limit : ends.count
        guard low < end else { return nil }
        let start = low == 0 ? 0 : ends[low - 1].offset
        guard let slice = bytes.getSlice(at: bytes.readerIndex + start, length: ends[end - 1].offset - start) else {
            return nil
        }
        return (slice, end - low, ends[end - 1].sequence)
    }

    private static func append(
        _ entry: LogEntry,
        body: UnsafeRawBufferPointer,
        format: EventFormat,
        to output: inout [UInt8]
    ) {
        let stamp = EventStamp(
            sequence: entry.sequence,
            recordedTime: entry.recordedTime,
            duplicateOf: entry.duplicateOf
        )
        if format == .serverSentEvents {
            output.append(contentsOf: "id: ".utf8)
            output.append(contentsOf: entry.sequence.description.utf8)
            output.append(contentsOf: "\nevent: ".utf8)
            output.append(contentsOf: entry.type.rawValue.utf8)
            output.append(contentsOf: "\ndata: ".utf8)
            stamp.appendSpliced(body: body, into: &output)
            output.append(contentsOf: "\n\n".utf8)
        } else {
            stamp.appendSpliced(body: body, into: &output)
            output.append(UInt8(ascii: "\n"))
        }
    }
}
