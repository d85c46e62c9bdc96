import ConnectorKit
import CurlTransport
import Glibc
import HTTPTypes
import Synchronization

/// Compares the HTTP transport with the command-line curl on the same URLs of one nginx, and weighs its open streams.
///
/// Throughput and CPU want nginx and curl installed; without them those rows say so. All of it stays on this machine.
package func benchmarkTransport() async throws -> [(name: String, value: String)] {
    var rows: [(name: String, value: String)] = []
    if let nginx = findProgram("nginx"), let curl = findProgram("curl") {
        rows += try await compareWithCurl(nginx: nginx, curl: curl)
    } else {
        rows.append((name: "20,000 URLs against curl --parallel", value: "skipped: nginx or curl is not installed"))
    }
    rows.append(
        (
            name: "resident memory of an open idle stream (1,000 open)",
            value: "\(try await weighIdleStreams(1000)) bytes"
        )
    )
    return rows
}

// MARK: Throughput

private let requestCount = 20_000
private let concurrency = 64

private func compareWithCurl(nginx: String, curl: String) async throws -> [(name: String, value: String)] {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    let port = try freePort()
    try folder.write("page.txt", String(repeating: "All the birds come home to one roost.\n", count: 27))
    try folder.write(
        "nginx.conf",
        """
        daemon off; worker_processes 1; pid \(folder.path)/pid; error_log \(folder.path)/error.log;
        events { worker_connections 1024; }
        http { access_log off; keepalive_requests 1000000;
          client_body_temp_path \(folder.path); proxy_temp_path \(folder.path); fastcgi_temp_path \(folder.path);
          uwsgi_temp_path \(folder.path); scgi_temp_path \(folder.path);
          server { listen 127.0.0.1:\(port); location / { root \(folder.path); try_files /page.txt =404; } } }
        """
    )
    let server = try spawn([nginx, "-c", "\(folder.path)/nginx.conf", "-p", folder.path], quiet: true)
    defer {
        kill(server, SIGTERM)
        waitpid(server, nil, 0)
    }
    let urls = (0..<requestCount).map { "http://127.0.0.1:\(port)/\($0)" }
    try folder.write("urls", urls.map { "url = \"\($0)\"\noutput = \"/dev/null\"\n" }.joined())
    try await waitForServer(urls[0])

    var ours: [Cost] = []
    var theirs: [Cost] = []
    // By turns, so that what else the machine does falls on both.
    for _ in 0..<3 {
        theirs.append(
            try cost(of: [curl, "--parallel", "--parallel-max", "\(concurrency)", "-s", "-K", "\(folder.path)/urls"])
        )
        ours.append(try await fetchAll(urls))
    }
    let (our, their) = (Cost.middle(ours), Cost.middle(theirs))
    return [
        (name: "transport, 20,000 URLs, 64 at once", value: our.description),
        (name: "curl --parallel --parallel-max 64, same URLs", value: their.description),
        (name: "throughput against curl (at least 1)", value: "\(hundredths(their.seconds / our.seconds))"),
        (name: "CPU against curl (at most 1.1)", value: "\(hundredths(our.processor / their.processor))"),
    ]
}

/// What 20,000 requests took.
private struct Cost: CustomStringConvertible {
    var seconds: Double
    var processor: Double

    var description: String {
        let each = Int(processor / Double(requestCount) * 1e6)
        return "\(Int(Double(requestCount) / seconds)) requests/s, \(each) µs CPU a request"
    }

    static func middle(_ costs: [Cost]) -> Cost {
        func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
        return Cost(seconds: median(costs.map(\.seconds)), processor: median(costs.map(\.processor)))
    }
}

private func fetchAll(_ urls: [String]) async throws -> Cost {
    let transport = try CurlTransport()
    let client = transport.client(policy: .allowPrivate)
    let before = usage(RUSAGE_SELF)
    let start = ContinuousClock.now
    try await withThrowingTaskGroup { group in
        for first in 0..<concurrency {
            group.addTask {
                for index in stride(from: first, to: urls.count, by: concurrency) {
                    let response = try await client.send(HTTPClientRequest(.get, urls[index]))
                    let body = try await response.body.collect()
                    guard response.status == 200, body.count > 500 else { throw BenchmarkFailure("a wrong answer") }
                }
            }
        }
        try await group.waitForAll()
    }
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    let processor = usage(RUSAGE_SELF) - before
    await transport.shutdown()
    return Cost(seconds: seconds, processor: processor)
}

private func cost(of command: [String]) throws -> Cost {
    let start = ContinuousClock.now
    let child = try spawn(command, quiet: true)
    var status: Int32 = 0
    var spent = rusage()
    guard wait4(child, &status, 0, &spent) == child, status == 0 else { throw BenchmarkFailure("curl failed") }
    return Cost(seconds: (ContinuousClock.now - start) / .seconds(1), processor: processorSeconds(spent))
}

