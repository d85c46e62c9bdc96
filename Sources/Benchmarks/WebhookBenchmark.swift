import ConnectorKit
import CurlTransport
import Foundation
import HTTPTypes
import HubCore
import HubHTTP
import Hummingbird
import Logging
import MessageBus
import NIOCore
import ServiceLifecycle
import SocialEvents
import SQLiteBus
import WhatsAppConnector

private let calls = 20_000
private let connections = 64
private let secret = "a secret of the platform and the hub"

/// Calls the webhook listener as Meta does for WhatsApp, each call signed, normalised and durable before its answer, beside a route that only reads the same body.
///
/// Who calls is another process, the same for both.
func benchmarkWebhooks() async throws -> [BenchmarkRow] {
    let bare = try await measureBareRoute()
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    let bus = try await SQLiteBus(directory: folder.path + "/data", SQLiteBusConfiguration { SystemClock().now })
    let logger = Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }
    let source = SourceConfiguration(
        name: SourceName("hook"),
        connector: WhatsAppConnector.self,
        settings: settings(["app_secret": secret, "verify_token": "a token"]),
        interval: .seconds(60) ... .seconds(60)
    )
    // Nothing is asked by it; a source has one all the same.
    let transport = try CurlTransport()
    let hub = try Hub(
        configuration: HubConfiguration(sources: [source]),
        bus: bus,
        http: { _ in transport.client(policy: .publicOnly) },
        logger: logger
    )
    let running = AsyncStream.makeStream(of: Int.self, bufferingPolicy: .bufferingNewest(1))
    let application = WebhookServer(hub: hub, logger: logger)
        .application(host: "127.0.0.1", port: 0) { running.continuation.yield($0) }
    let before = residentBytes()
    let (rate, high) = try await serve([hub, application], running.stream, logger)
    let grown = Double(residentBytes() - before) / 1e6
    let stored = hub.totals.events
    await bus.close()
    await transport.shutdown()
    guard stored == calls else { throw BenchmarkFailure("\(stored) of \(calls) calls are in the log") }
    let note = folder.isInMemory ? "on a file system in memory" : ""
    return [
        BenchmarkRow(
            name: "webhook calls, 64 connections, body read and dropped",
            value: bare.rate,
            unit: "calls/s",
            note: "p99 \(round(bare.high * 10) / 10) ms; \(call(1).count) bytes each"
        ),
        BenchmarkRow(
            name: "webhook calls, signed, normalised, durable",
            value: rate,
            unit: "calls/s",
            note: note
        ),
        BenchmarkRow(name: "webhook calls against the bare route", value: rate / bare.rate, unit: "×", bar: 0.5),
        BenchmarkRow(name: "99th percentile of a call", value: high, unit: "ms", note: "to stay under 15"),
        BenchmarkRow(name: "memory grown meanwhile", value: grown, unit: "MB"),
    ]
}

private func measureBareRoute() async throws -> (rate: Double, high: Double) {
    let logger = Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }
    let running = AsyncStream.makeStream(of: Int.self, bufferingPolicy: .bufferingNewest(1))
    let router = Router()
    router.post("/hook") { request, _ in
        _ = try await request.body.collect(upTo: 1 << 20)
        return HTTPResponse.Status.ok
    }
    let application = Application(
        router: router,
        configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)),
        onServerRunning: { running.continuation.yield($0.localAddress?.port ?? 0) },
        logger: logger
    )
    return try await serve([application], running.stream, logger)
}

/// Runs services while another process calls them.
private func serve(
    _ services: [any Service],
    _ ports: AsyncStream<Int>,
    _ logger: Logger
) async throws -> (rate: Double, high: Double) {
    let group = ServiceGroup(services: services, logger: logger)
    return try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask { try await group.run() }
        var ports = ports.makeAsyncIterator()
        let port = await ports.next() ?? 0
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = ["webhook-calls", "\(port)"]
        process.standardOutput = output
        try process.run()
        // Ends when the callers have ended.
        let report = await Task.detached { output.fileHandleForReading.readDataToEndOfFile() }.value
        process.waitUntilExit()
        await group.triggerGracefulShutdown()
        try await tasks.waitForAll()
        let words = String(decoding: report, as: UTF8.self).split { $0 == " " || $0 == "\n" }
        guard words.count == 2, let rate = Double(words[0]), let high = Double(words[1]) else {
            throw BenchmarkFailure("the callers broke off")
        }
        return (rate, high)
    }
}

/// The other process: calls over 64 connections, each call when the one before is answered; prints calls a second and the 99th percentile in milliseconds.
func runCallers(port: Int) async throws {
    var configuration = CurlTransportConfiguration()
    configuration.maximumConnections = connections
    configuration.maximumConnectionsPerHost = connections
    let transport = try CurlTransport(configuration)
    let client = transport.client(policy: .allowPrivate)
    let signed = (0..<calls).map { number in
        let body = call(number)
        return (body, Signature.hubSHA256.make(body, key: Secret(secret)))
    }
    guard let name = HTTPField.Name("x-hub-signature-256") else { return }
    let start = ContinuousClock.now
    let times = try await withThrowingTaskGroup(of: [Double].self) { group in
        for lane in 0..<connections {
            group.addTask {
                var times: [Double] = []
                for number in stride(from: lane, to: calls, by: connections) {
                    let (body, signature) = signed[number]
                    let begin = ContinuousClock.now
                    let request = HTTPClientRequest(
                        .post,
                        "http://127.0.0.1:\(port)/hook",
                        headers: [name: signature, .contentType: "application/json"],
                        body: body
                    )
                    // As platforms do: again until it is taken.
                    while try await answered(client, request) != 200 {}
                    times.append((ContinuousClock.now - begin) / .milliseconds(1))
                }
                return times
            }
        }
        return try await group.reduce(into: []) { $0 += $1 }
    }
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    say("\(Double(calls) / seconds) \(times.sorted()[times.count * 99 / 100])")
    await transport.shutdown()
}

private func answered(_ client: any HTTPClient, _ request: HTTPClientRequest) async throws -> Int {
    let response = try await client.send(request)
    _ = try await response.body.collect()
    return response.status
}

/// What Meta sends about a message, about 1 KB.
private func call(_ number: Int) -> [UInt8] {
    Array(PlatformPayloads.whatsApp(number).utf8)
}

private func settings(_ values: [String: String]) -> Settings {
    Settings(
        values.map { key, value in
            SettingNode.Member(key: key, position: SettingPosition(), value: SettingNode(.secret(Secret(value))))
        }
    )
}
