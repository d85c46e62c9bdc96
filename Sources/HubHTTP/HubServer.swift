package import HubCore
import HTTPTypes
package import Hummingbird
package import Logging
import MessageBus
package import ServiceLifecycle

/// The hub's HTTP side: events to read, sources to look after, health.
///
/// Everything under `/v1` keeps its meaning as long as it is called `v1`.
package struct HubServer: Sendable {
    private let hub: Hub
    private let logger: Logger
    private let live: LiveFeeds

    /// A server for `hub`; streams in which nothing happens get a comment every `heartbeat`.
    package init(hub: Hub, heartbeat: Duration = .seconds(15), logger: Logger) {
        self.hub = hub
        self.logger = logger
        live = LiveFeeds(bus: hub.bus, heartbeat: heartbeat)
    }

    /// Feeds the readers that follow the log; runs beside ``application(host:port:onRunning:)`` and ends every stream when it is told to stop.
    package var liveFeeds: some Service { live }

    /// The server itself, to be run in a service group.
    ///
    /// - Parameters:
    ///   - host: the address to listen on.
    ///   - port: the port; 0 lets the system choose.
    ///   - onRunning: is told the port once the server listens.
    /// - Returns: a service that serves until it is told to stop.
    package func application(
        host: String,
        port: Int,
        onRunning: @escaping @Sendable (_ port: Int) async -> Void = { _ in }
    ) -> some ApplicationProtocol {
        Application(
            router: router(isLoopback: HostGuard.isLoopback(host)),
            configuration: ApplicationConfiguration(address: .hostname(host, port: port), serverName: "roost"),
            onServerRunning: { await onRunning($0.localAddress?.port ?? port) },
            logger: logger
        )
    }

    func router(isLoopback: Bool) -> Router<BasicRequestContext> {
        let router = Router(options: .autoGenerateHeadEndpoints)
        router.add(middleware: ProblemMiddleware())
        router.add(middleware: HostGuard(isLoopback: isLoopback))
        EventRoutes(bus: hub.bus, live: live).add(to: router)
        SourceRoutes(hub: hub).add(to: router)
        DeadLetterRoutes(hub: hub).add(to: router)
        AccountRoutes(hub: hub).add(to: router)
        HealthRoutes(hub: hub).add(to: router)
        return router
    }
}
