import SocialEvents

/// Random numbers from a seed (SplitMix64), eight bytes of state: jitter that a test can repeat.
package struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// Numbers that depend on `seed` alone.
    package init(seed: UInt64) { state = seed }

    /// Numbers of one source: sources of one hub differ, and the same source of the same hub repeats.
    package init(seed: UInt64, name: String) {
        // FNV-1a, since `Hasher` differs from run to run.
        state = name.utf8.reduce(seed ^ 0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    /// A duration anywhere in `range`, by whole milliseconds.
    package mutating func duration(in range: ClosedRange<Duration>) -> Duration {
        let (low, high) = (range.lowerBound.wholeMilliseconds, range.upperBound.wholeMilliseconds)
        return .milliseconds(Int64.random(in: low...max(low, high), using: &self))
    }
}
