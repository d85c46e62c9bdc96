import ConnectorKit
import NIOCore
import Synchronization

/// One try to open a WebSocket, which deadlines, cancellation and shutdown can all end at any moment.
///
/// The first of them decides what the caller is told; whatever is under way is closed and lets the attempt return.
final class ConnectionAttempt: Sendable {
    private struct State {
        var verdict: (any Error)?
        /// The connection under way; one address is tried at a time.
        var channel: (any Channel)?
        /// Who waits for a name's addresses.
        var waiting: CheckedContinuation<[ResolvedAddress], any Error>?
        var timer: Scheduled<Void>?
        var isDone = false
    }

    private let state = Mutex(State())
    private let loop: any EventLoop

    init(_ loop: any EventLoop) {
        self.loop = loop
    }

    /// Ends the attempt.
    func abort(_ error: any Error) {
        typealias UnderWay = ((any Channel)?, CheckedContinuation<[ResolvedAddress], any Error>?)
        let (channel, waiting) = state.withLock { state -> UnderWay in
            guard state.verdict == nil, !state.isDone else { return (nil, nil) }
            state.verdict = error
            state.timer?.cancel()
            return (state.channel.take(), state.waiting.take())
        }
        waiting?.resume(throwing: error)
        channel?.close(promise: nil)
    }

    /// Throws why the attempt was ended, if it was.
    func check() throws {
        if let verdict = state.withLock({ $0.verdict }) { throw verdict }
    }

    /// The addresses that ``resolved(_:)`` brings once; the attempt's end does not wait for them.
    ///
    /// - Parameter begin: has them looked up, on another thread.
    /// - Returns: the addresses.
    /// - Throws: what looking up brought instead, or why the attempt was ended.
    func addresses(_ begin: () -> Void) async throws -> [ResolvedAddress] {
        try await withCheckedThrowingContinuation { continuation in
            let verdict = state.withLock { state in
                if state.verdict == nil { state.waiting = continuation }
                return state.verdict
            }
            if let verdict { continuation.resume(throwing: verdict) } else { begin() }
        }
    }

    /// Brings addresses, or why there are none, to who waits for them; to nobody when the attempt has ended.
    func resolved(_ result: Result<[ResolvedAddress], any Error>) {
        state.withLock { $0.waiting.take() }?.resume(with: result)
    }

    /// Has a channel closed when the attempt ends.
    func adopt(_ channel: any Channel) {
        let isOver = state.withLock { state in
            if state.verdict == nil { state.channel = channel }
            return state.verdict != nil
        }
        if isOver { channel.close(promise: nil) }
    }

    /// Closes what was connected and became no WebSocket, before another address is tried.
    func discard() {
        state.withLock { $0.channel.take() }?.close(promise: nil)
    }

    /// Sets the deadline of the part that begins now, in place of the one before.
    func setDeadline(_ duration: Duration?, _ message: String) {
        let timer = duration.map { duration in
            loop.scheduleTask(in: TimeAmount(duration)) { [weak self] () -> Void in
                self?.abort(HTTPClientError(.deadline, message))
            }
        }
        let (old, isOver) = state.withLock { state in
            let old = state.timer
            state.timer = timer
            return (old, state.verdict != nil || state.isDone)
        }
        old?.cancel()
        if isOver { timer?.cancel() }
    }

    /// The connection stands: from here on it lives by itself.
    func succeed() throws {
        let verdict = state.withLock { state -> (any Error)? in
            if let verdict = state.verdict { return verdict }
            state.isDone = true
            state.channel = nil
            state.timer?.cancel()
            return nil
        }
        if let verdict { throw verdict }
    }
}
