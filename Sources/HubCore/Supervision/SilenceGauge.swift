package import SocialEvents

/// Learns how long a connected source may well be silent, from how long it was.
///
/// The longest silence counts, fading to about a third within ``memory``, so that a source that talks by day and sleeps by night is not called deaf every
/// night, and one that has become livelier is noticed sooner.
package struct SilenceGauge: Sendable, Hashable {
    /// For how long what was learned counts.
    package let memory: Duration
    /// However lively or quiet it is, patience stays within these.
    package let range: ClosedRange<Duration>
    private var longest = Duration.zero
    private var heard = 0
    private var lastHeard: Timestamp?

    /// For a source whose silence can be checked by asking: a wrong suspicion costs one request.
    package static let verifiable = SilenceGauge(memory: .seconds(3600), range: .seconds(120) ... .seconds(3600))
    /// For a source that can only be listened to: a wrong suspicion alarms a person.
    package static let unverifiable = SilenceGauge(
        memory: .seconds(86_400),
        range: .seconds(900) ... .seconds(2 * 86_400)
    )

    /// How many times the longest silence is waited.
    private static let factor = 3
    /// Before so many, too little is known.
    private static let enough = 20

    /// Nothing learned yet.
    package init(memory: Duration, range: ClosedRange<Duration>) {
        self.memory = memory
        self.range = range
    }

    /// The source brought something, or was connected just now.
    ///
    /// `isData` tells the two apart: what passed before a connection says nothing about the source.
    package mutating func heard(isData: Bool, at now: Timestamp) {
        defer { lastHeard = now }
        guard isData, let lastHeard else { return }
        let silence = lastHeard.duration(to: now)
        // A clock that was set back tells nothing.
        guard silence >= .zero else { return }
        heard = min(heard + 1, Self.enough)
        // Many small steps of 1 / (1 + x) make e to the minus their sum.
        longest = max(silence, longest / (1 + min(40, silence / memory)))
    }

    /// How long it may be silent before one should wonder.
    package var patience: Duration {
        guard heard >= Self.enough else { return range.upperBound }
        return min(max(longest * Self.factor, range.lowerBound), range.upperBound)
    }
}
