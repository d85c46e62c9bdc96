import PlatformSimulators
import Synchronization

/// Pieces of a body that are handed out one by one.
final class Chunks: Sendable {
    private let rest: Mutex<[[UInt8]]>

    init(_ chunks: [[UInt8]]) {
        rest = Mutex(chunks.reversed())
    }

    func next() -> [UInt8]? {
        rest.withLock { $0.popLast() }
    }
}

/// A connection's hold on a stream: it breaks off when nobody has the body any more.
final class StreamLease: Sendable {
    let stream: SimulatedStream

    init(_ stream: SimulatedStream) {
        self.stream = stream
    }

    deinit {
        stream.breakOff()
    }
}
