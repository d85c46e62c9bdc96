import CMalloc
import ConnectorKit
import CurlTransport
import FeedConnector
import Glibc
import HTTPTypes
import HubCore
import Logging
import SocialEvents
import SQLiteBus

private let feedCount = 5_000
private let readersAtOnce = 64
private let conditionalRequests = 312 * readersAtOnce

/// Five thousand feeds as five thousand sources of one hub, against one nginx: a cold pass, passes of 304s, and the memory they take.
func benchmarkPolling() async throws -> [BenchmarkRow] {
    guard let nginx = findProgram("nginx"), let curl = findProgram("curl") else {
        return [
            BenchmarkRow(
                name: "polling 5,000 feeds",
                value: 0,
                unit: "feeds/s",
                note: "skipped: nginx or curl is not installed"
            )
        ]
    }
    raiseDescriptorLimit()
    ProcessMemory.bound()
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    var samples = FeedSamples(seed: 1)
    for number in 0..<feedCount {
        try folder.write("\(number).xml", String(decoding: samples.feed(number), as: UTF8.self))
    }
    let server = try StaticServer(nginx: nginx, folder: folder)
    defer { server.stop() }
    try await server.waitUntilReady("/0.xml")

    let reference = try await curlNotModified(curl, server, folder)
    let bus = try await SQLiteBus(directory: folder.path + "/data", SQLiteBusConfiguration { SystemClock().now })
    let transport = try CurlTransport()
    let hub = try Hub(
        configuration: configuration(server),
        bus: bus,
        http: { _ in transport.client(policy: .allowPrivate) },
        logger: Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }
    )
    // What making the feeds took is not the hub's.
    _ = malloc_trim(0)
    let residentBefore = Double(residentBytes()) / 1e6
    let start = ContinuousClock.now
    let rows = try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { await hub.run() }
        // Every feed's fifty entries, each once.
        try await wait { hub.totals.events >= feedCount * 50 }
        let cold = Double(feedCount) / ((ContinuousClock.now - start) / .seconds(1))
        let resident = Double(residentBytes()) / 1e6
        let before = hub.totals.pulls
        let warmStart = ContinuousClock.now
        try await wait { hub.totals.pulls >= before + 4 * feedCount }
        let warm = Double(hub.totals.pulls - before) / ((ContinuousClock.now - warmStart) / .seconds(1))
        group.cancelAll()
        return [
            BenchmarkRow(
                name: "5,000 feeds of 50 entries, cold pass, durable",
                value: cold,
                unit: "feeds/s",
                bar: 1_000
            ),
            BenchmarkRow(
                name: "5,000 feeds, resident memory after it",
                value: resident,
                unit: "MB",
                note: "bar: under 200; \(Int(residentBefore)) of them before the hub ran"
            ),
            BenchmarkRow(name: "5,000 feeds, passes of 304s", value: warm, unit: "feeds/s"),
            BenchmarkRow(
                name: "304s against curl --parallel",
                value: warm / reference,
                unit: "×",
                bar: 0.5,
                note: "curl: \(Int(reference))/s"
            ),
        ]
    }
    await bus.close()
    await transport.shutdown()
    return rows
}

/// Some twenty thousand conditional GETs answered 304, through the transport alone.
func benchmarkConditionalGets() async throws -> [BenchmarkRow] {
    guard let nginx = findProgram("nginx") else {
        return [
            BenchmarkRow(
                name: "\(conditionalRequests) conditional GETs",
                value: 0,
                unit: "requests/s",
                note: "skipped: nginx is not installed"
            )
        ]
    }
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    var samples = FeedSamples(seed: 1)
    try folder.write("0.xml", String(decoding: samples.feed(0), as: UTF8.self))
    let server = try StaticServer(nginx: nginx, folder: folder)
    defer { server.stop() }
    try await server.waitUntilReady("/0.xml")
    let transport = try CurlTransport()
    let client = transport.client(policy: .allowPrivate)
    let url = server.base + "/0.xml"
    let first = try await client.send(HTTPClientRequest(.get, url))
    guard let tag = first.headers[.eTag] else { throw BenchmarkFailure("nginx sent no ETag") }
    _ = try await first.body.collect()
    let start = ContinuousClock.now
    try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<readersAtOnce {
            group.addTask {
                for _ in 0..<conditionalRequests / readersAtOnce {
                    let response = try await client.send(HTTPClientRequest(.get, url, headers: [.ifNoneMatch: tag]))
                    guard response.status == 304 else { throw BenchmarkFailure("expected 304, got \(response.status)") }
                    _ = try await response.body.collect()
                }
            }
        }
        try await group.waitForAll()
    }
    let rate = Double(conditionalRequests) / ((ContinuousClock.now - start) / .seconds(1))
    await transport.shutdown()
    let name = "\(conditionalRequests) conditional GETs, \(readersAtOnce) at once"
    return [BenchmarkRow(name: name, value: rate, unit: "requests/s")]
}

private func configuration(_ server: StaticServer) -> HubConfiguration {
    let sources = (0..<feedCount).map { number in
        SourceConfiguration(
            name: SourceName("feed-\(number)"),
            connector: FeedConnector.self,
            settings: Settings([
                SettingNode.Member(
                    key: "url",
                    position: SettingPosition(),
                    value: SettingNode(.scalar("\(server.base)/\(number).xml", isQuoted: false))
                )
            ]),
            interval: .milliseconds(50) ... .milliseconds(50),
            network: SourceNetwork(allowsPrivateNetwork: true)
        )
    }
    return HubConfiguration(sources: sources)
}

/// What curl's command line does on the same feeds when each answers 304.
private func curlNotModified(_ curl: String, _ server: StaticServer, _ folder: TemporaryFolder) async throws -> Double {
    let transport = try CurlTransport()
    let client = transport.client(policy: .allowPrivate)
    var list = ""
    for number in 0..<feedCount {
        let url = "\(server.base)/\(number).xml"
        let response = try await client.send(HTTPClientRequest(.head, url))
        guard let tag = response.headers[.eTag] else { throw BenchmarkFailure("nginx sent no ETag") }
        list += "next\nurl = \"\(url)\"\noutput = \"/dev/null\"\nheader = \"If-None-Match: \(escaped(tag))\"\n"
    }
    await transport.shutdown()
    try folder.write("urls", String(list.dropFirst("next\n".count)))
    var rates: [Double] = []
    for _ in 0..<3 {
        let start = ContinuousClock.now
        let process = try spawn(
            [curl, "--parallel", "--parallel-max", "64", "-s", "-K", "\(folder.path)/urls"],
            quiet: true
        )
        waitpid(process, nil, 0)
        rates.append(Double(feedCount) / ((ContinuousClock.now - start) / .seconds(1)))
    }
    return rates.sorted()[1]
}

private func escaped(_ tag: String) -> String {
    tag.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\\\"")
}

private func wait(until holds: () -> Bool) async throws {
    let deadline = ContinuousClock.now.advanced(by: .seconds(120))
    while !holds() {
        guard ContinuousClock.now < deadline else { throw BenchmarkFailure("it took longer than two minutes") }
        try await SystemClock().sleep(for: .milliseconds(2))
    }
}
