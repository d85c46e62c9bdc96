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
    /// Opens WebSockets under the source's network policy.
    public var webSockets: any WebSocketClient
    /// What the source shares with the other sources of its account.
    public var account: any Account
    /// What its account may still do.
    public var quota: Quota

    /// A context.
    ///
    /// Unless told otherwise it opens no WebSockets and the source is an account of its own, which keeps its values as long as the process lives.
    public init(
        source: SourceName,
        http: any HTTPClient,
        clock: any WallClock,
        logger: Logger,
        webSockets: any WebSocketClient = NoWebSockets(),
        account: (any Account)? = nil,
        quota: Quota? = nil
    ) {
        self.source = source
        self.http = http
        self.clock = clock
        self.logger = logger
        self.webSockets = webSockets
        self.account = account ?? EphemeralAccount(name: source.name)
        self.quota = quota ?? Quota(AccountMeter(), priority: .normal, clock: clock)
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
