import Glibc

/// A growing buffer of bytes that is reused from document to document, so that reading allocates nothing.
struct ByteBuffer: ~Copyable {
    private var base: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    private(set) var count = 0

    init(capacity: Int = 256) {
        self.capacity = Swift.max(capacity, 16)
        base = .allocate(capacity: self.capacity)
    }

    deinit {
        base.deallocate()
    }

    /// The content; valid until the next change.
    var view: ByteView { ByteView(UnsafeBufferPointer(start: base, count: count)) }

    var isEmpty: Bool { count == 0 }

    var last: UInt8? { count == 0 ? nil : base[count - 1] }

    var string: String { view.string }

    mutating func removeAll() {
        count = 0
    }

    /// Cuts the content to a length that it had before.
    mutating func truncate(to length: Int) {
        precondition(length >= 0 && length <= count)
        count = length
    }

    @inline(__always)
    mutating func append(_ byte: UInt8) {
        if count == capacity { grow(by: 1) }
        base[count] = byte
        count += 1
    }

    @inline(__always)
    mutating func append(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard let source = bytes.baseAddress else { return }
        if capacity - count < bytes.count { grow(by: bytes.count) }
        memcpy(base + count, source, bytes.count)
        count += bytes.count
    }

    @inline(__always)
    mutating func append(_ view: ByteView) {
        append(view.bytes)
    }

    @inline(__always)
    mutating func append(_ literal: StaticString) {
        append(UnsafeBufferPointer(start: literal.utf8Start, count: literal.utf8CodeUnitCount))
    }

    /// Appends a Unicode scalar value as UTF-8; what is no scalar value becomes U+FFFD.
    mutating func append(scalar value: UInt32) {
        let scalar = Unicode.Scalar(value) ?? "\u{FFFD}"
        for unit in UTF8.encode(scalar).unsafelyUnwrapped { append(unit) }
    }

    /// Lets C code write at the end: the closure gets the free space of at least `room` bytes and returns how many it filled.
    mutating func appendUnsafely(room: Int, _ write: (UnsafeMutableBufferPointer<UInt8>) -> Int) {
        if capacity - count < room { grow(by: room) }
        let written = write(UnsafeMutableBufferPointer(start: base + count, count: capacity - count))
        precondition(written >= 0 && written <= capacity - count)
        count += written
    }

    private mutating func grow(by extra: Int) {
        let larger = Swift.max(capacity * 2, count + extra)
        let moved = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
        memcpy(moved, base, count)
        base.deallocate()
        base = moved
        capacity = larger
    }
}
