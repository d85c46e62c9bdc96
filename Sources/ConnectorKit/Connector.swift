public import SocialEvents

/// The code for one platform.
///
/// A connector is a value made from its settings without any effect: no file, no socket, no clock is touched by ``init(settings:context:)``, so
/// that a whole configuration can be checked offline. What it can do is said by the modes it adopts: ``PullSource``, ``StreamSource``,
/// ``WebhookSource``, ``ActionTarget``. It never loops, sleeps or retries: it does one step and says what happened, and the host owns schedule,
/// back-off, deadlines, cursors and dead letters.
public protocol Connector: Sendable {
    /// What it is and which settings it takes.
    static var descriptor: ConnectorDescriptor { get }

    /// Which of the modes that the type adopts a source with these settings uses; all of them unless the connector says otherwise.
    ///
    /// Has no effect and never fails: settings that ``init(settings:context:)`` refuses may have any modes.
    static func modes(of settings: Settings) -> ConnectorModes

    /// Checks the settings and keeps what is needed. Throws ``SettingsError`` for what an operator has to mend.
    init(settings: Settings, context: ConnectorContext) throws
}

/// A source that is asked, again and again, what is new.
public protocol PullSource: Connector {
    /// Reads one page. Never called concurrently for one source, but for a source that also streams while its stream runs; run under a deadline and cancelled when it passes.
    ///
    /// Returning hands the page to the log; its cursor comes back in the next request only once the events are durable. Throw
    /// ``ConnectorError`` to say what the host shall do.
    func pull(_ request: PullRequest) async throws -> PullPage
}

/// A source that holds a connection on which events arrive.
public protocol StreamSource: Connector {
    /// Reads until the connection ends (returns) or fails (throws ``ConnectorError``). Never called concurrently for one source.
    ///
    /// Each `emit` returns once its events and cursor are durable, which is both acknowledgement and back-pressure. A source that can also be
    /// pulled shares one form of cursor between both: while the host pulls what was missed before ``EventSink/connected()``, it holds the
    /// stream's cursors back. Throw `unsupported` where this server has no stream: the host then pulls, and tries the stream again hours later.
    func stream(after cursor: Cursor?, into sink: any EventSink) async throws
}

/// A source that the platform calls.
public protocol WebhookSource: Connector {
    /// Judges one delivery by its raw bytes: checks the signature in constant time before anything is parsed. May be called concurrently.
    func receive(_ delivery: WebhookDelivery) async throws -> WebhookOutcome
}

/// Something that can act on the platform.
public protocol ActionTarget: Connector {
    /// Performs one action. The same idempotency key performs at most once as far as the platform lets it; the receipt says what is known.
    func perform(_ action: Action) async throws -> Receipt
}

/// Where a stream puts what it reads.
public protocol EventSink: Sendable {
    /// The platform has accepted the connection: what is said from now on arrives here.
    ///
    /// Call it once a connection. Where the source can also be pulled, the host now pulls what was said before, while the stream goes on.
    func connected() async

    /// Makes a batch durable, all of it together; returns when it is.
    func emit(_ batch: EventBatch) async throws
}

extension EventSink {
    /// Makes events and cursor durable together; returns when they are.
    public func emit(_ events: [Event], cursor: Cursor?) async throws {
        try await emit(EventBatch(events: events, cursor: cursor))
    }
}

/// Every cursor-bearing step a host asks of a pull source.
public struct PullRequest: Sendable {
    /// Where the last durable page ended; `nil` at the very first.
    public var cursor: Cursor?
    /// How many events the host would like at most; a connector may give more when the platform's page is larger.
    public var limit: Int

    /// A request.
    public init(cursor: Cursor? = nil, limit: Int = 500) {
        self.cursor = cursor
        self.limit = limit
    }
}

/// What one pull brought.
public struct PullPage: Sendable {
    /// New facts, oldest first.
    public var events: [Event]
    /// Parts of the payload that could not be read.
    public var deadLetters: [DeadLetter]
    /// Where to go on; `nil` leaves the cursor as it was.
    public var cursor: Cursor?
    /// Whether more waits right now.
    public var hasMore: Bool
    /// The earliest moment the platform wants to be asked again, such as a feed's `ttl` or `Retry-After` on success.
    public var notBefore: Timestamp?
    /// A hole found in what was read, or one that this page fills.
    public var gaps: [GapReport]

    /// A page.
    public init(
        events: [Event] = [],
        deadLetters: [DeadLetter] = [],
        cursor: Cursor? = nil,
        hasMore: Bool = false,
        notBefore: Timestamp? = nil,
        gaps: [GapReport] = []
    ) {
        self.events = events
        self.deadLetters = deadLetters
        self.cursor = cursor
        self.hasMore = hasMore
        self.notBefore = notBefore
        self.gaps = gaps
    }
}

/// What a source says about a hole; the host turns it into `hub.gap.opened` and `hub.gap.closed`.
public enum GapReport: Sendable, Hashable {
    /// Something may be missing. `key` names the hole so that it can be closed later, unique per source.
    case opened(key: String, Gap)
    /// The hole of that key is filled, or known not to be one.
    case closed(key: String, Gap)
}
