/// Something with at most one place in a ``DeadlineHeap``.
protocol DeadlineHolder: AnyObject {
    /// Its place, kept by the heap; -1 when it has none.
    var heapIndex: Int { get set }
}

/// The running deadlines, soonest first: a binary heap whose members know their places, so that a finished transfer
/// leaves at once.
struct DeadlineHeap<Holder: DeadlineHolder> {
    private var entries: [(due: Int64, holder: Holder)] = []

    /// The soonest deadline in milliseconds of the owner's clock.
    var soonest: Int64? { entries.first?.due }

    /// The deadline under which `holder` stands here.
    func due(of holder: Holder) -> Int64? {
        holder.heapIndex < 0 ? nil : entries[holder.heapIndex].due
    }

    /// Puts `holder` under `due`, whether it was here or not.
    mutating func set(_ holder: Holder, due: Int64) {
        if holder.heapIndex < 0 {
            holder.heapIndex = entries.count
            entries.append((due, holder))
        } else {
            entries[holder.heapIndex].due = due
        }
        sift(from: holder.heapIndex)
    }

    /// Takes `holder` out, if it is here.
    mutating func remove(_ holder: Holder) {
        let index = holder.heapIndex
        guard index >= 0 else { return }
        holder.heapIndex = -1
        let last = entries.removeLast()
        guard index < entries.count else { return }
        entries[index] = last
        last.holder.heapIndex = index
        sift(from: index)
    }

    /// Takes out one that is due at `now`; nil when none is.
    mutating func removeDue(at now: Int64) -> Holder? {
        guard let first = entries.first, first.due <= now else { return nil }
        remove(first.holder)
        return first.holder
    }

    /// Moves the entry at `start` up or down to where it belongs.
    private mutating func sift(from start: Int) {
        var index = start
        while index > 0, entries[index].due < entries[(index - 1) / 2].due {
            exchange(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
        while 2 * index + 1 < entries.count {
            var child = 2 * index + 1
            if child + 1 < entries.count, entries[child + 1].due < entries[child].due { child += 1 }
            if entries[index].due <= entries[child].due { return }
            exchange(index, child)
            index = child
        }
    }

    private mutating func exchange(_ one: Int, _ other: Int) {
        entries.swapAt(one, other)
        entries[one].holder.heapIndex = one
        entries[other].holder.heapIndex = other
    }
}
