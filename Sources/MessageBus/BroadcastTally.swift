package import SocialEvents

/// What became of a broadcast so far.
///
/// Counted by the log as it stores `social.delivery.updated` events that name the broadcast, whatever order they come in and however often: each
/// message to each recipient counts once, at its furthest stage.
package struct BroadcastTally: Sendable, Hashable {
    /// Whose broadcast it is.
    package var source: SourceName
    /// Its id.
    package var broadcast: ObjectID
    /// Rises with each change of the counts.
    package var version: Int64
    /// Messages by the stage they have reached and not passed, answers, opt-outs, and failures by their code, by name.
    private var counts: [String: Int]

    /// What a log has counted, by the names of this type's constants, of the stages, and of ``failure(_:)``.
    package init(source: SourceName, broadcast: ObjectID, version: Int64, counts: [String: Int]) {
        self.source = source
        self.broadcast = broadcast
        self.version = version
        self.counts = counts
    }

    /// The count of recipients who answered.
    package static let answered = "replied"
    /// The count of recipients who then wanted no more.
    package static let optedOut = "opted_out"

    /// The count of messages that failed for a reason.
    package static func failure(_ code: String?) -> String { "failed." + (code ?? "unknown").prefix(40) }

    /// The counts as they are told: a stage counts all messages that came so far or further, and a failed message counts as failed alone.
    ///
    /// Failures are told by their code, the most frequent first, as far as there is room.
    package var metrics: [Metrics.NamedCount] {
        func at(_ stages: Delivery.Status...) -> Int { stages.reduce(0) { $0 + (counts[$1.rawValue] ?? 0) } }
        let totals = [
            ("queued", at(.queued, .sent, .delivered, .read, .failed)),
            ("sent", at(.sent, .delivered, .read)),
            ("delivered", at(.delivered, .read)),
            ("read", at(.read)),
            ("failed", at(.failed)),
            (Self.answered, counts[Self.answered] ?? 0),
            (Self.optedOut, counts[Self.optedOut] ?? 0),
        ]
        let failures = counts.filter { $0.key.hasPrefix("failed.") }
            .sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        return (totals + failures.map { ($0.key, $0.value) }).prefix(EventLimits.counts)
            .map { Metrics.NamedCount(name: $0.0, count: $0.1) }
    }
}

/// That the counts of a broadcast were told up to a version.
package struct ObservedBroadcast: Sendable, Hashable {
    /// The broadcast.
    package var broadcast: ObjectID
    /// The version of its ``BroadcastTally`` that was told.
    package var version: Int64

    /// What was told.
    package init(broadcast: ObjectID, version: Int64) {
        self.broadcast = broadcast
        self.version = version
    }
}
