/// A binary heap of moments, the earliest first.
struct AlarmHeap: Sendable {
    /// When somebody's wait ends.
    struct Entry: Sendable {
        var due: Duration
        var id: UInt64
    }

    private var entries: [Entry] = []

    /// Those called off included, until they are dropped.
    var count: Int { entries.count }

    /// The earliest.
    var first: Entry? { entries.first }

    mutating func push(_ entry: Entry) {
        entries.append(entry)
        var child = entries.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard entries[child].due < entries[parent].due else { return }
            entries.swapAt(child, parent)
            child = parent
        }
    }

    mutating func pop() {
        guard let last = entries.popLast(), !entries.isEmpty else { return }
        entries[0] = last
        sink(0)
    }

    /// Drops from the front those that were called off.
    mutating func dropStale(_ isStale: (UInt64) -> Bool) {
        while let first, isStale(first.id) { pop() }
    }

    /// Keeps only those that still wait.
    mutating func compact(_ isWaiting: (UInt64) -> Bool) {
        entries.removeAll { !isWaiting($0.id) }
        for index in stride(from: entries.count / 2 - 1, through: 0, by: -1) { sink(index) }
    }

    private mutating func sink(_ start: Int) {
        var parent = start
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < entries.count && entries[child].due < entries[least].due {
                least = child
            }
            guard least != parent else { return }
            entries.swapAt(parent, least)
            parent = least
        }
    }
}
