import ArgumentParser
import ConnectorKit
import CurlTransport
import FoundationEssentials
import Glibc
import HubCore
import HubHTTP
import Logging
import MessageBus
import SQLiteBus
import ServiceLifecycle
import UnixSignals
import WebSocketTransport

/// The command `roost run`.
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Runs the hub: reads every source, keeps the log, serves those who subscribe.",
        discussion: "Ctrl-C or SIGTERM stops it in order. Started again, it goes on where it was."
    )

    @OptionGroup var file: ConfigurationFile

    @Flag(help: "Print the events as they come, from the last few on.")
    var follow = false

    func run() async throws {
        ProcessMemory.bound()
        let configuration = try file.load()
        LoggingSystem.bootstrap { LogOutput(label: $0, configuration.log) }
        let logger = Logger(label: "roost")
        let clock = SystemClock()
        let bus = try await open(configuration, clock: clock)
        let transport = try CurlTransport()
        let sockets = WebSocketTransport()
        do {
            let hub = try Hub(
                configuration: configuration,
                bus: bus,
                http: { transport.client(for: $0) },
                webSockets: { sockets.client(for: $0) },
                clock: clock,
                logger: logger
            )
            try await serve(hub, configuration, logger: logger)
        } catch {
            await bus.close()
            await transport.shutdown()
            await sockets.shutdown()
            throw error as? SettingsError == nil ? error : Failure(.usage, "\(error)")
        }
        await bus.close()
        await transport.shutdown()
        await sockets.shutdown()
    }

    private func open(_ configuration: HubConfiguration, clock: SystemClock) async throws -> SQLiteBus {
        do {
            return try await SQLiteBus(directory: configuration.dataDirectory, SQLiteBusConfiguration { clock.now })
        } catch let error as BusError {
            throw Failure(.environment, error.description)
        }
    }

    /// Runs everything until a signal comes.
    ///
    /// Services stop in the reverse of this order: streams end before the server that carries them, and the
    /// server before the sources.
    private func serve(_ hub: Hub, _ configuration: HubConfiguration, logger: Logger) async throws {
        let server = HubServer(hub: hub, logger: logger)
        let listen = configuration.listen
        let application = server.application(host: listen.host, port: listen.port) { port in
            let base = "http://\(ListenAddress(host: listen.host, port: port))"
            Terminal.error("listening on \(base)")
            Terminal.error("events: curl -N -H 'Accept: text/event-stream' \(base)/v1/events")
            Terminal.error("sources: \(base)/v1/sources")
        }
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .error)
        let started = AsyncStream.makeStream(of: Void.self)
        var services = configuration.simulators.compactMap { simulator in
            SimulatedPlatform(rawValue: simulator.platform).map { platform in
                Simulation(
                    platform: platform,
                    port: simulator.port,
                    pace: simulator.pace,
                    seed: simulator.seed,
                    callbacks: simulator.callbacks
                )
                .service(logger: quiet) { _ in started.continuation.yield() }
            }
        }
        services.append(Delayed(hub, until: started.stream, count: services.count))
        if let listener = webhookListener(hub, configuration, logger: logger) { services.append(listener) }
        services += [application, server.liveFeeds]
        if follow { services.append(EventPrinter(bus: hub.bus)) }
        // The last is told first that all shall end.
        services.append(ShutdownDeadline())
        let group = ServiceGroupConfiguration(
            services: services.map { .init(service: $0) },
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: quiet
        )
        do {
            try await ServiceGroup(configuration: group).run()
        } catch {
            let ports = configuration.simulators.map(\.port) + [listen.port, configuration.webhooks.listen.port]
            let mend = "change `listen` or the simulator's `port` in \(file.path)"
            throw PortTaken.failure(error, ports: ports, mend: mend) ?? error
        }
        Terminal.error("stopped in order")
    }

    /// Where platforms call; `nil` when no source is told by webhook.
    private func webhookListener(_ hub: Hub, _ configuration: HubConfiguration, logger: Logger) -> (any Service)? {
        let webhooks = configuration.webhooks
        var limits = WebhookLimits()
        limits.bodySize = webhooks.bodySize
        let server = WebhookServer(hub: hub, limits: limits, logger: logger)
        guard !server.paths.isEmpty else { return nil }
        return server.application(host: webhooks.listen.host, port: webhooks.listen.port) { port in
            let local = "http://\(ListenAddress(host: webhooks.listen.host, port: port))"
            for (path, source) in server.paths {
                let url =
                    webhooks.publicURL.map { "\($0)\(path), which is to reach \(local)\(path)" } ?? "\(local)\(path)"
                Terminal.error("webhook of \(source): \(url)")
            }
        }
    }
}

/// Ends the process when stopping takes too long, so that Ctrl-C ends within five seconds whatever a source, a reader or a caller does.
///
/// What is in flight then is cut off as by `kill -9`, which loses nothing that was acknowledged. Cancelling the services instead would not do: a
/// server that is cancelled while a connection waits to be accepted traps.
private struct ShutdownDeadline: Service {
    /// In seconds.
    private static let patience: UInt32 = 4

    func run() async throws {
        try await gracefulShutdown()
        signal(SIGALRM) { _ in
            let words: StaticString = "roost: stopped; what was still in flight was cut off\n"
            _ = write(STDERR_FILENO, words.utf8Start, words.utf8CodeUnitCount)
            _exit(0)
        }
        _ = alarm(Self.patience)
    }
}

/// A service that begins when others have told that they run.
private struct Delayed<Base: Service>: Service {
    private let base: Base
    private let started: AsyncStream<Void>
    private let count: Int

    init(_ base: Base, until started: AsyncStream<Void>, count: Int) {
        self.base = base
        self.started = started
        self.count = count
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var iterator = started.makeAsyncIterator()
            for _ in 0..<count { await iterator.next() }
        }
        try await base.run()
    }
}

/// Which configuration a command reads.
struct ConfigurationFile: ParsableArguments {
    @Option(name: [.customLong("config"), .customShort("c")], help: "The configuration.")
    var path = "Config/roost.yaml"

    func load() throws -> HubConfiguration {
        do {
            return try HubConfiguration.load(
                path: path,
                registry: ConnectorRegistry(allConnectors),
                environment: ProcessInfo.processInfo.environment
            )
        } catch {
            throw Failure(error.kind == .unreadable ? .environment : .usage, lines: error.errors.map(\.description))
        }
    }
}

extension CurlTransport {
    func client(for network: SourceNetwork) -> any HTTPClient {
        client(
            policy: network.allowsPrivateNetwork ? .allowPrivate : .publicOnly,
            proxy: network.proxy?.reveal(),
            certificateAuthority: network.certificateFile
        )
    }
}

extension WebSocketTransport {
    func client(for network: SourceNetwork) -> any WebSocketClient {
        // Going around a proxy is not what who sets one expects.
        guard network.proxy == nil else { return NoWebSockets(reason: "WebSockets do not go through a `proxy` yet") }
        return client(
            policy: network.allowsPrivateNetwork ? .allowPrivate : .publicOnly,
            certificateAuthority: network.certificateFile
        )
    }
}
