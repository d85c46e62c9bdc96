import Glibc
public import Logging
public import SocialEvents

/// What the host gives to a connector: capabilities and nothing else.
public struct ConnectorContext: Sendable {
    /// The source this connector value serves.
    public var source: SourceName
    /// Fetches under the source's network policy.
    public var http: any HTTPClient
    /// Tells the time.
    public var clock: any WallClock
    /// Logs with the source's name as metadata.
    ///
    /// Connectors log nothing above `debug`; what matters is an event, an error or a loss.
    public var logger: Logger

    /// A context.
    public init(source: SourceName, http: any HTTPClient, clock: any WallClock, logger: Logger) {
        self.source = source
        self.http = http
        self.clock = clock
        self.logger = logger
    }
}

/// Tells what time it is and waits; real in a hub, set by hand in tests.
public protocol WallClock: Sendable {
    /// The time now. It may jump, forwards and backwards, when an operator or NTP sets the machine's clock.
    var now: Timestamp { get }

    /// Returns after `duration`, which does not change when the machine's clock is set; throws `CancellationError` on cancellation.
    func sleep(for duration: Duration) async throws
}

/// The machine's clock.
public struct SystemClock: WallClock {
    /// The machine's clock.
    public init() {}

    /// The machine's time in UTC.
    public var now: Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }

    /// Waits on the continuous clock.
    public func sleep(for duration: Duration) async throws {
        try await Task.sleep(for: duration, clock: .continuous)
    }
}
