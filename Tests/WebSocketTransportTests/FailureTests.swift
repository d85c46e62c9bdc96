import ConnectorKit
import HTTPTypes
import NIOCore
import NIOWebSocket
import Testing
import WebSocketTransport

@Suite("A WebSocket that fails", .timeLimit(.minutes(5)))
struct FailureTests {
    /// What reading a connection to a server ends with.
    private func failure(
        maximumMessageSize: Int = 1000,
        _ talk: @escaping TestServer.Talk
    ) async throws -> HTTPClientError? {
        var failure: HTTPClientError?
        try await withServer(TestServer(talk: talk)) { client, server in
            let connection = try await client.connect(.test(server.url, maximumMessageSize: maximumMessageSize))
            failure = await #expect(throws: HTTPClientError.self) {
                while try await connection.next() != nil {}
            }
            await server.wait { $0.closed == 1 }
        }
        return failure
    }

    @Test("ends at a message that is too large, whole or in fragments")
    func tooLarge() async throws {
        #expect(try await failure { $0.send(.binary, [UInt8](repeating: 1, count: 1001)) }?.code == .bodyTooLarge)
        let fragments: TestServer.Talk = { peer in
            peer.send(.binary, [UInt8](repeating: 1, count: 600), fin: false)
            peer.send(.continuation, [UInt8](repeating: 1, count: 600))
        }
        #expect(try await failure(fragments)?.code == .bodyTooLarge)
    }

    @Test("ends where the other side breaks the protocol", arguments: 0..<6)
    func violations(index: Int) async throws {
        let talks: [TestServer.Talk] = [
            { $0.send(.text, [65], maskKey: [1, 2, 3, 4]) },
            { $0.send(.text, [65], rsv1: true) },
            { $0.send(.continuation, [65]) },
            { peer in
                peer.send(.text, [65], fin: false)
                peer.send(.text, [65])
            },
            { $0.send(.text, [0xFF, 0xFE]) },
            { $0.send(.ping, [1], fin: false) },
        ]
        #expect(try await failure(talks[index])?.code == .protocolViolation)
    }

    @Test("tells what came before the connection was lost")
    func lost() async throws {
        let server = try await TestServer(answer: { peer, _ in
            peer.text("one")
            peer.hangUp()
        }) { _ in }
        try await withServer(server) { client, server in
            let connection = try await client.connect(.test(server.url))
            try await connection.send(.text([]))
            #expect(try await connection.next() == .text(Array("one".utf8)))
            let error = await #expect(throws: HTTPClientError.self) { try await connection.next() }
            #expect(error?.code == .connection)
            #expect(connection.closeCode == nil)
        }
    }

    @Test("notices a connection on which nothing is answered any more")
    func halfOpen() async throws {
        let server = try await TestServer(isPolite: false) { $0.text("hello") }
        try await withServer(server) { client, server in
            let connection = try await client.connect(.test(server.url, idle: .seconds(1)))
            #expect(try await connection.next() == .text(Array("hello".utf8)))
            let error = await #expect(throws: HTTPClientError.self) { try await connection.next() }
            #expect(error?.code == .deadline)
            // However late the clock is looked at, nothing is given up that was not asked.
            await server.wait { $0.count(.ping) > 0 }
        }
    }

    @Test("lives on in silence while pings are answered")
    func answeredPings() async throws {
        let server = try await TestServer { _ in }
        try await withServer(server) { client, server in
            let connection = try await client.connect(.test(server.url, idle: .seconds(3)))
            // Awaited below.
            let reading = Task { try await connection.next() }
            // One each second: the fourth comes after the silence that would have ended it.
            await server.wait { $0.count(.ping) >= 4 || $0.closed > 0 }
            #expect(server.closed == 0)
            reading.cancel()
            _ = await reading.result
        }
    }

    @Test("ends when it has lived for as long as it may")
    func total() async throws {
        let server = try await TestServer { _ in }
        try await withServer(server) { client, server in
            let connection = try await client.connect(.test(server.url, total: .milliseconds(100)))
            let error = await #expect(throws: HTTPClientError.self) { try await connection.next() }
            #expect(error?.code == .deadline)
        }
    }

    @Test("is refused with what the server answered instead")
    func refused() async throws {
        let body = "{\"error\":\"CursorTooOld\",\"message\":\"floor 9\"}"
        let answer = """
            HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nX-Extra: 1\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)
            """
        let server = try await TestServer(raw: answer)
        try await withServer(server) { client, server in
            let refusal = await #expect(throws: WebSocketRefusal.self) { try await client.connect(.test(server.url)) }
            #expect(refusal?.status == 400)
            #expect(refusal.map { String(decoding: $0.body, as: UTF8.self) } == body)
            let name = try #require(HTTPField.Name("x-extra"))
            #expect(refusal?.headers[name] == "1")
            #expect(refusal.map { String(describing: $0).contains("cursor") } == false)
        }
    }

    @Test(
        "does not open where the handshake is wrong, and hangs up",
        arguments: [
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: AAAA\r\n\r\n",
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: other\r\nConnection: upgrade\r\n\r\n",
            "hello\r\n\r\n",
        ]
    )
    func wrongHandshake(answer: String) async throws {
        let server = try await TestServer(raw: answer)
        try await withServer(server) { client, server in
            let error = await #expect(throws: HTTPClientError.self) { try await client.connect(.test(server.url)) }
            #expect(error?.code == .protocolViolation)
            await server.wait { $0.closed == 1 }
            #expect(server.accepted == 1)
        }
    }

    @Test("does not open where the server chooses a subprotocol that was not offered")
    func subprotocol() async throws {
        let server = try await TestServer(subprotocol: "other") { _ in }
        try await withServer(server) { client, server in
            let error = await #expect(throws: HTTPClientError.self) { try await client.connect(.test(server.url)) }
            #expect(error?.code == .protocolViolation)
        }
    }

    @Test("does not wait longer for the handshake than it may")
    func silentHandshake() async throws {
        let server = try await TestServer(raw: nil)
        try await withServer(server) { client, server in
            let error = await #expect(throws: HTTPClientError.self) {
                try await client.connect(.test(server.url, firstByte: .milliseconds(100)))
            }
            #expect(error?.code == .deadline)
            #expect(error?.message.contains("cursor") == false)
            await server.wait { $0.closed == 1 }
        }
    }

    @Test("does not wait longer for TLS than it may")
    func silentTLS() async throws {
        let server = try await TestServer(raw: nil)
        try await withServer(server) { client, server in
            let error = await #expect(throws: HTTPClientError.self) {
                try await client.connect(.test(server.secureURL, connect: .milliseconds(200)))
            }
            #expect(error?.code == .deadline)
        }
    }

    @Test("ends at once when it is cancelled, while connecting and while reading")
    func cancelled() async throws {
        let server = try await TestServer(raw: nil)
        try await withServer(server) { client, server in
            // Awaited below.
            let task = Task { try await client.connect(.test(server.url)) }
            await server.wait { $0.accepted == 1 }
            task.cancel()
            let result = await task.result
            #expect(throws: CancellationError.self) { _ = try result.get() }
            await server.wait { $0.closed == 1 }
        }
        let open = try await TestServer { _ in }
        try await withServer(open) { client, server in
            let connection = try await client.connect(.test(server.url))
            // Awaited below.
            let task = Task { try await connection.next() }
            task.cancel()
            let result = await task.result
            #expect(throws: CancellationError.self) { _ = try result.get() }
        }
    }

    @Test("can be read on after reading it was cancelled")
    func readOn() async throws {
        let server = try await TestServer(answer: { peer, frame in
            if frame.opcode == 1 { peer.send(.text, frame.bytes) }
        }) { _ in }
        try await withServer(server) { client, server in
            let connection = try await client.connect(.test(server.url))
            for yields in 0..<20 {
                // Awaited below.
                let task = Task { try await connection.next() }
                for _ in 0..<yields { await Task.yield() }
                task.cancel()
                let result = await task.result
                #expect(throws: CancellationError.self) { _ = try result.get() }
            }
            try await connection.send(.text([65]))
            #expect(try await connection.next() == .text([65]))
        }
    }

    /// More than the network takes from who is not read.
    private static let flood = WebSocketMessage.binary([UInt8](repeating: 0, count: 8 << 20))

    @Test("does not keep one who sends to a server that takes nothing and is cancelled")
    func cancelledSending() async throws {
        let server = try await TestServer(isPolite: false, stalls: true) { _ in }
        try await withServer(server) { client, server in
            let connection = try await client.connect(.test(server.url))
            // Awaited below.
            let sending = Task { try await connection.send(Self.flood) }
            await server.wait { $0.isStalled }
            sending.cancel()
            let result = await sending.result
            #expect(throws: CancellationError.self) { try result.get() }
            // Half a message is out: the connection is good for nothing any more.
            await #expect(throws: HTTPClientError.self) { try await connection.next() }
            await #expect(throws: HTTPClientError.self) { try await connection.send(.text([])) }
        }
    }

    @Test("does not wait longer for the network to take a message than it may be silent")
    func stalledSending() async throws {
        // It talks on, so that it is not silent.
        let server = try await TestServer(isPolite: false, stalls: true) { peer in
            peer.channel.eventLoop.scheduleRepeatedTask(initialDelay: .zero, delay: .milliseconds(50)) { _ in
                peer.send(.pong, [])
            }
        }
        try await withServer(server) { client, server in
            let connection = try await client.connect(.test(server.url, idle: .seconds(3)))
            let error = await #expect(throws: HTTPClientError.self) { try await connection.send(Self.flood) }
            #expect(error?.code == .deadline)
        }
    }

    @Test("ends when the transport is shut down, and none is opened after")
    func shutDown() async throws {
        let server = try await TestServer { $0.text("x") }
        let transport = WebSocketTransport()
        let client = transport.client(policy: .allowPrivate)
        let connection = try await client.connect(.test(server.url))
        _ = try await connection.next()
        // Awaited below.
        let reading = Task { try await connection.next() }
        await transport.shutdown()
        let result = await reading.result
        let error = #expect(throws: HTTPClientError.self) { _ = try result.get() }
        #expect(error?.code == .shutDown)
        let late = await #expect(throws: HTTPClientError.self) { try await client.connect(.test(server.url)) }
        #expect(late?.code == .shutDown)
        await transport.shutdown()
        await server.shutdown()
    }
}
