import ConnectorKit
import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOTLS
import NIOWebSocket

/// What became of a handshake.
enum HandshakeOutcome: Sendable {
    /// The connection is a WebSocket now.
    case opened(any Channel, NIOLoopBound<WebSocketHandler>)
    /// The server answers as to any request; the answer is still on its way.
    case refused(EventLoopFuture<WebSocketRefusal>)
}

/// The opening handshake of a client (RFC 6455 §4.1).
struct Handshake: Sendable {
    let address: WebSocketAddress
    let request: WebSocketRequest
    let userAgent: String

    /// Fields that are the client's to set.
    private static let own: Set<String> = [
        "host", "connection", "upgrade", "sec-websocket-key", "sec-websocket-version", "sec-websocket-extensions",
        "content-length", "transfer-encoding",
    ]

    /// Throws ``HTTPClientError`` `invalidRequest` when a field cannot be sent.
    func check() throws {
        for field in request.headers {
            if Self.own.contains(field.name.canonicalName) {
                throw HTTPClientError(.invalidRequest, "the field \(field.name.rawName) is the client's to set")
            }
            guard field.value.utf8.allSatisfy({ ($0 >= 0x20 && $0 != 0x7F) || $0 == 0x09 }) else {
                throw HTTPClientError(.invalidRequest, "the field \(field.name.rawName) holds control characters")
            }
        }
    }

    private var head: HTTPRequestHead {
        var headers = HTTPHeaders()
        headers.add(name: "Host", value: address.authority)
        if request.headers[.userAgent] == nil { headers.add(name: "User-Agent", value: userAgent) }
        for field in request.headers { headers.add(name: field.name.rawName, value: field.value) }
        return HTTPRequestHead(version: .http1_1, method: .GET, uri: address.target, headers: headers)
    }

    private var protocols: Set<Substring> {
        let values = request.headers[values: .secWebSocketProtocol]
        return Set(values.flatMap { $0.split { $0 == "," || $0 == " " } })
    }

    /// Prepares a fresh channel: the request goes out as soon as it is connected.
    ///
    /// - Parameters:
    ///   - channel: the channel, on its event loop.
    ///   - inbox: where messages will go.
    /// - Returns: what becomes of the handshake.
    /// - Throws: what the pipeline throws when it cannot be set up.
    func prepare(_ channel: any Channel, _ inbox: Inbox) throws -> EventLoopFuture<HandshakeOutcome> {
        let request = request
        let protocols = protocols
        let upgrader = NIOTypedWebSocketClientUpgrader<HandshakeOutcome>(
            maxFrameSize: min(request.maximumMessageSize, Int(Int32.max)),
            enableAutomaticErrorHandling: false
        ) { channel, head in
            channel.eventLoop.makeCompletedFuture {
                for field in head.headers[canonicalForm: "sec-websocket-protocol"] where !protocols.contains(field) {
                    throw HTTPClientError(.protocolViolation, "the server chose a subprotocol that was not offered")
                }
                if head.headers.contains(name: "sec-websocket-extensions") {
                    throw HTTPClientError(.protocolViolation, "the server chose an extension that was not offered")
                }
                let handler = WebSocketHandler(
                    inbox,
                    deadlines: request.deadlines,
                    maximumMessageSize: request.maximumMessageSize
                )
                try channel.pipeline.syncOperations.addHandler(handler)
                return .opened(channel, NIOLoopBound(handler, eventLoop: channel.eventLoop))
            }
        }
        var configuration = NIOUpgradableHTTPClientPipelineConfiguration(
            upgradeConfiguration: NIOTypedHTTPClientUpgradeConfiguration<HandshakeOutcome>(
                upgradeRequestHead: head,
                upgraders: [upgrader]
            ) { channel in
                // What was answered is handed on only after this returns.
                let promise = channel.eventLoop.makePromise(of: WebSocketRefusal.self)
                do {
                    try channel.pipeline.syncOperations.addHandler(RefusalHandler(promise))
                } catch {
                    promise.fail(error)
                }
                return channel.eventLoop.makeSucceededFuture(.refused(promise.futureResult))
            }
        )
        configuration.leftOverBytesStrategy = .forwardBytes
        return try channel.pipeline.syncOperations.configureUpgradableHTTPClientPipeline(configuration: configuration)
    }
}

/// Gathers an ordinary response to a handshake.
private final class RefusalHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPClientResponsePart

    private let promise: EventLoopPromise<WebSocketRefusal>
    private var refusal = WebSocketRefusal(status: 0)

    init(_ promise: EventLoopPromise<WebSocketRefusal>) {
        self.promise = promise
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            refusal.status = Int(head.status.code)
            for (name, value) in head.headers {
                guard let name = HTTPField.Name(name) else { continue }
                refusal.headers.append(HTTPField(name: name, value: value))
            }
        case .body(let part):
            let room = WebSocketRefusal.longestBody - refusal.body.count
            refusal.body.append(contentsOf: part.readableBytesView.prefix(max(room, 0)))
            // The rest says nothing that anybody waits for.
            if refusal.body.count == WebSocketRefusal.longestBody { finish(context) }
        case .end: finish(context)
        }
    }

    private func finish(_ context: ChannelHandlerContext) {
        promise.succeed(refusal)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        if refusal.status > 0 {
            promise.succeed(refusal)
        } else {
            promise.fail(HTTPClientError(.connection, "the connection was closed during the handshake"))
        }
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        promise.fail(TransportError.translated(error, "the handshake failed"))
        context.close(promise: nil)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        promise.fail(HTTPClientError(.connection, "the connection was closed during the handshake"))
    }
}

/// Says when TLS stands, which ends one deadline and begins the next.
final class SecuredWatcher: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = NIOAny

    private let secured: @Sendable () -> Void

    init(_ secured: @escaping @Sendable () -> Void) {
        self.secured = secured
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? TLSUserEvent, case .handshakeCompleted = event { secured() }
        context.fireUserInboundEventTriggered(event)
    }
}
