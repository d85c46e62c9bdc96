import ConnectorKit
import CurlTransport
import Foundation
import HTTPTypes
import HubCore
import HubHTTP
import Logging
import MessageBus
import ServiceLifecycle
import SocialEvents
import SQLiteBus

private let readerCount = 500
private let burstEvents = 20_000
private let burstBatch = 100

/// Appends to a log that 500 readers follow by server-sent events: how much arrives, how soon, and what it costs the hub.
///
/// The readers are another process, so that the processor time is the hub's alone.
func benchmarkFanOut() async throws -> [BenchmarkRow] {
    raiseDescriptorLimit()
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    let bus = try await SQLiteBus(directory: folder.path + "/data", SQLiteBusConfiguration { SystemClock().now })
    let logger = Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }
    let hub = try Hub(
        configuration: HubConfiguration(),
        bus: bus,
        http: { _ in throw ConnectorError(.unsupported, "no sources") },
        logger: logger
    )
    let server = HubServer(hub: hub, logger: logger)
    let running = AsyncStream.makeStream(of: Int.self, bufferingPolicy: .bufferingNewest(1))
    let application = server.application(host: "127.0.0.1", port: 0) { running.continuation.yield($0) }
    let group = ServiceGroup(services: [application, server.liveFeeds], logger: logger)
    let rows = try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask { try await group.run() }
        var ports = running.stream.makeAsyncIterator()
        let port = await ports.next() ?? 0
        let rows = [try await burst(bus, port: port), try await trickle(bus, port: port)].flatMap { $0 }
        await group.triggerGracefulShutdown()
        try await tasks.waitForAll()
        return rows
    }
    await bus.close()
    return rows
}

/// Everything at once: events delivered a second, and the hub's processor time for one event to one reader.
private func burst(_ bus: SQLiteBus, port: Int) async throws -> [BenchmarkRow] {
    let readers = try ReaderProcess(port: port, events: burstEvents)
    try readers.waitUntilConnected()
    let before = usage(RUSAGE_SELF)
    let start = ContinuousClock.now
    for batch in 0..<burstEvents / burstBatch {
        let events = (0..<burstBatch).map { kilobyteEvent(batch * burstBatch + $0, of: "burst") }
        _ = try await bus.append(LogBatch(source: SourceName("bench"), events: events))
    }
    _ = try readers.waitForReport()
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    let delivered = Double(burstEvents * readerCount)
    let cost = (usage(RUSAGE_SELF) - before) / delivered
    return [
        BenchmarkRow(
            name: "fan-out, \(readerCount) SSE readers, flat out",
            value: delivered / seconds,
            unit: "deliveries/s",
            note: "append included"
        ),
        BenchmarkRow(name: "fan-out, hub's CPU for one event to one reader", value: cost * 1e6, unit: "µs"),
    ]
}

/// A hundred events a second: how long after it was due an event is at its readers.
private func trickle(_ bus: SQLiteBus, port: Int) async throws -> [BenchmarkRow] {
    let events = 500
    let readers = try ReaderProcess(port: port, events: events)
    try readers.waitUntilConnected()
    let clock = SystemClock()
    let start = clock.now.milliseconds + 100
    for number in 0..<events {
        // Due at its moment, however long the ones before took: what waits its turn has waited.
        let due = start + Int64(number) * 10
        let early = due - clock.now.milliseconds
        if early > 0 { try await clock.sleep(for: .milliseconds(early)) }
        var event = kilobyteEvent(number, of: "trickle")
        event.time = Timestamp(milliseconds: due)
        _ = try await bus.append(LogBatch(source: SourceName("bench"), events: [event]))
    }
    let latencies = try readers.waitForReport()
    return [
        BenchmarkRow(name: "fan-out, 100 events/s, due to reader, median", value: latencies.median, unit: "ms"),
        BenchmarkRow(name: "fan-out, 100 events/s, due to reader, p99", value: latencies.high, unit: "ms"),
    ]
}

