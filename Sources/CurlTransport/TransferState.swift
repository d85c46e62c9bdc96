import ConnectorKit

/// The head of a final response as it came, before its fields are read.
struct ResponseHead: Sendable {
    /// The status code.
    var status: Int
    /// The field lines with their line ends, without the status line.
    var fieldLines: [UInt8]
    /// The URL that answered.
    var url: String
    /// The redirects before it.
    var redirects: [HTTPRedirect]
}

/// What one request has reached, seen from the task that waits for it: a state machine without I/O and without a clock.
///
/// The curl thread puts in (``receive(head:)``, ``receive(_:)``, ``finish(_:)``), the caller's tasks take out. Every
/// function changes the state in one step and returns the continuation to resume, if any, so that each is resumed
/// exactly once and outside the lock.
struct TransferState {
    typealias HeadContinuation = CheckedContinuation<ResponseHead, any Error>
    typealias ChunkContinuation = CheckedContinuation<[UInt8]?, any Error>

    /// How the transfer ended.
    enum End: Sendable {
        case complete
        case failed(any Error)
    }

    /// A continuation with what it is to be resumed with.
    enum Wake: Sendable {
        case head(HeadContinuation, Result<ResponseHead, any Error>)
        case chunk(ChunkContinuation, Result<[UInt8]?, any Error>)

        func resume() {
            switch self {
            case .head(let continuation, let result): continuation.resume(with: result)
            case .chunk(let continuation, let result): continuation.resume(with: result)
            }
        }
    }

    /// What is to be done after a change.
    struct Outcome: Sendable {
        /// Who is to be resumed.
        var wake: Wake?
        /// Whether libcurl was held back and is to go on.
        var unpause = false
    }

    /// What a reader gets without waiting.
    enum Read: Sendable {
        case chunk([UInt8], unpause: Bool)
        case end
        case failure(any Error)
        case wait
    }

    private var head: ResponseHead?
    private var headWaiter: HeadContinuation?
    private var reader: ChunkContinuation?
    private var buffer: [UInt8] = []
    private var isPaused = false
    private var end: End?

    /// Whether nothing more will come of the transfer.
    var isEnded: Bool { end != nil }

    // MARK: The caller

    /// Waits for the head.
    ///
    /// Returns the wake-up when the transfer was cancelled before.
    mutating func waitForHead(_ continuation: HeadContinuation) -> Wake? {
        if case .failed(let error) = end { return .head(continuation, .failure(error)) }
        headWaiter = continuation
        return nil
    }

    /// Takes all that is buffered.
    ///
    /// `unpause` tells that libcurl was held back and is to go on.
    mutating func read() -> Read {
        if !buffer.isEmpty {
            let chunk = buffer
            buffer = []
            defer { isPaused = false }
            return .chunk(chunk, unpause: isPaused && end == nil)
        }
        switch end {
        case nil: return .wait
        case .complete: return .end
        case .failed(let error): return .failure(error)
        }
    }

    /// Waits for the next piece of the body, after ``read()`` said so.
    ///
    /// Returns the wake-up when there is something by now, or when another task already waits: a body has one reader.
    mutating func waitForChunk(_ continuation: ChunkContinuation) -> Outcome {
        if reader != nil {
            let error = HTTPClientError(.invalidRequest, "the body is already being read by another task")
            return Outcome(wake: .chunk(continuation, .failure(error)))
        }
        reader = continuation
        return wake()
    }

    /// Gives the transfer up.
    ///
    /// `wasOpen` is false when it had ended already, so that there is nothing to stop.
    mutating func abandon(_ error: any Error) -> (wasOpen: Bool, wake: Wake?) {
        guard end == nil else { return (false, nil) }
        end = .failed(error)
        buffer = []
        return (true, wake().wake)
    }

    // MARK: The curl thread

    /// The final response's head is read.
    mutating func receive(head: ResponseHead) {
        self.head = head
    }

    /// Takes a piece of the body, or refuses it for now when `limit` bytes wait to be read: then libcurl holds it back.
    mutating func receive(_ bytes: UnsafeRawBufferPointer, limit: Int) -> Bool {
        guard end == nil else { return true }
        if buffer.count >= limit {
            isPaused = true
            return false
        }
        buffer.append(contentsOf: bytes)
        return true
    }

    /// The transfer ended; what is buffered stays readable.
    mutating func finish(_ end: End) {
        if self.end == nil { self.end = end }
    }

    /// Who can go on with what has come by now.
    ///
    /// At most one, since the body is read only after the head.
    mutating func wake() -> Outcome {
        if let waiter = headWaiter {
            guard let result = headResult() else { return Outcome() }
            headWaiter = nil
            return Outcome(wake: .head(waiter, result))
        }
        guard let waiter = reader else { return Outcome() }
        let result: Result<[UInt8]?, any Error>
        var unpause = false
        switch read() {
        case .wait: return Outcome()
        case .chunk(let bytes, let heldBack):
            result = .success(bytes)
            unpause = heldBack
        case .end: result = .success(nil)
        case .failure(let error): result = .failure(error)
        }
        reader = nil
        return Outcome(wake: .chunk(waiter, result), unpause: unpause)
    }

    private mutating func headResult() -> Result<ResponseHead, any Error>? {
        if let head {
            self.head = nil
            return .success(head)
        }
        switch end {
        case nil: return nil
        case .failed(let error): return .failure(error)
        case .complete: return .failure(HTTPClientError(.protocolViolation, "the exchange ended without a response"))
        }
    }
}
