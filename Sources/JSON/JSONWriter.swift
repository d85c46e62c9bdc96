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
        assert(Self.isPlain(name), "a literal name is written as it is")
        let count = name.utf8CodeUnitCount
        let comma = needsComma ? 1 : 0
        append(reserving: count + 12) { text in
            Self.put(name.utf8Start, count, to: text, comma)
            return comma + count + 3
        }
        needsComma = false
    }

    /// Writes a member with a string: its name, which needs no escape, and the value, at once.
    mutating func plainMember(_ name: StaticString, _ value: UnsafeBufferPointer<UInt8>) {
        assert(Self.isPlain(name), "a literal name is written as it is")
        let count = name.utf8CodeUnitCount
        let comma = needsComma ? 1 : 0
        var position = 0
        append(reserving: count + value.count + 14) { text in
            Self.put(name.utf8Start, count, to: text, comma)
            let start = comma + count + 3
            text[start] = UInt8(ascii: "\"")
            position = Self.copyPlain(value, from: 0, to: text + start + 1)
            guard position == value.count else { return start + 1 + position }
            text[start + 1 + position] = UInt8(ascii: "\"")
            return start + 2 + position
        }
        needsComma = true
        if position < value.count { quotedRest(value, from: position, colon: false) }
    }

    /// Writes a comma if one is due, and a name in quotes with its colon; up to eight bytes beyond it are written and to be overwritten.
    @inline(__always)
    private static func put(
        _ name: UnsafePointer<UInt8>,
        _ count: Int,
        to text: UnsafeMutablePointer<UInt8>,
        _ comma: Int
    ) {
        text[0] = UInt8(ascii: ",")
        text[comma] = UInt8(ascii: "\"")
        let target = UnsafeMutableRawPointer(text + comma + 1)
        let source = UnsafeRawPointer(name)
        // Short copies by words: the names of members are seldom longer than two.
        var offset = 0
        while offset + 8 <= count {
            target.storeBytes(
                of: source.loadUnaligned(fromByteOffset: offset, as: UInt64.self),
                toByteOffset: offset,
                as: UInt64.self
            )
            offset += 8
        }
        if offset < count {
            if count >= 8 {
                target.storeBytes(
                    of: source.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self),
                    toByteOffset: count - 8,
                    as: UInt64.self
                )
            } else {
                while offset < count {
                    target.storeBytes(
                        of: source.load(fromByteOffset: offset, as: UInt8.self),
                        toByteOffset: offset,
                        as: UInt8.self
                    )
                    offset += 1
                }
            }
        }
        text[comma + 1 + count] = UInt8(ascii: "\"")
        text[comma + 2 + count] = UInt8(ascii: ":")
    }

    /// Whether a literal can stand in quotes as it is.
    private static func isPlain(_ name: StaticString) -> Bool {
        name.withUTF8Buffer { $0.allSatisfy { $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") } }
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
        let isWritten: Void? = text.utf8.withContiguousStorageIfAvailable { quoted($0, colon: colon) }
        if isWritten == nil { Array(text.utf8).withUnsafeBufferPointer { quoted($0, colon: colon) } }
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
        var position = 0
        value(reserving: source.count + 3) { text in
            text[0] = UInt8(ascii: "\"")
            position = Self.copyPlain(source, from: 0, to: text + 1)
            return position < source.count ? position + 1 : position + 1 + Self.close(text + 1 + position, colon)
        }
        if position < source.count { quotedRest(source, from: position, colon: colon) }
        if colon { needsComma = false }
    }

    /// Writes the rest of a string from its first byte that must be escaped.
    private mutating func quotedRest(_ source: UnsafeBufferPointer<UInt8>, from start: Int, colon: Bool) {
        var position = start
        while position < source.count {
            appendEscape(of: source[position])
            position += 1
            append(reserving: source.count - position) { text in
                let length = Self.copyPlain(source, from: position, to: text)
                position += length
                return length
            }
        }
        append(reserving: 2) { Self.close($0, colon) }
    }

    @inline(__always)
    private static func close(_ text: UnsafeMutablePointer<UInt8>, _ colon: Bool) -> Int {
        text[0] = UInt8(ascii: "\"")
        guard colon else { return 1 }
        text[1] = UInt8(ascii: ":")
        return 2
    }

    /// Copies up to the first byte that must be escaped, and returns how many bytes that were.
    ///
    /// Goes by words, and by overlapping ones at the end; what it writes beyond the returned length is to be overwritten.
    @inline(__always)
    private static func copyPlain(
        _ source: UnsafeBufferPointer<UInt8>,
        from start: Int,
        to target: UnsafeMutablePointer<UInt8>
    ) -> Int {
        guard let base = source.baseAddress else { return 0 }
        let bytes = UnsafeRawPointer(base + start)
        let text = UnsafeMutableRawPointer(target)
        let count = source.count - start
        guard count >= 8 else { return copyFew(bytes, count, to: text) }
        var offset = 0
        while true {
            let word = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            text.storeBytes(of: word, toByteOffset: offset, as: UInt64.self)
            let special = specialBytes(word)
            if special != 0 { return offset + special.trailingZeroBitCount / 8 }
            if offset + 8 == count { return count }
            offset = min(offset + 8, count - 8)
        }
    }

    /// The same for fewer than eight bytes.
    @inline(__always)
    private static func copyFew(_ bytes: UnsafeRawPointer, _ count: Int, to text: UnsafeMutableRawPointer) -> Int {
        if count >= 4 {
            let head = bytes.loadUnaligned(as: UInt32.self)
            let tail = bytes.loadUnaligned(fromByteOffset: count - 4, as: UInt32.self)
            text.storeBytes(of: head, as: UInt32.self)
            text.storeBytes(of: tail, toByteOffset: count - 4, as: UInt32.self)
            let special = specialBytes(UInt64(head) | UInt64(tail) << 32)
            if special == 0 { return count }
            let position = special.trailingZeroBitCount / 8
            return position < 4 ? position : count - 8 + position
        }
        for offset in 0..<count {
            let byte = bytes.load(fromByteOffset: offset, as: UInt8.self)
            if byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { return offset }
            text.storeBytes(of: byte, toByteOffset: offset, as: UInt8.self)
        }
        return count
    }

    /// Sets the top bit of the lowest byte that must be escaped (and perhaps of higher ones), of none if there is none.
    ///
    /// The lowest byte is the first one in memory: Swift runs on little-endian machines alone.
    @inline(__always)
    private static func specialBytes(_ word: UInt64) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let quote = word ^ (ones &* 0x22)
        let backslash = word ^ (ones &* 0x5C)
        // Each subtraction borrows into the top bit of a byte below its bound; bytes of 0x80 and more do not count.
        let below = (word &- ones &* 0x20) | (quote &- ones) | (backslash &- ones)
        return below & ~word & (ones &* 0x80)
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
