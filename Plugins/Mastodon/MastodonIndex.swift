import SocialEvents
import Synchronization

/// Which status the server means by an id of its own: deletions and answers name nothing else.
///
/// Shared by a source's stream and pulls. It holds the newest ``longest`` statuses; after a restart it begins with those of the cursor.
package final class MastodonIndex: Sendable {
    /// What is known of a status.
    struct Known: Sendable, Equatable {
        var object: ObjectID
        var form: MastodonForm
    }

    private struct State {
        var known: [String: Known] = [:]
        /// Ids in the order they came, as a ring once it is full.
        var order: [String] = []
        var oldest = 0
    }

    /// How many statuses are remembered.
    static let longest = 20_000
    private let state = Mutex(State())

    /// An index that knows no status.
    package init() {}

    /// The status of an id.
    func known(_ id: String) -> Known? {
        state.withLock { $0.known[id] }
    }

    /// Learns what an id means.
    func learn(_ id: String, _ object: ObjectID, _ form: MastodonForm) {
        state.withLock { state in
            guard state.known.updateValue(Known(object: object, form: form), forKey: id) == nil else { return }
            if state.order.count < Self.longest {
                state.order.append(id)
            } else {
                state.known[state.order[state.oldest]] = nil
                state.order[state.oldest] = id
                state.oldest = (state.oldest + 1) % Self.longest
            }
        }
    }

    /// Learns what a cursor holds.
    func learn(_ cursor: MastodonCursor) {
        for item in cursor.items {
            if let object = item.object { learn(item.status ?? item.id, object, item.form) }
        }
    }
}
