import ConnectorKit
import CurlTransport
import FoundationEssentials
import Glibc
import HTTPTypes

struct BenchmarkFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// A folder beside the program, where it was built: on a disk, which `/tmp` need not be.
struct TemporaryFolder {
    let path: String

    init() throws {
        let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let folder = program.lastIndex(of: "/").map { program[..<$0] } ?? "."
        var template = Array("\(folder)/roost-benchmark-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw BenchmarkFailure("no temporary folder in \(folder)") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    func write(_ name: String, _ text: String) throws {
        guard let file = fopen("\(path)/\(name)", "w") else { throw BenchmarkFailure("cannot write \(name)") }
        defer { fclose(file) }
        guard fputs(text, file) >= 0 else { throw BenchmarkFailure("cannot write \(name)") }
    }

    /// Whether it is in memory, so that a sync costs nothing.
    var isInMemory: Bool {
        guard let file = fopen("/proc/self/mounts", "r") else { return false }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 4096)
        var (longest, kind) = (0, "")
        // The file system is that of the longest mount point above the folder, the last of several at one place.
        while fgets(&line, Int32(line.count), file) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            let words = text.split(separator: " ")
            guard words.count > 2, words[1].utf8.count >= longest else { continue }
            guard words[1] == "/" || path.hasPrefix(words[1] + "/") else { continue }
            (longest, kind) = (words[1].utf8.count, String(words[2]))
        }
        return ["tmpfs", "ramfs"].contains(kind)
    }

    func remove() {
        try? FileManager.default.removeItem(atPath: path)
    }
}

func findProgram(_ name: String) -> String? {
    ["/usr/sbin", "/usr/bin", "/usr/local/bin", "/usr/local/sbin"].map { "\($0)/\(name)" }.first {
        access($0, X_OK) == 0
    }
}

func spawn(_ command: [String], quiet: Bool) throws -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    if quiet {
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
    }
    var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) }
    arguments.append(nil)
    defer { for argument in arguments { free(argument) } }
    var child = pid_t()
    guard posix_spawn(&child, command[0], &actions, nil, arguments, environ) == 0 else {
        throw BenchmarkFailure("cannot start \(command[0])")
    }
    return child
}

/// A listening socket on a free port of the loopback interface.
func listen() throws -> (descriptor: Int32, port: UInt16) {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let port: UInt16? = withUnsafeMutableBytes(of: &address) { bytes in
        guard let pointer = bytes.assumingMemoryBound(to: sockaddr.self).baseAddress,
            bind(descriptor, pointer, size) == 0,
            Glibc.listen(descriptor, 4096) == 0, getsockname(descriptor, pointer, &size) == 0
        else { return nil }
        return UInt16(bigEndian: bytes.load(fromByteOffset: 2, as: UInt16.self))
    }
    guard let port else { throw BenchmarkFailure("no free port") }
    return (descriptor, port)
}

func freePort() throws -> UInt16 {
    let (descriptor, port) = try listen()
    close(descriptor)
    return port
}

func raiseDescriptorLimit() {
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    limit.rlim_cur = limit.rlim_max
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
}

func usage(_ who: __rusage_who) -> Double {
    var spent = rusage()
    getrusage(who.rawValue, &spent)
    return processorSeconds(spent)
}

func processorSeconds(_ spent: rusage) -> Double {
    Double(spent.ru_utime.tv_sec + spent.ru_stime.tv_sec) + Double(spent.ru_utime.tv_usec + spent.ru_stime.tv_usec)
        / 1e6
}

func residentBytes() -> Int {
    guard let file = fopen("/proc/self/statm", "r") else { return 0 }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 128)
    guard fgets(&line, 128, file) != nil else { return 0 }
    let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return (Int(text.split(separator: " ")[1]) ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE)))
}

/// An nginx that serves the files of a folder on a loopback port.
struct StaticServer {
    let base: String
    private let process: pid_t

    init(nginx: String, folder: TemporaryFolder) throws {
        let port = try freePort()
        base = "http://127.0.0.1:\(port)"
        // Started by root, its worker would give up root's rights and could perhaps not read here any more.
        let user = geteuid() == 0 ? "user root; " : ""
        try folder.write(
            "nginx.conf",
            """
            \(user)daemon off; worker_processes 1; pid \(folder.path)/pid; error_log \(folder.path)/error.log;
            events { worker_connections 2048; }
            http { access_log off; keepalive_requests 1000000; etag on; types { application/rss+xml xml; text/plain txt; }
              client_body_temp_path \(folder.path); proxy_temp_path \(folder.path); fastcgi_temp_path \(folder.path);
              uwsgi_temp_path \(folder.path); scgi_temp_path \(folder.path);
              server { listen 127.0.0.1:\(port) backlog=4096; root \(folder.path);
                location /any/ { try_files /page.txt =404; } } }
            """
        )
        process = try spawn([nginx, "-c", "\(folder.path)/nginx.conf", "-p", folder.path], quiet: true)
    }

    /// Returns once `path` is served.
    func waitUntilReady(_ path: String) async throws {
        let transport = try CurlTransport()
        let client = transport.client(policy: .allowPrivate)
        for _ in 0..<500 {
            if let response = try? await client.send(HTTPClientRequest(.get, base + path)), response.status == 200 {
                await transport.shutdown()
                return
            }
            try await SystemClock().sleep(for: .milliseconds(10))
        }
        throw BenchmarkFailure("nginx did not start")
    }

    func stop() {
        kill(process, SIGTERM)
        waitpid(process, nil, 0)
    }
}
