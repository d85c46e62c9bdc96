import ConnectorKit
import Dispatch
import NIOCore
import NIOPosix
import Testing

@testable import WebSocketTransport

@Suite("Connecting while a name server does not answer", .timeLimit(.minutes(5)))
struct ResolvingTests {
    /// A resolver that answers nobody until it is let go.
    private final class SlowResolver: Sendable {
        let asked = AsyncStream.makeStream(of: String.self)
        private let gate = DispatchSemaphore(value: 0)

        func lookUp(_ address: WebSocketAddress) -> Result<[ResolvedAddress], HTTPClientError> {
            asked.continuation.yield(address.host)
            gate.wait()
            gate.signal()
            return .failure(HTTPClientError(.nameResolution, "nobody knows \(address.host)"))
        }

        func release() { gate.signal() }
    }

    /// Runs a test with a transport all of whose resolver's threads wait, and ends them.
    private func withSlowResolver(
        _ body: (WebSocketTransport, any WebSocketClient) async throws -> Void
    ) async throws {
        let resolver = SlowResolver()
        let transport = WebSocketTransport(WebSocketTransportConfiguration(), lookUp: resolver.lookUp)
        let client = transport.client(policy: .allowPrivate)
        try await withThrowingTaskGroup(of: Void.self) { group in
            defer { resolver.release() }
            for number in 0..<WebSocketTransport.resolverCount {
                group.addTask {
                    await #expect(throws: HTTPClientError.self) {
                        try await client.connect(.test("ws://slow\(number).invalid/"))
                    }
                }
            }
            var asked = resolver.asked.stream.makeAsyncIterator()
            for _ in 0..<WebSocketTransport.resolverCount { _ = await asked.next() }
            try await body(transport, client)
            resolver.release()
            try await group.waitForAll()
        }
        await transport.shutdown()
    }

    @Test("Addresses by number are reached")
    func literal() async throws {
        let server = try await TestServer { $0.text("x") }
        try await withSlowResolver { _, client in
            let connection = try await client.connect(.test(server.url))
            #expect(try await connection.next() == .text([120]))
        }
        await server.shutdown()
    }

    @Test("Who gives up is told at once, and asks nobody later")
    func givenUp() async throws {
        let resolver = SlowResolver()
        let transport = WebSocketTransport(WebSocketTransportConfiguration(), lookUp: resolver.lookUp)
        let client = transport.client(policy: .allowPrivate)
        func connect(_ host: String) -> Task<any WebSocketConnection, any Error> {
            // Awaited by those who call this.
            Task { try await client.connect(.test("ws://\(host).invalid/")) }
        }
        var asked = resolver.asked.stream.makeAsyncIterator()
        let slow = (0..<WebSocketTransport.resolverCount).map { connect("slow\($0)") }
        for _ in slow { _ = await asked.next() }
        let impatient = (0..<20).map { connect("impatient\($0)") }
        for task in impatient {
            task.cancel()
            let result = await task.result
            #expect(throws: CancellationError.self) { _ = try result.get() }
        }
        let last = connect("last")
        resolver.release()
        #expect(await asked.next() == "last.invalid")
        for task in slow + [last] { await #expect(throws: HTTPClientError.self) { try await task.value } }
        await transport.shutdown()
    }

    @Test("Shutting down does not wait for it")
    func shutDown() async throws {
        try await withSlowResolver { transport, client in
            await transport.shutdown()
            let error = await #expect(throws: HTTPClientError.self) {
                try await client.connect(.test("ws://late.invalid/"))
            }
            #expect(error?.code == .shutDown)
        }
    }

    @Test("An address that is given up for the next is hung up")
    func discarded() async throws {
        let server = try await TestServer(raw: nil)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let attempt = ConnectionAttempt(group.any())
        let channel = try await ClientBootstrap(group: group).connect(host: "127.0.0.1", port: server.port).get()
        attempt.adopt(channel)
        attempt.discard()
        try await channel.closeFuture.get()
        await server.wait { $0.closed == 1 }
        // The attempt itself goes on.
        try attempt.succeed()
        try await group.shutdownGracefully()
        await server.shutdown()
    }
}
