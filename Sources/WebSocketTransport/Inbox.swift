import ConnectorKit
import Synchronization

/// Messages between the event loop, which fills it, and the one task that reads.
///
/// It never refuses a message, since whatever one read of the socket brings is there already; it says when it is full, so that no more is read.
final class Inbox: Sendable {
    /// How a connection ended.
    enum End: Sendable {
        /// In order.
        case closed
        /// By a failure.
        case failed(HTTPClientError)
    }

    private struct State {
        var messages: [WebSocketMessage] = []
        /// The first that was not taken.
        var first = 0
        var bytes = 0
        var isPaused = false
        var end: End?
        var closeCode: Int?
        var reader: CheckedContinuation<WebSocketMessage?, any Error>?
    }

    /// Beyond so many bytes nothing more is read from the network; read again below half of it.
    private let mostBytes: Int
    private let state = Mutex(State())

    init(mostBytes: Int) {
        self.mostBytes = mostBytes
    }

    /// What a message costs beside its bytes, so that millions of empty ones fill the inbox too.
    private static let overhead = 64

    /// Adds a message; whether it is full now.
    func put(_ message: WebSocketMessage) -> Bool {
        let (reader, isFull) = state.withLock { state -> (CheckedContinuation<WebSocketMessage?, any Error>?, Bool) in
            if let reader = state.reader.take() { return (reader, false) }
            state.messages.append(message)
            state.bytes += message.bytes.count + Self.overhead
            if state.bytes >= mostBytes { state.isPaused = true }
            return (nil, state.isPaused)
        }
        reader?.resume(returning: message)
        return isFull
    }

    /// Ends it; what is there can still be read.
    ///
    /// Only the first end counts.
    func end(_ end: End, closeCode: Int? = nil) {
        let reader = state.withLock { state -> CheckedContinuation<WebSocketMessage?, any Error>? in
            guard state.end == nil else { return nil }
            state.end = end
            state.closeCode = closeCode
            return state.reader.take()
        }
        switch end {
        case .closed: reader?.resume(returning: nil)
        case .failed(let error): reader?.resume(throwing: error)
        }
    }

    var closeCode: Int? { state.withLock { $0.closeCode } }

    var isPaused: Bool { state.withLock { $0.isPaused } }

    /// How it ended; nil while it has not.
    var ending: End? { state.withLock { $0.end } }

    /// The next message; nil at an end in order.
    ///
    /// - Parameter resume: called when there is room again after it was full.
    /// - Returns: a message, or nil.
    /// - Throws: ``HTTPClientError`` at any other end, `CancellationError` when cancelled; no message is lost by that, and a later call gets it.
    func next(resume: @Sendable () -> Void) async throws -> WebSocketMessage? {
        let mostBytes = mostBytes
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                var shallResume = false
                let answer: Result<WebSocketMessage?, any Error>? = state.withLock { state in
                    // Cancelled before it is registered, it finds so here; afterwards its handler finds the reader.
                    if Task.isCancelled { return .failure(CancellationError()) }
                    if state.first < state.messages.count {
                        let message = state.messages[state.first]
                        state.messages[state.first] = .binary([])
                        state.first += 1
                        state.bytes -= message.bytes.count + Self.overhead
                        if state.first == state.messages.count {
                            state.messages.removeAll(keepingCapacity: state.messages.count <= 1024)
                            state.first = 0
                        }
                        if state.isPaused, state.bytes < mostBytes / 2 {
                            state.isPaused = false
                            shallResume = true
                        }
                        return .success(message)
                    }
                    switch state.end {
                    case .closed: return .success(nil)
                    case .failed(let error): return .failure(error)
                    case nil:
                        state.reader = continuation
                        return nil
                    }
                }
                if let answer { continuation.resume(with: answer) }
                if shallResume { resume() }
            }
        } onCancel: {
            state.withLock { $0.reader.take() }?.resume(throwing: CancellationError())
        }
    }
}
