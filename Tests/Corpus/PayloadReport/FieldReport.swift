import JSON
import SocialEvents

/// Finds out what becomes of each field of payloads, by leaving out one after another and looking what changes.
struct FieldReport {
    private struct Count {
        var mapped = 0
        var noted = 0
        var leftOut = 0
    }

    private let reader: Reader
    private var fields: [String: Count] = [:]

    init(_ reader: Reader) { self.reader = reader }

    /// A line for each field, in the order of their names.
    var lines: [String] {
        fields.sorted { $0.key < $1.key }.map {
            "\($0.key): \($0.value.mapped), \($0.value.noted), \($0.value.leftOut)"
        }
    }

    /// Counts the fields of a payload that became `events`.
    mutating func count(_ payload: [UInt8], _ events: [Event]) {
        let whole = text(events, withLoss: true)
        let wholeWithoutLoss = text(events, withLoss: false)
        var member = 0
        while true {
            var cutter = Cutter(without: member)
            var writer = JSONWriter()
            _ = try? JSONParser().parse(payload) { cutter.write($0, "", to: &writer) }
            guard let path = cutter.path else { return }
            member += 1
            guard let others = reader.read(writer.bytes)?.events else { continue }
            if text(others, withLoss: false) != wholeWithoutLoss {
                fields[path, default: Count()].mapped += 1
            } else if text(others, withLoss: true) != whole {
                fields[path, default: Count()].noted += 1
            } else {
                fields[path, default: Count()].leftOut += 1
            }
        }
    }

    private func text(_ events: [Event], withLoss: Bool) -> String {
        var writer = JSONWriter()
        for var event in events {
            if !withLoss { event.data.loss = [] }
            event.data.raw = nil
            EventEncoder.encodeBody(event, source: SourceName("report"), into: &writer)
            writer.endLine()
        }
        return writer.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    }
}

/// Writes a payload without one of its members, counted in the order of the document; tells the member's path.
private struct Cutter {
    private var left: Int
    private(set) var path: String?

    init(without member: Int) { left = member }

    mutating func write(_ value: JSONValue, _ place: String, to writer: inout JSONWriter) {
        switch value.kind {
        case .object:
            writer.beginObject()
            for (key, member) in value.members {
                let name = key.string.allSatisfy(\.isNumber) ? "ID" : key.string
                let inside = place.isEmpty ? name : "\(place).\(name)"
                left -= 1
                if left == -1 {
                    path = inside
                    continue
                }
                writer.key(key.string)
                write(member, inside, to: &writer)
            }
            writer.endObject()
        case .array:
            writer.beginArray()
            for element in value.elements { write(element, place, to: &writer) }
            writer.endArray()
        default: value.write(into: &writer)
        }
    }
}
