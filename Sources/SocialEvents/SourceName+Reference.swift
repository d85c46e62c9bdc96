import JSON

extension SourceName {
    /// The source as a URI reference, `/sources/NAME`, as it stands in an event's `source` attribute.
    ///
    /// Bytes that RFC 3986 does not allow in a path segment are percent-encoded.
    public var uriReference: String {
        String(unsafeUninitializedCapacity: referenceCapacity) { write(to: $0) }
    }

    /// Reads a source from its URI reference; nil when it is none, or not percent-encoded UTF-8.
    public init?(uriReference: String) {
        guard uriReference.hasPrefix(Self.prefix), uriReference.utf8.count > Self.prefix.utf8.count else { return nil }
        var rest = uriReference.utf8.dropFirst(Self.prefix.utf8.count)
        var bytes: [UInt8] = []
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%") {
                guard let high = rest.popFirst().flatMap(Self.hexadecimalValue),
                    let low = rest.popFirst().flatMap(Self.hexadecimalValue)
                else { return nil }
                bytes.append(high << 4 | low)
            } else {
                guard Self.standsInSegment(byte) else { return nil }
                bytes.append(byte)
            }
        }
        guard let name = String(validating: bytes, as: UTF8.self) else { return nil }
        self.init(name)
    }

    private static let prefix = "/sources/"

    /// Room for ``uriReference`` with every byte encoded.
    fileprivate var referenceCapacity: Int { Self.prefix.utf8.count + 3 * name.utf8.count }

    /// Writes ``uriReference`` and returns its length.
    fileprivate func write(to buffer: UnsafeMutableBufferPointer<UInt8>) -> Int {
        var count = Self.prefix.withBytes { buffer.initialize(fromContentsOf: $0) }
        name.withBytes { name in
            for byte in name {
                if Self.standsInSegment(byte) {
                    buffer[count] = byte
                    count += 1
                } else {
                    buffer[count] = UInt8(ascii: "%")
                    buffer[count + 1] = Self.hexadecimalDigit(byte >> 4)
                    buffer[count + 2] = Self.hexadecimalDigit(byte & 15)
                    count += 3
                }
            }
        }
        return count
    }

    /// Whether a byte is one of RFC 3986's `pchar` other than the percent sign.
    private static func standsInSegment(_ byte: UInt8) -> Bool {
        switch Unicode.Scalar(byte) {
        case "a"..."z", "A"..."Z", "0"..."9", "-", ".", "_", "~", "!", "$", "&", "'", "(", ")", "*", "+", ",", ";", "=",
            ":",
            "@":
            true
        default: false
        }
    }

    private static func hexadecimalDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "A") + value - 10
    }

    private static func hexadecimalValue(_ digit: UInt8) -> UInt8? {
        Character(Unicode.Scalar(digit)).hexDigitValue.map { UInt8($0) }
    }
}

extension JSONWriter {
    mutating func member(_ name: StaticString, _ source: SourceName) {
        key(name)
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: source.referenceCapacity) { buffer in
            let count = source.write(to: buffer)
            string(utf8: UnsafeBufferPointer(rebasing: buffer[..<count]))
        }
    }
}
