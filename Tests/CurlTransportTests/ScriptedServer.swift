import Glibc
import Synchronization

/// A TCP server on the loopback interface that does to each connection what a test says: bytes late, few, wrong or
/// never.
///
/// Each connection is served by a thread of its own, so scripts may block. All connections are cut when the server
/// stops.
final class ScriptedServer: Sendable {
    /// One accepted connection; used by its script alone.
    final class Connection: Sendable {
        /// How many connections came before.
        let index: Int
        fileprivate let descriptor: Int32
        private let server: ScriptedServer

        fileprivate init(_ descriptor: Int32, index: Int, server: ScriptedServer) {
            self.descriptor = descriptor
            self.index = index
            self.server = server
        }

        /// The next request with its body, or nil when the other side has closed.
        func readRequest() -> String? {
            var bytes: [UInt8] = []
            var bodyStart: Int?
            var needed = 0
            while true {
                if let start = bodyStart, bytes.count >= start + needed {
                    let text = String(decoding: bytes, as: UTF8.self)
                    server.log.withLock { $0.append(text) }
                    return text
                }
                guard let byte = readByte() else { return nil }
                bytes.append(byte)
                if bodyStart == nil, bytes.suffix(4) == [13, 10, 13, 10] {
                    bodyStart = bytes.count
                    for line in String(decoding: bytes, as: UTF8.self).split(separator: "\r\n") {
                        let parts = line.split(separator: ":", maxSplits: 1)
                        if parts.count == 2, parts[0].lowercased() == "content-length" {
                            needed = Int(parts[1].drop { $0 == " " }) ?? 0
                        }
                    }
                }
            }
        }

        private func readByte() -> UInt8? {
            var byte: UInt8 = 0
            return recv(descriptor, &byte, 1, 0) == 1 ? byte : nil
        }

        /// Writes all of it.
        ///
        /// Returns false when the other side has gone.
        @discardableResult
        func write(_ text: String) -> Bool {
            write(Array(text.utf8))
        }

        /// Writes all of it.
        ///
        /// Returns false when the other side has gone.
        @discardableResult
        func write(_ bytes: [UInt8]) -> Bool {
            write(bytes, within: nil) == bytes.count
        }

        /// Writes until all is gone or nothing has been taken for `milliseconds`; returns how much went.
        func write(_ bytes: [UInt8], within milliseconds: Int32?) -> Int {
            var sent = 0
            while sent < bytes.count {
                if let milliseconds {
                    var state = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    if poll(&state, 1, milliseconds) <= 0 { break }
                }
                let flags = Int32(MSG_NOSIGNAL) | (milliseconds == nil ? 0 : Int32(MSG_DONTWAIT))
                let count = bytes.withUnsafeBytes { buffer in
                    send(descriptor, buffer.baseAddress.map { $0 + sent }, bytes.count - sent, flags)
                }
                if count <= 0 { break }
                sent += count
            }
            return sent
        }

        /// A response with a body of known length.
        @discardableResult
        func respond(_ status: String = "200 OK", headers: String = "", body: String = "") -> Bool {
            write("HTTP/1.1 \(status)\r\nContent-Length: \(body.utf8.count)\r\n\(headers)\r\n\(body)")
        }

        /// Makes the kernel take little at a time.
        func limitSendBuffer(_ bytes: Int32) {
            var size = bytes
            setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        }

        /// Returns when the other side has closed, or the server stops.
        func waitForClose() {
            while readByte() != nil {}
        }

        /// Lets `milliseconds` pass, or returns earlier when the other side closes.
        func pause(milliseconds: Int32) {
            var state = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            poll(&state, 1, milliseconds)
        }

        /// Ends the connection with a reset instead of a proper close.
        func reset() {
            var option = linger(l_onoff: 1, l_linger: 0)
            setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
        }
    }

    typealias Script = @Sendable (Connection) -> Void

    let port: UInt16
    private let listener: Int32
    private let script: Script
    private let log = Mutex<[String]>([])
    private let open = Mutex<(accepted: Int, descriptors: Set<Int32>, isStopped: Bool)>((0, [], false))

