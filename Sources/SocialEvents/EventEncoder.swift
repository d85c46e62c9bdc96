public import JSON

/// Writes events as CloudEvents 1.0 in structured mode (`application/cloudevents+json`).
///
/// It works in two steps, because the log keeps bytes and its readers only add the stamp: ``encodeBody(_:source:into:)`` writes all that is
/// known before the event has a position, ``EventStamp/appendSpliced(body:into:)-(UnsafeRawBufferPointer,_)`` puts the position before it.
public enum EventEncoder {
    /// Writes an event without its stamp, as one JSON object.
    ///
    /// Absent values, empty lists and flags that are not set are left out; nothing is ever null.
    ///
    /// - Parameters:
    ///   - event: the fact.
    ///   - source: the source that brought it.
    ///   - writer: where the object is written, as the next value.
    public static func encodeBody(_ event: Event, source: SourceName, into writer: inout JSONWriter) {
        writer.beginObject()
        event.encodeMembers(source: source, into: &writer)
        writer.endObject()
    }

    /// Writes an event with its stamp, as one JSON object; equal to encoding the body and splicing the stamp before it.
    public static func encode(_ recorded: RecordedEvent, into writer: inout JSONWriter) {
        writer.beginObject()
        recorded.stamp.encodeMembers(into: &writer)
        recorded.event.encodeMembers(source: recorded.source, into: &writer)
        writer.endObject()
    }
}
