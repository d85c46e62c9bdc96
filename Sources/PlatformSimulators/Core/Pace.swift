/// When things happen by themselves: one after another, always as far apart.
package struct Pace: Sendable {
    private let step: Int64
    private var next: Int64

    /// A pace.
    ///
    /// - Parameters:
    ///   - step: milliseconds between two; with 0 nothing ever happens by itself.
    ///   - start: when the count begins, in milliseconds since 1970; the first comes one step later.
    package init(every step: Int64, from start: Int64) {
        self.step = max(0, step)
        next = start + self.step
    }

    /// The moment of the next one, if it has come by `now`; to be asked until there is none.
    package mutating func due(by now: Int64) -> Int64? {
        guard step > 0, next <= now else { return nil }
        defer { next += step }
        return next
    }
}
