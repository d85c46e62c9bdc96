import ConnectorKit
import CurlTransport
import FoundationEssentials
import HubCore
import Logging
import MessageBus
import SQLiteBus
import ServiceLifecycle
import Testing

/// A hub on a real log in a folder of its own, beside whatever serves it, with a real client.
struct ServingHub: Sendable {
    let hub: Hub
    let bus: any MessageBus
    /// Where the server listens.
    let port: Int
    let http: any HTTPClient
    let group: ServiceGroup

    /// Runs `body`; everything has ended when it returns.
    ///
    /// - Parameters:
    ///   - sources: what the hub reads.
    ///   - services: makes what serves the hub, and says the port once it listens.
    ///   - body: what is done with it.
    /// - Throws: what `body` throws, or what kept the hub from running.
    static func run(
        sources: [SourceConfiguration],
        services: (Hub, Logger, @escaping @Sendable (_ port: Int) -> Void) -> [any Service],
        _ body: @escaping @Sendable (ServingHub) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("roost-http-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let bus = try await SQLiteBus(directory: folder.path + "/data", SQLiteBusConfiguration { SystemClock().now })
        let transport = try CurlTransport()
        let client = transport.client(policy: .allowPrivate)
        let hub = try Hub(
            configuration: HubConfiguration(sources: sources),
            bus: bus,
            http: { _ in client },
            logger: logger
        )
        let listening = AsyncStream.makeStream(of: Int.self, bufferingPolicy: .bufferingNewest(1))
        let servers = services(hub, logger) { listening.continuation.yield($0) }
        let group = ServiceGroup(services: [hub] + servers, logger: logger)
        do {
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await group.run() }
                var ports = listening.stream.makeAsyncIterator()
                let port = try #require(await ports.next())
                let serving = ServingHub(hub: hub, bus: bus, port: port, http: client, group: group)
                do {
                    // The server may listen before the hub beside it has begun.
                    try await until { hub.phase != .starting }
                    try await body(serving)
                } catch {
                    await group.triggerGracefulShutdown()
                    throw error
                }
                await group.triggerGracefulShutdown()
                try await tasks.waitForAll()
            }
        } catch {
            await bus.close()
            await transport.shutdown()
            throw error
        }
        await bus.close()
        await transport.shutdown()
    }
}

/// Returns when `condition` holds; throws when the test's time is over.
func until(_ condition: () async throws -> Bool) async throws {
    while try await !condition() {
        try Task.checkCancellation()
        try await Task.sleep(for: .milliseconds(1))
    }
}
