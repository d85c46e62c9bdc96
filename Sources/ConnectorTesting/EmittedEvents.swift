import Glibc
import Synchronization

/// Collects the events that tests emit, so that they can be validated against the JSON Schema by a validator of another make.
///
/// Where the environment variable `ROOST_EMITTED_EVENTS` names a file, every event noted is appended to it as a line of
/// its own; elsewhere nothing happens. `Tests/validate_events.py` reads such a file.
package enum EmittedEvents {
    /// Most bytes that one test process appends; what comes later is left out.
    package static let limit = 64 << 20

    private struct File {
        var descriptor: CInt = -1
        var room = EmittedEvents.limit
    }

    private static let file = Mutex(
        File(descriptor: getenv("ROOST_EMITTED_EVENTS").map { open($0, O_WRONLY | O_CREAT | O_APPEND, 0o644) } ?? -1)
    )

    /// Appends one event.
    ///
    /// May be called from any thread, and from several processes on one file.
    ///
    /// - Parameter event: its JSON on a single line, as ``EventEncoder`` writes it.
    package static func note(_ event: [UInt8]) {
        file.withLock { file in
            guard file.descriptor >= 0, event.count < file.room else { return }
            file.room -= event.count + 1
            let line = event + [UInt8(ascii: "\n")]
            // One write, so that lines of several processes do not mix. A failure shows as a missing line, which is no
            // reason to fail the test that emitted it.
            _ = line.withUnsafeBytes { write(file.descriptor, $0.baseAddress, $0.count) }
        }
    }
}
