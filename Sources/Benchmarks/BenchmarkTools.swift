import ConnectorKit
import CurlTransport
import FoundationEssentials
import Glibc
import HTTPTypes

struct BenchmarkFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

struct TemporaryFolder {
    let path: String

    init() throws {
        var template = Array("/tmp/roost-benchmark-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw BenchmarkFailure("no temporary folder") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        // nginx's worker gives up root's rights and must still read here.
        chmod(path, 0o755)
    }

    func write(_ name: String, _ text: String) throws {
        guard let file = fopen("\(path)/\(name)", "w") else { throw BenchmarkFailure("cannot write \(name)") }
        defer { fclose(file) }
        guard fputs(text, file) >= 0 else { throw BenchmarkFailure("cannot write \(name)") }
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
        try folder.write(
            "nginx.conf",
            """
            daemon off; worker_processes 1; pid \(folder.path)/pid; error_log \(folder.path)/error.log;
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
