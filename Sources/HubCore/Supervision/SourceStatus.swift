package import SocialEvents

/// What one source is doing and has done, as of one moment.
package struct SourceStatus: Sendable, Hashable {
    /// Its name.
    package var name: SourceName
    /// Its connector's name.
    package var connector: String
    /// What it is doing.
    package var state: SourceState
    /// Since when it has been in that state.
    package var since: Timestamp
    /// Why it is in that state, in plain English, safe to print; absent in the states that need no reason.
    package var reason: String?
    /// How many attempts have failed in a row.
    package var attempt: Int
    /// When the state ends by itself: for `throttled` and `retrying`.
    package var until: Timestamp?
    /// When the last pull returned, well or not; for a stream, when it last brought something.
    package var lastPullAt: Timestamp?
    /// When it last brought an event that was new.
    package var lastEventAt: Timestamp?
    /// When it will be asked next, where that is planned.
    package var nextPullAt: Timestamp?
    /// How long it waits between pulls at the moment; absent for a source that only streams.
    package var interval: Duration?
    /// What it has done since the hub started.
    package var counts: SourceCounts
}

/// What one source, or all of them together, did since the hub started.
package struct SourceCounts: Sendable, Hashable {
    /// Pulls that returned a page, and batches that a stream or a webhook brought.
    package var pulls = 0
    /// Steps that failed, timed out or were abandoned.
    package var failures = 0
    /// Steps that went on after they were cancelled and whose results will be ignored.
    package var abandoned = 0
    /// Events stored, without the hub's own.
    package var events = 0
    /// Events skipped because the same source had brought them before.
    package var repeated = 0
    /// Payloads set aside, refused events included.
    package var deadLetters = 0
    /// Events refused because they break the format; each is a dead letter as well.
    package var invalid = 0
    /// Calls of its webhook that were not genuine or not for it.
    package var refused = 0
    /// Changes of state.
    package var stateChanges = 0

    /// Nothing yet.
    package init() {}

    /// Adds what another did.
    package static func += (sum: inout Self, other: Self) {
        sum.pulls += other.pulls
        sum.failures += other.failures
        sum.abandoned += other.abandoned
        sum.events += other.events
        sum.repeated += other.repeated
        sum.deadLetters += other.deadLetters
        sum.invalid += other.invalid
        sum.refused += other.refused
        sum.stateChanges += other.stateChanges
    }
}

/// Whether the hub does its work.
package enum HubPhase: String, Sendable, Hashable {
    /// Made, not running yet.
    case starting
    /// Sources are being read.
    case running
    /// Told to stop; finishing what is in flight.
    case stopping
    /// Every source has ended.
    case stopped
}

/// Whether the hub can be relied on at the moment.
package struct HubReadiness: Sendable, Hashable {
    /// Whether the hub runs and its log takes events.
    package var isReady: Bool
    /// Why not, in plain English; empty when ready.
    package var reasons: [String]
}

/// Why a command to a source was refused.
package enum HubCommandError: Error, Sendable, Hashable, CustomStringConvertible {
    /// There is no source of that name; the nearest one that there is.
    case unknownSource(SourceName, nearest: String?)
    /// The configuration says `enabled: false`.
    case disabled(SourceName)
    /// The hub is stopping or has stopped.
    case stopping
    /// The connector of this build does not read dead letters again.
    case cannotReread(SourceName, connector: String)

    package var description: String {
        switch self {
        case .unknownSource(let name, let nearest):
            "there is no source `\(name)`" + (nearest.map { "; did you mean `\($0)`?" } ?? "")
        case .disabled(let name): "`\(name)` is switched off by `enabled: false` in the configuration"
        case .stopping: "the hub is stopping"
        case .cannotReread(let name, let connector):
            "`\(connector)`, the connector of `\(name)`, does not read dead letters again in this version"
        }
    }
}
