public import HTTPTypes

/// One link of a `Link` header field (RFC 8288): where it leads and what for.
public struct LinkHeader: Sendable, Hashable {
    /// A parameter of a link.
    public struct Parameter: Sendable, Hashable {
        /// The name, lower-case.
        public var name: String
        /// The value, without quotes; empty where there is none.
        public var value: String
    }

    /// Where it leads: absolute where a base was given, otherwise as written.
    public var target: String
    /// What for: `next`, `prev`, `hub`, ...; lower-case.
    public var relations: [String]
    /// The parameters in their order, `rel` included.
    public var parameters: [Parameter]

    /// More links than this are left out.
    private static let most = 100

    /// The value of a parameter.
    public func parameter(_ name: String) -> String? {
        parameters.first { $0.name == name }?.value
    }

    /// Every link of a response.
    ///
    /// What is ill-formed is left out and what follows is still read.
    ///
    /// - Parameters:
    ///   - headers: the response's.
    ///   - base: the URL that answered, against which relative targets are resolved.
    /// - Returns: the links in their order, at most 100.
    public static func all(in headers: HTTPFields, base: String?) -> [LinkHeader] {
        Array(headers.values("Link").flatMap { parse($0, base: base) }.prefix(most))
    }

    /// The target of the first link with that relation which speaks of the page itself, for paging: `rel="next"`.
    public static func target(_ relation: String, in headers: HTTPFields, base: String?) -> String? {
        all(in: headers, base: base).first { $0.relations.contains(relation) && $0.parameter("anchor") == nil }?.target
    }

    /// The links in one field value.
    public static func parse(_ value: String, base: String? = nil) -> [LinkHeader] {
        var scanner = LinkScanner(bytes: Array(value.utf8))
        var links: [LinkHeader] = []
        while links.count < most, let (target, parameters) = scanner.next() {
            guard let target = base.map({ WebAddress.resolve(target, against: $0) }) ?? target else { continue }
            // Only the first `rel` counts (RFC 8288 §3.3).
            let relations = parameters.first { $0.name == "rel" }?.value.lowercased().split { $0 == " " || $0 == "\t" }
            links.append(
                LinkHeader(target: target, relations: (relations ?? []).map(String.init), parameters: parameters)
            )
        }
        return links
    }
}

/// Reads `<target>; name=value; name="quoted \" value"` one after the other.
private struct LinkScanner {
    let bytes: [UInt8]
    var position = 0

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    /// The next link, leaving out what is none.
    mutating func next() -> (target: String, parameters: [LinkHeader.Parameter])? {
        while true {
            skip { $0 == 0x20 || $0 == 0x09 || $0 == UInt8(ascii: ",") }
            guard current != nil else { return nil }
            guard take(UInt8(ascii: "<")) else {
                skipLink()
                continue
            }
            let start = position
            skip { $0 != UInt8(ascii: ">") }
            let target = text(start..<position).trimmingSpaces()
            guard take(UInt8(ascii: ">")) else { return nil }
            return (target, parameters())
        }
    }

    private mutating func parameters() -> [LinkHeader.Parameter] {
        var parameters: [LinkHeader.Parameter] = []
        while true {
            skipSpaces()
            guard take(UInt8(ascii: ";")) else {
                skipLink()
                return parameters
            }
            skipSpaces()
            let start = position
            skip { $0 != UInt8(ascii: "=") && $0 != UInt8(ascii: ";") && $0 != UInt8(ascii: ",") }
            let name = text(start..<position).trimmingSpaces().lowercased()
            let value = take(UInt8(ascii: "=")) ? self.value() : ""
            if !name.isEmpty, parameters.count < 50 { parameters.append(.init(name: name, value: value)) }
        }
    }

    private mutating func value() -> String {
        skipSpaces()
        guard take(UInt8(ascii: "\"")) else {
            let start = position
            skip { $0 != UInt8(ascii: ";") && $0 != UInt8(ascii: ",") }
            return text(start..<position).trimmingSpaces()
        }
        var value: [UInt8] = []
        while let byte = current, byte != UInt8(ascii: "\"") {
            position += 1
            if byte == UInt8(ascii: "\\"), let escaped = current {
                position += 1
                value.append(escaped)
            } else {
                value.append(byte)
            }
        }
        _ = take(UInt8(ascii: "\""))
        return String(decoding: value, as: UTF8.self)
    }

    /// Goes to the comma that ends this link, past commas in quotes.
    private mutating func skipLink() {
        while let byte = current, byte != UInt8(ascii: ",") {
            position += 1
            guard byte == UInt8(ascii: "\"") else { continue }
            skip { $0 != UInt8(ascii: "\"") }
            _ = take(UInt8(ascii: "\""))
        }
    }

    private mutating func skipSpaces() {
        skip { $0 == 0x20 || $0 == 0x09 }
    }

    private mutating func skip(while isSkipped: (UInt8) -> Bool) {
        while let byte = current, isSkipped(byte) { position += 1 }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard current == byte else { return false }
        position += 1
        return true
    }

    private func text(_ range: Range<Int>) -> String {
        String(decoding: bytes[range], as: UTF8.self)
    }
}
