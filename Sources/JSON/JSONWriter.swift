import CSimdJSON

/// Appends JSON text (RFC 8259) to a buffer of bytes.
///
/// Commas are set by the writer; that names and values alternate in an object and that every `begin` has its `end` is
/// up to the caller (the latter is asserted in debug builds). What is written is always valid UTF-8.
///
/// In strings the quote, the backslash and U+0000 to U+001F are escaped, as JSON asks. All else, U+2028 and U+2029
/// included, stands as it is.
public struct JSONWriter: Sendable {
    // All of `storage` is initialised; its first `count` bytes are the text. Appending to an array piece by piece would
    // check capacity and uniqueness for every quote and comma; this way it is once for each value.
    private var storage: [UInt8]
    /// The length of the text so far, in bytes.
    public private(set) var count = 0
    private var needsComma = false
    private var depth = 0

    /// Creates an empty writer.
    ///
    /// - Parameter capacity: for how many bytes there is room at first; it grows as needed.
    public init(reserving capacity: Int = 1024) {
        storage = [UInt8](repeating: 0, count: max(capacity, 64))
    }

    /// A copy of the text so far, of exactly its length.
    ///
    /// `withUnsafeBytes(_:)` reads it without a copy.
    public var bytes: [UInt8] {
        [UInt8](storage[..<count])
    }

    /// Calls a closure with the text so far, in place.
    public func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        try storage.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
    }

    /// Forgets the text and keeps the room.
    public mutating func removeAll() {
        count = 0
        needsComma = false
        depth = 0
    }

    /// Ends a line after a value at the top level, for JSON lines; the next value starts without a comma.
    public mutating func endLine() {
        assert(depth == 0, "a line ends inside an object or array")
        append(reserving: 1) { text in
            text[0] = UInt8(ascii: "\n")
            return 1
        }
        needsComma = false
    }
}

// MARK: - Objects and arrays

extension JSONWriter {
    /// Opens an object.
    public mutating func beginObject() { begin(UInt8(ascii: "{")) }
    /// Closes the object opened last.
    public mutating func endObject() { end(UInt8(ascii: "}")) }
    /// Opens an array.
    public mutating func beginArray() { begin(UInt8(ascii: "[")) }
    /// Closes the array opened last.
    public mutating func endArray() { end(UInt8(ascii: "]")) }

    /// Writes a member's name; its value follows.
    public mutating func key(_ name: StaticString) {
        quoted(UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount), colon: true)
    }

    /// Writes a member's name; its value follows.
    @_disfavoredOverload
    public mutating func key(_ name: String) {
        quoted(name, colon: true)
    }

    private mutating func begin(_ bracket: UInt8) {
        value(reserving: 1) { text in
            text[0] = bracket
            return 1
        }
        needsComma = false
        depth += 1
    }

    private mutating func end(_ bracket: UInt8) {
        assert(depth > 0, "nothing to close")
        append(reserving: 1) { text in
            text[0] = bracket
            return 1
        }
        needsComma = true
        depth -= 1
    }
}

// MARK: - Values

