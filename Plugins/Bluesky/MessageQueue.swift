import ConnectorKit
import Synchronization

/// Messages between the task that reads them and the one that makes them durable, so that they gather into batches meanwhile.
///
/// Bounded: the reader waits while it is full. One task puts, one takes.
final class MessageQueue: Sendable {
    private struct State {
        var messages: [WebSocketMessage] = []
        var bytes = 0
        var end: Result<Void, any Error>?
        var isKnocked = false
        var taker: CheckedContinuation<Void, Never>?
        var putter: CheckedContinuation<Void, Never>?

        /// Whoever waits, to be resumed outside the lock.
        mutating func wake() -> [CheckedContinuation<Void, Never>] {
            defer {
                taker = nil
                putter = nil
            }
            return [taker, putter].compactMap { $0 }
        }
    }

    private let mostMessages: Int
    private let mostBytes: Int
    private let state = Mutex(State())

    init(mostMessages: Int = 1000, mostBytes: Int = 4 << 20) {
        self.mostMessages = mostMessages
        self.mostBytes = mostBytes
    }

    /// Adds a message, once there is room for it; ends early when the queue is closed.
    func put(_ message: WebSocketMessage) async {
        while true {
            let isDone = state.withLock { state -> (Bool, CheckedContinuation<Void, Never>?) in
                guard state.end == nil else { return (true, nil) }
                guard state.messages.count < mostMessages, state.bytes < mostBytes else { return (false, nil) }
                state.messages.append(message)
                state.bytes += message.bytes.count
                return (true, state.taker.take())
            }
            isDone.1?.resume()
            if isDone.0 { return }
            await withCheckedContinuation { continuation in
                let mayGoOn = state.withLock { state in
                    let hasRoom = state.messages.count < mostMessages && state.bytes < mostBytes
                    if hasRoom || state.end != nil { return true }
                    state.putter = continuation
                    return false
                }
                if mayGoOn { continuation.resume() }
            }
        }
    }

    /// No more will come: in order, or because of an error, which is thrown once all is taken.
    func close(_ end: Result<Void, any Error>) {
        let waiting = state.withLock { state in
            if state.end == nil { state.end = end }
            return state.wake()
        }
        for continuation in waiting { continuation.resume() }
    }

    /// Lets whoever takes go on, even if nothing has come.
    func knock() {
        let taker = state.withLock { state in
            state.isKnocked = true
            return state.taker.take()
        }
        taker?.resume()
    }

    /// All that has come; no message at all only after a knock; nil at the end.
    func takeAll() async throws -> [WebSocketMessage]? {
        while true {
            let (messages, end, isKnocked, putter) = state.withLock { state in
                defer {
                    state.messages = []
                    state.bytes = 0
                    state.isKnocked = false
                }
                return (state.messages, state.end, state.isKnocked, state.putter.take())
            }
            putter?.resume()
            if !messages.isEmpty || isKnocked && end == nil { return messages }
            if let end {
                try end.get()
                return nil
            }
            await withCheckedContinuation { continuation in
                let mayGoOn = state.withLock { state in
                    if !state.messages.isEmpty || state.isKnocked || state.end != nil { return true }
                    state.taker = continuation
                    return false
                }
                if mayGoOn { continuation.resume() }
            }
        }
    }
}
