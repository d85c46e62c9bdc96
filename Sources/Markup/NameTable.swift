/// A fixed set of names, each found by its bytes in a few nanoseconds and answered by its position in the list.
struct NameTable: Sendable {
    /// The names one after another, and where each begins.
    private let bytes: [UInt8]
    private let starts: [Int]
    private let slots: [Int16]
    private let mask: Int
    private let foldsCase: Bool

    /// Builds the table; with `foldsCase`, names are in lower case here and ASCII letters match in either case.
    init(_ list: [String], foldsCase: Bool) {
        precondition(list.count < 8192, "a name table holds at most 8191 names")
        var size = 16
        while size < list.count * 4 { size *= 2 }
        var slots = [Int16](repeating: -1, count: size)
        bytes = list.flatMap { Array($0.utf8) }
        starts = list.reduce(into: [0]) { starts, name in starts.append((starts.last ?? 0) + name.utf8.count) }
        for (index, name) in list.enumerated() {
            var slot = Array(name.utf8).withUnsafeBufferPointer { Self.hash(ByteView($0)) } & (size - 1)
            while slots[slot] >= 0 { slot = (slot + 1) & (size - 1) }
            slots[slot] = Int16(index)
        }
        self.slots = slots
        self.foldsCase = foldsCase
        mask = size - 1
    }

    /// The position of a name in the list, or -1.
    func find(_ name: ByteView) -> Int {
        var slot = Self.hash(name) & mask
        while true {
            let index = Int(slots[slot])
            if index < 0 { return -1 }
            if matches(name, index) { return index }
            slot = (slot + 1) & mask
        }
    }

    private func matches(_ name: ByteView, _ index: Int) -> Bool {
        let start = starts[index]
        guard name.count == starts[index + 1] - start else { return false }
        if foldsCase {
            for offset in 0..<name.count where name[offset].lowercased != bytes[start + offset] { return false }
        } else {
            for offset in 0..<name.count where name[offset] != bytes[start + offset] { return false }
        }
        return true
    }

    /// FNV-1a over at most sixteen bytes with the case bit set; the table is fixed, so strangers cannot fill a chain.
    private static func hash(_ name: ByteView) -> Int {
        var value: UInt32 = 2_166_136_261 &+ UInt32(truncatingIfNeeded: name.count)
        for index in 0..<min(name.count, 16) { value = (value ^ UInt32(name[index] | 0x20)) &* 16_777_619 }
        return Int(value ^ (value >> 15))
    }
}
