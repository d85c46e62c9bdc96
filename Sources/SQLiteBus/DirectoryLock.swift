import Glibc
import MessageBus
import SocialEvents

/// Keeps a data directory to one process: a lock on the file `roost.lock` in it, which says who holds it.
///
/// The kernel lets go of it when the process ends, however it ends. It is no POSIX record lock, so a second bus in the same process is refused too.
final class DirectoryLock: Sendable {
    private let descriptor: Int32

    /// Takes the lock of `directory`, or throws ``BusError/inUse(_:)`` with the name of who has it.
    init(directory: String, now: Timestamp) throws {
        let path = directory + "/roost.lock"
        let opened = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard opened >= 0 else {
            throw BusError.unusable("\(path) cannot be opened: \(String(cString: strerror(errno)))")
        }
        guard flock(opened, LOCK_EX | LOCK_NB) == 0 else {
            let holder = Self.read(opened)
            close(opened)
            throw BusError.inUse(
                "the data directory \(directory) is in use by \(holder); stop it or choose another directory"
            )
        }
        descriptor = opened
        let line = "\(Self.processName) (process \(getpid()), since \(now))\n"
        ftruncate(descriptor, 0)
        _ = line.utf8.withContiguousStorageIfAvailable { pwrite(descriptor, $0.baseAddress, $0.count, 0) }
    }

    /// Lets others have the directory.
    ///
    /// The descriptor itself is closed with the last use of this value.
    func release() { flock(descriptor, LOCK_UN) }

    deinit { close(descriptor) }

    private static func read(_ descriptor: Int32) -> String {
        let bytes = [UInt8](unsafeUninitializedCapacity: 512) { buffer, count in
            count = max(0, pread(descriptor, buffer.baseAddress, buffer.count, 0))
        }
        let text = String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        return text.isEmpty ? "another process" : text
    }

    private static var processName: String {
        let path = CommandLine.arguments.first ?? "roost"
        return path.split(separator: "/").last.map(String.init) ?? path
    }
}
