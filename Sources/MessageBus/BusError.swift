package import SocialEvents

/// Whether the log takes events.
package enum BusCondition: Sendable, Hashable {
    /// It does.
    case ready
    /// The disk is full: appends wait or fail with ``BusError/full(_:)``, reading goes on, and it mends itself when there is room.
    case full(String)
    /// It cannot be used; the reason says what to do.
    case failed(String)
}

/// What a bus answers instead of a result.
///
/// Descriptions are safe to print and say what to do.
package enum BusError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Events after the asked position were retained away: the range that is lost; reading can go on after its end.
    case positionLost(lost: ClosedRange<Sequence>)
    /// The asked position lies beyond the last event.
    case positionAhead(head: Sequence)
    /// No room on the disk; nothing of the batch was stored.
    case full(String)
    /// Another process uses the data directory: its name, id and start.
    case inUse(String)
    /// The data was written by a newer version, or is damaged.
    case unusable(String)
    /// The storage failed.
    case storage(String)
    /// The bus was closed.
    case closed

    package var description: String {
        switch self {
        case .positionLost(let lost):
            "events \(lost.lowerBound) to \(lost.upperBound) are no longer retained; go on after \(lost.upperBound)"
        case .positionAhead(let head): "the position lies beyond the last event, \(head)"
        case .full(let reason), .inUse(let reason), .unusable(let reason), .storage(let reason): reason
        case .closed: "the log is closed"
        }
    }
}
