import ConnectorKit
import JSON
import SocialEvents

/// A promise of the connector protocol that a connector did not keep.
public struct ContractFailure: Error, Sendable, Hashable, CustomStringConvertible {
    /// The promise, as a sentence.
    public var promise: String
    /// How it was broken.
    public var detail: String

    /// The promise and how it was broken.
    public var description: String { "\(promise): \(detail)" }

    /// A broken promise.
    public init(_ promise: String, _ detail: String) {
        self.promise = promise
        self.detail = detail
    }

    /// Checks that events may enter the log, and notes them for validation against the schema.
    static func check(_ events: [Event]) throws {
        for event in events {
            if let problem = event.validate().first {
                throw ContractFailure("events keep the rules of the log", "\(event.id): \(problem)")
            }
            let recorded = RecordedEvent(
                event: event,
                source: SourceName("contract"),
                sequence: Sequence(1),
                recordedTime: Timestamp(seconds: 0)
            )
            var writer = JSONWriter()
            EventEncoder.encode(recorded, into: &writer)
            EmittedEvents.note(writer.bytes)
        }
    }
}
