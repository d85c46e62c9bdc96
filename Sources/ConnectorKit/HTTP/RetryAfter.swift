public import HTTPTypes
import JSON
public import SocialEvents

/// When a platform that refuses for now wants to be asked again.
///
/// What it says is not trusted to be sensible: a moment may lie in the past or years ahead, and bounding it is the host's part.
public enum RetryAfter {
    /// Reads the value of a `Retry-After` field (RFC 9110 §10.2.3): whole seconds from `now`, or an HTTP date.
    ///
    /// Parts of a second are accepted and rounded up, since early retries lengthen the block on some platforms.
    public static func parse(_ value: String, now: Timestamp) -> Timestamp? {
        let text = value.trimmingSpaces()
        if let seconds = HeaderNumber.decimal(text) { return now.advanced(by: .milliseconds(milliseconds(seconds))) }
        return HTTPDate.parse(text, now: now)
    }

    /// The moment that a response's `Retry-After` names.
    public static func moment(in headers: HTTPFields, now: Timestamp) -> Timestamp? {
        headers[values: .retryAfter].lazy.compactMap { parse($0, now: now) }.first
    }

    /// The moment that a response names in its `Retry-After` or, as Discourse does, in its JSON body as `extras.wait_seconds`.
    public static func moment(in headers: HTTPFields, body: [UInt8], now: Timestamp) -> Timestamp? {
        if let moment = moment(in: headers, now: now) { return moment }
        guard body.count <= 64 << 10 else { return nil }
        let parser = JSONParser(maximumDepth: 16, maximumSize: 64 << 10)
        // A body that is not JSON says nothing; that is no failure of its own.
        let seconds = try? parser.parse(body) { $0["extras"]?["wait_seconds"]?.double }
        guard let seconds, seconds >= 0 else { return nil }
        return now.advanced(by: .milliseconds(milliseconds(seconds)))
    }

    private static func milliseconds(_ seconds: Double) -> Int64 {
        Int64(min(seconds * 1000, 1e15).rounded(.up))
    }
}

/// Numbers in header fields, which come from outside.
enum HeaderNumber {
    /// A number of digits with or without a fraction; no sign, no exponent, no `nan`, nothing else.
    static func decimal(_ text: some StringProtocol) -> Double? {
        let bytes = text.utf8
        guard bytes.count <= 24, let first = bytes.first, first >= 0x30, first <= 0x39,
            bytes.allSatisfy({ ($0 >= 0x30 && $0 <= 0x39) || $0 == UInt8(ascii: ".") })
        else { return nil }
        return Double(String(text))
    }

    /// The number before a `,` or `;`, as in `100, 100;w=60`, rounded down; a negative one counts as 0.
    static func count(_ text: String?) -> Int? {
        guard let text = text?.trimmingSpaces() else { return nil }
        if text.utf8.first == UInt8(ascii: "-") { return decimal(text.dropFirst()).map { _ in 0 } }
        let number = text.prefix { $0 != "," && $0 != ";" }
        return decimal(String(number).trimmingSpaces()).map { Int(min($0, 1e15)) }
    }
}

extension StringProtocol {
    /// Without spaces and tabs at its ends.
    func trimmingSpaces() -> String {
        var bytes = Substring(self).utf8
        while let first = bytes.first, first == 0x20 || first == 0x09 { bytes.removeFirst() }
        while let last = bytes.last, last == 0x20 || last == 0x09 { bytes.removeLast() }
        return String(Substring(bytes))
    }
}
