import ConnectorKit
import Synchronization

/// One request on its way, shared between the task that asked and the curl thread.
final class Transfer: Sendable {
    let request: HTTPClientRequest
    let target: RequestTarget
    let route: Route
    private let mailbox: Mailbox
    private let state = Mutex(TransferState())
    /// The handle that carries the transfer.
    ///
    /// Unchecked because only the curl thread ever touches it.
    nonisolated(unsafe) var handle: EasyHandle?

    /// How much of a body may wait for its reader before libcurl is held back.
    static let bufferLimit = 256 << 10

    init(_ request: HTTPClientRequest, target: RequestTarget, route: Route, mailbox: Mailbox) {
        self.request = request
        self.target = target
        self.route = route
        self.mailbox = mailbox
    }

    // MARK: The caller

    /// Starts the transfer and waits for its head.
    func start() async throws -> ResponseHead {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                if let wake = state.withLock({ $0.waitForHead(continuation) }) {
                    wake.resume()
                } else if !mailbox.post(.start(self)) {
                    end(.failed(HTTPClientError(.shutDown, "the client is shut down")))
                    deliver()
                }
            }
        } onCancel: {
            abandon(CancellationError())
        }
    }

    /// The next piece of the body, nil at its end.
    func next() async throws -> [UInt8]? {
        switch state.withLock({ $0.read() }) {
        case .chunk(let bytes, let unpause):
            if unpause { mailbox.post(.unpause(self)) }
            return bytes
        case .end: return nil
        case .failure(let error): throw error
        case .wait: break
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                carryOut(state.withLock { $0.waitForChunk(continuation) })
            }
        } onCancel: {
            abandon(CancellationError())
        }
    }

    /// Ends the transfer from the caller's side, at any time and from any thread.
    func abandon(_ error: any Error) {
        let (wasOpen, wake) = state.withLock { $0.abandon(error) }
        if wasOpen { mailbox.post(.cancel(self)) }
        wake?.resume()
    }

    // MARK: The curl thread

    /// Whether nobody waits for the transfer any more.
    var isEnded: Bool { state.withLock { $0.isEnded } }

    func receive(head: ResponseHead) {
        state.withLock { $0.receive(head: head) }
    }

    func receive(_ bytes: UnsafeRawBufferPointer) -> Bool {
        state.withLock { $0.receive(bytes, limit: Self.bufferLimit) }
    }

    func end(_ end: TransferState.End) {
        state.withLock { $0.finish(end) }
    }

    /// Resumes who waits for what has come.
    func deliver() {
        carryOut(state.withLock { $0.wake() })
    }

    private func carryOut(_ outcome: TransferState.Outcome) {
        if outcome.unpause { mailbox.post(.unpause(self)) }
        outcome.wake?.resume()
    }
}

/// The reader's end of a transfer: when it goes away, the transfer ends.
final class BodyReader: Sendable {
    private let transfer: Transfer
    /// Keeps the curl thread running as long as somebody may read.
    private let transport: CurlTransport

    init(_ transfer: Transfer, transport: CurlTransport) {
        self.transfer = transfer
        self.transport = transport
    }

    deinit {
        transfer.abandon(CancellationError())
    }

    func next() async throws -> [UInt8]? {
        try await transfer.next()
    }
}
