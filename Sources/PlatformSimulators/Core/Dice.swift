/// Chance that a seed decides (SplitMix64): the same seed tells the same story.
package struct Dice: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// Dice of that seed.
    package init(seed: UInt64) {
        state = seed
    }

    /// The next 64 bits.
    package mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    /// A number from 0 to `count` − 1; `count` is above 0.
    package mutating func roll(_ count: Int) -> Int {
        Int(next() % UInt64(count))
    }

    /// Whether something happens that happens once in `times`.
    package mutating func oneIn(_ times: Int) -> Bool {
        roll(times) == 0
    }

    /// One of `values`, which are not empty.
    package mutating func pick<Value>(_ values: [Value]) -> Value {
        values[roll(values.count)]
    }
}
