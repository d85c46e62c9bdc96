import Synchronization

/// The body of an answer that goes on for as long as the platform likes: bytes that one side sends and one connection reads.
///
/// Bounded: a reader that is too slow is cut off, as platforms do.
package final class SimulatedStream: Sendable {
    /// The reader lost its connection: the body breaks off without its end.
    package struct BrokenOff: Error {}

    private enum End {
        case finished
        case broken
    }

    private struct State {
        var chunks: [[UInt8]] = []
        var size = 0
        var end: End?
        var isMute = false
        var reader: CheckedContinuation<[UInt8]?, any Error>?
    }

    private let state = Mutex(State())
    private let longestQueue: Int

    /// A stream that holds at most `longestQueue` bytes its reader has not taken yet.
    package init(longestQueue: Int = 32 << 20) {
        self.longestQueue = longestQueue
    }

    /// Whether somebody may still be reading.
    package var isOpen: Bool { state.withLock { $0.end == nil } }

    /// Whether its reader has taken everything and waits for more.
    package var isAwaited: Bool { state.withLock { $0.reader != nil } }

    /// Sends bytes; does nothing once the stream has ended or is mute.
    package func send(_ bytes: [UInt8]) {
        let reader: CheckedContinuation<[UInt8]?, any Error>? = state.withLock { state in
            guard state.end == nil, !state.isMute, !bytes.isEmpty else { return nil }
            if let reader = state.reader {
                state.reader = nil
                return reader
            }
            guard state.size + bytes.count <= longestQueue else {
                state.end = .broken
                return nil
            }
            state.chunks.append(bytes)
            state.size += bytes.count
            return nil
        }
        reader?.resume(returning: bytes)
    }

    /// Sends text.
    package func send(_ text: String) {
        send(Array(text.utf8))
    }

    /// Ends the body as it should end.
    package func finish() {
        end(.finished)
    }

    /// Breaks the connection off once what was sent is read.
    package func breakOff() {
        end(.broken)
    }

    /// Stays connected and says nothing any more: a zombie.
    package func mute() {
        state.withLock { $0.isMute = true }
    }

    /// Everything that was sent since the last call, `nil` at the end; throws ``BrokenOff``, and `CancellationError` on cancellation.
    ///
    /// To be called by one reader at a time.
    package func next() async throws -> [UInt8]? {
        try await withTaskCancellationHandler {
            try Task.checkCancellation()
            return try await withCheckedThrowingContinuation { continuation in
                let now: Result<[UInt8]?, any Error>? = state.withLock { state in
                    if !state.chunks.isEmpty {
                        let bytes = state.chunks.count == 1 ? state.chunks[0] : Array(state.chunks.joined())
                        state.chunks.removeAll(keepingCapacity: true)
                        state.size = 0
                        return .success(bytes)
                    }
                    switch state.end {
                    case .finished: return .success(nil)
                    case .broken: return .failure(BrokenOff())
                    case nil:
                        state.reader = continuation
                        return nil
                    }
                }
                if let now { continuation.resume(with: now) }
            }
        } onCancel: {
            breakOff()
        }
    }

    private func end(_ end: End) {
        let reader: CheckedContinuation<[UInt8]?, any Error>? = state.withLock { state in
            guard state.end == nil else { return nil }
            state.end = end
            defer { state.reader = nil }
            return state.reader
        }
        switch end {
        case .finished: reader?.resume(returning: nil)
        case .broken: reader?.resume(throwing: BrokenOff())
        }
    }
}
