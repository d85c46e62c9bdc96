/// One line of the benchmarks' table.
struct BenchmarkRow: Sendable {
    /// What was measured.
    var name: String
    /// The figure.
    var value: Double
    /// Its unit: `events/s`, `ms`, `KB`.
    var unit: String
    /// What it must reach at least, where there is a bar.
    var bar: Double?
    /// How it was measured, where the name does not say.
    var note: String = ""
}
