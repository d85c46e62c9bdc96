import ConnectorKit
import SocialEvents
import Synchronization

/// Which statuses that notifications were about are asked after, and when: no server tells that they are gone.
///
/// The newest are asked after in turn, a few every five minutes.
final class MastodonNotified: Sendable {
    /// A status that a notification is about.
    struct Status: Equatable {
        var id: String
        var object: ObjectID
        var form: MastodonForm
    }

    private struct State {
        var nextAt: Timestamp?
        /// Those of the newest that were asked after, in turn.
        var asked: [String] = []
    }

    static let interval = Duration.seconds(300)
    private let state = Mutex(State())

    /// The statuses to ask after now, those that were not asked after for longest; none where it is too early.
    ///
    /// - Parameters:
    ///   - cursor: what was read.
    ///   - newest: how many of the newest notifications count.
    ///   - most: how many statuses.
    ///   - now: the time now.
    /// - Returns: the statuses, each once.
    func due(_ cursor: MastodonCursor, newest: Int, most: Int, now: Timestamp) -> [Status] {
        state.withLock { state in
            if let next = state.nextAt, now < next { return [] }
            var there: [Status] = []
            for item in cursor.items.suffix(newest) {
                guard let id = item.status, let object = item.object else { continue }
                if !there.contains(where: { $0.id == id }) {
                    there.append(Status(id: id, object: object, form: item.form))
                }
            }
            guard !there.isEmpty else { return [] }
            state.nextAt = now.advanced(by: Self.interval)
            state.asked.removeAll { id in !there.contains { $0.id == id } }
            let fresh = there.filter { !state.asked.contains($0.id) }
            let again = state.asked.compactMap { id in there.first { $0.id == id } }
            let due = Array((fresh + again).prefix(most))
            state.asked.removeAll { id in due.contains { $0.id == id } }
            state.asked += due.map(\.id)
            return due
        }
    }
}
