import FoundationEssentials
import Glibc

/// A directory of one test, removed with it.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/roost-bus-\(UInt64.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// The bytes of all files in it, by name.
    func files() -> [String: [UInt8]] {
        var contents: [String: [UInt8]] = [:]
        guard let directory = opendir(path) else { return [:] }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { contents[name] = readFile(path + "/" + name) }
        }
        return contents
    }

    /// The files in which `text` stands anywhere.
    func filesContaining(_ text: String) -> [String] {
        files().filter { !places(of: text, in: $0.value).isEmpty }.map(\.key).sorted()
    }
}

/// Where `text` ends in `bytes`.
func places(of text: String, in bytes: [UInt8]) -> [Int] {
    let needle = Array(text.utf8)
    return bytes.withUnsafeBytes { bytes in
        var ends: [Int] = []
        var from = 0
        while let base = bytes.baseAddress, from + needle.count <= bytes.count,
            let found = memchr(base + from, Int32(needle[0]), bytes.count - needle.count + 1 - from)
        {
            from = base.distance(to: found) + 1
            if memcmp(found, needle, needle.count) == 0 { ends.append(from - 1 + needle.count) }
        }
        return ends
    }
}

/// The bytes of a file; none when it cannot be read.
func readFile(_ path: String) -> [UInt8] {
    let descriptor = open(path, O_RDONLY)
    guard descriptor >= 0 else { return [] }
    defer { close(descriptor) }
    var status = stat()
    fstat(descriptor, &status)
    return [UInt8](unsafeUninitializedCapacity: Int(status.st_size)) { buffer, count in
        count = max(0, read(descriptor, buffer.baseAddress, buffer.count))
    }
}

/// Bytes of a file; 0 when there is none.
func fileSize(_ path: String) -> Int {
    var status = stat()
    return stat(path, &status) == 0 ? Int(status.st_size) : 0
}
