import ConnectorKit
import CurlTransport
import Glibc
import HTTPTypes
import Synchronization

/// Compares the HTTP transport with the command-line curl on the same URLs of one nginx, and weighs its open streams.
///
/// Throughput and CPU want nginx and curl installed; without them those rows say so. All of it stays on this machine.
func benchmarkTransport() async throws -> [BenchmarkRow] {
    var rows: [BenchmarkRow] = []
    if let nginx = findProgram("nginx"), let curl = findProgram("curl") {
        rows += try await compareWithCurl(nginx: nginx, curl: curl)
    } else {
        rows.append(
            BenchmarkRow(
                name: "20,000 URLs",
                value: 0,
                unit: "requests/s",
                note: "skipped: nginx or curl is not installed"
            )
        )
    }
    let size = Double(try await weighIdleStreams(1000)) / 1000
    rows.append(
        BenchmarkRow(
            name: "resident memory of an open idle stream, 1,000 open",
            value: size,
            unit: "KB",
            note: "bar: at most 25"
        )
    )
    return rows
}

// MARK: Throughput

private let requestCount = 20_000
private let concurrency = 64

private func compareWithCurl(nginx: String, curl: String) async throws -> [BenchmarkRow] {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    try folder.write("page.txt", String(repeating: "All the birds come home to one roost.\n", count: 27))
    let server = try StaticServer(nginx: nginx, folder: folder)
    defer { server.stop() }
    let urls = (0..<requestCount).map { "\(server.base)/any/\($0)" }
    try folder.write("urls", urls.map { "url = \"\($0)\"\noutput = \"/dev/null\"\n" }.joined())
    try await server.waitUntilReady("/any/0")

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
        BenchmarkRow(
            name: "transport, 20,000 URLs, 64 at once",
            value: Double(requestCount) / our.seconds,
            unit: "requests/s",
            note: our.description
        ),
        BenchmarkRow(
            name: "curl --parallel --parallel-max 64, same URLs",
            value: Double(requestCount) / their.seconds,
            unit: "requests/s",
            note: their.description
        ),
        BenchmarkRow(name: "throughput against curl", value: their.seconds / our.seconds, unit: "×", bar: 1),
        BenchmarkRow(
            name: "CPU against curl",
            value: our.processor / their.processor,
            unit: "×",
            note: "bar: at most 1.1"
        ),
    ]
}

/// What 20,000 requests took.
private struct Cost: CustomStringConvertible {
    var seconds: Double
    var processor: Double

    var description: String {
        "\(Int(processor / Double(requestCount) * 1e6)) µs CPU a request"
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
