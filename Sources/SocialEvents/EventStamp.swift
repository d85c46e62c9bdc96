/// What the log adds to an event when it takes it in.
public struct EventStamp: Sendable, Hashable {
    /// The event's position in the log.
    public var sequence: Sequence
    /// When it was recorded.
    public var recordedTime: Timestamp
    /// The position of the event with the same id that another source brought earlier.
    public var duplicateOf: Sequence?

    /// A stamp.
    public init(sequence: Sequence, recordedTime: Timestamp, duplicateOf: Sequence? = nil) {
        self.sequence = sequence
        self.recordedTime = recordedTime
        self.duplicateOf = duplicateOf
    }

    /// Appends the whole event in JSON: the stamp's attributes, then those of `body`, which are not read again.
    ///
    /// - Parameters:
    ///   - body: the event as ``EventEncoder/encodeBody(_:source:into:)`` wrote it.
    ///   - output: where the event is appended, without a line end.
    public func appendSpliced(body: UnsafeRawBufferPointer, into output: inout [UInt8]) {
        assert(body.count > 2 && body.first == UInt8(ascii: "{"), "not an encoded event")
        output.reserveCapacity(output.count + body.count + Self.longest)
        append("{\"sequence\":\"", to: &output)
        append(sequence, to: &output)
        append("\",\"recordedtime\":\"", to: &output)
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Timestamp.writtenLength) { buffer in
            recordedTime.write(to: buffer)
            output.append(contentsOf: buffer)
        }
        if let duplicateOf {
            append("\",\"duplicateof\":\"", to: &output)
            append(duplicateOf, to: &output)
        }
        append("\",", to: &output)
        output.append(contentsOf: body.dropFirst())
    }

    /// Appends the whole event in JSON; see ``appendSpliced(body:into:)-(UnsafeRawBufferPointer,_)``.
    public func appendSpliced(body: some Collection<UInt8>, into output: inout [UInt8]) {
        let spliced: Void? = body.withContiguousStorageIfAvailable {
            appendSpliced(body: UnsafeRawBufferPointer($0), into: &output)
        }
        if spliced == nil { Array(body).withUnsafeBytes { appendSpliced(body: $0, into: &output) } }
    }

    /// More than the stamp's attributes ever take.
    private static let longest = 128

    private func append(_ text: StaticString, to output: inout [UInt8]) {
        output.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    private func append(_ sequence: Sequence, to output: inout [UInt8]) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Sequence.writtenLength) { buffer in
            sequence.write(to: buffer)
            output.append(contentsOf: buffer)
        }
    }
}

extension RecordedEvent {
    /// A recorded event from the event, its source and the log's stamp.
    public init(event: Event, source: SourceName, stamp: EventStamp) {
        self.init(
            event: event,
            source: source,
            sequence: stamp.sequence,
            recordedTime: stamp.recordedTime,
            duplicateOf: stamp.duplicateOf
        )
    }

    /// What the log added.
    public var stamp: EventStamp {
        EventStamp(sequence: sequence, recordedTime: recordedTime, duplicateOf: duplicateOf)
    }
}
