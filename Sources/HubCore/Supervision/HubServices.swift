import ConnectorKit
import Logging
import MessageBus
import SocialEvents

/// What the runners of all sources share.
struct HubServices: Sendable {
    let bus: any MessageBus
    let clock: any WallClock
    let logger: Logger
    let limits: HubLimits
    let gate: Gate
    let alarm: Alarm
    let wakeups: Wakeups
}

/// The keys of what the hub keeps in the log's store of small values.
enum StoredKey {
    /// Present while a person has paused the source.
    static func paused(_ source: SourceName) -> String { "source/\(source.name)/paused" }
    /// The source's ``GapLedger``.
    static func gaps(_ source: SourceName) -> String { "source/\(source.name)/gaps" }
}
