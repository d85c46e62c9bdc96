package import MessageBus
package import SocialEvents

/// Runs every configured source and keeps what they bring.
package final class Hub: Sendable {
    /// The log that sources write to and readers read from.
    package let bus: any MessageBus

    init(bus: any MessageBus) {
        self.bus = bus
    }

    /// Whether the hub does its work.
    package var phase: HubPhase { .starting }

    /// Whether the hub runs and its log takes events.
    package var readiness: HubReadiness { HubReadiness(isReady: false, reasons: []) }

    /// Every source, by name.
    package func sources() -> [SourceStatus] { [] }

    /// One source; `nil` when there is none of that name.
    package func source(_ name: SourceName) -> SourceStatus? { nil }

    /// What all sources did since the hub started.
    package var totals: SourceCounts { SourceCounts() }

    /// Stops reading a source until ``resume(_:)``, over restarts too. Durable when it returns; pausing a paused source does nothing.
    ///
    /// Throws ``HubCommandError``, or `BusError` when the pause could not be kept.
    package func pause(_ name: SourceName) async throws {}

    /// Reads a source again that was paused, or that had stopped as unauthorized or failed.
    ///
    /// Throws ``HubCommandError``, or `BusError` when the change could not be kept.
    package func resume(_ name: SourceName) async throws {}
}
