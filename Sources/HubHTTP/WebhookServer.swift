package import ConnectorKit
import HTTPTypes
package import HubCore
package import Hummingbird
import HummingbirdCore
package import Logging
import NIOCore
import SocialEvents
import Synchronization

/// What bounds the webhook listener.
package struct WebhookLimits: Sendable {
    /// The largest body, in bytes.
    package var bodySize = WebhookSettings.defaultBodySize
    /// Calls in flight; one more is told to come again.
    package var callsInFlight = 512
    /// Bytes of bodies in flight; a call that does not fit is told to come again.
    package var bytesInFlight = 64 << 20
    /// Connections; more wait in the system's queue.
    package var connections = 2048
    /// How long a call may take to arrive, from its first byte to its last.
    package var arrival = Duration.seconds(15)
    /// How long a connection may be silent between two calls.
    package var silence = Duration.seconds(75)

    /// The defaults.
    package init() {}
}

/// Where platforms call: one path for each source that is told by webhook, on an address of its own, so that it can be reached from outside while the
/// subscription API cannot.
///
/// A call is answered only once what it brought is on disk. Nothing here judges a call: that is the connector's part, over the raw bytes.
package struct WebhookServer: Sendable {
    private let inlets: [String: WebhookInlet]
    private let clock: any WallClock
    private let limits: WebhookLimits
    private let logger: Logger

    /// A listener for the hub's sources.
    ///
    /// - Parameters:
    ///   - hub: whose sources are called.
    ///   - clock: tells when a call arrived.
    ///   - limits: what bounds it.
    ///   - logger: logs what goes wrong.
    package init(
        hub: Hub,
        clock: any WallClock = SystemClock(),
        limits: WebhookLimits = WebhookLimits(),
        logger: Logger
    ) {
        inlets = hub.webhooks
        self.clock = clock
        self.limits = limits
        self.logger = logger
    }

    /// The paths, with the sources that are called there; a listener without any is not needed.
    package var paths: [(path: String, source: String)] {
        inlets.map { ($0.key, $0.value.source.name) }.sorted { $0.source < $1.source }
    }

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
        let limits = limits
        return Application(
            responder: WebhookResponder(inlets: inlets, clock: clock, limits: limits, logger: logger),
            server: .http1(
                configuration: .init(
                    additionalChannelHandlers: [SlowCallGuard(arrival: limits.arrival, silence: limits.silence)]
                )
            ),
            configuration: ApplicationConfiguration(
                address: .hostname(host, port: port),
                serverName: "roost",
                availableConnectionsDelegate: MaximumAvailableConnections(limits.connections)
            ),
            onServerRunning: { await onRunning($0.localAddress?.port ?? port) },
            logger: logger
        )
    }
}

/// Answers calls.
private struct WebhookResponder: HTTPResponder {
    typealias Context = BasicRequestContext

    private let inlets: [String: WebhookInlet]
    private let clock: any WallClock
    private let limits: WebhookLimits
    private let admission: CallAdmission
    private let logger: Logger

    init(inlets: [String: WebhookInlet], clock: any WallClock, limits: WebhookLimits, logger: Logger) {
        self.inlets = inlets
        self.clock = clock
        self.limits = limits
        self.logger = logger
        admission = CallAdmission(calls: limits.callsInFlight, bytes: limits.bytesInFlight)
    }

    @concurrent
    func respond(to request: Request, context: Context) async throws -> Response {
        guard let inlet = inlets[request.uri.path] else { return Self.text(.notFound, "no source is called here") }
        let told = request.headers[.contentLength].flatMap { Int($0) }
        if let told, told > limits.bodySize { return Self.tooLarge(limits.bodySize) }
        guard let place = admission.enter(bytes: told ?? limits.bodySize) else {
            return Self.later(.seconds(1), "too many calls at once")
        }
        defer { admission.leave(place) }
        let buffer: ByteBuffer
        do {
            buffer = try await request.body.collect(upTo: limits.bodySize)
        } catch is NIOTooManyBytesError {
            return Self.tooLarge(limits.bodySize)
        }
        let delivery = WebhookDelivery(
            method: request.method,
            query: request.uri.queryParameters.map { (String($0.key), String($0.value)) },
            headers: request.headers,
            body: Array(buffer.readableBytesView),
            receivedAt: clock.now
        )
        switch await inlet.receive(delivery) {
        case .accepted: return Self.text(.ok, "")
        case .reply(let body, let contentType):
            return Response(
                status: .ok,
                headers: [.contentType: contentType, .cacheControl: "no-store"],
                body: ResponseBody(byteBuffer: ByteBuffer(bytes: body))
            )
        case .refused(let status, let reason): return Self.text(HTTPResponse.Status(code: status), reason)
        case .later(let delay, let reason):
            // Why is for the operator: whoever calls from outside learns nothing of what is inside.
            logger.debug(
                "a call of a webhook is to come again",
                metadata: ["source": "\(inlet.source)", "reason": "\(reason)"]
            )
            return Self.later(delay, "not at the moment")
        case .failed: return Self.text(.internalServerError, "the call could not be taken")
        }
    }

    private static func text(_ status: HTTPResponse.Status, _ text: String, _ more: HTTPFields = [:]) -> Response {
        var headers = more
        headers[.contentType] = "text/plain; charset=utf-8"
        let body = text.isEmpty ? text : text + "\n"
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(string: body)))
    }

    /// The connection is given up, since the rest of the body is not read.
    private static func tooLarge(_ limit: Int) -> Response {
        text(.contentTooLarge, "at most \(limit) bytes are taken", [.connection: "close"])
    }

    private static func later(_ delay: Duration, _ reason: String) -> Response {
        let seconds = max(1, Int(delay.components.seconds))
        return text(.serviceUnavailable, reason, [.retryAfter: String(seconds), .connection: "close"])
    }

}

/// Counts what is in flight, so that a flood is turned away before it takes memory.
private final class CallAdmission: Sendable {
    struct Place {
        fileprivate let bytes: Int
    }

    private struct State {
        var calls: Int
        var bytes: Int
    }

    private let free: Mutex<State>

    init(calls: Int, bytes: Int) {
        free = Mutex(State(calls: calls, bytes: bytes))
    }

    /// A place for one call; `nil` when there is none.
    func enter(bytes: Int) -> Place? {
        free.withLock { free in
            guard free.calls > 0, free.bytes >= bytes, bytes >= 0 else { return nil }
            free.calls -= 1
            free.bytes -= bytes
            return Place(bytes: bytes)
        }
    }

    func leave(_ place: Place) {
        free.withLock { free in
            free.calls += 1
            free.bytes += place.bytes
        }
    }
}
