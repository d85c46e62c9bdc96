public import HTTPTypes
import SocialEvents

/// One source's view of what its account may still do: rate limits learned from the platform's answers, and money.
///
/// Sources of one account share one ``AccountMeter``. Ask ``admit(_:)`` before a request and show every answer, success or failure, to ``observe(_:bucket:)``: then nobody
/// runs into a refusal that another source's answer had announced.
public struct Quota: Sendable {
    private let meter: AccountMeter
    private let priority: SourcePriority
    private let clock: any WallClock
    private let reader: UInt64

    /// A view of `meter` for one source.
    package init(_ meter: AccountMeter, priority: SourcePriority, clock: any WallClock) {
        self.meter = meter
        self.priority = priority
        self.clock = clock
        reader = meter.newReader()
    }

    /// Asks whether a request may be made, and counts it.
    ///
    /// - Parameter bucket: what the platform counts together, such as an endpoint.
    /// - Throws: ``ConnectorError`` `rateLimited`, with the moment when the platform allows more.
    public func admit(_ bucket: String) throws {
        guard let until = meter.admit(bucket, priority: priority, now: clock.now) else { return }
        throw ConnectorError(
            .rateLimited,
            "the platform's limit for \(bucket) is used up, or kept for sources of higher priority",
            retryAt: until
        )
    }

    /// Learns the limits that an answer tells of.
    public func observe(_ headers: HTTPFields, bucket: String) {
        let now = clock.now
        guard let limit = RateLimit.tightest(in: headers, now: now) else { return }
        meter.learn(limit, for: bucket)
    }

    /// Asks whether the budget allows that many more reads of a kind that costs money, and keeps the money until ``reads(_:ids:)`` or the next question.
    ///
    /// - Throws: ``ConnectorError`` `rateLimited`, with the beginning of the next day or month, or a moment soon where other sources' requests
    ///   are under way for what is left.
    public func admitSpend(_ kind: String, count: Int) throws {
        let refusal = meter.admitSpend(kind, count: count, priority: priority, reader: reader, now: clock.now)
        guard let until = refusal else { return }
        throw ConnectorError(
            .rateLimited,
            "the account's budget is spent, or what is left is kept for sources of higher priority; raise `budget` to read on",
            retryAt: until
        )
    }

    /// Counts what was read of a kind that costs money; an id counts once a UTC day.
    public func reads(_ kind: String, ids: some Swift.Sequence<String>) {
        meter.read(kind, ids: ids, by: reader, now: clock.now)
    }
}
