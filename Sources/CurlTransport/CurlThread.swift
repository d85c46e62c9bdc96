import CCurl
import ConnectorKit
import Glibc
import Synchronization

/// The life of the thread that a ``CurlLoop`` runs on.
enum CurlThread {
    /// How far the thread is.
    ///
    /// Shared by the thread and the transport, so that neither keeps the other alive.
    final class End: Sendable {
        struct State {
            /// To be joined or detached, by whoever takes it out.
            var thread: pthread_t?
            var isReached = false
            var waiters: [CheckedContinuation<Void, Never>] = []
        }

        let lifecycle = Mutex(State())

        /// Called by the thread as the last thing it does.
        fileprivate func reached() {
            let waiters = lifecycle.withLock { state in
                state.isReached = true
                defer { state.waiters = [] }
                return state.waiters
            }
            for waiter in waiters { waiter.resume() }
        }
    }

    /// What the thread is given.
    private final class Start {
        let loop: CurlLoop
        let end: End

        init(loop: CurlLoop, end: End) {
            self.loop = loop
            self.end = end
        }
    }

    /// Starts a thread that obeys `mailbox`.
    static func start(_ mailbox: Mailbox, end: End) throws -> pthread_t {
        guard let loop = CurlLoop(mailbox) else {
            throw HTTPClientError(.connection, "the HTTP client cannot start: no descriptors left")
        }
        let start = Unmanaged.passRetained(Start(loop: loop, end: end))
        var thread = pthread_t()
        let result = pthread_create(&thread, nil, { CurlThread.run($0) }, start.toOpaque())
        guard result == 0 else {
            start.release()
            throw HTTPClientError(.connection, "the HTTP client cannot start: no thread (\(result))")
        }
        return thread
    }

    private static func run(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        guard let context else { return nil }
        ccurl_name_thread("curl")
        // Signals are for others. SIGPIPE in particular, which OpenSSL's writes cause and libcurl leaves to us, would
        // end the process.
        var signals = sigset_t()
        sigfillset(&signals)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        let start = Unmanaged<Start>.fromOpaque(context).takeRetainedValue()
        start.loop.run()
        start.end.reached()
        return nil
    }
}
