/// The attributes of the current start tag, in memory that stays where it is while a handler looks at them.
struct XMLAttributeStore: ~Copyable {
    private let base: UnsafeMutablePointer<XMLAttributes.Record>
    private let capacity: Int
    private(set) var count = 0

    init(capacity: Int) {
        self.capacity = max(1, capacity)
        base = .allocate(capacity: self.capacity)
    }

    deinit {
        base.deallocate()
    }

    var isFull: Bool { count == capacity }
    var records: UnsafeBufferPointer<XMLAttributes.Record> { UnsafeBufferPointer(start: base, count: count) }

    subscript(index: Int) -> XMLAttributes.Record {
        get {
            precondition(index >= 0 && index < count, "attribute index outside of the store")
            return base[index]
        }
        set {
            precondition(index >= 0 && index < count, "attribute index outside of the store")
            base[index] = newValue
        }
    }

    // Records are plain numbers, so forgetting them needs no deinitialisation.
    mutating func removeAll() {
        count = 0
    }

    mutating func append(_ record: XMLAttributes.Record) {
        precondition(!isFull, "attribute store is full")
        (base + count).initialize(to: record)
        count += 1
    }

    mutating func removeAll(where isUnwanted: (XMLAttributes.Record) -> Bool) {
        var kept = 0
        for index in 0..<count where !isUnwanted(base[index]) {
            base[kept] = base[index]
            kept += 1
        }
        count = kept
    }
}
