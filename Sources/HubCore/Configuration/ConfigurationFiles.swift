import Glibc

/// Reads the few files a configuration needs.
package struct ConfigurationFiles: Sendable {
    /// Why a file could not be read.
    package enum Problem: Error, Sendable, Hashable, CustomStringConvertible {
        /// There is none.
        case missing
        /// It is larger than the limit, in bytes.
        case tooLarge(Int)
        /// The system's reason.
        case unreadable(String)

        package var description: String {
            switch self {
            case .missing: "there is no such file"
            case .tooLarge(let limit): "the file is larger than \(limit) bytes"
            case .unreadable(let reason): "the file cannot be read: \(reason)"
            }
        }
    }

    /// Reads the file at a path, at most so many bytes of it; throws ``Problem``.
    package var read: @Sendable (_ path: String, _ limit: Int) throws -> [UInt8]

    /// A way to read files.
    package init(read: @escaping @Sendable (_ path: String, _ limit: Int) throws -> [UInt8]) {
        self.read = read
    }

    /// The machine's files.
    package static let disk = ConfigurationFiles { path, limit in
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw errno == ENOENT || errno == ENOTDIR ? Problem.missing : .unreadable(String(cString: strerror(errno)))
        }
        defer { close(descriptor) }
        var information = stat()
        guard fstat(descriptor, &information) == 0 else { throw Problem.unreadable(String(cString: strerror(errno))) }
        // A pipe is fine, as in `--config <(generate)`; a device may never end and a directory is a slip.
        guard [S_IFREG, S_IFIFO].contains(information.st_mode & S_IFMT) else {
            throw Problem.unreadable("it is not a file")
        }
        // Non-blocking was only for opening: a pipe is read to its end.
        _ = fcntl(descriptor, F_SETFL, O_RDONLY)
        var bytes: [UInt8] = []
        while true {
            let count = try withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 64 << 10) { buffer in
                let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
                guard count >= 0 else { throw Problem.unreadable(String(cString: strerror(errno))) }
                bytes.append(contentsOf: buffer[..<count])
                return count
            }
            if count == 0 { return bytes }
            guard bytes.count <= limit else { throw Problem.tooLarge(limit) }
        }
    }
}