/// An event whose JSON is about 1 KB.
func kilobyteEvent(_ number: Int, of run: String) -> Event {
    let platform: Platform = "bench"
    let id = ObjectID(platform, .post, "\(run)-\(number)")
    var object = SocialObject(id: id, kind: .post)
    object.text = String(repeating: "Two hours in the rain and nobody told us anything. ", count: 12)
    object.url = "https://bench.example/\(run)/\(number)"
    var data = EventData()
    data.object = object
    data.actor = Actor(
        id: ObjectID(platform, "actor", "\(number % 97)"),
        handle: "reader\(number % 97)",
        name: "Reader \(number % 97)"
    )
    return Event(
        id: EventID(id, .created),
        type: .postCreated,
        platform: platform,
        subject: id,
        time: Timestamp(milliseconds: 1_790_000_000_000 + Int64(number)),
        data: data
    )
}

/// This executable once more, as 500 readers.
private final class ReaderProcess {
    private let process = Process()
    private let output = Pipe()

    init(port: Int, events: Int) throws {
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = ["sse-readers", "\(port)", "\(readerCount)", "\(events)"]
        process.standardOutput = output
        try process.run()
    }

    func waitUntilConnected() throws {
        guard readLine() == "connected" else { throw BenchmarkFailure("the readers could not connect") }
    }

    /// Median and 99th percentile of the time from an event's `time` to its arrival, in milliseconds.
    func waitForReport() throws -> (median: Double, high: Double) {
        let words = readLine().split(separator: " ")
        process.waitUntilExit()
        guard words.count == 2, let median = Double(words[0]), let high = Double(words[1]) else {
            throw BenchmarkFailure("the readers broke off")
        }
        return (median, high)
    }

    private func readLine() -> String {
        var line = Data()
        while let byte = try? output.fileHandleForReading.read(upToCount: 1)?.first, byte != UInt8(ascii: "\n") {
            line.append(byte)
        }
        return String(decoding: line, as: UTF8.self)
    }
}

/// The other process: opens `count` streams, counts `events` on each, prints what it measured.
func runReaders(port: Int, count: Int, events: Int) async throws {
    raiseDescriptorLimit()
    var configuration = CurlTransportConfiguration()
    configuration.maximumConnections = count + 10
    configuration.maximumConnectionsPerHost = count + 10
    let transport = try CurlTransport(configuration)
    let client = transport.client(policy: .allowPrivate)
    var bodies: [HTTPBody] = []
    for _ in 0..<count {
        let request = HTTPClientRequest(
            .get,
            "http://127.0.0.1:\(port)/v1/events",
            headers: [.accept: "text/event-stream"],
            deadlines: HTTPDeadlines(idle: nil, total: nil),
            maximumBodySize: .max
        )
        let body = try await client.send(request).body
        // The first bytes are the stream's position: from here on nothing is missed.
        var iterator = body.makeAsyncIterator()
        _ = try await iterator.next()
        bodies.append(body)
    }
    say("connected")
    let latencies = try await withThrowingTaskGroup(of: [Int64].self) { group in
        for body in bodies { group.addTask { try await readStream(body, events: events) } }
        return try await group.reduce(into: []) { $0 += $1 }
    }
    let sorted = latencies.sorted()
    say("\(sorted[sorted.count / 2]) \(sorted[sorted.count * 99 / 100])")
    await transport.shutdown()
}

/// Prints a line at once.
func say(_ line: String) {
    let bytes = Array((line + "\n").utf8)
    _ = bytes.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
}

/// Counts events by their `time` and takes the latency of each.
private func readStream(_ body: HTTPBody, events: Int) async throws -> [Int64] {
    var latencies: [Int64] = []
    latencies.reserveCapacity(events)
    let marker = Array("\"time\":\"".utf8)
    var matched = 0
    var time: [UInt8] = []
    for try await chunk in body {
        let now = SystemClock().now.milliseconds
        for byte in chunk {
            if matched < marker.count {
                matched = byte == marker[matched] ? matched + 1 : (byte == marker[0] ? 1 : 0)
            } else if byte != UInt8(ascii: "\"") {
                time.append(byte)
            } else {
                let then = Timestamp(rfc3339: String(decoding: time, as: UTF8.self))
                latencies.append(then.map { max(0, now - $0.milliseconds) } ?? 0)
                time.removeAll(keepingCapacity: true)
                matched = 0
            }
        }
        if latencies.count >= events { break }
    }
    return latencies.isEmpty ? [0] : latencies
}
