import ConnectorKit
import JSON
import SocialEvents

/// Which hashtags an account has asked for in the last 7 days: Instagram allows 30 different ones.
///
/// Kept with the account, so that its sources share one count and a restart forgets nothing. A hashtag counts from its first question, and asking again
/// within the 7 days does not count.
struct InstagramHashtagBudget: Sendable {
    /// What came of asking for a hashtag.
    enum Admission: Sendable, Equatable {
        /// It counts already.
        case known
        /// It counts from now on: so many are used, and the oldest is free again at that moment.
        case counted(used: Int, freeAt: Timestamp)
        /// All are used up until that moment.
        case refused(until: Timestamp)
    }

    /// Most different hashtags.
    static let most = 30
    /// From so many on, an operator is told with each further one.
    static let nearlyAll = 27
    /// How long a hashtag counts.
    static let window = Duration.seconds(7 * 86_400)

    private static let key = "instagram-hashtags"

    private struct Use: Sendable {
        var name: String
        var at: Timestamp
    }

    let account: any Account

    /// Asks whether a hashtag may be asked for; when it may, it is counted before this returns.
    func admit(_ name: String, now: Timestamp) async throws -> Admission {
        try await account.exclusively(Self.key) {
            let earliest = now.advanced(by: .zero - Self.window)
            var uses = try await kept().filter { $0.at > earliest }
            if uses.contains(where: { $0.name == name }) { return .known }
            let oldest = uses.map(\.at).min() ?? now
            guard uses.count < Self.most else { return .refused(until: oldest.advanced(by: Self.window)) }
            uses.append(Use(name: name, at: now))
            try await keep(uses)
            return .counted(used: uses.count, freeAt: oldest.advanced(by: Self.window))
        }
    }

    private func kept() async throws -> [Use] {
        guard let bytes = try await account.value(for: Self.key) else { return [] }
        do {
            return try JSONParser().parse(bytes) { json in
                var uses: [Use] = []
                for use in try json.requiredArray("hashtags") {
                    let at = Timestamp(milliseconds: Int64(try use.requiredInt("at")))
                    uses.append(Use(name: try use.requiredString("name"), at: at))
                }
                return uses
            }
        } catch let error as JSONError {
            // Going on without it could use up what is not there.
            throw ConnectorError(.rejected, "the account's count of hashtags cannot be read: \(error.description)")
        }
    }

    private func keep(_ uses: [Use]) async throws {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("hashtags")
        writer.beginArray()
        for use in uses {
            writer.beginObject()
            writer.member("name", use.name)
            writer.member("at", use.at.milliseconds)
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
        try await account.setValue(writer.bytes, for: Self.key)
    }
}

extension InstagramNormalizer {
    /// How many of the 30 hashtags are used; from 27 on as something that the platform's rules say about our own account.
    func hashtagBudget(_ name: String, used: Int, freeAt: Timestamp, user: String) -> Event {
        let isNearlyAll = used >= InstagramHashtagBudget.nearlyAll
        var event = event(
            ObjectID(Self.platform, "hashtag_budget", "\(user).\(name)"),
            isNearlyAll ? .accountUpdated : .metricsObserved,
            revision: Self.seconds(now),
            subject: ObjectID(Self.platform, "actor", user),
            at: now
        )
        var metrics = Metrics(observedAt: now)
        metrics.other = [
            Metrics.NamedCount(name: "hashtags_of_7_days", count: used),
            Metrics.NamedCount(name: "hashtags_allowed_of_7_days", count: InstagramHashtagBudget.most),
        ]
        event.data.metrics = metrics
        if isNearlyAll {
            let words =
                "\(used) of \(InstagramHashtagBudget.most) different hashtags of 7 days are used; the next is free at \(freeAt)"
            event.data.loss.append(Loss("hashtags", .inferred, words))
        }
        return event
    }
}
