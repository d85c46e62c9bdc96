import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOPosix

/// Makes a simulator's calls: to this machine alone, one connection each, every one with a deadline.
struct WebhookCaller {
    /// The longest that a call may take.
    static let deadline = TimeAmount.seconds(20)
    /// How much of an answer is read.
    static let mostRead = 64 << 10

    let simulator: any WebhookSimulator

    /// Makes the calls that are due, several at a time.
    func callAll() async {
        let calls = simulator.takeCalls()
        await withTaskGroup(of: Void.self) { group in
            for call in calls {
                group.addTask {
                    let answer = try? await Self.send(call)
                    simulator.answered(call, status: answer?.status, body: answer?.body ?? [])
                }
            }
        }
    }

    struct Answer: Sendable {
        var status: Int
        var body: [UInt8]
    }

    struct Refused: Error {}

    /// Sends one call.
    static func send(_ call: SimulatedCall) async throws -> Answer {
        guard let target = Target(call.url) else { throw Refused() }
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let promise = loop.makePromise(of: Answer.self)
        let started = ClientBootstrap(group: loop)
            .connectTimeout(.seconds(5))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    try channel.pipeline.syncOperations.addHandler(AnswerHandler(promise))
                }
            }
            .connect(host: target.host, port: target.port)
        started.whenFailure { promise.fail($0) }
        started.whenSuccess { channel in
            let late = channel.eventLoop.scheduleTask(in: deadline) { channel.close(promise: nil) }
            channel.closeFuture.whenComplete { _ in
                late.cancel()
                // Too late for whom it was answered.
                promise.fail(Refused())
            }
            write(call, to: target, on: channel)
        }
        return try await promise.futureResult.get()
    }

    private static func write(_ call: SimulatedCall, to target: Target, on channel: any Channel) {
        var headers = HTTPHeaders(call.headers.map { ($0.name.rawName, $0.value) })
        headers.replaceOrAdd(name: "Host", value: "\(target.host):\(target.port)")
        headers.replaceOrAdd(name: "Connection", value: "close")
        if call.method != .get { headers.replaceOrAdd(name: "Content-Length", value: String(call.body.count)) }
        let head = HTTPRequestHead(
            version: .http1_1,
            method: HTTPMethod(rawValue: call.method.rawValue),
            uri: target.path,
            headers: headers
        )
        channel.write(HTTPClientRequestPart.head(head), promise: nil)
        channel.write(HTTPClientRequestPart.body(.byteBuffer(channel.allocator.buffer(bytes: call.body))), promise: nil)
        channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
    }

    /// Where a URL leads: `http`, a loopback address by number, a port.
    struct Target: Hashable {
        var host: String
        var port: Int
        var path: String

        init?(_ url: String) {
            guard url.hasPrefix("http://") else { return nil }
            let rest = url.dropFirst(7)
            let authority = rest.prefix { $0 != "/" && $0 != "?" }
            let parts = authority.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count <= 2, let name = parts.first, name == "localhost" || name.hasPrefix("127.") else {
                return nil
            }
            guard name == "localhost" || name.allSatisfy({ $0.isNumber || $0 == "." }) else { return nil }
            host = name == "localhost" ? "127.0.0.1" : String(name)
            guard let port = parts.count == 2 ? Int(parts[1]) : 80, (1...65_535).contains(port) else { return nil }
            self.port = port
            let path = rest.dropFirst(authority.count)
            self.path = path.hasPrefix("/") ? String(path) : "/" + path
        }
    }
}

/// Gathers an answer.
private final class AnswerHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart

    private let promise: EventLoopPromise<WebhookCaller.Answer>
    private var status = 0
    private var body: [UInt8] = []

    init(_ promise: EventLoopPromise<WebhookCaller.Answer>) {
        self.promise = promise
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): status = Int(head.status.code)
        case .body(let part):
            let room = WebhookCaller.mostRead - body.count
            body += part.readableBytesView.prefix(max(0, room))
        case .end:
            promise.succeed(WebhookCaller.Answer(status: status, body: body))
            context.close(promise: nil)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        promise.fail(error)
        context.close(promise: nil)
    }
}
