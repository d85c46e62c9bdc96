import HTTPTypes
import Hummingbird
package import Logging
import NIOCore
import ServiceLifecycle

/// Puts a simulator behind a port, tells it the time, makes its calls, and lets tests steer it under `/_simulator/`.
package struct SimulatorServer<Simulator: PlatformSimulator>: Service {
    private let simulator: Simulator
    private let host: String
    private let port: Int
    private let logger: Logger
    private let now: @Sendable () -> Int64
    private let onRunning: @Sendable (_ port: Int) async -> Void

    /// A server.
    ///
    /// - Parameters:
    ///   - simulator: what it serves.
    ///   - host: where it listens; only loopback addresses make sense for a stand-in.
    ///   - port: the port; 0 lets the system choose.
    ///   - logger: takes what goes wrong in the server itself.
    ///   - now: the time in milliseconds since 1970.
    ///   - onRunning: learns the port once it listens.
    package init(
        _ simulator: Simulator,
        host: String = "127.0.0.1",
        port: Int,
        logger: Logger,
        now: @escaping @Sendable () -> Int64,
        onRunning: @escaping @Sendable (_ port: Int) async -> Void = { _ in }
    ) {
        self.simulator = simulator
        self.host = host
        self.port = port
        self.logger = logger
        self.now = now
        self.onRunning = onRunning
    }

    /// Serves until the task is cancelled or the service group shuts down.
    package func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await serve() }
            group.addTask {
                while !Task.isCancelled {
                    simulator.advance(to: now())
                    try await Task.sleep(for: .milliseconds(50))
                }
            }
            if let simulator = simulator as? any WebhookSimulator {
                group.addTask {
                    let caller = WebhookCaller(simulator: simulator)
                    while !Task.isCancelled {
                        await caller.callAll()
                        try await Task.sleep(for: .milliseconds(20))
                    }
                }
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    private func serve() async throws {
        if let simulator = simulator as? any WebSocketSimulator {
            return try await WebSocketListener(simulator: simulator, host: host, port: port).run(onRunning)
        }
        let application = Application(
            responder: CallbackResponder<BasicRequestContext> { request, _ in try await respond(to: request) },
            configuration: ApplicationConfiguration(
                address: .hostname(host, port: port),
                serverName: "roost-simulator"
            ),
            onServerRunning: { await onRunning($0.localAddress?.port ?? 0) },
            logger: logger
        )
        try await application.run()
    }

    private func respond(to request: Request) async throws -> Response {
        let body = try await request.body.collect(upTo: 16 << 20)
        let simulated = SimulatedRequest(
            request.method,
            request.uri.string,
            headers: request.headers,
            body: Array(buffer: body),
            base: "http://\(request.head.authority ?? "\(host):\(port)")"
        )
        return try await response(simulator.controlled(simulated))
    }

    private func response(_ answer: SimulatedAnswer) async throws -> Response {
        let body: ResponseBody
        switch answer.body {
        case .bytes(let bytes):
            body = ResponseBody(byteBuffer: ByteBuffer(bytes: bytes))
        case .broken(let bytes, let count):
            body = ResponseBody(contentLength: bytes.count) { writer in
                try await writer.write(ByteBuffer(bytes: bytes.prefix(count)))
                throw SimulatedStream.BrokenOff()
            }
        case .stream(let stream):
            body = ResponseBody { writer in
                // Whoever leaves, nobody writes into the void behind them.
                defer { stream.breakOff() }
                try await withGracefulShutdownHandler {
                    while let bytes = try await stream.next() {
                        try await writer.write(ByteBuffer(bytes: bytes))
                    }
                    try await writer.finish(nil)
                } onGracefulShutdown: {
                    stream.finish()
                }
            }
        case .silence:
            // The client gives up, or the server is to end.
            try await cancelWhenGracefulShutdown { try await Task.sleep(for: .seconds(3600)) }
            body = ResponseBody()
        }
        return Response(status: answer.status, headers: answer.headers, body: body)
    }
}
