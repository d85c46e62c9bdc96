import ConnectorKit
import NIOCore
import Synchronization

/// One try to open a WebSocket, which deadlines, cancellation and shutdown can all end at any moment.
///
/// The first of them decides what the caller is told; whatever is under way is closed and lets the attempt return.
final class ConnectionAttempt: Sendable {
    private struct State {
        var verdict: (any Error)?
        var channels: [ObjectIdentifier: any Channel] = [:]
        var waiting: EventLoopPromise<[ResolvedAddress]>?
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
        let (channels, waiting) = state.withLock { state -> ([any Channel], EventLoopPromise<[ResolvedAddress]>?) in
            guard state.verdict == nil, !state.isDone else { return ([], nil) }
            state.verdict = error
            state.timer?.cancel()
            defer { state.channels = [:] }
            return (Array(state.channels.values), state.waiting.take())
        }
        waiting?.fail(error)
        for channel in channels { channel.close(promise: nil) }
    }

    /// Throws why the attempt was ended, if it was.
    func check() throws {
        if let verdict = state.withLock({ $0.verdict }) { throw verdict }
    }

    /// Has a promise failed when the attempt ends.
    func wait(for promise: EventLoopPromise<[ResolvedAddress]>) {
        let verdict = state.withLock { state in
            state.waiting = promise
            return state.verdict
        }
        if let verdict { promise.fail(verdict) }
    }

    /// Has a channel closed when the attempt ends.
    func adopt(_ channel: any Channel) {
        let isOver = state.withLock { state in
            if state.verdict == nil { state.channels[ObjectIdentifier(channel)] = channel }
            return state.verdict != nil
        }
        if isOver { channel.close(promise: nil) }
    }

    /// Gives a channel up that did not connect.
    func forget(_ channel: any Channel) {
        state.withLock { $0.channels[ObjectIdentifier(channel)] = nil }
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
            state.channels = [:]
            state.timer?.cancel()
            return nil
        }
        if let verdict { throw verdict }
    }
}
