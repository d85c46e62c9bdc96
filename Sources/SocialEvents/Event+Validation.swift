/// Why an event may not enter the log: a fault of the connector that made it, or of a limit it did not keep.
public struct EventProblem: Sendable, Hashable, CustomStringConvertible {
    /// The field's path in the event's JSON, such as `data.object.entities[3].end`.
    public var field: String
    /// What is wrong with it; holds nothing of its value.
    public var message: String

    /// A problem.
    public init(field: String, message: String) {
        self.field = field
        self.message = message
    }

    /// Field and message.
    public var description: String { "\(field): \(message)" }
}

extension Event {
    /// What keeps the event out of the log; empty for a good one.
    ///
    /// The hub asks this of every event a connector makes. It checks the limits of ``EventLimits``, the form of ids and names, that entities lie
    /// within the text, that times can be written, and that all is there that the type requires. It allocates nothing for a good event, and
    /// reports no more than 20 problems of a bad one.
    public func validate() -> [EventProblem] {
        var check = EventCheck()
        if check.platform(platform) { check.eventID(id, of: self) }
        check.objectID(subject, "subject")
        check.time(time, "time")
        check.length(causationID?.text, EventLimits.identifier, "causationid")
        check.requirements(of: self)
        check.data(data)
        return check.problems
    }
}

/// Collects the problems of one event.
///
/// Fields are given as closures or literals, so that naming them costs nothing
/// while there is no problem.
struct EventCheck {
    private(set) var problems: [EventProblem] = []
    private static let most = 20

    mutating func report(_ message: String, _ field: String) {
        if problems.count < Self.most { problems.append(EventProblem(field: field, message: message)) }
    }

    mutating func length(_ text: String?, _ most: Int, _ field: @autoclosure () -> String) {
        guard let text, text.utf8.count > most else { return }
        report("longer than \(most) bytes", field())
    }

    mutating func phrase(_ text: String?, _ field: @autoclosure () -> String) {
        length(text, EventLimits.phrase, field())
    }

    mutating func count(_ number: Int?, _ field: @autoclosure () -> String) {
        if let number, number < 0 { report("negative", field()) }
    }

    mutating func elements(_ count: Int, most: Int = EventLimits.elements, _ field: @autoclosure () -> String) {
        if count > most { report("more than \(most) elements", field()) }
    }

    mutating func time(_ time: Timestamp?, _ field: @autoclosure () -> String) {
        guard let time, !Timestamp.writable.contains(time) else { return }
        report("outside the years 0 to 9999", field())
    }

    /// URLs may be of any scheme but those that run or carry content where a reader makes a link of them.
    mutating func url(_ url: String?, _ field: @autoclosure () -> String) {
        guard let url else { return }
        length(url, EventLimits.url, field())
        if url.hasControlByte { report("has a control character", field()) }
        if url.begins(with: "javascript:") || url.begins(with: "vbscript:") || url.begins(with: "data:") {
            report("has a scheme that is not allowed", field())
        }
    }

    mutating func platform(_ platform: Platform) -> Bool {
        let name = platform.name.utf8
        guard let first = name.first, first != UInt8(ascii: "-"), name.allSatisfy(\.isNameByte) else {
            report("not a name of lower-case letters, digits and hyphens", "platform")
            return false
        }
        length(platform.name, EventLimits.name, "platform")
        return true
    }

    mutating func objectID(_ id: ObjectID?, _ field: @autoclosure () -> String) {
        if let id { identifier(id.text, field()) }
    }

    private mutating func identifier(_ text: String, _ field: @autoclosure () -> String) {
        length(text, EventLimits.identifier, field())
        if !text.isIdentifier {
            report("not of the form PLATFORM:KIND:NATIVE-ID", field())
        } else if text.hasUnprintableScalar {
            report("has a control or format character", field())
        }
    }

    mutating func eventID(_ id: EventID, of event: Event) {
        guard id.text.isIdentifier else { return report("not of the form PLATFORM:KIND:NATIVE-ID/VERB", "id") }
        identifier(id.text, "id")
        let platform = event.platform.name.utf8
        let verb = event.type.verb.rawValue.utf8
        let fault: String? = id.text.withBytes { text in
            guard text.count > platform.count, text[platform.count] == UInt8(ascii: ":"), text.starts(with: platform)
            else { return "does not begin with the platform" }
            var end = text.count
            while end > 0, text[end - 1] >= UInt8(ascii: "0"), text[end - 1] <= UInt8(ascii: "9") { end -= 1 }
            if end == text.count || end == 0 || text[end - 1] != UInt8(ascii: "/") {
                end = text.count
            } else {
                end -= 1
            }
            let start = end - verb.count
            guard start > 0, text[start - 1] == UInt8(ascii: "/"), text[start..<end].elementsEqual(verb) else {
                return "does not end with the verb of the type"
            }
            return nil
        }
        if let fault { report(fault, "id") }
    }

    mutating func requirements(of event: Event) {
        let missing = event.type.requirements.subtracting(event.presentParts)
        guard !missing.isEmpty else { return }
        if missing.contains(.subject) { report("required by the type, but absent", "subject") }
        for (part, name) in EventRequirements.inData where missing.contains(part) {
            report("required by the type, but absent", "data.\(name)")
        }
    }
}

extension UInt8 {
    fileprivate var isNameByte: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): true
        default: false
        }
    }
}

extension String {
    /// Whether the text begins with `lowercase`, in whichever case.
    fileprivate func begins(with lowercase: StaticString) -> Bool {
        withBytes { bytes in
            guard bytes.count >= lowercase.utf8CodeUnitCount else { return false }
            for position in 0..<lowercase.utf8CodeUnitCount {
                let byte = bytes[position]
                let isCapital = byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z")
                if (isCapital ? byte | 0x20 : byte) != lowercase.utf8Start[position] { return false }
            }
            return true
        }
    }

    /// Whether the text has the form `PLATFORM:KIND:NATIVE-ID`.
    fileprivate var isIdentifier: Bool {
        withBytes { bytes in
            guard let platformEnd = bytes.firstIndex(of: UInt8(ascii: ":")) else { return false }
            let rest = bytes[(platformEnd + 1)...]
            guard let kindEnd = rest.firstIndex(of: UInt8(ascii: ":")), kindEnd + 1 < bytes.count else { return false }
            let platform = bytes[..<platformEnd]
            let kind = rest[..<kindEnd]
            return !platform.isEmpty && platform.first != UInt8(ascii: "-") && platform.allSatisfy(\.isNameByte)
                && !kind.isEmpty && kind.allSatisfy { $0.isNameByte || $0 == UInt8(ascii: "_") }
        }
    }
}
