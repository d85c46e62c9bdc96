/// Which sources of one account stop first when its limits or its budget run short.
public enum SourcePriority: String, Sendable, Hashable, CaseIterable {
    /// Stops first.
    case low
    /// Stops before `high`.
    case normal
    /// Uses what there is to the last.
    case high
}
