import NIOCore

/// Says when to ping and when a connection has been silent for too long.
///
/// A state machine without a clock: what time it is, it is told.
struct Heartbeat: Sendable {
    /// What a look at the time asks for.
    enum Step: Sendable, Hashable {
        /// Nothing.
        case wait
        /// Send a ping.
        case ping
        /// End the connection.
        case giveUp
    }

    private let idle: TimeAmount
    private let pingInterval: TimeAmount
    private var lastHeard: NIODeadline
    private var lastPinged: NIODeadline

    /// - Parameters:
    ///   - idle: the longest silence.
    ///   - now: when the connection began.
    init(idle: TimeAmount, now: NIODeadline) {
        self.idle = idle
        // Two of them may go missing before the silence counts.
        pingInterval = min(.nanoseconds(idle.nanoseconds / 3), .seconds(30))
        lastHeard = now
        lastPinged = now
    }

    /// How long until the next look at the time.
    var step: TimeAmount { max(.nanoseconds(pingInterval.nanoseconds / 2), .milliseconds(1)) }

    /// Something came, or could not come before now.
    mutating func heard(_ now: NIODeadline) {
        lastHeard = now
    }

    /// Looks at the time.
    ///
    /// A silence counts only when a ping was sent into it and had its time to be answered: a process that was stopped for a while, or starved, would
    /// else take its own silence for that of all its connections.
    ///
    /// - Parameters:
    ///   - now: the time.
    ///   - isReading: whether anything could be heard at all.
    ///   - isWritable: whether the network takes a ping.
    /// - Returns: what to do.
    mutating func tick(_ now: NIODeadline, isReading: Bool, isWritable: Bool) -> Step {
        let isPingDue = now - lastPinged >= pingInterval
        if isReading, now - lastHeard >= idle, !isWritable || (lastPinged > lastHeard && isPingDue) { return .giveUp }
        guard isWritable, isPingDue, now - lastHeard >= pingInterval else { return .wait }
        lastPinged = now
        return .ping
    }
}
