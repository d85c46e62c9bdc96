// Walks over the bytes of strings on the way of every event. The standard library's views go through an iterator that
// looks up the form of the string again for each element; these loops do it once.

extension String {
    /// Calls a closure with the UTF-8 of the text.
    @inline(__always)
    func withBytes<R>(_ body: (UnsafeBufferPointer<UInt8>) -> R) -> R {
        if let result = utf8.withContiguousStorageIfAvailable(body) { return result }
        return Array(utf8).withUnsafeBufferPointer(body)
    }

    /// Joins two or three pieces by a byte of ASCII, in a single allocation.
    init(_ first: String, _ second: String, _ third: UnsafeBufferPointer<UInt8>?, joinedBy separator: Unicode.Scalar) {
        let count = first.utf8.count + second.utf8.count + (third.map { $0.count + 1 } ?? 0) + 1
        self.init(unsafeUninitializedCapacity: count) { buffer in
            var end = first.withBytes { $0.copy(to: buffer, at: 0) }
            buffer[end] = UInt8(ascii: separator)
            end = second.withBytes { $0.copy(to: buffer, at: end + 1) }
            guard let third else { return end }
            buffer[end] = UInt8(ascii: separator)
            return third.copy(to: buffer, at: end + 1)
        }
    }

    /// How many Unicode scalars the text has.
    var scalarCount: Int {
        withBytes { bytes in
            var count = 0
            for byte in bytes where byte & 0xC0 != 0x80 { count += 1 }
            return count
        }
    }

    /// Whether a control character of ASCII is in the text.
    var hasControlByte: Bool {
        withBytes { bytes in
            // Without a way out of the loop it is compiled to vector instructions.
            var found: UInt8 = 0
            for byte in bytes { found |= (byte < 0x20 ? 1 : 0) | (byte == 0x7F ? 1 : 0) }
            return found != 0
        }
    }

    /// Whether a control or format character or a line separator is in the text.
    var hasUnprintableScalar: Bool {
        !withBytes(\.isPrintableASCII) && unicodeScalars.contains(where: \.isUnprintable)
    }
}

extension UnsafeBufferPointer<UInt8> {
    /// Whether all bytes stand for characters of ASCII that can be printed.
    var isPrintableASCII: Bool {
        var found: UInt8 = 0
        for byte in self { found |= byte &- 0x20 > 0x5E ? 1 : 0 }
        return found == 0
    }

    /// Copies the bytes to a place in a buffer with room for them, and returns the place after them.
    fileprivate func copy(to buffer: UnsafeMutableBufferPointer<UInt8>, at start: Int) -> Int {
        guard let source = baseAddress, let target = buffer.baseAddress else { return start }
        (target + start).initialize(from: source, count: count)
        return start + count
    }
}

extension Unicode.Scalar {
    /// Whether this is a control or format character or a line separator.
    var isUnprintable: Bool {
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }
}