private func waitForServer(_ url: String) async throws {
    let transport = try CurlTransport()
    let client = transport.client(policy: .allowPrivate)
    let deadline = ContinuousClock.now + .seconds(5)
    while true {
        if let response = try? await client.send(HTTPClientRequest(.get, url)), response.status == 200 { break }
        guard ContinuousClock.now < deadline else { throw BenchmarkFailure("nginx does not answer") }
        try await Task.sleep(for: .milliseconds(20))
    }
    await transport.shutdown()
}

// MARK: Idle streams

/// Bytes that one open, silent response holds in this process.
///
/// The server's side is sockets only, so it weighs nothing here.
private func weighIdleStreams(_ count: Int) async throws -> Int {
    raiseDescriptorLimit()
    let server = try SilentServer()
    let transport = try CurlTransport(CurlTransportConfiguration(maximumConnectionsPerHost: count + 8))
    let client = transport.client(policy: .allowPrivate)
    let url = "http://127.0.0.1:\(server.port)/stream"
    let patient = HTTPDeadlines(firstByte: nil, idle: nil, total: nil)
    let request = HTTPClientRequest(.get, url, deadlines: patient, maximumBodySize: .max)
    let (opened, openings) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .unbounded)
    let size = try await withThrowingTaskGroup(of: Void.self) { group in
        func open(_ number: Int) async throws {
            for _ in 0..<number {
                group.addTask {
                    var body = try await client.send(request).body.makeAsyncIterator()
                    while try await body.next() != nil { openings.yield() }
                }
            }
            var left = number
            for await _ in opened {
                left -= 1
                if left == 0 { break }
            }
        }
        // What the first ones cost once for all is not counted.
        try await open(8)
        let before = residentBytes()
        try await open(count)
        let after = residentBytes()
        group.cancelAll()
        while let result = await group.nextResult() { _ = result }
        return (after - before) / count
    }
    await transport.shutdown()
    server.stop()
    return size
}

/// Answers every connection with the head and one event of a stream, and then says nothing more.
private final class SilentServer: Sendable {
    let port: UInt16
    private let listener: Int32
    private let connections = Mutex<[Int32]>([])

    init() throws {
        (listener, port) = try listen()
        var thread = pthread_t()
        let context = Unmanaged.passRetained(self)
        pthread_create(
            &thread,
            nil,
            { context in
                context.map { Unmanaged<SilentServer>.fromOpaque($0).takeRetainedValue().run() }
                return nil
            },
            context.toOpaque()
        )
        pthread_detach(thread)
    }

    private func run() {
        let answer = Array("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n: hello\n\n".utf8)
        while true {
            let connection = accept(listener, nil, nil)
            guard connection >= 0 else { return }
            var request: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
            _ = read(connection, &request, MemoryLayout.size(ofValue: request))
            _ = send(connection, answer, answer.count, Int32(MSG_NOSIGNAL))
            connections.withLock { $0.append(connection) }
        }
    }

    func stop() {
        Glibc.shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
        for connection in connections.withLock({ $0 }) { close(connection) }
    }
}

// MARK: The system

private struct BenchmarkFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

private struct TemporaryFolder {
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
        guard let folder = opendir(path) else { return }
        while let entry = readdir(folder) {
            withUnsafePointer(to: &entry.pointee.d_name) { name in
                let name = String(cString: UnsafeRawPointer(name).assumingMemoryBound(to: CChar.self))
                if name != ".", name != ".." { _ = Glibc.remove("\(path)/\(name)") }
            }
        }
        closedir(folder)
        rmdir(path)
    }
}

private func findProgram(_ name: String) -> String? {
    ["/usr/sbin", "/usr/bin", "/usr/local/bin", "/usr/local/sbin"].map { "\($0)/\(name)" }.first {
        access($0, X_OK) == 0
    }
}

private func spawn(_ command: [String], quiet: Bool) throws -> pid_t {
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
private func listen() throws -> (descriptor: Int32, port: UInt16) {
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

private func freePort() throws -> UInt16 {
    let (descriptor, port) = try listen()
    close(descriptor)
    return port
}

private func raiseDescriptorLimit() {
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    limit.rlim_cur = limit.rlim_max
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
}

private func usage(_ who: __rusage_who) -> Double {
    var spent = rusage()
    getrusage(who.rawValue, &spent)
    return processorSeconds(spent)
}

private func processorSeconds(_ spent: rusage) -> Double {
    Double(spent.ru_utime.tv_sec + spent.ru_stime.tv_sec) + Double(spent.ru_utime.tv_usec + spent.ru_stime.tv_usec)
        / 1e6
}

private func residentBytes() -> Int {
    guard let file = fopen("/proc/self/statm", "r") else { return 0 }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 128)
    guard fgets(&line, 128, file) != nil else { return 0 }
    let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return (Int(text.split(separator: " ")[1]) ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE)))
}

private func hundredths(_ value: Double) -> Double {
    (value * 100).rounded() / 100
}