extension JSONWriter {
    /// Writes a string.
    public mutating func string(_ text: StaticString) {
        quoted(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount), colon: false)
    }

    /// Writes a string.
    @_disfavoredOverload
    public mutating func string(_ text: String) {
        quoted(text, colon: false)
    }

    /// Writes a string of UTF-8 bytes; what is not UTF-8 in them becomes U+FFFD.
    public mutating func string(utf8 text: UnsafeBufferPointer<UInt8>) {
        if csimdjson_is_utf8(text.baseAddress, text.count) {
            quoted(text, colon: false)
        } else {
            quoted(String(decoding: text, as: UTF8.self), colon: false)
        }
    }

    /// Writes an integer of any width.
    ///
    /// Readers in other languages may round beyond 2^53.
    @inlinable
    public mutating func integer(_ number: some FixedWidthInteger) {
        if let magnitude = UInt64(exactly: number.magnitude) {
            integer(magnitude: magnitude, isNegative: number < 0)
        } else {
            rawText(String(number))
        }
    }

    /// Writes a number in the fewest digits that read back to the same; null for infinities and not-a-number, which
    /// JSON does not have.
    public mutating func double(_ number: Double) {
        if number.isFinite {
            rawText(number.description)
        } else {
            null()
        }
    }

    /// Writes true or false.
    public mutating func bool(_ value: Bool) {
        rawString(value ? "true" : "false")
    }

    /// Writes null.
    public mutating func null() {
        rawString("null")
    }

    /// Writes a value that is JSON already.
    ///
    /// The caller vouches for that; nothing is checked.
    public mutating func raw(_ bytes: UnsafeRawBufferPointer) {
        value(reserving: bytes.count) { text in
            UnsafeMutableRawBufferPointer(start: text, count: bytes.count).copyMemory(from: bytes)
            return bytes.count
        }
    }

    /// Writes a value that is JSON already.
    ///
    /// The caller vouches for that; nothing is checked.
    @inlinable
    public mutating func raw(_ bytes: some Collection<UInt8>) {
        let isWritten: Void? = bytes.withContiguousStorageIfAvailable { raw(UnsafeRawBufferPointer($0)) }
        if isWritten == nil { Array(bytes).withUnsafeBytes { raw($0) } }
    }

    /// Writes a value that is JSON already, from a literal, without quoting it: `rawString("[]")`.
    public mutating func rawString(_ text: StaticString) {
        raw(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    @usableFromInline
    mutating func rawText(_ text: String) {
        var text = text
        text.withUTF8 { raw(UnsafeRawBufferPointer($0)) }
    }

    @usableFromInline
    mutating func integer(magnitude: UInt64, isNegative: Bool) {
        value(reserving: 20) { text in
            var digits = 1
            var bound: UInt64 = 10
            while digits < 20, magnitude >= bound {
                digits += 1
                bound = digits < 20 ? bound * 10 : .max
            }
            let sign = isNegative ? 1 : 0
            if isNegative { text[0] = UInt8(ascii: "-") }
            var rest = magnitude
            var position = sign + digits
            repeat {
                position -= 1
                text[position] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            } while rest > 0
            return sign + digits
        }
    }
}

// MARK: - Strings

extension JSONWriter {
    private mutating func quoted(_ text: String, colon: Bool) {
        var text = text
        text.withUTF8 { quoted($0, colon: colon) }
    }

    /// Writes a string whose bytes are known to be UTF-8.
    mutating func string(validated text: UnsafeBufferPointer<UInt8>) {
        quoted(text, colon: false)
    }

    /// Writes a member's name whose bytes are known to be UTF-8.
    mutating func key(validated name: UnsafeBufferPointer<UInt8>) {
        quoted(name, colon: true)
    }

    /// Writes a string, or a name and its colon, from bytes that are valid UTF-8.
    private mutating func quoted(_ source: UnsafeBufferPointer<UInt8>, colon: Bool) {
        value(reserving: 1) { text in
            text[0] = UInt8(ascii: "\"")
            return 1
        }
        var position = 0
        while true {
            // A run is stored eight bytes at a time, the last of them in part.
            append(reserving: source.count - position + 8) { text in
                let length = Self.copyPlain(source, from: position, to: text)
                position += length
                return length
            }
            guard position < source.count else { break }
            appendEscape(of: source[position])
            position += 1
        }
        append(reserving: 2) { text in
            text[0] = UInt8(ascii: "\"")
            text[1] = UInt8(ascii: ":")
            return colon ? 2 : 1
        }
        needsComma = !colon
    }

    /// Copies up to the first byte that must be escaped, and returns how many bytes that were.
    private static func copyPlain(
        _ source: UnsafeBufferPointer<UInt8>,
        from start: Int,
        to target: UnsafeMutablePointer<UInt8>
    ) -> Int {
        guard let base = source.baseAddress else { return 0 }
        let bytes = UnsafeRawPointer(base + start)
        let text = UnsafeMutableRawPointer(target)
        let count = source.count - start
        var offset = 0
        while offset + 8 <= count {
            let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            text.storeBytes(of: word.littleEndian, toByteOffset: offset, as: UInt64.self)
            let special = specialBytes(word)
            if special != 0 { return offset + special.trailingZeroBitCount / 8 }
            offset += 8
        }
        while offset < count {
            let byte = base[start + offset]
            if byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { return offset }
            target[offset] = byte
            offset += 1
        }
        return count
    }

    /// Sets the top bit of the first byte that must be escaped (and perhaps of later ones), of none if there is none.
    @inline(__always)
    private static func specialBytes(_ word: UInt64) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let quote = word ^ (ones &* 0x22)
        let backslash = word ^ (ones &* 0x5C)
        let below = (word &- ones &* 0x20) & ~word
        return (below | ((quote &- ones) & ~quote) | ((backslash &- ones) & ~backslash)) & (ones &* 0x80)
    }

    private mutating func appendEscape(of byte: UInt8) {
        append(reserving: 6) { text in
            text[0] = UInt8(ascii: "\\")
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): text[1] = byte
            case 0x08: text[1] = UInt8(ascii: "b")
            case 0x09: text[1] = UInt8(ascii: "t")
            case 0x0A: text[1] = UInt8(ascii: "n")
            case 0x0C: text[1] = UInt8(ascii: "f")
            case 0x0D: text[1] = UInt8(ascii: "r")
            default:
                text[1] = UInt8(ascii: "u")
                text[2] = UInt8(ascii: "0")
                text[3] = UInt8(ascii: "0")
                text[4] = UInt8(ascii: "0") + byte >> 4
                text[5] = (byte & 15 < 10 ? UInt8(ascii: "0") : UInt8(ascii: "a") - 10) + byte & 15
                return 6
            }
            return 2
        }
    }
}

// MARK: - The buffer

extension JSONWriter {
    /// Writes a comma where one is due, then what the closure writes.
    @inline(__always)
    private mutating func value(reserving room: Int, _ write: (UnsafeMutablePointer<UInt8>) -> Int) {
        let comma = needsComma
        append(reserving: room + 1) { text in
            guard comma else { return write(text) }
            text[0] = UInt8(ascii: ",")
            return 1 + write(text + 1)
        }
        needsComma = true
    }

    /// Makes room and lets a closure write at the end of the text; it returns how much it wrote.
    @inline(__always)
    private mutating func append(reserving room: Int, _ write: (UnsafeMutablePointer<UInt8>) -> Int) {
        if storage.count - count < room { grow(by: room) }
        let start = count
        count += storage.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return 0 }
            return write(base + start)
        }
    }

    @inline(never)
    private mutating func grow(by room: Int) {
        let missing = max(storage.count, room)
        storage.append(contentsOf: repeatElement(0, count: missing))
    }
}
