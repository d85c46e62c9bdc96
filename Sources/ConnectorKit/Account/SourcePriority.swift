/// Which sources of one account stop first when its limits or its budget run short.
public enum SourcePriority: String, Sendable, Hashable, CaseIterable, Comparable {
    /// Stops first.
    case low
    /// Stops before `high`.
    case normal
    /// Uses what there is to the last.
    case high

    private var rank: Int {
        switch self {
        case .low: 0
        case .normal: 1
        case .high: 2
        }
    }

    /// By importance.
    public static func < (lhs: Self, rhs: Self) -> Bool { lhs.rank < rhs.rank }
}
