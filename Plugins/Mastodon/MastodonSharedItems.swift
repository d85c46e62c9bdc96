import Synchronization

/// What a source has read, shared by its stream and its pulls, so that each can go on from what the other has found.
///
/// Holds only what is durable. A pull learns it of its own page when the page's cursor comes back to it, a stream when its batch was taken.
package final class MastodonSharedItems: Sendable {
    private struct State {
        /// What the last cursor that came back holds.
        var pulled: MastodonCursor
        /// What was heard on streams and is not in `pulled` yet.
        var heard: [MastodonCursor.Item] = []
        var streams = 0
    }

    private let state: Mutex<State>

    /// Before anything was read.
    package init() {
        state = Mutex(State(pulled: MastodonCursor()))
    }

    /// Whether a stream is being held.
    var isStreaming: Bool { state.withLock { $0.streams > 0 } }

    /// A stream begins or ends.
    func countStreams(by change: Int) {
        state.withLock { $0.streams += change }
    }

    /// Learns that a cursor is durable: it came back from the host.
    func isDurable(_ cursor: MastodonCursor) {
        state.withLock { state in
            state.pulled = cursor
            // The host pulls until it has caught up before it lets a stream's cursors count.
            state.pulled.paging = nil
            guard !state.heard.isEmpty else { return }
            let known = Set(cursor.items.map(\.id))
            state.heard.removeAll { known.contains($0.id) }
        }
    }

    /// Learns what a stream brought and what was withdrawn there, once it is durable.
    func heard(_ items: [MastodonCursor.Item], withdrawn: [String]) {
        state.withLock { state in
            for item in items {
                if state.pulled.item(item.id) != nil {
                    state.pulled.note(item)
                } else if let index = state.heard.lastIndex(where: { $0.id == item.id }) {
                    state.heard[index] = item
                } else {
                    state.heard.append(item)
                }
            }
            for id in withdrawn {
                state.pulled.forget(id)
                state.pulled.forgetStatus(id)
                state.heard.removeAll { $0.id == id }
            }
            let excess = state.heard.count - MastodonCursor.longest
            if excess > 64 { state.heard.removeFirst(excess) }
        }
    }

    /// All that is durable, as the cursor from which a stream goes on.
    var cursor: MastodonCursor {
        state.withLock { state in
            var cursor = state.pulled
            cursor.append(state.heard)
            return cursor
        }
    }

    /// What streams brought that is not in a page's cursor.
    func unknown(to cursor: MastodonCursor) -> [MastodonCursor.Item] {
        state.withLock { state in state.heard.filter { cursor.item($0.id) == nil } }
    }
}
