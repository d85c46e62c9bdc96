/// What bounds the hub's work.
///
/// The defaults suit a machine of two cores; tests choose their own.
package struct HubLimits: Sendable {
    /// Pulls in flight at once; others wait in the order they came.
    package var pullsInFlight = 256
    /// How long a step may take to end once it is told to.
    package var grace = Duration.seconds(2)
    /// Steps of one source that went on after they were told to end; one more and the source fails.
    package var stepsLeftBehind = 3
    /// Events a pull is asked for at most.
    package var pageSize = 500
    /// Events handed to the log in one batch; a larger page becomes several, the cursor riding with the last.
    package var batchSize = 1000
    /// Events and dead letters of a page; a page with more is refused as a whole.
    package var largestPage = 100_000
    /// How long the call of a webhook may take until what it brought is durable, and reading a dead letter again; platforms give up after 10 s to 30 s.
    package var deliveryDeadline = Duration.seconds(8)
    /// Between two rounds of retention.
    package var retentionInterval = Duration.seconds(60)
    /// Where jitter begins.
    package var seed: UInt64 = 0

    /// The defaults.
    package init() {}
}