    /// All requests read so far.
    var requests: [String] { log.withLock { $0 } }

    /// How many connections have been accepted.
    var connectionCount: Int { open.withLock { $0.accepted } }

    /// The address, without a path.
    var url: String { "http://127.0.0.1:\(port)" }

    init(_ script: @escaping Script) throws {
        self.script = script
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = listener
        let port: UInt16? = withUnsafeMutableBytes(of: &address) { bytes in
            guard let pointer = bytes.assumingMemoryBound(to: sockaddr.self).baseAddress,
                bind(descriptor, pointer, size) == 0, listen(descriptor, 1024) == 0,
                getsockname(descriptor, pointer, &size) == 0
            else { return nil }
            return UInt16(bigEndian: bytes.load(fromByteOffset: 2, as: UInt16.self))
        }
        guard let port else { throw ServerFailure() }
        self.port = port
        try startThread { [self] in acceptAll() }
    }

    private func acceptAll() {
        while true {
            let descriptor = accept(listener, nil, nil)
            if descriptor < 0 {
                // A connection that was given up before it was accepted is no reason to stop.
                if errno == ECONNABORTED || errno == EINTR { continue }
                break
            }
            let index: Int? = open.withLock { state in
                guard !state.isStopped else { return nil }
                state.descriptors.insert(descriptor)
                state.accepted += 1
                return state.accepted - 1
            }
            guard let index else {
                close(descriptor)
                continue
            }
            let connection = Connection(descriptor, index: index, server: self)
            try? startThread { [self] in
                script(connection)
                // Under the lock, so that stop() never cuts a descriptor that has become another's.
                open.withLock { state in
                    state.descriptors.remove(descriptor)
                    _ = close(descriptor)
                }
            }
        }
        close(listener)
    }

    /// Cuts all connections and takes no more.
    func stop() {
        open.withLock { state in
            // Once only: afterwards the listener's descriptor may be another's.
            if state.isStopped { return }
            state.isStopped = true
            for descriptor in state.descriptors { shutdown(descriptor, Int32(SHUT_RDWR)) }
            shutdown(listener, Int32(SHUT_RDWR))
        }
    }
}

struct ServerFailure: Error {}

/// Runs `body` on a new thread; whoever needs its end is told by the body.
private func startThread(_ body: @escaping @Sendable () -> Void) throws {
    final class Box: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    var thread = pthread_t()
    let box = Unmanaged.passRetained(Box(body))
    let result = pthread_create(
        &thread,
        nil,
        { context in
            context.map { Unmanaged<Box>.fromOpaque($0).takeRetainedValue().body() }
            return nil
        },
        box.toOpaque()
    )
    guard result == 0 else {
        box.release()
        throw ServerFailure()
    }
    pthread_detach(thread)
}

/// Something that happens once, on any thread, and can be waited for by tasks and threads.
final class Signal: Sendable {
    private let state = Mutex<(isSet: Bool, waiters: [CheckedContinuation<Void, Never>])>((false, []))
    private let descriptor = eventDescriptor()

    deinit { close(descriptor.read); close(descriptor.write) }

    func set() {
        let waiters = state.withLock { state in
            state.isSet = true
            defer { state.waiters = [] }
            return state.waiters
        }
        var byte: UInt8 = 1
        _ = write(descriptor.write, &byte, 1)
        for waiter in waiters { waiter.resume() }
    }

    /// Returns once the signal is set, or the test's time is over.
    func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isSet = state.withLock { state in
                    if !state.isSet { state.waiters.append(continuation) }
                    return state.isSet
                }
                if isSet { continuation.resume() }
            }
        } onCancel: {
            set()
        }
    }

    /// Blocks the calling thread, a script's, until the signal is set; at most 10 s, so that a failed test ends.
    func block() {
        var state = pollfd(fd: descriptor.read, events: Int16(POLLIN), revents: 0)
        poll(&state, 1, 10_000)
    }

    private static func eventDescriptor() -> (read: Int32, write: Int32) {
        var ends: [Int32] = [0, 0]
        pipe(&ends)
        return (ends[0], ends[1])
    }
}
